"""Builds the tree of a YAML text from the parser's events, in one pass.

PyYAML's own constructors keep the last of two equal keys, read `no` as a boolean, forget lines,
and take five times as long.
"""

import re
from collections.abc import Callable
from sys import intern
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from runs_as_code.manifest.findings import MAX_SHOWN, Findings
from runs_as_code.manifest.scalars import CORE, is_container_tag, resolve_plain, resolve_tagged
from runs_as_code.manifest.surrogates import join_pairs
from runs_as_code.manifest.syntax import report_syntax
from runs_as_code.manifest.text import quote
from runs_as_code.manifest.tree import COLUMN_BITS, MapNode, SeqNode, locate

MAX_DEPTH = 64
MAX_VALUES = 3_000_000
MAX_ALIASED_VALUES = 1_000_000
MAX_ITEMS = 250_000  # of one list or mapping: more runs than any project has
MAX_TEXT = 16_384  # characters of one text: no title, path or description comes near
MAX_TAG_DIRECTIVES = 16  # libyaml compares each with each
TEXT_PER_VALUE = 256  # characters that count as one more value: aliases multiply them too
_CHECK_EVERY = 50_000  # values
_TAG_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%TAG")

Handler = Callable[[Any], None]

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BRACE_HINT = (
    "`{` begins a mapping: put a text that begins with it, such as a template, into quotes"
)
_MERGE: Final = object()
_DROPPED: Final = object()


class _StopError(Exception):
    """Nothing more can be read from this file; what is wrong has been said."""


def load(text: str, findings: Findings) -> MapNode | None:
    """Return the file's mapping; None when there is none, and then an error says why."""
    if "%TAG" in text and len(_TAG_DIRECTIVE.findall(text)) > MAX_TAG_DIRECTIVES:
        message = f"more than {MAX_TAG_DIRECTIVES} `%TAG` lines"
        findings.add("yaml-syntax", 0, message, hint="leave them out: tags are not supported")
        return None
    text = join_pairs(text)
    builder = _Builder(findings)
    parser = None
    try:
        parser = _LOADER(text)
        builder.build(parser)
    except _StopError:
        return None
    except yaml.YAMLError as error:
        report_syntax(error, text, findings)
        return None
    finally:
        if parser is not None:
            parser.dispose()
    return _as_manifest(builder, findings)


def _as_manifest(builder: "_Builder", findings: Findings) -> MapNode | None:
    if isinstance(builder.root, MapNode):
        return builder.root
    if builder.root is None:
        findings.add("empty-file", 0, "the file is empty", hint="begin with `apiVersion: qarun/v1`")
        return None
    findings.add(
        "wrong-type",
        builder.root_place,
        "a manifest is a mapping",
        expected="`apiVersion`, `project`, `owner` and `runs`",
    )
    return None


