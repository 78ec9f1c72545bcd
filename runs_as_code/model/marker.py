"""The marker: one line in a run's description that says whose run it is and what was applied.

It can never be changed after the create, so its form is versioned:
`[qarun:1 OWNER KEY rREVISION sSELECTION dDESCRIPTION tTITLE nOWN_TITLE mMILESTONE aASSIGNEE FLAG]`
"""

from dataclasses import dataclass

MARKER_OPENING = "[qarun:"
MARKER_VERSION = 1
MARKER_SEPARATOR = "\n\n"
MAX_MARKER_LENGTH = 180
MAX_DESCRIPTION_LENGTH = 512  # [SEED]
MAX_TITLE_LENGTH = 255  # [SEED]
DIGEST_LENGTH = 8
UNKNOWN = "-"

_LONGEST_REVISION = 4
_LONGEST_ID = 10


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker says.

    `selection`, `description`, `title` are digests of what the manifest declared, `own_title` of
    the title the run was given; `-` stands for unknown, or for what the manifest left out.
    `milestone` and `assignee` are ids as sent, None where the manifest left them out.
    """

    owner: str
    key: str
    revision: int
    selection: str
    description: str
    title: str
    own_title: str
    milestone: int | None = None
    assignee: int | None = None
    is_protected: bool = False

    def __str__(self) -> str:
        milestone = UNKNOWN if self.milestone is None else self.milestone
        assignee = UNKNOWN if self.assignee is None else self.assignee
        return (
            f"{MARKER_OPENING}{MARKER_VERSION} {self.owner} {self.key} r{self.revision}"
            f" s{self.selection} d{self.description} t{self.title} n{self.own_title}"
            f" m{milestone} a{assignee} {'p' if self.is_protected else 'u'}]"
        )


def marker_length_bound(owner: str, key: str) -> int:
    """Return the greatest length in characters that a marker of this owner and key can have."""
    digests = 4 * (2 + DIGEST_LENGTH)
    ids = 2 * (2 + _LONGEST_ID)
    head = len(f"{MARKER_OPENING}{MARKER_VERSION} {owner} {key} r") + _LONGEST_REVISION
    return head + digests + ids + len(" p]")
