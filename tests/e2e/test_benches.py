"""The benches run: at the smallest size, for their numbers mean nothing here."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.parametrize(
    ("name", "options", "row"),
    [
        ("startup", ["--rounds", "1"], "qarun --version"),
        ("plan", ["--stages", "--counts", "10,20", "--rounds", "1"], "whole plan, in process"),
        ("apply", ["--counts", "2", "--rounds", "1"], "plan, apply, verify"),
    ],
)
def test_a_bench_prints_its_table(name, options, row):
    command = [sys.executable, str(BENCH / f"{name}.py"), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert row in ended.stdout
