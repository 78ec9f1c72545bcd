"""One served site for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e.support import Site, serving

Serve = Callable[..., Site]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve with options of `qarun serve`; the database is new."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(serving(tmp_path / "site.db", *options))
