"""How many statements a request takes: the run list must not grow with the runs."""

from server.support import Api
from sqlalchemy import event, insert, select

from runs_as_code.server.store.tables import project, run


def statements(api: Api, path: str) -> int:
    seen: list[str] = []

    def note(*given: object) -> None:
        seen.append(str(given[2]))

    engine = api.app.state.store.engine
    event.listen(engine, "before_cursor_execute", note)
    api.get(path)
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_the_run_list_takes_as_many_statements_for_many_runs(api: Api):
    def add(first: int, last: int) -> None:
        for number in range(first, last):
            kind = ("static", "static_struct", "live")[number % 3]
            plans = [{"folderIds": [2 + number % 2]}]
            run = api.make_run(f"Run {number}", kind, plans=plans, milestoneId=5, assignmentId=7)
            api.result(run, 28)
            if number % 5 == 0:
                api.close_run(run)

    add(0, 6)
    few = statements(api, "/project/BD/run")
    add(6, 36)
    assert statements(api, "/project/BD/run") == few


def test_the_list_of_ten_thousand_runs_takes_as_many_statements_as_that_of_four(api: Api):
    for number, kind in enumerate(("static", "static_struct", "live", "live")):
        made = api.make_run(f"Few {number}", kind, milestoneId=5, assignmentId=7)
    api.close_run(made)
    few = statements(api, "/project/BD/run")
    with api.app.state.store.writing() as connection:
        common = {
            "project_id": connection.scalar(select(project.c.id)),
            "description": "",
            "links": [],
            "counts": {"open": 12},
            "created_by": 1,
            "created_at": "2024-01-01T00:00:00.000Z",
        }
        rows = [
            common
            | {
                "title": f"Run {number}",
                "type": ("static", "static_struct", "live")[number % 3],
                "milestone_id": 5 + number % 3,
                "assignment_id": 7,
                "query_plans": [{"folderIds": [1 + number % 3], "tagIds": [1 + number % 2]}],
            }
            for number in range(10_000)
        ]
        connection.execute(insert(run), rows)
    assert statements(api, "/project/BD/run") == few
    counters = api.get("/project/BD/run?limit=1")
    assert (counters["open"], counters["closed"]) == (10_003, 1)


def test_run_cases_take_as_many_statements_for_many_cases(api: Api):
    small = api.make_run("Small", plans=[{"folderIds": [3]}])
    large = api.make_run("Large", plans=[{"folderIds": [1, 2, 6, 7, 9]}])
    query = "tcase?include=folder"
    few = statements(api, f"/project/BD/run/{small}/{query}")
    assert statements(api, f"/project/BD/run/{large}/{query}") == few
