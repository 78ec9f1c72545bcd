"""The live side: QA Sphere over HTTP, and nothing else.

This package may not import manifest, planning, report or server, may not print, and may not read
the environment (the caller hands it over). It is the only home of httpx, tenacity and dotenv.
Nothing is imported here, so that reading credentials does not pay for httpx.
"""
