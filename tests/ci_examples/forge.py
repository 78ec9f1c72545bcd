"""A forge for the tests: a bare repository, people who push and merge, and the state of `gh`."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci_examples import forking
from ci_examples.runner import Event, git

ROOT = Path(__file__).parents[2]
CI = ROOT / "examples" / "ci"
PACKAGE = "git+https://git.example.com/qa/runs-as-code@v0.1.0"


def install(programs: Path, forge: Path, qarun: str) -> None:
    """Put `qarun` and the stub of `gh` where the steps find them."""
    programs.mkdir()
    forking.install(programs / "qarun", qarun)
    gh = programs / "gh"
    stub = Path(__file__).with_name("gh_stub.py")
    gh.write_text(f"#!/bin/sh\nFORGE='{forge}' exec '{sys.executable}' -IS '{stub}' \"$@\"\n")
    gh.chmod(0o755)


class Repository:
    """A repository with the examples of GitHub in it; `main` is its branch."""

    def __init__(self, folder: Path) -> None:
        self.origin = folder / "origin.git"
        self.clone = folder / "clone"
        self.forge = folder / "forge.json"
        names = ("comments", "issues", "statuses", "pulls", "writes")
        empty: dict[str, Any] = {name: [] for name in names}
        self.forge.write_text(json.dumps({"ids": 0, "origin": str(self.origin), **empty}))
        git("init", "--quiet", "--bare", "--initial-branch=main", self.origin)
        git("clone", "--quiet", self.origin, self.clone)
        git("checkout", "--quiet", "-B", "main", cwd=self.clone)
        shutil.copytree(CI / "github" / "actions", self.clone / ".github" / "actions")
        git("add", "--all", cwd=self.clone)
        git("commit", "--quiet", "--message", "Begin", cwd=self.clone)

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.forge.read_text("utf-8"))
        return found

    def change(self, **lists: Any) -> None:
        """Change the forge by hand, as people do in the web page."""
        self.forge.write_text(json.dumps(self.state | lists))

    def comments(self, number: int) -> list[str]:
        return [each["body"] for each in self.state["comments"] if each["issue"] == number]

    def push(self, files: Mapping[str, str], *, branch: str = "main") -> str:
        """Commit files onto `main` as a branch and return the commit; `qa` is where names are."""
        git("checkout", "--quiet", "-B", branch, "main", cwd=self.clone)
        for name, manifest in files.items():
            path = self.clone / "qa" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(manifest, "utf-8")
        git("add", "--all", cwd=self.clone)
        git("commit", "--quiet", "--message", f"Change {branch}", cwd=self.clone)
        git("push", "--quiet", "--force", "origin", branch, cwd=self.clone)
        return git("rev-parse", "HEAD", cwd=self.clone)

    def propose(self, number: int, files: Mapping[str, str]) -> Event:
        """Open or update a pull request; its workflows run on the merge with `main`."""
        branch = f"change-{number}"
        head = self.push(files, branch=branch)
        state = self.state
        others = [each for each in state["pulls"] if each["number"] != number]
        pull = {"number": number, "merged_at": None, "head": {"sha": head}, "commits": [head]}
        self.change(pulls=[*others, pull], ids=max(state["ids"], number))
        git("checkout", "--quiet", "--detach", "main", cwd=self.clone)
        merged = self._merge(branch)
        git(
            "push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge", cwd=self.clone
        )
        payload = {"number": number, "head": {"sha": head, "repo": {"full_name": "acme/qa"}}}
        return Event("pull_request", merged, {"pull_request": payload})

    def merge(self, number: int) -> Event:
        """Merge a pull request."""
        git("checkout", "--quiet", "main", cwd=self.clone)
        sha = self._merge(f"change-{number}")
        git("push", "--quiet", "origin", "main", cwd=self.clone)
        pulls = self.state["pulls"]
        for each in pulls:
            if each["number"] == number:
                each["merged_at"] = "2026-11-22T12:00:00Z"
                each["commits"].append(sha)
        self.change(pulls=pulls)
        return Event("push", sha)

    def head(self) -> Event:
        """Return what starts a workflow each night."""
        return Event("schedule", git("rev-parse", "main", cwd=self.clone))

    def _merge(self, branch: str) -> str:
        git("merge", "--quiet", "--no-ff", "--no-edit", branch, cwd=self.clone)
        return git("rev-parse", "HEAD", cwd=self.clone)
