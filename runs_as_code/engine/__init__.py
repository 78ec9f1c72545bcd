"""The engine: reads both sides, lets planning decide, and carries a plan out.

It decides nothing about runs itself and prints nothing.
"""
