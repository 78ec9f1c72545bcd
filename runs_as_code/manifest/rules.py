"""Every rule that a manifest can break: its stable id, what it means, how bad it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from runs_as_code.model.source import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; warnings can be switched off by `lint: {disable: [id]}`."""

    id: str
    meaning: str
    severity: Severity = Severity.ERROR


MORE = "more-problems"

_FILE = (
    Rule("file-not-found", "a given path does not exist"),
    Rule("file-unreadable", "a given path can't be read"),
    Rule("file-too-large", "a file has more than 32 MiB, or all of them more than 64 MiB"),
    Rule("folder-without-manifests", "a given folder holds no `*.yaml` or `*.yml`"),
    Rule("empty-file", "a file holds no value"),
    Rule("binary-file", "a file holds NUL bytes"),
    Rule("not-utf8", "a file is not UTF-8"),
    Rule(MORE, "a file has more problems than are shown"),
)
_YAML = (
    Rule("yaml-syntax", "a file is not YAML"),
    Rule("yaml-tab", "a tab stands where YAML wants spaces"),
    Rule("control-character", "a file or a text holds a control character"),
    Rule("several-documents", "a file holds a second YAML document"),
    Rule("unknown-tag", "a YAML tag is none of the core ones, or does not fit its value"),
    Rule("unknown-alias", "a YAML alias names no anchor above it"),
    Rule("recursive-alias", "a YAML alias stands inside its own anchor"),
    Rule("too-many-values", "a file holds too many values, aliases expanded"),
    Rule("text-too-long", "a text has more than 16384 characters"),
    Rule("too-deep", "a file is nested too deeply"),
    Rule("duplicate-key", "a key stands twice in one mapping"),
    Rule("bad-mapping-key", "the key of a mapping is a list or a mapping"),
    Rule("bad-merge", "the value of `<<` is no mapping and no list of mappings"),
)
_SHAPE = (
    Rule("unsupported-version", "the manifest needs a newer `qarun`"),
    Rule("unknown-key", "a key is not known at its place"),
    Rule("missing-key", "a key that is needed is missing"),
    Rule("wrong-type", "a value has the wrong type"),
    Rule("unknown-value", "a value is none of the allowed ones"),
    Rule("out-of-range", "a number is too small or too large"),
    Rule("empty-text", "a text is empty or blank"),
    Rule("empty-list", "a list needs at least one item"),
    Rule("secret-in-manifest", "a file holds something that looks like a secret"),
)
_TOP = (
    Rule("bad-owner", "an owner is not of the form `[a-z0-9-]{3,32}`"),
    Rule("bad-owner-alias", "an owner alias is malformed, or is the owner"),
    Rule("bad-project", "a project is neither a code nor an id"),
    Rule("bad-server", "a server is neither `embedded` nor a plain http address"),
    Rule("bad-email", "an e-mail address is none"),
    Rule("bad-freeze", "a freeze window has no time or zone that can be read, or ends too early"),
)
_RUN = (
    Rule("bad-key", "a run's key is not 1 to 64 of `A-Za-z0-9._@=,[]-`"),
    Rule("bad-previous-key", "a previous key is malformed, the run's own, declared, or claimed"),
    Rule("title-missing", "an open run has no title"),
    Rule("title-too-long", "a title has more than 255 characters"),
    Rule("description-too-long", "a description has more than 512 characters, marker included"),
    Rule("marker-in-text", "a text holds the opening of a marker"),
    Rule("type-missing", "a run has query plans and no type"),
    Rule("query-plans-missing", "a run has no query plans where it needs some"),
    Rule("one-plan-only", "a run that is not live has more than one query plan"),
    Rule("live-plan-needs-folder", "a query plan of a live run has no folder"),
    Rule("live-plan-has-tcases", "a query plan of a live run names test cases"),
    Rule("plan-needs-filter", "a query plan has no filter"),
    Rule("bad-folder-path", "a folder path has an empty title"),
    Rule("bad-clone-source", "`cloneFrom` names not exactly one source"),
    Rule("clone-unknown-key", "`cloneFrom` names a key that the file does not declare"),
    Rule("clone-with-selection", "`cloneFrom` stands beside `type` or `queryPlans`"),
    Rule("clone-with-adopt", "`cloneFrom` stands beside `adopt`"),
    Rule("clone-cycle", "runs are cloned from each other"),
    Rule("protect-contradiction", "a protected run is to be closed"),
    Rule("bad-replace", "`replace` is none of `auto`, `never`, `always`, `rN`"),
    Rule("bad-replace-title", "`replaceTitle` lacks `{revision}` or has an unknown placeholder"),
)
_ACROSS = (
    Rule("duplicate-run", "a key is declared twice for one owner and project"),
    Rule("duplicate-title", "two open runs of one project have the same title"),
    Rule("adopted-twice", "two keys adopt the same run"),
    Rule(
        "alias-in-use", "an alias names an owner who is still there, or is two owners' for one key"
    ),
)
_ADVICE = tuple(
    Rule(rule_id, meaning, Severity.WARNING)
    for rule_id, meaning in (
        ("duplicate-in-filter", "a filter names the same thing twice"),
        ("replace-title-too-long", "the title of a replacement would exceed 255 characters"),
        ("fixed-set-static", "a fixed set of test cases should be `static`"),
        ("ongoing-suite-live", "an ongoing suite of folders should be `live`"),
        ("title-says-something", "a title should say what the run is for"),
        ("run-has-milestone", "a run should have a milestone"),
        ("run-has-assignee", "a run should have an assignee"),
    )
)

RULES: Mapping[str, Rule] = {
    rule.id: rule for rule in (*_FILE, *_YAML, *_SHAPE, *_TOP, *_RUN, *_ACROSS, *_ADVICE)
}
SWITCHABLE: tuple[str, ...] = tuple(sorted(rule.id for rule in _ADVICE))
