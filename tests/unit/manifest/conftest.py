"""Files in the test's own folder, and what is said of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runs_as_code.manifest import read_manifests
from runs_as_code.model.desired import Manifest, ManifestSet

HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\n"

Read = Callable[..., ManifestSet]


@pytest.fixture
def read() -> Read:
    """Write each keyword as a file `NAME.yaml` of the folder the test runs in, and read them."""

    def read(**texts: str | bytes) -> ManifestSet:
        names = []
        for name, text in texts.items():
            path = Path(f"{name}.yaml")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            names.append(str(path))
        return read_manifests(names)

    return read


@pytest.fixture
def read_valid(read: Read) -> Callable[[str], Manifest]:
    """Read one text that must have no error."""

    def read_valid(text: str) -> Manifest:
        result = read(m=text)
        assert [d for d in result.diagnostics if d.severity == "error"] == []
        return result.manifests[0]

    return read_valid


@pytest.fixture
def head() -> str:
    return HEAD
