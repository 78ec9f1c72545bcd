"""The key never shows: not in errors, their chains, their tracebacks, or any repr."""

import logging
import traceback

import httpx
import pytest
from unit.provider.support import TOKEN, URL, Script, html, live_run, ok, run

from runs_as_code.errors import QarunError
from runs_as_code.model.live import Listing, NamesNeeded
from runs_as_code.model.provider import ResolvedPlan, RunFields
from runs_as_code.provider import directory
from runs_as_code.provider.client import QaSphereClient

CANARY = TOKEN.split(".")[-1][:6]
ECHO = f"invalid key Bearer {TOKEN}"

STEPS = {
    "refused": httpx.ConnectError(ECHO),
    "slow": httpx.ReadTimeout(ECHO),
    "reset": httpx.RemoteProtocolError(ECHO),
    "broken pipe": OSError(ECHO),
    "400": ok({"message": ECHO}, 400),
    "401": ok({"message": ECHO}, 401),
    "403": ok({"message": ECHO}, 403),
    "conflict": ok({"message": f"{ECHO} conflicting run id: 1"}, 403),
    "404": ok({"message": ECHO}, 404),
    "429": ok({"message": ECHO}, 429),
    "500": ok({"message": ECHO}, 500),
    "text": httpx.Response(200, text=ECHO),
    "long text": httpx.Response(200, text="x" * 100 + TOKEN),
    "text 404": httpx.Response(404, text=ECHO),
    "wrong shape": ok({"runs": [live_run(id=ECHO)], "id": TOKEN, "tcases": TOKEN, "tags": TOKEN}),
    "redirect": httpx.Response(302, headers={"Location": f"https://{TOKEN}.evil.com/{TOKEN}"}),
    "html": html(),
}
CALLS = {
    "list": lambda project: project.list_runs(),
    "cases": lambda project: project.list_run_cases(1),
    "case": lambda project: directory.get_run_case(project._sender, "BD", 1, 2),
    "names": lambda project: project.load_catalog(NamesNeeded(tags=True), Listing(())),
    "users": lambda project: project.load_catalog(NamesNeeded(users=("a@b.c",)), Listing(())),
    "create": lambda project: project.create_run(
        RunFields("T", "D"), "live", (ResolvedPlan(folder_ids=(1,)),)
    ),
    "clone": lambda project: project.clone_run(1, RunFields("T", "D")),
    "close": lambda project: project.close_run(1),
    "log": lambda project: project.add_run_log(1, "<p>x</p>"),
}
# Users that can't be listed are just not found, and the words of a close or a log don't matter.
FINE = {(step, "users") for step in ("403", "404", "conflict", "text 404")} | {
    ("wrong shape", "close"),
    ("wrong shape", "log"),
}


def everything_about(error: BaseException) -> str:
    """All that a log or a crash report could show of an error and of those behind it."""
    shown = ["".join(traceback.format_exception(error))]
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None:
            shown += [str(one), repr(one), repr(vars(one)), str(one.args)]
            waiting += [one.__cause__, one.__context__]
            waiting += getattr(one, "exceptions", ())
    return "\n".join(shown)


def is_of_httpx(error: BaseException | None) -> bool:
    while error is not None:
        if type(error).__module__.startswith(("httpx", "httpcore")):
            return True
        error = error.__cause__ or error.__context__
    return False


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("step", STEPS)
def test_no_error_and_no_log_shows_the_key(step, call, caplog):
    caplog.set_level(logging.DEBUG)
    script = Script(STEPS[step])
    if (step, call) in FINE:
        assert CANARY not in repr(run(CALLS[call](script.project())))
    else:
        with pytest.raises(QarunError) as caught:
            run(CALLS[call](script.project()))
        assert CANARY not in everything_about(caught.value)
        assert not is_of_httpx(caught.value)
    assert CANARY not in caplog.text
    assert script.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_no_repr_shows_the_key():
    client = QaSphereClient(URL, TOKEN)
    assert repr(client) == "QaSphereClient('https://acme.eu1.qasphere.com')"
    assert CANARY not in repr(client.project("BD"))


def test_a_key_that_comes_back_as_live_text_is_blotted_out():
    project = Script(ok({"runs": [live_run(title=f"Run of {TOKEN}")]})).project()
    assert run(project.list_runs()).runs[0].title == "Run of [redacted]"


def test_a_refused_key_is_not_quoted():
    with pytest.raises(QarunError) as caught:
        QaSphereClient(URL, f"{TOKEN}\n")
    assert CANARY not in everything_about(caught.value)
