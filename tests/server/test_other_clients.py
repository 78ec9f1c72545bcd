"""Clients that share no code with `qarun` use the server as they would use the service."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runs_as_code.server import RunningServer

UPLOADER = Path(__file__).parent / "clients" / "uploader.mjs"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
@pytest.mark.qasphere(rate=20)
def test_an_uploader_of_results_does_its_work(qasphere_server: RunningServer):
    done = subprocess.run(
        ["node", str(UPLOADER)],
        env=os.environ | qasphere_server.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "folders": 0,
        "found": [1, 21, 60, 61],
        "sameRun": True,
        "results": 4,
        "shot": "pixels",
        "closed": {"message": "Run closed"},
        "counts": {"all": 4, "passed": 3, "failed": 1, "open": 0},
        "timeSpent": 4500,
        "wasThrottled": True,
    }
