"""Each rule that can withhold something is explained in the concepts."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCES = "\n".join(p.read_text("utf-8") for p in (ROOT / "runs_as_code/planning").glob("*.py"))
RULES = {*re.findall(r'(?:rule=|Block\(|TOO_MANY = )"([a-z-]+)"', SOURCES)}


def test_every_rule_has_a_row():
    page = (ROOT / "docs/concepts.md").read_text("utf-8")
    rows = {rule for line in page.splitlines() if line.startswith("| `") for rule in _names(line)}
    assert len(RULES) > 20
    assert rows >= RULES


def _names(line: str) -> list[str]:
    return re.findall(r"`([a-z-]+)`", line.split("|")[1])
