import asyncio
import random

import httpx
import pytest
from unit.provider.support import URL, VirtualTime, ok, run

from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.pacing import Pacer
from runs_as_code.provider.timing import Timing


async def simulate(time: VirtualTime, pacer: Pacer, count: int, seed: int) -> list[float]:
    """Send `count` requests at once over a jittery line; return when each one arrived."""
    chance = random.Random(seed)  # noqa: S311 no secret, only jitter
    arrivals: list[float] = []

    async def send() -> None:
        async with pacer.slot():
            await time.sleep(chance.uniform(0.0, 0.4))
            arrivals.append(time.now)
            await time.sleep(chance.uniform(0.0, 0.4))

    await asyncio.gather(*(send() for _ in range(count)))
    return sorted(arrivals)


def busiest_second(arrivals: list[float]) -> int:
    return max(sum(start <= other < start + 1.0 for other in arrivals) for start in arrivals)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [1, 3, 20])
def test_never_more_than_the_rate_arrives_in_any_second(rate, seed):
    time = VirtualTime()
    arrivals = run(time.run(simulate(time, Pacer(rate, time.later), rate * 6, seed)))

    assert len(arrivals) == rate * 6
    assert busiest_second(arrivals) <= rate


def test_slots_come_back_a_second_after_the_answer_and_no_later():
    time = VirtualTime()
    sent: list[float] = []

    async def send(pacer: Pacer) -> None:
        async with pacer.slot():
            sent.append(round(time.now, 3))
            await time.sleep(0.25)

    async def main() -> None:
        pacer = Pacer(2, time.later)
        await asyncio.gather(*(send(pacer) for _ in range(6)))

    run(time.run(main()))
    assert sent == [0, 0, 1.255, 1.255, 2.51, 2.51]


def test_a_failed_request_holds_its_slot_as_well():
    time = VirtualTime()

    async def main() -> float:
        pacer = Pacer(1, time.later)
        with pytest.raises(OSError, match="reset"):
            async with pacer.slot():
                raise OSError("reset")
        async with pacer.slot():
            return time.now

    assert run(time.run(main())) == pytest.approx(1.005)


def test_the_running_loop_keeps_the_time_by_default():
    async def main() -> list[bool]:
        pacer = Pacer(1)
        async with pacer.slot():
            during = pacer._slots.locked()
        after = pacer._slots.locked()
        await asyncio.wait_for(pacer._slots.acquire(), timeout=5)
        return [during, after]

    assert run(main()) == [True, True]


def test_no_rate_means_no_waiting_but_a_bound_on_what_is_in_flight():
    time = VirtualTime()
    in_flight: list[int] = []

    async def main() -> None:
        pacer, active = Pacer(0, time.later), 0

        async def send() -> None:
            nonlocal active
            async with pacer.slot():
                active += 1
                in_flight.append(active)
                await time.sleep(0.1)
                active -= 1

        await asyncio.gather(*(send() for _ in range(60)))

    run(time.run(main()))
    assert max(in_flight) == 20
    assert time.now == pytest.approx(0.3)


def test_all_projects_of_a_client_share_its_pace():
    time = VirtualTime()
    arrivals: list[float] = []

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _request):
            arrivals.append(time.now)
            await time.sleep(0.1)
            return ok({"runs": []})

    async def main() -> None:
        timing = Timing(later=time.later, sleep=time.sleep, clock=lambda: time.now)
        client = QaSphereClient(URL, "t", transport=Transport(), rate=4, timing=timing)
        projects = [client.project(code) for code in ("AA", "BB", "CC")]
        await asyncio.gather(*(p.list_runs() for p in projects for _ in range(5)))

    run(time.run(main()))
    assert len(arrivals) == 15
    assert busiest_second(arrivals) == 4
