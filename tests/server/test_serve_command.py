"""`qarun serve` from outside: seeds, dumps, faults, keys."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cli.support import call
from server.support import BASE

SEED = """
apiVersion: qarun/seed/v1
users: [{email: boss@example.com, role: owner}, {email: vi@example.com, role: viewer}]
projects: [{code: MINI, title: Miniature, folders: [{title: Only, cases: [{title: One}]}]}]
"""
FAULTS = """
apiVersion: qarun/faults/v1
faults: [{kind: status, endpoint: GET /project, status: 429, retryAfter: 7, times: 1}]
"""


def qarun(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runs_as_code", "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def serving(*arguments: str, users: int = 0) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve on a free port; yield the address and so many keys by e-mail."""
    command = [sys.executable, "-m", "runs_as_code", "serve", "--port", "0", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = server.stdout, server.stderr
    assert out is not None
    assert err is not None
    with out, err:
        try:
            address = out.readline().strip()
            assert address, err.read()
            lines = [out.readline().split() for _ in range(users)]
            assert "Serving" in err.readline()
            yield address, {email: key for _, email, key in lines}
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 143
            assert (out.read(), "Traceback" in err.read()) == ("", False)
        finally:
            server.kill()
            server.wait()


def test_a_seed_file_is_served_with_keys_and_faults(tmp_path: Path):
    seed, faults = tmp_path / "seed.yaml", tmp_path / "faults.yaml"
    seed.write_text(SEED)
    faults.write_text(FAULTS)
    database = str(tmp_path / "server.db")
    given = ["--database", database, "--seed", str(seed), "--faults", str(faults)]
    with serving(*given, users=2) as (address, keys), httpx.Client(trust_env=False) as client:
        assert keys.keys() == {"boss@example.com", "vi@example.com"}
        headers = {"Authorization": f"ApiKey {keys['boss@example.com']}"}
        refused = client.get(f"{address}{BASE}/project", headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
        found = client.get(f"{address}{BASE}/project", headers=headers).json()["projects"]
        assert [item["code"] for item in found] == ["MINI"]
        assert client.get(f"{address}{BASE}/project").status_code == 401
    with serving("--database", database) as (_, keys):
        assert keys == {}
    dumped = qarun("--dump", "--database", database)
    assert (dumped.returncode, dumped.stderr) == (0, "")
    assert "code: MINI" in dumped.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "nonsense"], "unknown seed `nonsense`"),
        (["--seed", "none.yaml"], "`none.yaml` can't be read"),
        (["--faults", "none.yaml"], "`none.yaml` can't be read"),
        (["--dump"], "there is no database"),
    ],
)
def test_bad_files_are_named_without_a_traceback(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    done = call("serve", "--port", "0", "--database", "none.db", *arguments)
    assert done.code == 1
    assert message in done.err
    assert "Traceback" not in done.err
    assert not Path("none.db").exists()
