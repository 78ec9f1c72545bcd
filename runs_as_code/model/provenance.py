"""Where an apply comes from: what its lines in the logs of runs say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """Facts about an apply, as pairs of name and value, in the order in which they are told.

    The usual names are `commit`, `author` and `pipeline`.
    """

    facts: tuple[tuple[str, str], ...] = ()
