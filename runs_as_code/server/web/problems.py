"""Refusals: one exception that carries the status and the message of the answer."""


class ApiError(Exception):
    """A request that is answered with an error: `status` and `{"message": ...}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def refuse(message: str) -> ApiError:
    """Build the answer to a body or parameter that breaks a rule (400)."""
    return ApiError(400, message)


def missing(what: str) -> ApiError:
    """Build the answer to a path that names something unknown (404)."""
    return ApiError(404, f"{what} not found")
