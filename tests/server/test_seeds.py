"""Seed files: read, checked, dumped, and read again."""

import sqlite3
from pathlib import Path

import pytest
import yaml
from server.support import Api

from runs_as_code.server import (
    DatabaseError,
    DocumentError,
    create_app,
    documents,
    dump_database,
    ensure_database,
)
from runs_as_code.server.rules.caseviews import INCLUDES

SEED = """
apiVersion: qarun/seed/v1
users:
  - {email: boss@example.com, role: owner}
  - {email: gone@example.com, role: user, active: false, id: 9}
statuses:
  - {id: custom1, name: Retest, color: teal, active: true}
customFields:
  - systemName: browser
    name: Browser
    type: dropdown
    options: [A, B]
    default: A
    projects: [WEB]
projects:
  - code: WEB
    title: Web shop
    tags: [smoke, {title: later, id: 7}]
    milestones: [Now, {title: Old, archived: true}]
    sharedSteps: [{title: Sign in, steps: [{description: d, expected: e}]}]
    sharedPreconditions: [{title: Cart, text: full}]
    folders:
      - title: Root
        comment: about
        cases:
          - title: First
            tags: [smoke, fresh]
            priority: high
            steps: [{shared: Sign in}, {description: go}]
            precondition: {shared: Cart}
            requirements: [{text: R1}]
            customFields: {browser: B}
          - {title: Third, seq: 3, draft: true, automated: true, legacyId: L-3}
          - title: Template ${x}
            type: template
            parameterValues: [{values: {x: one}}]
          - {title: Template one, type: filled, template: 2}
        folders:
          - title: Leaf
            folders: [{title: Deep, id: 1}]
  - {code: API, title: Interface, milestones: [Now], folders: [{title: Root}]}
"""

# Folders in folders by aliases: some hundred characters stand for a thousand million of them.
BOMB = "statuses: []\nprojects: [{code: AB, title: x, folders: ["
BOMB += ", ".join(
    f"&f{level} {{title: t{level}, folders: [{', '.join([f'*f{level - 1}'] * 9 * (level > 0))}]}}"
    for level in range(10)
)
BOMB += "]}]"


def build(tmp_path: Path, text: str, name: str = "seed") -> Path:
    seed = tmp_path / f"{name}.yaml"
    seed.write_text(text, encoding="utf-8")
    database = tmp_path / f"{name}.db"
    ensure_database(database, seed)
    return database


def test_a_seed_file_fills_a_database(tmp_path: Path):
    app = create_app(build(tmp_path, SEED))
    with Api(app) as api:
        folders = api.get("/project/WEB/tcase/folders")["data"]
        assert {item["title"]: item["id"] for item in folders} == {"Root": 2, "Leaf": 3, "Deep": 1}
        case = api.get("/project/WEB/tcase/1")
        assert [item["title"] for item in case["tags"]] == ["smoke", "fresh"]
        assert case["steps"][0]["title"] == "Sign in"
        assert case["precondition"]["text"] == "full"
        assert case["customFields"]["browser"] == {"value": "B", "isDefault": False}
        third = api.get("/project/WEB/tcase/L-3")
        assert (third["seq"], third["isDraft"]) == (3, True)
        assert api.get("/project/WEB/tcase/4")["templateTCaseId"]
        assert api.get("/project/API/milestone")["milestones"][0]["id"] == 3
        assert api.get("/users/me")["user"]["name"] == "boss@example.com"
        assert api.get("/project/API/custom-field") == {"customFields": []}
    app.state.store.close()


def test_a_dump_is_a_seed_that_dumps_the_same(tmp_path: Path, database: Path):
    for number, source in enumerate((database, build(tmp_path, SEED))):
        text = dump_database(source)
        copy = build(tmp_path, text, f"copy{number}")
        assert dump_database(copy) == text


