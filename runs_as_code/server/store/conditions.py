"""Conditions on what clients send, in any amount and any script."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql.elements import ColumnElement


def is_one_of(column: Any, values: Iterable[int | str]) -> ColumnElement[bool]:
    """Build `column IN (...)` with one bound value; SQLite takes a limited number of them."""
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    found: ColumnElement[bool] = column.in_(select(listed.c.value))
    return found


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Build a search: the text anywhere in the column, case ignored, no wildcards."""
    return func.instr(func.fold_case(column), text.casefold()) > 0
