"""Databases and apps for the server's tests; a demo database is built once and copied."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from server.support import Api

from runs_as_code.server import (
    ServerOptions,
    create_app,
    create_key,
    pytest_plugin,
)

# What the entry point `pytest11` gives users; a checkout that was installed earlier lacks it.
pytest_configure = pytest_plugin.pytest_configure
qasphere_server = pytest_plugin.qasphere_server

Start = Callable[..., Api]


@pytest.fixture
def database(demo_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(demo_database, tmp_path / "server.db"))


@pytest.fixture
def start(database: Path) -> Iterator[Start]:
    """Start apps on one database: `start(email=..., title_scope=...)`."""
    with ExitStack() as stack:

        def make(email: str | None = None, **options: object) -> Api:
            app = create_app(database, options=ServerOptions(**options))  # type: ignore[arg-type]  # by name
            stack.callback(app.state.store.close)
            key = create_key(database, email) if email else None
            return stack.enter_context(Api(app, key))

        yield make


@pytest.fixture
def api(start: Start) -> Api:
    return start()
