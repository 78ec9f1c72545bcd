import json

import pytest
from unit.provider.support import live_run, run

from runs_as_code.errors import UnreachableError
from runs_as_code.model.provider import RunFields
from runs_as_code.provider import retry
from runs_as_code.provider.embedded import EMBEDDED, embedded_client


def app_of(status: int, data: object, scopes: list):
    async def app(scope, _receive, send):
        scopes.append(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(data).encode()})

    return app


async def crash(_scope, _receive, _send):
    raise RuntimeError("bug")


def test_an_app_in_this_process_is_a_server_like_any_other():
    scopes: list = []
    project = embedded_client(app_of(200, {"runs": [live_run()]}, scopes)).project("BD")

    assert run(project.list_runs()).runs[0].id == 1
    assert project.server == EMBEDDED
    assert scopes[0]["path"] == "/api/public/v0/project/BD/run"
    assert b"authorization" not in dict(scopes[0]["headers"])


def test_a_crash_of_the_app_is_an_answer(monkeypatch):
    monkeypatch.setattr(retry, "TRIES", 1)
    project = embedded_client(crash).project("BD")
    with pytest.raises(UnreachableError, match="500"):
        run(project.list_runs())
    with pytest.raises(UnreachableError, match="500"):
        run(project.clone_run(1, RunFields("T", "D")))