def test_a_dump_has_what_was_changed_over_http(tmp_path: Path, database: Path):
    app = create_app(database)
    with Api(app) as api:
        api.patch("/project/BD/tcase/21", {"title": "New title", "tags": ["new-tag"]})
        case = api.get("/project/BD/tcase/21")
    app.state.store.close()
    copy = create_app(build(tmp_path, dump_database(database), "copy"))
    with Api(copy) as api:
        found = api.get("/project/BD/tcase/21")
    copy.state.store.close()
    same = ("id", "title", "tags", "steps", "folderId", "pos", "priority")
    assert {name: found[name] for name in same} == {name: case[name] for name in same}


READ = (
    "",
    "/tcase?" + "&".join(f"include={name}" for name in INCLUDES),
    "/tcase/folders",
    "/tag?include=tcaseCount",
    "/milestone",
    "/requirement?include=tcaseCount",
    "/custom-field",
    "/shared-step",
    "/shared-precondition",
)


def read_all(path: Path, code: str) -> dict[str, object]:
    """All that the API shows of what a seed can hold, moments included."""
    app = create_app(path)
    with Api(app) as api:
        shown = {what: api.get(f"/project/{code}{what}") for what in READ}
        shown |= {what: api.get(what) for what in ("/users", "/settings/preferences/status")}
    app.state.store.close()
    return shown


@pytest.mark.parametrize("code", ["BD", "WEB"])
def test_new_databases_and_copies_of_them_are_the_same(tmp_path: Path, code: str):
    if code == "BD":
        paths = [tmp_path / "one.db", tmp_path / "two.db"]
        for path in paths:
            ensure_database(path)
    else:
        paths = [build(tmp_path, SEED, name) for name in ("one", "two")]
    paths.append(build(tmp_path, dump_database(paths[0]), "copy"))
    first, second, copy = (read_all(path, code) for path in paths)
    assert first == second
    assert first == copy


def requirements(path: Path, code: str = "WEB") -> list[dict[str, object]]:
    app = create_app(path)
    with Api(app) as api:
        found = api.get(f"/project/{code}/requirement")["requirements"]
    app.state.store.close()
    return list(found)


def test_an_id_of_a_requirement_is_given_to_no_other(tmp_path: Path):
    made = requirements(build(tmp_path, SEED))
    assert [item["text"] for item in made] == ["R1"]
    # A dump that somebody adds a requirement to, before the one whose id is given.
    document = yaml.safe_load(dump_database(tmp_path / "seed.db"))
    project = next(item for item in document["projects"] if item["code"] == "WEB")
    project["folders"][0]["cases"][0]["requirements"].insert(0, {"text": "R0"})
    text = yaml.safe_dump(document)
    again = requirements(build(tmp_path, text, "copy"))
    assert {item["text"]: item for item in again}["R1"] == made[0]
    assert len({item["id"] for item in again}) == 2


def test_a_dump_keeps_requirements_that_only_older_versions_name(tmp_path: Path, database: Path):
    app = create_app(database)
    with Api(app) as api:
        for wanted in ([{"text": "Old", "url": "u"}], [{"text": "New", "url": ""}]):
            api.patch("/project/BD/tcase/21", {"requirements": wanted})
    app.state.store.close()
    before = requirements(database, "BD")
    assert len(before) == 3
    assert requirements(build(tmp_path, dump_database(database), "copy"), "BD") == before


def places(path: Path) -> dict[int, tuple[int, int]]:
    """Folder and position by sequence number."""
    app = create_app(path)
    with Api(app) as api:
        found = api.get("/project/WEB/tcase")["data"]
    app.state.store.close()
    return {item["seq"]: (item["folderId"], item["pos"]) for item in found}


def test_cases_stand_in_the_order_of_the_file(tmp_path: Path):
    lines = """
          - {title: Filled, seq: 9, type: filled, template: 4}
          - {title: Far, pos: 500}
          - title: Template"""
    text = SEED.replace("\n          - title: Template", lines, 1)
    text = text.replace("[{values: {x: one}}]", "[{values: {x: one}}, {values: {x: two}}]")
    found = places(build(tmp_path, text.replace("template: 2}", "template: 4}")))
    assert found == {1: (2, 0), 3: (2, 1), 9: (2, 2), 2: (2, 500), 4: (2, 501), 5: (2, 502)}


