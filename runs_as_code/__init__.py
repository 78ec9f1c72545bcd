"""Test runs of QA Sphere as code: desired runs in YAML, a plan, an apply."""

__version__ = "0.1.0"
