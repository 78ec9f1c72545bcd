"""How a text looks: with or without colour, with Unicode or ASCII symbols. Never what it says."""

from dataclasses import dataclass
from enum import Enum, StrEnum

SYMBOL_WIDTH = 3


class Colour(StrEnum):
    """The codes of the terminal that are used; colour never carries meaning alone."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    MAGENTA = "35"
    CYAN = "36"
    ALARM = "1;31"


class Symbol(Enum):
    """The sign of a decision: in Unicode, in ASCII, and its colour."""

    CREATE = ("+", "+", Colour.GREEN)
    CLONE = ("»", ">>", Colour.GREEN)
    REPLACE = ("+/-", "+/-", Colour.YELLOW)
    CLOSE = ("x", "x", Colour.RED)
    ADOPT = ("=", "=", Colour.CYAN)
    DRIFT = ("~", "~", Colour.YELLOW)
    DECIDE = ("!", "!", Colour.MAGENTA)
    BLOCKED = ("⛔", "#", Colour.ALARM)
    NOTHING = ("·", ".", Colour.DIM)


@dataclass(frozen=True, slots=True)
class Style:
    """Plain or coloured, Unicode or ASCII symbols; other people's text stays as it is."""

    is_colored: bool = False
    is_unicode: bool = True

    def sign(self, symbol: Symbol) -> str:
        """Return the symbol, coloured where this style is."""
        return self.paint(self._plain(symbol), symbol.value[2])

    def column(self, symbol: Symbol) -> str:
        """Return the symbol, filled up to the width of a column."""
        taken = 2 if symbol is Symbol.BLOCKED and self.is_unicode else len(self._plain(symbol))
        return self.sign(symbol) + " " * (SYMBOL_WIDTH - taken)

    def paint(self, text: str, colour: Colour) -> str:
        """Return the text in a colour, or as it is."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.is_colored else text

    def _plain(self, symbol: Symbol) -> str:
        return symbol.value[0] if self.is_unicode else symbol.value[1]


PLAIN = Style()