def test_a_dump_keeps_every_place(tmp_path: Path):
    source = build(tmp_path, SEED)
    app = create_app(source)
    with Api(app) as api:
        body = {"title": "C", "folderId": 2, "type": "standalone", "priority": "low"}
        for pos in (700, None, 600):
            api.post("/project/WEB/tcase", body | {"pos": pos})
    app.state.store.close()
    text = dump_database(source)
    assert text.count(" pos: ") == 2
    assert places(build(tmp_path, text, "copy")) == places(source)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not what `seed.v1` asks for"),
        ("[]", "is not of type 'object'"),
        ("a: [", "is no YAML"),
        ("projects: []\nprojects: []", "a key stands twice"),
        ("apiVersion: qarun/seed/v2\nprojects: []", "apiVersion: 'qarun/seed/v1' was expected"),
        (
            SEED.replace("priority: high", "priority: urgent"),
            r"projects\[0\]\.folders\[0\]\.cases\[0\]\.priority: 'urgent' is not one of",
        ),
        (SEED.replace("seq: 3", "seq: 0"), "less than the minimum"),
        (SEED.replace("title: First", "title: No\n            color: red"), "color"),
        (SEED.replace("role: owner", "role: user"), "must have the role owner"),
        (SEED.replace("{shared: Sign in}", "{shared: Sign out}"), "no shared step 'Sign out'"),
        (SEED.replace("template: 2", "template: 3000"), "unknown template 3000"),
        (SEED.replace("template: 2", "template: 1"), "unknown template 1"),
        (
            SEED.replace("type: filled, template: 2", "priority: low"),
            "template 2 has parameterValues for 1 filled test cases, but 0 name it",
        ),
        (
            SEED.replace("parameterValues: [{values: {x: one}}]", "priority: low"),
            "template 2 has parameterValues for 0 filled test cases, but 1 name it",
        ),
        (
            SEED.replace("[{text: R1}]", "[{text: R1}, {text: R1}]"),
            "the requirement 'R1' is given twice",
        ),
        (SEED.replace("seq: 3", "seq: 3, pos: 0"), "test case 3 has a position that another one"),
        (
            SEED.replace("seq: 3", "seq: 3, parameterValues: [{values: {}}]"),
            "3 has parameters, but",
        ),
        (
            SEED.replace("options: [A, B]", "required: true")
            .replace("default: A", "default: ''")
            .replace("dropdown", "text")
            .replace("browser: B", "browser: ''"),
            "field browser is required",
        ),
        (SEED.replace("browser: B", "browser: C"), "has no option 'C'"),
        (SEED.replace("projects: [WEB]", "projects: [XX]"), "unknown project"),
        (SEED.replace("code: API", "code: WEB"), "two of its projects have the same code"),
        (SEED.replace("title: Third, seq: 3", "title: Third, seq: 1, id: x"), "not of the form"),
        (
            SEED.replace(
                "title: Interface, milestones: [Now]", "title: I, milestones: [{id: 2, title: x}]"
            ),
            "id 2 is given twice",
        ),
    ],
)
def test_a_bad_seed_is_refused_and_leaves_nothing(tmp_path: Path, text: str, message: str):
    with pytest.raises(DocumentError, match=message):
        build(tmp_path, text)
    assert [item.name for item in tmp_path.iterdir() if item.suffix != ".yaml"] == []


def test_a_missing_or_unreadable_seed_says_so(tmp_path: Path):
    with pytest.raises(DocumentError, match="can't be read"):
        ensure_database(tmp_path / "x.db", tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DocumentError, match="no UTF-8"):
        ensure_database(tmp_path / "x.db", tmp_path / "binary.yaml")


