"""Makes `python -m runs_as_code` the same as `qarun`."""

from runs_as_code.cli import main

main()
