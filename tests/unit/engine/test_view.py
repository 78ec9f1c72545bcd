"""Listings shared by everybody who needs one that is fresh enough."""

import asyncio

import pytest
from unit.engine.support import FakeClock, FakeProvider, Trouble, live, run

from runs_as_code.engine.view import LiveView
from runs_as_code.errors import UnreachableError
from runs_as_code.model.provider import RunFields


def test_a_listing_that_is_fresh_enough_is_handed_out_again() -> None:
    async def story() -> None:
        provider, clock = FakeProvider(), FakeClock()
        view = LiveView(provider, closed=False, clock=lambda: clock.time)
        first = await view.since(-1.0)
        clock.time = 0.9

        assert await view.since(clock.time - 1) is first
        clock.time = 1.1
        assert await view.since(clock.time - 1) is not first
        assert provider.log == ["list False"] * 2

    run(story())


def test_who_asks_during_a_listing_waits_for_the_next_one() -> None:
    """A listing in flight may have been read before what the asker wants to see."""

    async def story() -> None:
        provider, clock = FakeProvider(), FakeClock()
        view = LiveView(provider, closed=None, clock=lambda: clock.time)
        early = asyncio.create_task(view.now())
        await asyncio.sleep(0)
        provider.add(RunFields("new", ""))
        clock.time = 1.0
        late = [asyncio.create_task(view.now()) for _ in range(50)]
        listings = await asyncio.gather(*late)
        await early

        assert all(len(listing.runs) == 1 for listing in listings)
        # One was in flight, one may have begun before the last of them asked.
        assert provider.count("list") == 3

    run(story())


def test_within_a_tick_of_the_clock_what_is_asked_for_now_begins_now() -> None:
    async def story() -> None:
        provider = FakeProvider()
        view = LiveView(provider, closed=None, clock=lambda: 1.0)
        await view.now()
        provider.add(RunFields("new", ""))

        assert len((await view.now()).runs) == 1

    run(story())


def test_an_error_is_for_the_one_who_asked() -> None:
    async def story() -> None:
        provider, clock = FakeProvider(live(1)), FakeClock()
        provider.trouble["list"] = [Trouble(before=UnreachableError("down"))]
        view = LiveView(provider, closed=None, clock=lambda: clock.time)

        with pytest.raises(UnreachableError):
            await view.now()
        assert len((await view.now()).runs) == 1

    run(story())
