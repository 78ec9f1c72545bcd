"""Run as `python -m torture`, which is what `script/torture` does."""

import sys

from torture.main import main

if __name__ == "__main__":
    sys.exit(main())
