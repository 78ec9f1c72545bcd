import socket
import ssl

import httpx
import pytest
from unit.provider.support import Routes, Script, html, ok, run

from runs_as_code.errors import (
    AccessError,
    BadResponseError,
    ConflictError,
    ExitCode,
    NotFoundError,
    RejectedError,
    UnknownOutcomeError,
    UnreachableError,
)
from runs_as_code.model.provider import ResolvedPlan, RunFields


def create(script: Script):
    plans = (ResolvedPlan(folder_ids=(1,)),)
    return run(script.project().create_run(RunFields("T", "D"), "live", plans))


def listed(script: Script):
    return run(script.project().list_runs())


CONFLICT = "run title must be unique within the {}, conflicting run id: {}"


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize("scope", ["project", "milestone"])
def test_a_conflict_carries_the_id_whatever_the_status(status, scope):
    with pytest.raises(ConflictError) as caught:
        create(Script(ok({"message": CONFLICT.format(scope, 41)}, status)))
    assert caught.value.run_id == 41
    assert f"unique within the {scope}" in caught.value.message


@pytest.mark.parametrize(
    "message",
    [
        "Conflicting run ID: 41",
        "conflicting run id:41.",
        "x" * 20_000 + " conflicting run id: 41",
        "run title\nmust be unique,\n conflicting run id: 41\n",
    ],
)
def test_a_conflict_is_known_by_the_end_of_its_message(message):
    with pytest.raises(ConflictError) as caught:
        create(Script(ok({"message": message}, 403)))
    assert caught.value.run_id == 41


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("conflicting run id: 41 was found", 403),
        ("conflicting run id: none", 403),
        ("conflicting run id: 41", 401),
    ],
)
def test_other_messages_are_no_conflict(message, status):
    with pytest.raises(AccessError):
        create(Script(ok({"message": message}, status)))


def test_a_clone_conflicts_as_well():
    script = Script(ok({"message": CONFLICT.format("project", 3)}, 403))
    with pytest.raises(ConflictError):
        run(script.project().clone_run(1, RunFields("T", "D")))


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RejectedError), (402, RejectedError), (413, RejectedError), (401, AccessError)],
)
def test_a_refused_write_did_not_run(status, error):
    with pytest.raises(error, match="folder not found") as caught:
        create(Script(ok({"message": "folder not found"}, status)))
    assert not isinstance(caught.value, UnknownOutcomeError)


def test_a_wrong_key():
    with pytest.raises(AccessError, match="Invalid or missing API key") as caught:
        listed(Script(ok({"message": "Invalid or missing API key"}, 401)))
    assert "QAS_TOKEN" in caught.value.hint
    assert caught.value.exit_code == ExitCode.ACCESS


def test_a_key_with_too_weak_a_role():
    forbidden = ok({"message": "Insufficient permissions"}, 403)
    with pytest.raises(AccessError, match="Insufficient permissions") as caught:
        listed(Script(forbidden))
    assert "`viewer`" in caught.value.hint
    with pytest.raises(AccessError) as caught:
        create(Script(forbidden))
    assert "`test-runner`" in caught.value.hint


def test_a_missing_run():
    script = Script(ok({"message": "Run not found"}, 404))
    with pytest.raises(NotFoundError, match="Run not found"):
        run(script.project().close_run(9))


def test_an_unknown_project_names_the_nearest():
    codes = [{"id": "x", "code": code, "title": code} for code in ("ZZZ", "BDX", "BD")]
    routes = Routes({"GET /project": ok({"projects": codes})})
    with pytest.raises(NotFoundError, match="no project `BDD`") as caught:
        run(routes.script.project("BDD").list_runs())
    assert "`BD`" in caught.value.hint
    assert "`BDX`" in caught.value.hint
    assert "ZZZ" not in caught.value.hint


def test_an_unknown_project_unlike_any_other_names_some():
    codes = [{"id": "x", "code": code, "title": code} for code in ("ZZZ", "YYY")]
    routes = Routes({"GET /project": ok({"projects": codes})})
    with pytest.raises(NotFoundError) as caught:
        run(routes.script.project("BD").list_runs())
    assert "`YYY`, `ZZZ`" in caught.value.hint


@pytest.mark.parametrize("reply", [ok({}, 403), html(), ok({"projects": None})])
def test_an_unknown_project_stays_one_when_projects_can_not_be_listed(reply):
    with pytest.raises(NotFoundError):
        run(Routes({"GET /project": reply}).script.project("BD").list_runs())


def test_a_web_page_is_no_qa_sphere():
    for status in (200, 404):
        with pytest.raises(BadResponseError, match="DOCTYPE") as caught:
            listed(Script(html(status)))
        assert "QA Sphere" in caught.value.hint


def test_an_error_without_json_shows_the_phrase_of_the_status():
    with pytest.raises(AccessError, match="Unauthorized"):
        listed(Script(html(401)))
    with pytest.raises(RejectedError, match="Bad Request"):
        listed(Script(ok(["x"], 400)))


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://login.evil.com/path?key=canary", "`login.evil.com`"),
        ("//other.com/x", "`other.com`"),
        ("https://user:canary@other.com", "`other.com`"),
        ("/login", "another page of the same host"),
        ("", "another page"),
        ("https://[broken", "another page"),
    ],
)
def test_a_redirect_is_not_followed_but_named(location, named):
    script = Script(httpx.Response(302, headers={"Location": location}))
    with pytest.raises(BadResponseError) as caught:
        listed(script)
    assert named in caught.value.message
    assert "canary" not in caught.value.message
    assert len(script.requests) == 1


def test_a_message_of_the_server_is_made_harmless():
    message = "no \x1b[31m\u202esuch\n\tfolder" + "!" * 5000
    with pytest.raises(RejectedError) as caught:
        listed(Script(ok({"message": message}, 400)))
    assert caught.value.message.isprintable()
    assert r"no \x1b[31m\u202esuch folder!!" in caught.value.message
    assert len(caught.value.message) < 500


def from_cause(cause: Exception) -> httpx.ConnectError:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("wrapped")
    error.__cause__.__cause__ = ExceptionGroup("multiple", [cause])
    return error


@pytest.mark.parametrize(
    ("cause", "text", "tries"),
    [
        (ConnectionRefusedError(), "connection refused", 4),
        (socket.gaierror(), "unknown host", 4),
        (OSError("network down"), "no connection", 4),
        (ssl.SSLCertVerificationError(), "certificate can't be trusted", 1),
        (ssl.SSLError(), "no encrypted connection", 1),
    ],
)
def test_a_missing_connection_says_why(cause, text, tries):
    script = Script(from_cause(cause))
    with pytest.raises(UnreachableError, match=text) as caught:
        listed(script)
    assert caught.value.hint
    assert "https://acme.eu1.qasphere.com" in caught.value.message
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert len(script.requests) == tries


def test_an_untrusted_certificate_proves_that_a_write_did_not_run():
    with pytest.raises(UnreachableError) as caught:
        create(Script(from_cause(ssl.SSLCertVerificationError())))
    assert not isinstance(caught.value, UnknownOutcomeError)
