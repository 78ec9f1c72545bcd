"""Where an apply comes from: what its lines in the logs of runs say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """Facts about an apply, as pairs of name and value, in the order in which they are told.

    The usual names are `commit`, `author` and `pipeline`.
    """

    facts: tuple[tuple[str, str], ...] = ()

    def with_commit(self, commit: str) -> "Provenance":
        """Return it with the commit that the files are of, unless one is told already."""
        if not commit or "commit" in dict(self.facts):
            return self
        return Provenance((("commit", commit), *self.facts))
