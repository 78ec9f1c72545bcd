"""The live side of one project: implements `runs_as_code.model.provider.Provider`."""

import difflib
from collections.abc import Callable, Sequence
from typing import TypeVar

from runs_as_code.errors import BadResponseError, NotFoundError, QarunError
from runs_as_code.model.live import Catalog, Listing, NamesNeeded, RunCase
from runs_as_code.model.provider import FIRST, Attempt, ResolvedPlan, RunFields
from runs_as_code.provider import directory, names, wire
from runs_as_code.provider.address import segment
from runs_as_code.provider.exchange import Request, Sender
from runs_as_code.provider.failures import unknown_outcome
from runs_as_code.provider.shape import Body
from runs_as_code.provider.text import one_line

SHOWN_CODES = 5

Parsed = TypeVar("Parsed")


class ProjectProvider:
    """One project of one server; the errors of each method are those of `Provider`."""

    def __init__(self, sender: Sender, project: str) -> None:
        self._sender = sender
        self._project = project
        self._root = f"/project/{segment(project)}"
        self._page_project = project

    def __repr__(self) -> str:
        return f"ProjectProvider({self.server!r}, {self._project!r})"

    @property
    def server(self) -> str:
        """The address people know the server by, or `embedded`."""
        return self._sender.address.name

    @property
    def project(self) -> str:
        """The project's code or id, as it was given."""
        return self._project

    @property
    def rate(self) -> int:
        """How many requests a second are sent at most, 0 for no limit."""
        return self._sender.rate

    @property
    def calls(self) -> int:
        """How many requests were sent for this project so far, repeated ones included."""
        return self._sender.sent(self._project)

    async def list_runs(
        self,
        *,
        closed: bool | None = None,
        milestone_ids: Sequence[int] = (),
        limit: int | None = None,
    ) -> Listing:
        """List the runs: all, only the closed, or only the open ones [SEED].

        Raise NotFoundError with the nearest codes where the server knows no such project.
        """
        query = [("milestoneIds", str(milestone_id)) for milestone_id in milestone_ids]
        if closed is not None:
            query.insert(0, ("closed", "true" if closed else "false"))
        if limit is not None:
            query.append(("limit", str(limit)))
        request = self._request("GET", "/run", query=tuple(query))
        try:
            answer = await self._sender.send(request)
        except NotFoundError as error:
            missing = error
        else:
            listing = wire.parse_listing(request.label, answer.body, is_filtered=bool(query))
            self._page_project = listing.project_code or self._page_project
            return listing
        raise await self._unknown_project(missing)

    async def load_catalog(self, needed: NamesNeeded, listing: Listing) -> Catalog:
        """Look up the kinds of names that are needed, each kind once."""
        return await names.load_catalog(self._sender, self._project, needed, listing)

    async def list_run_cases(
        self, run_id: int, *, with_folder: bool = False
    ) -> tuple[RunCase, ...]:
        """List the test cases of a run; `folder` is filled only `with_folder` [SEED]."""
        query = (("include", "folder"),) if with_folder else ()
        request = self._request("GET", f"/run/{run_id}/tcase", query=query)
        answer = await self._sender.send(request)
        return wire.parse_run_cases(request.label, answer.body)

    async def create_run(
        self,
        fields: RunFields,
        run_type: str,
        query_plans: tuple[ResolvedPlan, ...],
        attempt: Attempt = FIRST,
    ) -> int:
        """Create a run and return its id."""
        return await self._make("/run", wire.create_body(fields, run_type, query_plans), attempt)

    async def clone_run(self, source_id: int, fields: RunFields, attempt: Attempt = FIRST) -> int:
        """Clone a run and return the id of the copy."""
        return await self._make("/run/clone", wire.clone_body(source_id, fields), attempt)

    async def close_run(self, run_id: int, attempt: Attempt = FIRST) -> None:
        """Close a run; it can't be opened again. The method is POST [CLI]."""
        await self._write(f"/run/{run_id}/close", None, attempt, wire.parse_acknowledgement)

    async def add_run_log(self, run_id: int, comment: str, attempt: Attempt = FIRST) -> None:
        """Add a comment to a run's log, as HTML of at least one character [CLI]."""
        body: dict[str, object] = {"comment": comment}
        await self._write(f"/run/{run_id}/log", body, attempt, wire.parse_acknowledgement)

    def run_url(self, run_id: int) -> str:
        """The address of the run's page; with the project's code once a listing showed it."""
        return self._sender.address.run_page(self._page_project, run_id)

    async def _make(self, path: str, body: dict[str, object], attempt: Attempt) -> int:
        return await self._write(path, body, attempt, wire.parse_new_id)

    async def _write(
        self,
        path: str,
        body: dict[str, object] | None,
        attempt: Attempt,
        parse: Callable[[str, Body], Parsed],
    ) -> Parsed:
        """Send a write once; raise NotRunError where it may be tried again."""
        request = Request(
            "POST",
            self._root + path,
            body=body,
            is_write=True,
            attempt=attempt,
            scope=self._project,
        )
        answer = await self._sender.send(request)
        try:
            return parse(request.label, answer.body)
        except BadResponseError as error:
            raise unknown_outcome(error) from None

    def _request(
        self, method: str, path: str, *, query: tuple[tuple[str, str], ...] = ()
    ) -> Request:
        return Request(method, self._root + path, query, scope=self._project)

    async def _unknown_project(self, error: NotFoundError) -> NotFoundError:
        try:
            projects = await directory.list_projects(self._sender, scope=self._project)
        except QarunError:
            return error
        codes = {project.code.casefold(): project.code for project in projects}
        near = difflib.get_close_matches(self._project.casefold(), codes, SHOWN_CODES, 0.4)
        shown = [codes[code] for code in near] or sorted(codes.values())[:SHOWN_CODES]
        listed = ", ".join(f"`{one_line(code)}`" for code in shown)
        return NotFoundError(
            f"`{self.server}` has no project `{one_line(self._project)}` that the key may see",
            hint=f"the nearest: {listed}" if shown else "the key may see no project at all",
        )
