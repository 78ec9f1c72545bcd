"""A synchronous way to talk to an app in process, over httpx's own transport."""

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette

BASE = "/api/public/v0"


class Api:
    """Send requests to one app; paths are relative to the API's base and to project `BD`."""

    def __init__(self, app: Starlette, key: str | None = None) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://embedded", headers=headers
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        url = path.removeprefix("!") if path.startswith("!") else BASE + path
        return self._runner.run(self._client.request(method, url, **more))

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        return self._expect(self.send("GET", path, **more), status)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        more = {} if body is None else {"json": body}
        return self._expect(self.send("POST", path, **more), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self._expect(self.send("PATCH", path, json=body), status)

    @staticmethod
    def _expect(response: httpx.Response, status: int) -> Any:
        assert response.headers["content-type"] == "application/json", response.text
        assert response.status_code == status, response.text
        return response.json()

    def make_run(self, title: str = "A run", kind: str = "live", **more: Any) -> int:
        """Create a run in `BD` and return its id; by default a live one over folder 2."""
        plans = more.pop("plans", [{"folderIds": [2]}])
        body = {"title": title, "type": kind, "queryPlans": plans, **more}
        return int(self.post("/project/BD/run", body)["id"])

    def make_case(self, title: str = "A case", folder: int = 2, **more: Any) -> dict[str, Any]:
        body = {"title": title, "folderId": folder, "type": "standalone", "priority": "high"}
        return dict(self.post("/project/BD/tcase", body | more))

    def members(self, run: int) -> dict[str, dict[str, Any]]:
        """Return the test cases of a run by id."""
        found = self.get(f"/project/BD/run/{run}/tcase")["tcases"]
        return {item["id"]: item for item in found}

    def result(self, run: int, case: str | int, status: str = "passed", **more: Any) -> int:
        path = f"/project/BD/run/{run}/tcase/{case}/result"
        return int(self.post(path, {"status": status, **more})["id"])

    def close_run(self, run: int, status: int = 200) -> Any:
        return self.post(f"/project/BD/run/{run}/close", status=status)

    def run(self, run: int) -> dict[str, Any]:
        """Return one run out of the list."""
        runs = self.get("/project/BD/run")["runs"]
        return next(item for item in runs if item["id"] == run)