def test_all_problems_are_named_at_once(tmp_path: Path):
    text = yaml.safe_dump(
        {"apiVersion": "qarun/seed/v1", "projects": [{"code": "-"} for _ in range(20)]}
    )
    with pytest.raises(DocumentError, match=r"and \d+ more") as caught:
        build(tmp_path, text)
    assert str(caught.value).count("projects[") == 10


def test_a_dump_needs_a_database_and_makes_none(tmp_path: Path):
    with pytest.raises(DatabaseError, match="there is no database"):
        dump_database(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_dump_refuses_a_foreign_file(tmp_path: Path):
    sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(Exception, match="is no database of the embedded server"):
        dump_database(tmp_path / "x.db")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("projects: [{code: AB, title: x, folders: &f [{title: y, folders: *f}]}]", "endless"),
        (BOMB, "endless or huge"),
        (f"projects: {'[' * 1000}{']' * 1000}", "too deeply"),
        ("projects: [{code: AB, title: x, milestones: [{title: a, id: 0}]}]", "minimum of 1"),
        ("projects: [{code: AB, title: x, milestones: [{title: a, id: .nan}]}]", "not of type"),
        (f"projects: [{{code: AB, title: {'9' * 5000}}}]", "is no YAML"),
        ("projects: [{code: AB, title: x, tags: [a, a]}]", "two of its tags have the same title"),
    ],
)
def test_a_seed_can_be_wrong_in_stranger_ways(tmp_path: Path, lines: str, message: str):
    with pytest.raises(DocumentError, match=message):
        build(tmp_path, f"apiVersion: qarun/seed/v1\n{lines}\n")


def test_a_day_is_a_title_like_any_other(tmp_path: Path):
    line = "projects: [{code: AB, title: 2024-01-31, milestones: [2024-12-24]}]"
    database = build(tmp_path, f"apiVersion: qarun/seed/v1\n{line}\n")
    text = dump_database(database)
    assert "title: '2024-12-24'" in text
    assert dump_database(build(tmp_path, text, "copy")) == text


def test_a_seed_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "_LARGEST", 100)
    with pytest.raises(DocumentError, match="more than 100 bytes"):
        build(tmp_path, SEED)
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    with pytest.raises(DocumentError):
        ensure_database(tmp_path / "x.db", tmp_path / "zero.yaml")


@pytest.mark.parametrize("seed", ["empty", "demo"])
def test_a_dump_of_anything_can_be_read(tmp_path: Path, seed: str):
    database = tmp_path / "x.db"
    ensure_database(database, seed)
    app = create_app(database)
    with Api(app) as api:
        if seed == "empty":
            body = {"code": "BD", "title": "\x00 \u2028: [", "skipDefaultFolder": True}
            api.post("/project", body)
            api.post("/project/BD/tcase/folder/bulk", {"folders": [{"path": ["- a", "#b"]}]}, 200)
        steps = [{}, {"expected": "\x85"}]
        made = api.make_case(type="template", steps=steps, parameterValues=[{}], tags=["", "~"])
        api.patch(f"/project/BD/tcase/{made['id']}", {"requirements": [{"text": "a", "url": ""}]})
    app.state.store.close()
    text = dump_database(database)
    assert dump_database(build(tmp_path, text, "copy")) == text


def test_a_dump_of_no_project_can_be_read(tmp_path: Path):
    ensure_database(tmp_path / "x.db", "empty")
    text = dump_database(tmp_path / "x.db")
    assert dump_database(build(tmp_path, text, "copy")) == text


def test_folders_too_deep_for_yaml_are_an_error(tmp_path: Path, database: Path):
    app = create_app(database)
    with Api(app) as api:
        path = [str(number) for number in range(600)]
        api.post("/project/BD/tcase/folder/bulk", {"folders": [{"path": path}]}, 200)
    app.state.store.close()
    with pytest.raises(DatabaseError, match="nested too deeply"):
        dump_database(database)
