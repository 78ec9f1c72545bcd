"""The digest of a plan: what was reviewed is what is applied."""

from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any

from runs_as_code.model.actions import Action
from runs_as_code.model.live import StatusCounts
from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.model.restraint import Policy
from runs_as_code.planning.digest import canonical_json

DIGEST_FORMAT = 1
"""Part of what is digested: a change of the rules below can never pass for the same plan."""


def plan_digest(plan: Plan) -> str:
    """Return `sha256:` and the digest of server, project, owner and actions, ids resolved.

    Of the embedded server its database counts. So do a policy other than `sync` and the freeze
    windows: they bound what an apply may do. Neither text for people, nor time, nor what apply
    would not do (blocked, refused) counts.
    """
    projects = [_project_data(project) for project in plan.projects]
    data: dict[str, Any] = {"format": DIGEST_FORMAT, "projects": projects}
    if plan.database is not None:
        data["database"] = {"id": plan.database.id, "folder": plan.database.folder}
    return "sha256:" + sha256(canonical_json(data)).hexdigest()


def _project_data(project: ProjectPlan) -> Mapping[str, Any]:
    """Return what counts of one project; what most have not is left out where it is not."""
    ordered = sorted(project.actions, key=lambda action: action.address)
    data: dict[str, Any] = {
        "server": project.server,
        "project": project.project,
        "owner": project.owner,
        "actions": [_action_data(action) for action in ordered],
    }
    if project.policy is not Policy.SYNC:
        data["policy"] = project.policy.value
    if project.freeze:
        data["freeze"] = [
            {field.name: _plain(getattr(window, field.name)) for field in fields(window)}
            for window in project.freeze
        ]
    return data


def _action_data(action: Action) -> Mapping[str, Any]:
    data = {
        field.name: _plain(getattr(action, field.name))
        for field in fields(action)
        if field.name not in _FOR_PEOPLE
    }
    return data | {"address": action.address}


_FOR_PEOPLE = frozenset({"milestone_name", "assignee_name", "selection"})
"""What an action holds to be read and not to be done."""


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, ResolvedPlan):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, StatusCounts):
        # A live run may get cases at any time; only what people recorded allowed a close.
        return value.results
    return value
