"""Says what an installed wheel lacks; run by the interpreter of the environment it is in."""

import sys
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "runs_as_code"


def main() -> int:
    """Return 1 and name the files that are missing, or 0."""
    wanted = ["py.typed", *(f"schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json"))]
    templates = PACKAGE.rglob("templates/*.*")
    wanted += [path.relative_to(PACKAGE).as_posix() for path in templates]
    missing = [name for name in wanted if not (files("runs_as_code") / name).is_file()]
    if missing:
        print(f"the wheel lacks {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
