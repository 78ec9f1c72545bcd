"""The live side: QA Sphere over HTTP, and nothing else.

This package may not import manifest, planning, report or server, may not print, and may not read
the environment (the caller hands it over). It is the only home of httpx, tenacity and dotenv.
Nothing heavy is imported here, so that reading credentials does not pay for httpx.
"""

import sys

# httpx has a command line of its own, and what that imports takes longer than httpx itself. An
# entry that says "there is no such module" lets httpx do without, as where click is missing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # what `import` looks for
