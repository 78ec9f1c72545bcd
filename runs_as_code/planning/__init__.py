"""The planning core: (manifests, live runs, names, approvals) in, a plan out.

Pure: no I/O, no clock, no environment, no randomness. Same input, same plan, same bytes.
"""
