"""Custom fields: what a test case may set them to, and what it has to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server.support import Api

from runs_as_code.server import ServerOptions, create_app

SEED = """
apiVersion: qarun/seed/v1
customFields:
  - {systemName: area, name: Area, type: text, required: true}
  - {systemName: size, name: Size, type: dropdown, options: [S, L], required: true, default: S}
  - {systemName: done, name: Done, type: checkbox}
  - {systemName: gone, name: Gone, type: text, required: true, enabled: false}
  - {systemName: other, name: Other, type: text, required: true, projects: [XY]}
projects:
  - {code: BD, title: Shop, folders: [{title: A}, {title: B, cases: [{title: Old}]}]}
  - {code: XY, title: Other}
"""
AREA = {"area": {"value": "web"}}


@pytest.fixture
def fields(tmp_path: Path) -> Iterator[Api]:
    (tmp_path / "seed.yaml").write_text(SEED)
    options = ServerOptions(seed=str(tmp_path / "seed.yaml"))
    app = create_app(tmp_path / "server.db", options=options)
    with Api(app) as api:
        yield api
    app.state.store.close()


def refuse(api: Api, values: object) -> str:
    body = {"title": "A", "folderId": 2, "type": "standalone", "priority": "low"}
    refused = api.post("/project/BD/tcase", body | {"customFields": values}, status=400)
    return str(refused["message"])


def test_a_required_field_without_default_has_to_be_given(fields: Api):
    for values in (None, {}, {"area": {"isDefault": True}}, {"area": {"value": ""}}, {"area": {}}):
        assert refuse(fields, values) == "custom field area is required"
    made = fields.make_case(customFields=AREA)["id"]
    shown = fields.get(f"/project/BD/tcase/{made}")["customFields"]
    assert shown == {
        "area": {"value": "web", "isDefault": False},
        "size": {"value": "S", "isDefault": True},
        "done": {"value": "", "isDefault": True},
    }


def test_a_required_field_can_not_be_emptied(fields: Api):
    path = f"/project/BD/tcase/{fields.make_case(customFields=AREA)['id']}"
    for value in ({"value": ""}, {"isDefault": True}):
        fields.patch(path, {"customFields": {"area": value}}, status=400)
    fields.patch(path, {"title": "New", "customFields": {"area": {"value": "app"}}})
    assert fields.get(path)["customFields"]["area"]["value"] == "app"


def test_older_and_imported_cases_may_lack_a_required_field(fields: Api):
    fields.patch("/project/BD/tcase/1", {"title": "New"})
    body = {"folderPath": ["A"], "tcases": [{"title": "Imported"}]}
    made = fields.post("/project/BD/tcase/bulk", body)["tcases"]
    assert len(made) == 1


@pytest.mark.parametrize("value", ["maybe", "", "True", "1"])
def test_a_checkbox_is_true_or_false(fields: Api, value: str):
    values = AREA | {"done": {"value": value}}
    assert refuse(fields, values) == "custom field done must be true or false"
    for good in ("true", "false"):
        fields.make_case(customFields=AREA | {"done": {"value": good}})