class _Builder:
    """Puts each event's value into the container that is open."""

    def __init__(self, findings: Findings) -> None:
        self.root: Any = None
        self.root_place = 0
        self._findings = findings
        self._documents = 0
        self._values = 0
        self._aliased = 0
        self._top: Any = None
        self._in_map = False
        self._awaits_key = False
        self._key: Any = None
        self._key_place = 0
        self._stack: list[tuple[Any, bool, str | None, int]] = []
        self._merges: dict[int, list[tuple[Any, int]]] = {}
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open_anchors: set[str] = set()
        self._duplicates = 0

    def build(self, parser: Any) -> None:
        """Take every event of the parser."""
        handlers: dict[type, Handler] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._open_map,
            SequenceStartEvent: self._open_list,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document,
        }
        next_check = _CHECK_EVERY
        for event in iter(parser.get_event, None):
            handler = handlers.get(event.__class__)
            if handler is not None:
                handler(event)
            if self._values > next_check:
                next_check = self._values + _CHECK_EVERY
                self._check_sizes(_place(event))
        self._check_values(0)

    def _check_sizes(self, place: int) -> None:
        """Stop early where something grows too large; what is complete is checked when it ends."""
        self._check_values(place)
        for node in (self._top, *(frame[0] for frame in self._stack)):
            if node is not None:
                self._check_items(node)

    def _check_values(self, place: int) -> None:
        if self._values > MAX_VALUES:
            message = f"the file holds more than {MAX_VALUES} values"
            self._stop("too-many-values", place, message)

    def _check_items(self, node: MapNode | SeqNode) -> None:
        if len(node) > MAX_ITEMS:
            what = "mapping" if isinstance(node, MapNode) else "list"
            message = f"this {what} has more than {MAX_ITEMS} items"
            self._stop("too-many-values", node.place, message)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "one file is one manifest; give the other one a file of its own"
            self._stop("several-documents", _place(event), "a second document begins here", hint)

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        place = mark.line << COLUMN_BITS | mark.column
        value = event.value
        self._values += 1 + len(value) // TEXT_PER_VALUE
        if len(value) > MAX_TEXT and self._top is not None:
            message = f"a text of {len(value)} characters"
            hint = f"at most {MAX_TEXT} are read, and no field takes as many"
            self._stop("text-too-long", place, message, hint)
        if event.tag is not None or event.anchor is not None:
            value = self._special(event, place)
        elif self._awaits_key:
            if value not in self._top and value != "<<":
                self._key = intern(value)
                self._key_place = place
                self._awaits_key = False
                return
        elif not event.style:
            value = resolve_plain(value)
        elif event.style == '"' and not value.isascii():
            self._refuse_surrogates(value, place)
        if self._awaits_key:
            self._take_key(value, place, is_plain=not event.style)
        else:
            self._put(value, place)

    def _special(self, event: Any, place: int) -> Any:
        """Return the value of a scalar with a tag or an anchor."""
        value = event.value
        if not self._awaits_key:
            if event.tag is not None:
                value = self._tagged(event, place)
            elif not event.style:
                value = resolve_plain(value)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1 + len(event.value) // TEXT_PER_VALUE)
        return value

    def _tagged(self, event: Any, place: int) -> Any:
        try:
            return resolve_tagged(event.tag, event.value)
        except ValueError:
            self._bad_tag(event.tag, place)
            return event.value

    def _bad_tag(self, tag: str, place: int) -> None:
        message = f"the tag {quote(tag.replace(CORE, '!!'))} is not supported here"
        self._findings.add("unknown-tag", place, message, hint="leave the tag out")

    def _refuse_surrogates(self, value: str, place: int) -> None:
        """Refuse what only the pure Python parser lets through."""
        if any("\ud800" <= character <= "\udfff" for character in value):
            self._stop("control-character", place, "half of a surrogate pair is no character")

    def _take_key(self, value: Any, place: int, *, is_plain: bool) -> None:
        if not isinstance(value, str):
            self._stop("bad-mapping-key", place, "the key of a mapping is a text", _BRACE_HINT)
        self._awaits_key = False
        self._key_place = place
        if value == "<<" and is_plain:
            self._key = _MERGE
            if id(self._top) not in self._merges:
                return
            first = self._merges[id(self._top)][0][1]
        elif value not in self._top:
            self._key = intern(value)
            return
        else:
            first = self._top.key_place(value)
        self._key = _DROPPED
        line = locate("", first).line
        message = f"the key {quote(value)} stands twice in this mapping"
        hint = f"the first one is in line {line}; keep one of them"
        self._findings.add("duplicate-key", place, message, hint=hint)
        self._duplicates += 1
        if self._duplicates > MAX_SHOWN:
            raise _StopError

    def _put(self, value: Any, place: int) -> None:
        top = self._top
        if self._in_map:
            key = self._key
            self._awaits_key = True
            if key is _MERGE:
                self._merges.setdefault(id(top), []).append((value, place))
            elif key is not _DROPPED:
                top[key] = value
                add_place = top.places.append
                add_place(self._key_place)
                add_place(place)
        elif top is not None:
            top.append(value)
            top.places.append(place)
        else:
            self.root = value
            self.root_place = place

    def _open_map(self, event: Any) -> None:
        self._open(event, MapNode(_place(event)), "map")
        self._in_map = self._awaits_key = True

    def _open_list(self, event: Any) -> None:
        self._open(event, SeqNode(_place(event)), "seq")
        self._in_map = self._awaits_key = False

    def _open(self, event: Any, node: MapNode | SeqNode, kind: str) -> None:
        if self._awaits_key:
            self._stop("bad-mapping-key", node.place, "the key of a mapping is a text", _BRACE_HINT)
        if len(self._stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} lists and mappings inside each other"
            self._stop("too-deep", node.place, message)
        if event.tag is not None and not is_container_tag(event.tag, kind):
            self._bad_tag(event.tag, node.place)
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)
        self._put(node, node.place)
        self._stack.append((self._top, self._in_map, event.anchor, self._values))
        self._values += 1
        self._top = node

    def _close(self, _event: Any) -> None:
        node = self._top
        self._check_items(node)
        if id(node) in self._merges:
            self._merge(node, self._merges.pop(id(node)))
        self._top, self._in_map, anchor, before = self._stack.pop()
        self._awaits_key = self._in_map
        if anchor is not None:
            self._open_anchors.discard(anchor)
            self._anchors[anchor] = (node, self._values - before)

    def _alias(self, event: Any) -> None:
        place = _place(event)
        name = event.anchor
        if name in self._open_anchors:
            self._stop("recursive-alias", place, f"the alias `*{name}` stands inside its anchor")
        if name not in self._anchors:
            hint = f"write `&{name}` before the value that is meant, above this line"
            self._stop("unknown-alias", place, f"no anchor `&{name}` above this line", hint)
        value, size = self._anchors[name]
        self._values += size
        self._aliased += size
        if self._aliased > MAX_ALIASED_VALUES:
            message = f"aliases expand to more than {MAX_ALIASED_VALUES} values"
            self._stop("too-many-values", place, message, "write out less by aliases of aliases")
        if self._awaits_key:
            self._take_key(value, place, is_plain=False)
        else:
            self._put(value, place)

    def _merge(self, node: MapNode, merges: list[tuple[Any, int]]) -> None:
        """Add the keys of `<<` that the mapping has not itself; earlier sources win."""
        for value, place in merges:
            sources = value if isinstance(value, SeqNode) else [value]
            if not all(isinstance(source, MapNode) for source in sources):
                hint = "write `<<: *anchor` or `<<: [*one, *two]`"
                message = "`<<` takes a mapping or a list of mappings"
                self._findings.add("bad-merge", place, message, hint=hint)
                continue
            for source in sources:
                for key, item, key_place, value_place in source.entries():
                    if key not in node:
                        node[key] = item
                        node.places.extend((key_place, value_place))

    def _stop(self, rule: str, place: int, message: str, hint: str = "") -> None:
        self._findings.add(rule, place, message, hint=hint)
        raise _StopError


def _place(event: Any) -> int:
    mark = event.start_mark
    return int(mark.line << COLUMN_BITS | mark.column)
