"""`gh api` for the tests: serves comments, issues, statuses and pull requests out of a file.

It is a program of its own, started by the steps under test. The token tells what it may do, as the
`permissions` of a workflow do; every call is written down.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BOT = "github-actions[bot]"
PAGE = 3  # entries; a real one has up to 100
LONGEST_DESCRIPTION = 140
LONGEST_BODY = 65_536
RANKS = {"none": 0, "read": 1, "write": 2}

Json = Any


class RefusedError(Exception):
    """The forge refuses; ends with 1, as `gh` does."""


class Forge:
    """What one repository holds."""

    def __init__(self, path: Path, rights: dict[str, str]) -> None:
        self.path = path
        self.data = json.loads(path.read_text("utf-8"))
        self.rights = rights

    def save(self) -> None:
        self.path.write_text(json.dumps(self.data, indent=1), "utf-8")

    def need(self, right: str, *scopes: str) -> None:
        mine = max(RANKS[self.rights.get(scope, "none")] for scope in scopes)
        if mine < RANKS[right]:
            raise RefusedError(f"HTTP 403: needs {' or '.join(scopes)}: {right}")

    def discussion(self, right: str, number: str) -> dict[str, Json]:
        for kind, scope in (("pulls", "pull-requests"), ("issues", "issues")):
            for each in self.data[kind]:
                if each["number"] == int(number):
                    self.need(right, scope, "issues")
                    return dict(each)
        raise RefusedError("HTTP 404")

    def next_id(self) -> int:
        self.data["ids"] += 1
        return int(self.data["ids"])

    def list_comments(self, _fields: Json, number: str) -> Json:
        self.discussion("read", number)
        return [each for each in self.data["comments"] if each["issue"] == int(number)]

    def add_comment(self, fields: Json, number: str) -> Json:
        self.discussion("write", number)
        _check_body(fields["body"])
        comment = {"id": self.next_id(), "issue": int(number), "user": {"login": BOT}, **fields}
        self.data["comments"].append(comment)
        return comment

    def change_comment(self, fields: Json, comment_id: str) -> Json:
        comment = self._comment(comment_id)
        _check_body(fields["body"])
        comment.update(fields)
        return comment

    def delete_comment(self, _fields: Json, comment_id: str) -> Json:
        self.data["comments"].remove(self._comment(comment_id))
        return {}

    def _comment(self, comment_id: str) -> Json:
        for each in self.data["comments"]:
            if each["id"] == int(comment_id):
                self.discussion("write", str(each["issue"]))
                return each
        raise RefusedError("HTTP 404")

    def list_issues(self, _fields: Json, query: str) -> Json:
        self.need("read", "issues")
        assert query.startswith("state=open&labels=qarun-drift"), query
        found = [each for each in self.data["issues"] if each["state"] == "open"]
        return [each for each in found if "qarun-drift" in each["labels"]]

    def add_issue(self, fields: Json) -> Json:
        self.need("write", "issues")
        _check_body(fields["body"])
        issue = {"number": self.next_id(), "state": "open", "user": {"login": BOT}, **fields}
        self.data["issues"].append(issue)
        return issue

    def change_issue(self, fields: Json, number: str) -> Json:
        self.need("write", "issues")
        issue = next(each for each in self.data["issues"] if each["number"] == int(number))
        issue.update(fields)
        return issue

    def add_status(self, fields: Json, sha: str) -> Json:
        self.need("write", "statuses")
        if len(fields["description"]) > LONGEST_DESCRIPTION:
            raise RefusedError("HTTP 422: description is too long")
        status = {"sha": sha, "creator": {"login": BOT}, **fields}
        self.data["statuses"].insert(0, status)
        return status

    def list_statuses(self, _fields: Json, sha: str) -> Json:
        self.need("read", "statuses")
        return [each for each in self.data["statuses"] if each["sha"] == sha]

    def list_commits(self, fields: Json) -> Json:
        self.need("read", "contents")
        listing = ["git", "-C", self.data["origin"], "log", "-1", "--format=%H", fields["sha"]]
        listed = subprocess.run(
            [*listing, "--", fields["path"]], capture_output=True, text=True, check=True
        )
        return [{"sha": sha} for sha in listed.stdout.split()]

    def list_pulls(self, _fields: Json, sha: str) -> Json:
        self.need("read", "pull-requests")
        return [each for each in self.data["pulls"] if sha in each["commits"]]


def _check_body(body: str) -> None:
    if not body or len(body) > LONGEST_BODY:
        raise RefusedError("HTTP 422: body is empty or too long")


ROUTES: list[tuple[str, str, Callable[..., Json]]] = [
    ("GET", r"issues/(\d+)/comments(?:\?.*)?", Forge.list_comments),
    ("POST", r"issues/(\d+)/comments", Forge.add_comment),
    ("PATCH", r"issues/comments/(\d+)", Forge.change_comment),
    ("DELETE", r"issues/comments/(\d+)", Forge.delete_comment),
    ("GET", r"issues\?(.*)", Forge.list_issues),
    ("POST", r"issues", Forge.add_issue),
    ("PATCH", r"issues/(\d+)", Forge.change_issue),
    ("POST", r"statuses/(\w+)", Forge.add_status),
    ("GET", r"commits", Forge.list_commits),
    ("GET", r"commits/(\w+)/statuses(?:\?.*)?", Forge.list_statuses),
    ("GET", r"commits/(\w+)/pulls", Forge.list_pulls),
]


def _first_line(body: str | None) -> str:
    return ((body or "").split("\n")[0]).removesuffix("\r")


def _of_discussions(name: str) -> Callable[[Json], list[list[Json]]]:
    return lambda page: [[e[name], e["user"]["login"], _first_line(e["body"])] for e in page]


def _of_pulls(page: Json) -> list[list[Json]]:
    merged = [each for each in page if each["merged_at"] is not None][:1]
    return [[each["number"], each["head"]["sha"]] for each in merged] or [["", ""]]


ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
FIRST = '((.body // "") | split("\\n")[0] // "" | rtrimstr("\\r"))'
# What `jq` makes of a page, for machines without it; where it is there, it is asked itself.
FILTERS: dict[str, Callable[[Json], list[list[Json]]]] = {
    f".[] | [.id, .user.login, {FIRST}] | @tsv": _of_discussions("id"),
    f".[] | [.number, .user.login, {FIRST}] | @tsv": _of_discussions("number"),
    '.[0].sha // ""': lambda page: [[page[0]["sha"] if page else ""]],
    '[.[] | select(.merged_at != null)][0] | [.number // "", .head.sha // ""] | @tsv': _of_pulls,
    '.[] | [.context, .creator.login, .state, .description // ""] | @tsv': lambda page: [
        [e["context"], e["creator"]["login"], e["state"], e["description"]] for e in page
    ],
}


def filtered(expression: str, page: Json) -> str:
    """Return what a filter makes of one page."""
    rows = FILTERS[expression](page)
    text = "".join("\t".join(str(value).translate(ESCAPES) for value in row) + "\n" for row in rows)
    jq = shutil.which("jq")
    if jq is not None:
        done = subprocess.run(
            [jq, "-r", expression],
            input=json.dumps(page),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == text, (done.stdout, text)
    return text


def main(arguments: list[str]) -> str:
    assert arguments.pop(0) == "api", "only `gh api` is known here"
    method, path, jq, fields = "", "", "", {}
    is_silent = is_paged = False
    while arguments:
        match arguments.pop(0):
            case "--silent":
                is_silent = True
            case "--paginate":
                is_paged = True
            case "--method":
                method = arguments.pop(0)
            case "--jq":
                jq = arguments.pop(0)
            case "--field" | "--raw-field" as kind:
                _add_field(fields, arguments.pop(0), is_raw=kind == "--raw-field")
            case word:
                assert not path, f"unknown word {word}"
                path = word
    prefix = f"repos/{os.environ['GITHUB_REPOSITORY']}/"
    assert path.startswith(prefix), path
    rights = dict(each.split("=") for each in os.environ["GH_TOKEN"].split(","))
    forge = Forge(Path(os.environ["FORGE"]), rights)
    method = method or ("POST" if fields else "GET")
    answer = _call(forge, method, path.removeprefix(prefix), fields)
    if is_silent:
        return ""
    pages = [answer[at : at + PAGE] for at in range(0, len(answer), PAGE)] or [[]]
    pages = pages if is_paged else pages[:1]
    return "".join(filtered(jq, page) for page in pages)


def _add_field(fields: dict[str, Json], word: str, *, is_raw: bool) -> None:
    name, _, value = word.partition("=")
    if not is_raw and value.startswith("@"):
        value = Path(value[1:]).read_text("utf-8")
    if name.endswith("[]"):
        fields.setdefault(name.removesuffix("[]"), []).append(value)
    else:
        fields[name] = value


def _call(forge: Forge, method: str, path: str, fields: dict[str, Json]) -> Json:
    for known, pattern, call in ROUTES:
        found = re.fullmatch(pattern, path)
        if found and known == method:
            answer = call(forge, fields, *found.groups())
            if method != "GET":
                forge.data["writes"].append(f"{method} {path}")
            forge.save()
            return answer
    raise RefusedError(f"HTTP 404: {method} {path}")


if __name__ == "__main__":
    try:
        sys.stdout.write(main(sys.argv[1:]))
    except RefusedError as refusal:
        sys.stderr.write(f"gh: {refusal}\n")
        sys.exit(1)
