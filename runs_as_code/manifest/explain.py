"""Turns jsonschema's errors into sentences; imported only for what was refused."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from runs_as_code.manifest.findings import MAX_COLLECTED, Findings
from runs_as_code.manifest.text import is_secret_key, quote
from runs_as_code.manifest.tree import MapNode, SeqNode

# Key of the run (empty for the file itself), value, schema, place of the key.
Refused = tuple[str, Any, Mapping[str, Any], int]

_TYPE_WORDS = {
    "array": "a list",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "null": "`null`",
    "object": "a mapping",
    "string": "a text",
}
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_QUERY_PLAN_KEYS = frozenset({"tcases", "folders", "tags", "priorities"})

# The stubs know no signature of it.
_extend: Any = validators.extend
StrictValidator: Any = _extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def explain(refused: Iterable[Refused], root: Mapping[str, Any], findings: Findings) -> None:
    """Report why each of the values does not fit its schema."""
    validator = StrictValidator(root)
    for key, value, schema, place in refused:
        if findings.is_full:
            return
        errors = validator.evolve(schema=schema).iter_errors(value)
        for error in islice(errors, MAX_COLLECTED):
            _Reason(error, (key, value, place), findings).report()


class _Reason:
    """One error of jsonschema, and where it stands."""

    def __init__(
        self, error: ValidationError, refused: tuple[str, Any, int], findings: Findings
    ) -> None:
        self.error = error
        self.value: Any = error.instance
        self.schema: Any = error.schema
        self.limit: Any = error.validator_value
        self.name, node, self.place = refused
        self.subject = f"the run {quote(self.name)}" if self.name else "the manifest"
        self.add = findings.add
        self.findings = findings
        for step in error.absolute_path:
            if isinstance(node, MapNode):
                self.name = str(step)
                self.place = node.value_place(self.name)
                self.subject = quote(self.name)
            elif isinstance(node, SeqNode):
                self.place = node.places[int(step)]
                self.subject = f"an item of {quote(self.name)}"
            node = node[step]

    def report(self) -> None:
        """Add the finding that fits the keyword which refused the value."""
        handlers = {
            "additionalProperties": self._unknown_keys,
            "required": self._missing_key,
            "type": self._wrong_type,
            "enum": self._unknown_value,
            "minimum": self._out_of_range,
            "maximum": self._out_of_range,
            "minLength": self._empty_text,
            "minItems": self._empty_list,
        }
        handlers.get(str(self.error.validator), self._wrong_size)()

    def _shown(self) -> str:
        """Return the value as a literal, unless its key says that it may be a secret."""
        if isinstance(self.value, list | dict) or is_secret_key(self.name):
            return _kind_of(self.value)
        return quote(self.value)

    def _unknown_keys(self) -> None:
        known = sorted(self.schema["properties"])
        for key, _, place, _ in self.value.entries():
            if self.findings.is_full:
                return
            if key in known:
                continue
            if is_secret_key(key):
                hint = "take it out; the token belongs into `QAS_TOKEN`"
                self.add("secret-in-manifest", place, "no secrets in a manifest", hint=hint)
                continue
            expected = "one of " + ", ".join(f"`{name}`" for name in known)
            hint = _nearest(key, known) or _elsewhere(key)
            message = f"unknown key {quote(key)}"
            self.add("unknown-key", place, message, expected=expected, hint=hint)

    def _missing_key(self) -> None:
        properties = self.schema["properties"]
        # jsonschema names the key only in its text; findings that are equal fall together.
        for key in self.schema["required"]:
            if key in self.value:
                continue
            about = properties[key]
            example = about.get("examples", ["…"])[0]
            shown = example if isinstance(example, str | int) else "…"
            hint = "`runs: {}` says that there are none" if key == "runs" else f"`{key}: {shown}`"
            message = f"`{key}` is missing"
            self.add("missing-key", self.place, message, expected=_expected(about), hint=hint)

    def _wrong_type(self) -> None:
        types = self.limit
        allowed = [types] if isinstance(types, str) else list(types)
        words = " or ".join(_TYPE_WORDS[name] for name in allowed)
        found = _kind_of(self.value)
        if not isinstance(self.value, list | dict) and self.value is not None:
            found += "" if is_secret_key(self.name) else f" {quote(self.value)}"
        message = f"{self.subject} must be {words}, not {found}"
        self.add("wrong-type", self.place, message, expected=words, hint=self._type_hint(allowed))

    def _type_hint(self, allowed: list[str]) -> str:
        if self.value is None:
            return "write a value, or leave the key out"
        if isinstance(self.value, list | dict):
            is_unfit = "array" in allowed and isinstance(self.value, dict)
            return "begin each item with `- `" if is_unfit else ""
        text = str(self.value).strip().lower()
        if allowed == ["boolean"]:
            return f"write `{_BOOLEAN_WORDS[text]}`" if text in _BOOLEAN_WORDS else ""
        if "array" in allowed and not is_secret_key(self.name):
            return f"put it in brackets: {quote(f'[{self.value}]')}"
        if allowed == ["integer"]:
            return "write the number without quotes" if text.isdigit() else ""
        return "put it in quotes" if "string" in allowed else ""

    def _unknown_value(self) -> None:
        allowed = [str(value) for value in self.limit]
        expected = "one of " + ", ".join(f"`{value}`" for value in allowed)
        hint = _nearest(str(self.value), allowed)
        if not isinstance(self.value, str):
            return  # its type is wrong as well, and that is said
        message = f"{self._shown()} is not allowed for {self.subject}"
        self.add("unknown-value", self.place, message, expected=expected, hint=hint)

    def _out_of_range(self) -> None:
        schema = self.schema
        expected = f"{schema['minimum']} to {schema['maximum']}"
        message = f"{self.subject} can't be {self._shown()}"
        self.add("out-of-range", self.place, message, expected=expected)

    def _empty_text(self) -> None:
        self.add("empty-text", self.place, f"{self.subject} is empty", expected="a text")

    def _empty_list(self) -> None:
        hint = "add an item, or leave the key out"
        message = f"{self.subject} is an empty list"
        self.add("empty-list", self.place, message, expected="at least one item", hint=hint)

    def _wrong_size(self) -> None:
        known = set(self.schema["properties"])
        if known == _QUERY_PLAN_KEYS:
            expected = "`folders`, `tags`, `priorities` or `tcases`"
            message = "the query plan has no filter"
            self.add("plan-needs-filter", self.place, message, expected=expected)
        else:
            expected = "a key of this file, `{run: ID}` or `{title: TEXT}`"
            message = "`cloneFrom` must name exactly one source"
            self.add("bad-clone-source", self.place, message, expected=expected)


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    kinds = {bool: "the boolean", dict: "a mapping", list: "a list", str: "the text"}
    return next((word for kind, word in kinds.items() if isinstance(value, kind)), "the number")


def _expected(about: Mapping[str, Any]) -> str:
    return str(about.get("description", "")).partition(".")[0]


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean `{by_lower[near[0]]}`?" if near else ""


def _elsewhere(key: str) -> str:
    return "it belongs into an item of `queryPlans`" if key in _QUERY_PLAN_KEYS else ""
