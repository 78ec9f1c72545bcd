"""HTTP only: decoding requests, keys and roles, limits, error answers; no rule of runs."""
