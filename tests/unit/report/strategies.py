"""Any plan and any report that their types allow, hostile text included."""

from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

from golden.samples import HOSTILE
from hypothesis import strategies as st

from runs_as_code.model.plan import Plan
from runs_as_code.model.report import ApplyReport

TEXTS = st.one_of(
    st.sampled_from(["", "checkout", "Sprint 24", HOSTILE, "\x1b]0;x\x07", "a\u202eb\n", "🍕"]),
    st.text(max_size=20),
)
INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(0, 99)


def of_type(hint):
    """Values of a type hint, small ones."""
    if get_origin(hint) is UnionType:
        return st.one_of(*(of_type(option) for option in get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(of_type(get_args(hint)[0]), max_size=2).map(tuple)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{f.name: of_type(hints[f.name]) for f in fields(hint)})
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    return {str: TEXTS, int: INTEGERS, bool: st.booleans(), NoneType: st.none()}[hint]


PLANS = of_type(Plan)
APPLY_REPORTS = of_type(ApplyReport)
