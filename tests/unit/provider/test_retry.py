import asyncio

import httpx
import pytest
from unit.provider.support import Script, VirtualTime, ok, run

from runs_as_code.errors import NotRunError, RejectedError, UnknownOutcomeError, UnreachableError
from runs_as_code.model.provider import Attempt, ResolvedPlan, RunFields
from runs_as_code.provider.directory import find_test_cases
from runs_as_code.provider.exchange import Answer, Fault
from runs_as_code.provider.retry import pause
from runs_as_code.provider.timing import Timing

FIELDS = RunFields("T", "D")
PLANS = (ResolvedPlan(folder_ids=(1,)),)
WRITES = {
    "create": lambda project, *tried: project.create_run(FIELDS, "live", PLANS, *tried),
    "clone": lambda project, *tried: project.clone_run(1, FIELDS, *tried),
    "close": lambda project, *tried: project.close_run(1, *tried),
    "log": lambda project, *tried: project.add_run_log(1, "<p>x</p>", *tried),
}
NEVER_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")]
MAY_HAVE_RUN = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("Server disconnected without sending a response"),
    httpx.ProxyError("bad gateway"),
    httpx.DecodingError("bad gzip"),
    OSError("broken pipe"),
    TimeoutError(),
]
TRANSIENT = [408, 500, 502, 503, 504]


def ids(values):
    return [type(value).__name__ if isinstance(value, Exception) else value for value in values]


@pytest.fixture(params=WRITES)
def write(request):
    return WRITES[request.param]


@pytest.mark.parametrize("fault", MAY_HAVE_RUN, ids=ids(MAY_HAVE_RUN))
def test_a_write_is_not_sent_again_when_it_may_have_run(write, fault):
    script = Script(fault, ok({"id": 2, "message": "Run closed"}, 201))
    with pytest.raises(UnknownOutcomeError):
        run(write(script.project()))
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [*TRANSIENT, 501, 505, 301, 307])
def test_a_write_is_not_sent_again_after_a_status_that_proves_nothing(write, status):
    script = Script(ok({"message": "m"}, status), ok({"id": 2}, 201))
    with pytest.raises(UnknownOutcomeError):
        run(write(script.project()))
    assert len(script.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'"done"', b"[]", b"null"])
def test_a_success_that_can_not_be_read_leaves_the_outcome_unknown(write, body):
    script = Script(httpx.Response(201, content=body))
    with pytest.raises(UnknownOutcomeError):
        run(write(script.project()))
    assert len(script.requests) == 1


@pytest.mark.parametrize("name", ["create", "clone"])
@pytest.mark.parametrize("data", [{}, {"id": "2"}, {"id": None}, {"id": 2.5}, {"id": True}])
def test_a_create_or_clone_without_an_integer_id_is_unknown(name, data):
    with pytest.raises(UnknownOutcomeError):
        run(WRITES[name](Script(ok(data, 201)).project()))


@pytest.mark.parametrize(
    ("found", "number", "seconds"),
    [
        (httpx.ConnectError("refused"), 1, 0.5),
        (httpx.ConnectTimeout("slow"), 3, 2),
        (ok({"message": "Too many requests"}, 429), 1, 1),
        (ok({}, 429), 5, 16),
        (ok({}, 429, retry_after="7"), 4, 7),
    ],
    ids=["refused", "slow to connect", "throttled", "throttled again", "told when"],
)
def test_a_write_that_did_not_run_is_sent_again_only_by_who_asked_for_it(
    write, found, number, seconds
):
    script = Script(found)
    with pytest.raises(NotRunError) as caught:
        run(write(script.project(), Attempt(number)))
    assert caught.value.pause == seconds
    assert len(script.requests) == 1
    assert script.pauses == []


def test_a_write_that_is_wanted_no_more_is_not_sent(write):
    script = Script(ok({"id": 2}, 201))
    project = script.project()
    with pytest.raises(NotRunError):
        run(write(project, Attempt(may_go=lambda: False)))
    assert script.requests == []
    assert project.calls == 0


def test_a_write_is_asked_for_once_more_after_it_waited_for_its_turn(write):
    """The rate of the key may keep it waiting for seconds: a signal may have come by then."""
    script = Script(ok({"id": 2, "runs": []}, 201))
    time = VirtualTime()
    is_wanted = True

    async def main():
        nonlocal is_wanted
        client = script.client(rate=1, timing=Timing(later=time.later, sleep=time.sleep))
        project = client.project("BD")
        await project.list_runs()
        attempt = Attempt(may_go=lambda: is_wanted)
        queued = [asyncio.create_task(write(project, attempt)) for _ in range(9)]
        await time.sleep(0.5)
        is_wanted = False
        return await asyncio.gather(*queued, return_exceptions=True)

    ended = run(time.run(main()))
    assert {type(one) for one in ended} == {NotRunError}
    assert script.sent == ["GET /project/BD/run"]
    assert time.now < 2  # what is not sent takes nobody's turn


