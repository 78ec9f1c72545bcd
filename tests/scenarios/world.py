"""One embedded server with people, pipelines and a memory of which run is which."""

import asyncio
import html
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from scenarios import webpage
from scenarios.stories import as_list

from runs_as_code.engine.applying import ApplySettings, apply_jobs, jobs_of
from runs_as_code.engine.context import Clock, StopSignal
from runs_as_code.engine.planning import Planned, make_plan
from runs_as_code.errors import ExitCode, StaleError
from runs_as_code.manifest import read_manifests
from runs_as_code.model.events import ActionFinished, Event, Listener
from runs_as_code.model.plan import Approvals
from runs_as_code.model.report import ApplyReport
from runs_as_code.model.source import Severity
from runs_as_code.provider.embedded import embedded_client
from runs_as_code.server import ServerOptions, create_app

BASE = "/api/public/v0"
PROJECT = "BD"
OWNER = "team"
SELECTION = {"type": "live", "queryPlans": [{"folders": ["Cart"]}]}
HEAD = {"apiVersion": "qarun/v1", "project": PROJECT, "owner": OWNER, "server": "embedded"}

# Read here on its own, so that a misreading of the code under test can't hide itself.
MARKER = re.compile(r"\[qarun:1 (\S+) (\S+) r(\d+) ")
MAKE = re.compile(rf"{BASE}/project/([^/]+)/run(/clone)?")
CLOSE = re.compile(rf"{BASE}/project/([^/]+)/run/(\d+)/close")


@dataclass
class Post:
    """One POST that the server got from `qarun`."""

    path: str
    body: Any


@dataclass
class Recorder:
    """Sits before the app and notes every POST."""

    app: Any
    posts: list[Post] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            body = b""
            more = True
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
            self.posts.append(Post(scope["path"], json.loads(body) if body else None))

            async def again() -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            await self.app(scope, again, send)
            return
        await self.app(scope, receive, send)


@dataclass
class Skipping:
    """A clock on which nobody waits."""

    ahead: float = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: time.monotonic() + self.ahead, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.ahead += seconds
        await asyncio.sleep(0)


@dataclass
class Apply:
    """One earlier apply; `stop_after` so many actions it is interrupted."""

    manifests: list[dict[str, Any]]
    approvals: dict[str, Any]
    stop_after: int | None


