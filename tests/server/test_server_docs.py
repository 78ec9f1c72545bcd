"""docs/server.md says what the server does: endpoints, guesses, options, examples."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from server.support import Api

from runs_as_code.server import RunningServer, ServerOptions, create_app, guesses, read_faults
from runs_as_code.server.app import ENDPOINTS
from runs_as_code.server.web.faults import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_endpoint_is_in_the_table_with_the_role_it_needs():
    rows = re.findall(r"^\| `([A-Z]+ /[^`]*)` \| ([\w-]+) \|", PAGE, re.MULTILINE)
    assert rows == [(f"{item.method} {item.path}", item.role) for item in ENDPOINTS]


def test_every_guess_is_listed():
    names = {name for name in vars(guesses) if name.isupper()} - {"BASE_PATH"}
    part = PAGE.partition("## Guesses")[2].partition("## Seed files")[0]
    assert set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", part)) == names


def test_every_guess_is_used():
    package = Path(guesses.__file__).parent
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in package.rglob("*.py")
        if path.name != "guesses.py"
    )
    names = {name for name in vars(guesses) if name.isupper()}
    assert {name for name in names if f"guesses.{name}" not in source} == set()


def test_every_option_and_fault_is_named():
    assert [field.name for field in fields(ServerOptions) if field.name not in PAGE] == []
    assert [kind for kind in KINDS if f"| `{kind}` |" not in PAGE] == []


def test_the_seed_example_is_a_seed(tmp_path: Path):
    seed = tmp_path / "miniature.yaml"
    seed.write_text(blocks("yaml")[0], encoding="utf-8")
    app = create_app(tmp_path / "x.db", options=ServerOptions(seed=str(seed)))
    with Api(app) as api:
        assert api.get("/project/WEB/tcase/7")["title"] == "Wrong password is refused"
    app.state.store.close()


def test_the_faults_example_is_read(tmp_path: Path):
    path = tmp_path / "faults.yaml"
    path.write_text(blocks("yaml")[1], encoding="utf-8")
    faults, seed = read_faults(path)
    assert (len(faults), seed) == (4, 7)


@pytest.mark.skipif(shutil.which("bash") is None or shutil.which("curl") is None, reason="no curl")
def test_the_curl_examples_answer(qasphere_server: RunningServer):
    script = "set -e\n" + "\n".join(blocks("bash")[0].splitlines()[1:])
    script = script.replace("curl ", "curl -sSf --noproxy '*' ")
    environ = os.environ | qasphere_server.environ
    done = subprocess.run(
        ["bash", "-c", script], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.replace("}{", "}\n{").splitlines() == [
        '{"runs":[],"closed":0,"open":0}',
        '{"id":1}',
        '{"message":"Run closed"}',
    ], done.stderr


def test_the_python_example_answers(qasphere_server: RunningServer):
    environ = os.environ | qasphere_server.environ
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['Sprint 23', 'Sprint 24', 'Release 2.4']\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_node_example_answers(qasphere_server: RunningServer):
    environ = os.environ | qasphere_server.environ
    done = subprocess.run(
        ["node", "--input-type=module", "-e", blocks("js")[0]],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Route avoids closed streets" in done.stdout
