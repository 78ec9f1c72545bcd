"""How many statements a request takes: the run list must not grow with the runs."""

from server.support import Api
from sqlalchemy import event


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


def test_run_cases_take_as_many_statements_for_many_cases(api: Api):
    small = api.make_run("Small", plans=[{"folderIds": [3]}])
    large = api.make_run("Large", plans=[{"folderIds": [1, 2, 6, 7, 9]}])
    query = "tcase?include=folder"
    few = statements(api, f"/project/BD/run/{small}/{query}")
    assert statements(api, f"/project/BD/run/{large}/{query}") == few
