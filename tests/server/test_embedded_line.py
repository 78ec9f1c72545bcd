"""In process a lost reply is a lost connection, as over a socket, and a crash is a 500."""

import asyncio
from pathlib import Path

import pytest

from runs_as_code.errors import UnreachableError
from runs_as_code.provider import retry
from runs_as_code.provider.embedded import embedded_client
from runs_as_code.server import Fault, ServerOptions, create_app


@pytest.mark.parametrize("kind", ["lost-before", "lost-after", "reset"])
def test_a_lost_reply_is_no_answer(database: Path, kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retry, "TRIES", 1)
    app = create_app(database, options=ServerOptions(faults=(Fault(kind, "GET *", times=1),)))

    async def use() -> tuple[str, int]:
        async with embedded_client(app) as client:
            project = client.project("BD")
            with pytest.raises(UnreachableError) as caught:
                await project.list_runs()
            return str(caught.value), len((await project.list_runs()).runs)

    message, runs = asyncio.run(use())
    app.state.store.close()
    assert "the connection failed before the answer was complete" in message
    assert runs == 0