class World:
    """A server, the people and pipelines around it; runs are called by labels, never by ids.

    A label is `KEY rN` for a run of owner `team` in project `BD`, `OWNER:KEY rN` and
    `PROJECT/KEY rN` elsewhere, and what a step says behind `as` for all others.
    """

    def __init__(self, database: Path, options: ServerOptions, folder: Path) -> None:
        self.app = create_app(database, options=options)
        self.options = options
        self.recorder = Recorder(self.app)
        self.clock = Skipping()
        self.ids: dict[str, int] = {}
        self.projects = [PROJECT]
        self._folder = folder
        self._files = 0
        self._client = embedded_client(self.recorder)
        transport = httpx.ASGITransport(app=self.app)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://embedded")
        self._steps: dict[str, Callable[[Any], Any]] = {
            "apply": self._step_apply,
            "race": self._step_race,
            "run": self._step_run,
            "clone": self._step_clone,
            "close": self._step_close,
            "edit": self._step_edit,
            "results": self._step_results,
            "archive": self._step_archive,
            "milestone": self._step_milestone,
            "project": self._step_project,
            "case": self._step_case,
        }

    async def close(self) -> None:
        await self._client.aclose()
        await self._http.aclose()
        self.app.state.store.close()

    # Manifests and applies.

    def write(self, manifests: Iterable[dict[str, Any]], beside: Iterable[Any] = ()) -> list[Path]:
        """Write manifests into a folder of their own and return the paths to give to `-f`.

        JSON is YAML, and is written and read much faster.
        """
        self._files += 1
        folder = self._folder / f"{self._files}"
        folder.mkdir()
        paths = []
        for number, manifest in enumerate(manifests, start=1):
            path = folder / f"{number}.yaml"
            path.write_text(json.dumps(self._full(manifest), ensure_ascii=False), "utf-8")
            paths.append(path)
        for number, manifest in enumerate(beside, start=1):
            path = folder / f"beside-{number}.yaml"
            path.write_text(json.dumps(self._full(manifest), ensure_ascii=False), "utf-8")
        return paths

    def _full(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Add what every manifest has, and a selection to runs that say nothing of theirs."""
        full = {**HEAD, **self._with_ids(manifest)}
        has_own = set(SELECTION) | {"cloneFrom", "adopt", "state"}
        full["runs"] = {
            key: run if has_own & set(run) else {**SELECTION, **run}
            for key, run in full.get("runs", {}).items()
        }
        return full

    async def plan(self, paths: Iterable[Path], approvals: dict[str, Any]) -> Planned:
        manifests = read_manifests(list(paths))
        errors = [d for d in manifests.diagnostics if d.severity is Severity.ERROR]
        assert not errors, errors
        return await make_plan(
            manifests,
            lambda _manifest: "embedded",
            lambda _server, project: self._client.project(project),
            to_approvals(approvals),
            "2024-05-01T00:00:00Z",
        )

    async def apply(
        self, planned: Planned, approvals: dict[str, Any], stop_after: int | None = None
    ) -> tuple[int, ApplyReport]:
        """Apply as the command line does: what is withheld stops everything, unless told not to."""
        if planned.plan.is_withheld and not approvals.get("skip_blocked"):
            return ExitCode.REFUSED, ApplyReport(is_withheld=True)
        stop = StopSignal()
        settings = ApplySettings(
            listener=_stopper(stop, stop_after),
            stop=stop,
            clock=self.clock.clock(),
            approvals=to_approvals(approvals),
        )
        try:
            report = await apply_jobs(
                planned.plan, jobs_of(planned.plan, planned.sessions), settings
            )
        except StaleError as error:
            return error.exit_code, ApplyReport()
        return report.exit_code, report

    # What happened.

    async def live(self) -> dict[str, dict[str, Any]]:
        """Return every run of every project by label."""
        await self.learn()
        labels = {run_id: label for label, run_id in self.ids.items()}
        found = {}
        for project in self.projects:
            for run in await self._runs(project):
                found[labels[run["id"]]] = run
        return found

    async def learn(self) -> None:
        """Give each new run the label that its marker says."""
        known = set(self.ids.values())
        for project in self.projects:
            for run in sorted(await self._runs(project), key=lambda run: run["id"]):
                if run["id"] in known:
                    continue
                label = _label(project, run["description"]) or f"run {run['id']}"
                while label in self.ids:  # two applies at once, or a clone in the web page
                    label += "'"
                self.ids[label] = run["id"]

    async def calls(self) -> list[str]:
        """Say what `qarun` asked the server to do, in words, sorted."""
        await self.learn()
        labels = {run_id: label for label, run_id in self.ids.items()}
        words = []
        for post in self.recorder.posts:
            closing = CLOSE.fullmatch(post.path)
            if closing:
                words.append(f"close {labels[int(closing[2])]}")
                continue
            making = MAKE.fullmatch(post.path)
            if making is None:
                continue  # a look-up by POST
            label = _label(making[1], post.body["description"])
            source = f" from {labels[post.body['runId']]}" if making[2] else ""
            words.append(f"{'clone' if making[2] else 'create'} {label}{source}")
        return sorted(words)

    def forget_calls(self) -> None:
        self.recorder.posts.clear()

    async def _runs(self, project: str) -> list[dict[str, Any]]:
        return list((await self._get(f"/project/{project}/run"))["runs"])

    # Steps.

    async def take(self, steps: Iterable[dict[str, Any]]) -> None:
        """Take the steps of a scenario one after the other."""
        for step in steps:
            name = next(iter(step))
            argument = self._with_ids(step[name])
            if name == "apply":
                argument = Apply(
                    as_list(argument), step.get("approvals", {}), step.get("stop_after")
                )
            await self._steps[name](argument)
            await self.learn()

    async def _step_apply(self, step: Apply) -> None:
        planned = await self.plan(self.write(step.manifests), step.approvals)
        code, report = await self.apply(planned, step.approvals, step.stop_after)
        changes = [c for p in planned.plan.projects for c in p.changes]
        wanted = ExitCode.DONE if step.stop_after is None else ExitCode.SIGINT
        assert code == wanted, (code, changes, report.results, report.findings)

    async def _step_race(self, manifests: list[dict[str, Any]]) -> None:
        """Let several pipelines plan before the first of them applies."""
        planned = [await self.plan(self.write([manifest]), {}) for manifest in manifests]
        for plan in planned:
            code, report = await self.apply(plan, {})
            # Where titles are not unique, the later pipeline finds out that it made a second run.
            is_told = self.options.title_scope == "none" and code == ExitCode.UNVERIFIED
            assert code == ExitCode.DONE or is_told, report.results

    async def _step_run(self, body: dict[str, Any]) -> None:
        body = {"type": "live", "queryPlans": [{"folderIds": [2]}], **body}
        await self._note(body, await self._post(f"/project/{PROJECT}/run", _without_as(body)))

    async def _step_clone(self, body: dict[str, Any]) -> None:
        """Clone as the web page does it: with the description, marker and all."""
        source = next(r for r in await self._runs(PROJECT) if r["id"] == body["runId"])
        description = html.unescape(source["description"])
        clone = {"description": description, **_without_as(body)}
        await self._note(body, await self._post(f"/project/{PROJECT}/run/clone", clone))

    async def _step_close(self, run_ids: Any) -> None:
        for run_id in as_list(run_ids):
            await self._post(f"/project/{PROJECT}/run/{run_id}/close")

    async def _step_edit(self, changes: dict[str, Any]) -> None:
        """Edit a run in its form; `{marker}` in a new description stands for the old marker."""
        run_id = changes.pop("run")
        if "{marker}" in changes.get("description", ""):
            old = next(r for r in await self._runs(PROJECT) if r["id"] == run_id)["description"]
            marker = old[old.index("[qarun:") :].split("]")[0] + "]"
            changes["description"] = changes["description"].replace("{marker}", marker)
        webpage.edit_run(self.app, run_id, changes)

    async def _step_results(self, argument: dict[str, Any]) -> None:
        """Give cases of a run a status: `passed: 2` takes the next two that are open."""
        run_id = argument["run"]
        path = f"/project/{PROJECT}/run/{run_id}"
        cases = (await self._get(f"{path}/tcase"))["tcases"]
        waiting = [case["id"] for case in cases if case["status"] == "open"]
        for status, count in argument.items():
            if status == "run":
                continue
            chosen = waiting if count == "all" else waiting[:count]
            waiting = waiting[len(chosen) :]
            items = [{"tcaseId": case, "status": status, "comment": ""} for case in chosen]
            await self._post(f"{path}/result/batch", {"items": items})

    async def _step_archive(self, milestone_id: int) -> None:
        webpage.archive_milestone(self.app, milestone_id)

    async def _step_milestone(self, body: dict[str, Any]) -> None:
        await self._note(body, await self._post(f"/project/{PROJECT}/milestone", _without_as(body)))

    async def _step_project(self, body: dict[str, Any]) -> None:
        """Make a project with one folder `Cart` that holds one test case."""
        code = body["code"]
        await self._post("/project", {"title": "Another", **body})
        path = f"/project/{code}/tcase"
        made = await self._post(f"{path}/folder/bulk", {"folders": [{"path": ["Cart"]}]})
        case = {"title": "A case", "type": "standalone", "priority": "high"}
        await self._post(path, {**case, "folderId": made["ids"][0][-1]})
        self.projects.append(code)

    async def _step_case(self, body: dict[str, Any]) -> None:
        case = {"title": "Another case", "type": "standalone", "priority": "high", "folderId": 2}
        await self._post(f"/project/{PROJECT}/tcase", {**case, **body})

    async def _note(self, body: dict[str, Any], answer: dict[str, Any]) -> None:
        if "as" in body:
            self.ids[body["as"]] = answer["id"]

    def _with_ids(self, value: Any) -> Any:
        """Put the ids of runs in the place of `$LABEL`."""
        if isinstance(value, dict):
            return {key: self._with_ids(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._with_ids(item) for item in value]
        if isinstance(value, str) and value.startswith("$"):
            return self.ids[value[1:]]
        return value

    async def _get(self, path: str) -> Any:
        response = await self._http.get(BASE + path)
        assert response.is_success, response.text
        return response.json()

    async def _post(self, path: str, body: Any = None) -> Any:
        response = await self._http.post(BASE + path, json=body)
        assert response.is_success, response.text
        return response.json()


def _stopper(stop: StopSignal, after: int | None) -> Listener:
    """Interrupt an apply after so many finished actions; None never does."""
    finished = 0

    def listen(event: Event) -> None:
        nonlocal finished
        finished += isinstance(event, ActionFinished)
        if finished == after:
            stop.requested = ExitCode.SIGINT

    return listen


def to_approvals(given: dict[str, Any]) -> Approvals:
    """Turn the words of a scenario into what the engine takes."""
    return Approvals(
        keys=frozenset(given.get("approve", ())),
        closes=given.get("approve_closes"),
        replace=frozenset(given.get("replace", ())),
        allow_empty=given.get("allow_empty", False),
        targets=tuple(given.get("target", ())),
        ignore_freeze=given.get("ignore_freeze", ""),
    )


def _label(project: str, description: str) -> str:
    """Return the label that a marker gives, empty where there is none."""
    found = MARKER.search(html.unescape(description))
    if found is None:
        return ""
    owner, key, revision = found.groups()
    place = "" if project == PROJECT else f"{project}/"
    whose = "" if owner == OWNER else f"{owner}:"
    return f"{place}{whose}{key} r{revision}"


def _without_as(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "as"}
