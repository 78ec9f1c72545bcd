"""The grounds of the torture tests: a project in the middle of its life, copied for each case."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from torture.estate import build_estate
from torture.ground import Ground
from torture.virtual import VirtualRunner

from runs_as_code.server import ServerOptions

MakeGround = Callable[..., Ground]


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the project after its first commit."""
    return build_estate(tmp_path_factory.mktemp("estate"))


@pytest.fixture
def make_ground(estate: Path, tmp_path: Path) -> Iterator[MakeGround]:
    """Give grounds that begin where the estate is."""
    with ExitStack() as stack:
        count = 0

        def make(options: ServerOptions | None = None, seed: Path = estate) -> Ground:
            nonlocal count
            count += 1
            ground = Ground(tmp_path / f"ground-{count}", options or ServerOptions(), seed)
            stack.callback(ground.close)
            return ground

        yield make


@pytest.fixture
def runner() -> Iterator[VirtualRunner]:
    """A loop on which nobody waits."""
    virtual = VirtualRunner()
    yield virtual
    virtual.close()
