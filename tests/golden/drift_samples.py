"""Drift built by hand, one of each kind."""

from golden import samples

from runs_as_code.model.drift import Drift, DriftKind, DriftReport, ProjectDrift

LOST = samples.DECIDE.blocks[0].message
SUCCESSOR = "run 12, the newest of this key, was closed, and run 11 before it is still open"
LOGIN = samples.DRIFTED.run
FOUND = (
    Drift(DriftKind.MARKER_DAMAGED, "", samples.live(70, "Somebody's run")),
    Drift(DriftKind.SUCCESSOR_CLOSED, "checkout", samples.RUN_12, None, samples.at(20), SUCCESSOR),
    Drift(DriftKind.CLOSED_BY_HAND, "hotfix", samples.STAYS_CLOSED.run, None, samples.at(48)),
    Drift(DriftKind.ASSIGNEE_CHANGED, "login", LOGIN, samples.REASSIGNED, samples.at(40)),
    Drift(DriftKind.COPIED, "login", samples.live(71, "Login (copy)"), None, samples.at(40)),
    Drift(DriftKind.IN_DOUBT, "login", LOGIN, None, samples.at(40), "run 30 was renamed by hand"),
    Drift(DriftKind.MARKER_LOST, "profile", samples.DECIDE.run, None, samples.at(35), LOST),
)
CHECKED = ("by-hand", "checkout", "hotfix", "login", "suite-1", "suite-2")
PROJECT = ProjectDrift(samples.FULL_PROJECT, CHECKED, FOUND, ("tagged",))
QUIET_PROJECT = ProjectDrift(samples.EMPTY.projects[0], ("suite-1", "suite-2", "suite-3"))
DRIFT = DriftReport(samples.CREATED_AT, (PROJECT,))
SEVERAL = DriftReport(samples.CREATED_AT, (PROJECT, QUIET_PROJECT))
NONE = DriftReport(samples.CREATED_AT, (QUIET_PROJECT,))
HOSTILE = DriftReport(
    samples.HOSTILE,
    (
        ProjectDrift(
            samples.HOSTILE_PLAN.projects[0],
            (samples.HOSTILE,),
            tuple(
                Drift(
                    kind,
                    samples.HOSTILE,
                    samples.HOSTILE_RUN,
                    None if number % 2 else samples.HOSTILE_PLAN.projects[0].changes[0].fields[3],
                    samples.at(1, file=samples.HOSTILE),
                    samples.HOSTILE,
                )
                for number, kind in enumerate(DriftKind)
            ),
            (samples.HOSTILE,),
        ),
    ),
)
