"""The desired side: files in, `ManifestSet` out, with everything that is wrong and where.

Reads files and nothing else: no network, no environment, no clock, no output. It never raises for
what a file holds, and knows neither live runs nor plans.
"""

from runs_as_code.manifest.read import read_manifests
from runs_as_code.manifest.rules import RULES, SWITCHABLE, Rule
from runs_as_code.manifest.schema import load_schema

__all__ = ["RULES", "SWITCHABLE", "Rule", "load_schema", "read_manifests"]
