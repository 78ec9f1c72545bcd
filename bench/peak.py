"""Run a program and say on the last line of stderr how much memory it had at most."""

import json
import os
import sys

_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024

process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
peak = usage.ru_maxrss * _BYTES_PER_UNIT // 1024
sys.stderr.write("\n" + json.dumps({"peak_kib": peak}) + "\n")
sys.exit(os.waitstatus_to_exitcode(status))
