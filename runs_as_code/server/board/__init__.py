"""The board: a few read-only pages that show people what the server's database holds.

It answers GET only, needs no key, shows no keys and runs no scripts. It may read through `store`
and `rules`; it may not write, and nothing under `/api` is its business.
"""

from runs_as_code.server.board.routes import make_board

__all__ = ["make_board"]
