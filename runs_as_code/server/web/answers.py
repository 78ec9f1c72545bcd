"""JSON answers: whatever happens, the body is JSON, as clients parse it before anything else."""

import json
from typing import Any

from starlette.responses import Response

from runs_as_code.server.web.problems import ApiError


def json_response(value: Any, status: int = 200) -> Response:
    """Write a JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def error_response(error: ApiError) -> Response:
    """Write the answer of a refusal."""
    return json_response({"message": error.message}, error.status)
