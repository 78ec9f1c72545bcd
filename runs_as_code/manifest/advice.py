"""The seed's advice as warnings on open runs; a file can switch each one off."""

import re

from runs_as_code.manifest.document import RunNode
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.text import quote
from runs_as_code.manifest.tree import MapNode, SeqNode
from runs_as_code.model.desired import DEFAULT_REPLACE_TITLE
from runs_as_code.model.marker import MAX_TITLE_LENGTH

_NO_LETTERS = re.compile(r"[\W\d_]+")
_FEWEST_LETTERS = 4
_TWO_DIGITS = "99"
# What is left of a title once numbers and signs are gone, and says nothing of a run.
_GENERIC = frozenset(
    {
        "all tests",
        "new run",
        "new test run",
        "regression",
        "regression run",
        "regression test",
        "regression tests",
        "sanity",
        "smoke",
        "smoke run",
        "smoke test",
        "smoke tests",
        "sprint",
        "test cases",
        "test plan",
        "test run",
        "testing",
        "tests",
        "todo",
        "untitled",
        "untitled run",
    }
)


def advise(run: RunNode, findings: Findings) -> None:
    """Warn of what the documentation of test runs advises against [SEED]."""
    merged, place = run.merged, run.place
    # An explicit `null` says that the run does without on purpose.
    if "milestone" not in merged:
        message = "the run has no milestone"
        hint = "add `milestone: …`; `milestone: null` says that it needs none"
        findings.add("run-has-milestone", place, message, hint=hint)
    if "assignee" not in merged:
        message = "the run is assigned to nobody"
        hint = "add `assignee: …`; `assignee: null` says that it needs none"
        findings.add("run-has-assignee", place, message, hint=hint)
    title = run.text("title")
    if title is not None:
        _advise_on_title(run, title.strip(), findings)
    if merged.get("type") == "static_struct":
        _advise_on_type(run, findings)


def _advise_on_title(run: RunNode, title: str, findings: Findings) -> None:
    letters = _NO_LETTERS.sub(" ", title).strip().lower()
    if title and (len(letters) < _FEWEST_LETTERS or letters in _GENERIC):
        message = f"the title {quote(title)} does not say what is tested"
        hint = "name what is tested and for which sprint or release"
        findings.add("title-says-something", run.place_of("title"), message, hint=hint)
    form = run.text("replaceTitle") or DEFAULT_REPLACE_TITLE
    if len(title) + len(form) < MAX_TITLE_LENGTH or len(title) > MAX_TITLE_LENGTH:
        return
    longest = form.replace("{title}", title).replace("{key}", run.key)
    if len(longest.replace("{revision}", _TWO_DIGITS)) > MAX_TITLE_LENGTH:
        message = f"a replacement of this run would have a title of over {MAX_TITLE_LENGTH}"
        hint = "shorten the title or `replaceTitle`"
        findings.add("replace-title-too-long", run.place_of("title"), message, hint=hint)


def _advise_on_type(run: RunNode, findings: Findings) -> None:
    plans = run.fields.get("queryPlans")
    plan = plans[0] if isinstance(plans, SeqNode) and plans else None
    if not isinstance(plan, MapNode):
        return
    place = run.place_of("type")
    if "tcases" in plan:
        message = "a set of chosen test cases, such as a certification, should be `static`"
        findings.add("fixed-set-static", place, message, hint="write `type: static`")
    elif "folders" in plan:
        message = "a suite chosen by folder should be `live`, so that it takes in new test cases"
        hint = "write `type: live`, or `static` to keep the set as it is"
        findings.add("ongoing-suite-live", place, message, hint=hint)
