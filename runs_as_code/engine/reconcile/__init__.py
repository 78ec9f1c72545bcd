"""Reconcile again and again: rounds over all projects, their pace, and how they are told.

Decides nothing about runs: a round plans and applies as any other call. `rounds` reads the files
and goes through the projects, `project` brings one a step further, `loop` says when the next is.
"""
