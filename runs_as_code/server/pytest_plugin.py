"""The pytest fixture `qasphere_server`: a fresh QA Sphere with the demo project for each test.

Nothing heavy is imported until a test asks for the fixture.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runs_as_code.server.running import RunningServer

_MARKER = "qasphere(**options): options of the `qasphere_server` of this test, as `ServerOptions`"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def qasphere_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[RunningServer]":
    """Serve a new database on a free loopback port; `@pytest.mark.qasphere(...)` sets options.

    The owner's key is `key`, the address `url` (as `QAS_URL`) or `api`; `faults.add(Fault(...))`
    makes things go wrong.
    """
    from runs_as_code.server.options import ServerOptions  # noqa: PLC0415 - heavy, see above
    from runs_as_code.server.running import running_server  # noqa: PLC0415 - heavy, see above

    marker = request.node.get_closest_marker("qasphere")
    given = {"require_key": True} | (marker.kwargs if marker else {})
    folder: Path = tmp_path_factory.mktemp("qasphere")
    with running_server(folder / "server.db", ServerOptions(**given)) as server:
        yield server