def test_how_long_calls_are_throttled_is_counted(write):
    script = Script(ok({}, 429, retry_after="7"), ok({}, 429), ok({}, 429), ok({"runs": []}))
    client = script.client()
    project = client.project("BD")
    with pytest.raises(NotRunError):
        run(write(project))
    assert client.throttled_seconds == 7
    run(project.list_runs())
    assert script.pauses == [1, 2]
    assert client.throttled_seconds == 7 + 1 + 2


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), ok({}, 503)])
def test_other_pauses_are_no_throttling(fault):
    script = Script(fault, ok({"runs": []}))
    client = script.client()
    run(client.project("BD").list_runs())
    assert script.pauses == [0.5]
    assert client.throttled_seconds == 0


@pytest.mark.parametrize(
    "fault", [*NEVER_SENT, *MAY_HAVE_RUN], ids=ids([*NEVER_SENT, *MAY_HAVE_RUN])
)
def test_a_read_is_tried_four_times_after_a_fault(fault):
    script = Script(fault)
    with pytest.raises(UnreachableError) as caught:
        run(script.project().list_runs())
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert len(script.requests) == 4
    assert script.pauses == [0.5, 1, 2]


@pytest.mark.parametrize("status", TRANSIENT)
def test_a_read_is_tried_four_times_after_a_transient_status(status):
    script = Script(ok({"message": "try later"}, status))
    with pytest.raises(UnreachableError, match=f"{status}: try later"):
        run(script.project().list_runs())
    assert len(script.requests) == 4


@pytest.mark.parametrize("status", [501, 505])
def test_a_read_is_not_repeated_after_other_server_errors(status):
    script = Script(ok({}, status))
    with pytest.raises(UnreachableError, match=str(status)):
        run(script.project().list_runs())
    assert len(script.requests) == 1


def test_a_read_is_not_repeated_after_a_refusal():
    script = Script(ok({"message": "bad limit"}, 400))
    with pytest.raises(RejectedError):
        run(script.project().list_runs())
    assert len(script.requests) == 1


def test_a_read_recovers():
    script = Script(httpx.ReadTimeout("slow"), ok({}, 503), ok({}, 429), ok({"runs": []}))
    project = script.project()
    assert run(project.list_runs()).runs == ()
    assert project.calls == 4


def test_reading_by_post_is_repeated_like_any_read():
    page = {"data": [{"id": "x", "seq": 12}], "total": 1}
    script = Script(httpx.ReadTimeout("slow"), ok({}, 502), ok(page))
    found = run(find_test_cases(script.client(), "BD", ("BD-012",)))
    assert [case.id for case in found] == ["x"]
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("3600", 60),
        ("Thu, 01 Jan 1970 00:00:09 GMT", 9),
        ("Thu, 01 Jan 1970 00:00:09", 9),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 60),
        ("Wed, 31 Dec 1969 23:59:00 GMT", 1),
        ("0", 1),
        ("-5", 1),
        ("nan", 1),
        ("inf", 1),
        ("soon", 1),
        ("", 1),
    ],
)
def test_retry_after_is_honoured_where_it_makes_sense(header, seconds):
    script = Script(ok({}, 429, retry_after=header), ok({"runs": []}))
    run(script.project().list_runs())
    assert script.pauses == [seconds]


def test_retry_after_counts_for_an_overloaded_server_too():
    script = Script(ok({}, 503, retry_after="3"), ok({"runs": []}))
    run(script.project().list_runs())
    assert script.pauses == [3]


def test_the_total_of_all_pauses_is_bounded():
    script = Script(ok({}, 429, retry_after="60"))
    with pytest.raises(UnreachableError):
        run(script.project().list_runs())
    assert script.pauses == [60, 60, 60]


def test_jitter_adds_up_to_a_quarter():
    throttled = Answer(429, b"")
    assert pause(throttled, 1, Timing(random=lambda: 1.0)) == 1.25
    assert pause(throttled, 3, Timing(random=lambda: 0.5)) == 4.5
    assert pause(Fault("lost", was_sent=True), 2, Timing(random=lambda: 0.0)) == 1.0
