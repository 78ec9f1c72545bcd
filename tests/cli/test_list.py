"""`qarun list`: whose the live runs are."""

import json
from pathlib import Path

from cli.support import HEAD, ONE, TWO, call, write
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_a_list_says_what_each_run_is(tmp_path: Path, database: Path):
    manifest = write(tmp_path / "m.yaml", TWO)
    call("apply", "--auto-approve", "-f", manifest)
    other = write(
        tmp_path / "o.yaml", ONE.replace("Smoke", "Fume"), HEAD.replace("web-team", "other-team")
    )
    call("apply", "--auto-approve", "-f", other)
    write(manifest, ONE)
    listed = call("list", "-f", manifest, "--format", "json")
    schema = json.loads((SCHEMAS / "list.v1.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(listed.json)
    found = {run["title"]: (run["ownership"], run["key"]) for run in listed.json["runs"]}
    assert found == {
        "Smoke of the week": ("managed", "smoke"),
        "Menu review": ("orphan", "review"),
        "Fume of the week": ("foreign", "smoke"),
    }
    assert all(run["runId"] and run["url"] for run in listed.json["runs"])
    text = call("list", "-f", manifest).out
    assert text.startswith("Server embedded, project BD\n")
    assert text.endswith("\n3 runs\n")
