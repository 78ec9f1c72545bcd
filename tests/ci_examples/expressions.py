"""Expressions of GitHub Actions, as far as the examples use them: `a.b == 'c' && always()`."""

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(&&|\|\||==|!=|[!()])|([A-Za-z_][\w.-]*)|(\S))")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


class Evaluation:
    """Evaluates one expression; `contexts` are what names begin with, `functions` take nothing."""

    def __init__(self, text: str, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> None:
        self._tokens = [found.groups() for found in _TOKEN.finditer(text.strip())]
        self._contexts = contexts
        self._status = status
        self.has_status = any(word in status for _, _, word, _ in self._tokens)

    def value(self) -> Any:
        found = self._either()
        assert not self._tokens, f"cannot be read: {self._tokens}"
        return found

    def _sign(self, *wanted: str) -> str:
        if self._tokens and self._tokens[0][1] in wanted:
            return self._tokens.pop(0)[1]
        return ""

    def _either(self) -> Any:
        found = self._both()
        while self._sign("||"):
            other = self._both()
            found = found or other
        return found

    def _both(self) -> Any:
        found = self._compared()
        while self._sign("&&"):
            other = self._compared()
            found = found and other
        return found

    def _compared(self) -> Any:
        found = self._single()
        sign = self._sign("==", "!=")
        if not sign:
            return found
        is_equal = _text(found) == _text(self._single())
        return is_equal if sign == "==" else not is_equal

    def _single(self) -> Any:
        if self._sign("!"):
            return not self._single()
        if self._sign("("):
            found = self._either()
            assert self._sign(")"), "a bracket is not closed"
            return found
        literal, _, word, other = self._tokens.pop(0)
        assert not other, f"unknown sign {other}"
        if literal is not None:
            return literal[1:-1].replace("''", "'")
        if self._sign("("):
            assert self._sign(")"), "functions take nothing here"
            return self._status[word]
        return _WORDS[word] if word in _WORDS else self._look_up(word)

    def _look_up(self, name: str) -> Any:
        first, *rest = name.split(".")
        found = self._contexts[first]
        for part in rest:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


def evaluate(text: str, contexts: Mapping[str, Any]) -> Any:
    return Evaluation(text, contexts, {}).value()


def fill(text: Any, contexts: Mapping[str, Any]) -> str:
    """Return a value of a workflow with its expressions filled in."""
    return _EXPRESSION.sub(lambda found: _text(evaluate(found[1], contexts)), _text(text))


def holds(condition: Any, contexts: Mapping[str, Any], *, has_failed: bool) -> bool:
    """Whether a step or job runs: without a status function only as long as nothing failed."""
    text = _text(condition if condition is not None else "success()")
    found = _EXPRESSION.fullmatch(text.strip())
    status = {"success": not has_failed, "failure": has_failed, "always": True, "cancelled": False}
    evaluation = Evaluation(found[1] if found else text, contexts, status)
    return bool(evaluation.value()) and (evaluation.has_status or not has_failed)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
