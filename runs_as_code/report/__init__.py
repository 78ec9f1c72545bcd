"""Plans, reports, lists and diagnostics as text and JSON: values in, strings out.

Pure: no clock, files, environment or network, and no click or rich. This package may not import
manifest, planning, provider or server; what it needs of them (a digest) it is handed.
"""
