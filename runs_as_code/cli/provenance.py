"""What an apply says of itself in the logs of runs: from the pipeline's environment, or given."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from runs_as_code.cli.options import grouped
from runs_as_code.model.provenance import Provenance

MAX_FACTS = 8

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_VARIABLE = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")

# For each pipeline the variable that tells it, and what its others are put together to.
_PIPELINES: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "GITHUB_ACTIONS",  # Gitea and Forgejo set the same
        {
            "commit": "{GITHUB_SHA}",
            "author": "{GITHUB_ACTOR}",
            "pipeline": "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
        },
    ),
    (
        "GITLAB_CI",
        {
            "commit": "{CI_COMMIT_SHA}",
            "author": "{GITLAB_USER_LOGIN}",
            "pipeline": "{CI_PIPELINE_URL}",
        },
    ),
    (
        "BITBUCKET_BUILD_NUMBER",
        {
            "commit": "{BITBUCKET_COMMIT}",
            "pipeline": "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        },
    ),
    (
        "CIRCLECI",
        {
            "commit": "{CIRCLE_SHA1}",
            "author": "{CIRCLE_USERNAME}",
            "pipeline": "{CIRCLE_BUILD_URL}",
        },
    ),
    (
        "BUILDKITE",
        {
            "commit": "{BUILDKITE_COMMIT}",
            "author": "{BUILDKITE_BUILD_AUTHOR}",
            "pipeline": "{BUILDKITE_BUILD_URL}",
        },
    ),
    ("JENKINS_URL", {"commit": "{GIT_COMMIT}", "pipeline": "{BUILD_URL}"}),
)


@dataclass(frozen=True, slots=True)
class ProvenanceWanted:
    """What the command line says of provenance."""

    facts: tuple[tuple[str, str], ...] = ()
    is_off: bool = False

    def found_in(self, environ: Mapping[str, str]) -> Provenance | None:
        """Return what to say, what is given before what the environment says; None for nothing."""
        found = self.known_in(environ)
        return found if found and found.facts else None

    def known_in(self, environ: Mapping[str, str]) -> Provenance | None:
        """Return what is known so far, which may be nothing yet; None when it is not wanted."""
        if self.is_off:
            return None
        facts = {**_of_pipeline(environ), **dict(self.facts)}
        return Provenance(tuple((name, value) for name, value in facts.items() if value.strip()))


def find_provenance(environ: Mapping[str, str]) -> Provenance | None:
    """Return what a pipeline's environment says of the apply; None outside of a pipeline."""
    return ProvenanceWanted().found_in(environ)


def _of_pipeline(environ: Mapping[str, str]) -> dict[str, str]:
    for sign, templates in _PIPELINES:
        if environ.get(sign):
            found = {name: _fill(template, environ) for name, template in templates.items()}
            return {name: value for name, value in found.items() if value}
    return {}


def _fill(template: str, environ: Mapping[str, str]) -> str:
    """Fill in the variables; empty where one of them is not set."""
    names = _VARIABLE.findall(template)
    if not all(environ.get(name) for name in names):
        return ""
    return _VARIABLE.sub(lambda found: environ[found[1]], template)


def _check(
    _ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    if len(values) > MAX_FACTS:
        raise click.BadParameter(f"at most {MAX_FACTS} are written")
    facts = []
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not _NAME.fullmatch(name) or not text.strip():
            raise click.BadParameter(
                "write `NAME=VALUE`, the name in small letters, digits and hyphens"
            )
        facts.append((name, text))
    return tuple(facts)


def _make(**given: Any) -> ProvenanceWanted:
    return ProvenanceWanted(given["provenance_facts"], given["no_provenance"])


provenance_options = grouped(
    "wanted",
    _make,
    click.option(
        "--provenance",
        "provenance_facts",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_check,
        help="Write this into the log of each run that is made or closed; repeatable. In a"
        " pipeline `commit`, `author` and `pipeline` are known without it.",
    ),
    click.option("--no-provenance", is_flag=True, help="Write nothing into the logs of runs."),
)
"""Adds what an apply says of itself, as `wanted`."""
