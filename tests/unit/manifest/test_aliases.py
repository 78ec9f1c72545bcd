"""One run has one owner: an alias is no name of an owner who is still there."""

from collections.abc import Callable

import pytest

from runs_as_code.manifest import read_manifests
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.source import Severity

Read = Callable[..., ManifestSet]


def manifest(owner: str, *keys: str, aliases: str = "", more: str = "") -> str:
    runs = ", ".join(key if "{" in key else f"{key}: {{state: closed}}" for key in keys)
    head = f"apiVersion: qarun/v1\nproject: BD\nowner: {owner}\n{more}"
    return head + (f"ownerAliases: [{aliases}]\n" if aliases else "") + f"runs: {{{runs}}}\n"


def refused(result: ManifestSet) -> list[tuple[str, str]]:
    """Return file and rule of each error."""
    return [
        (d.location.file, d.rule)
        for d in result.diagnostics
        if d.location and d.severity is Severity.ERROR
    ]


WEB = manifest("web", "smoke", aliases="mobile")


@pytest.mark.parametrize(
    "mobile",
    [
        manifest("mobile", "smoke"),
        manifest("mobile", "other"),
        manifest("mobile"),
        manifest("mobile", "new: {state: closed, previousKeys: [smoke]}"),
        manifest("mobile", "smoke", "late: {state: unmanaged}"),
        manifest("mobile", "smoke", more="server: embedded\n"),
    ],
    ids=["same key", "other key", "no key", "former key", "not handed over", "server said once"],
)
def test_the_owner_is_still_there(read: Read, mobile: str):
    result = read(a=WEB, b=mobile)

    assert refused(result) == [("a.yaml", "alias-in-use")]
    assert [m.file for m in result.manifests] == ["b.yaml"]


@pytest.mark.parametrize(
    "mobile",
    [
        manifest("mobile", "smoke: {state: unmanaged}", "other"),
        manifest("mobile", "smoke", more="server: https://other.example\n"),
        manifest("mobile", "smoke").replace("BD", "QA"),
        manifest("third", "smoke"),
    ],
    ids=["handed over", "another server", "another project", "another owner"],
)
def test_the_runs_are_nobody_else_s(read: Read, mobile: str):
    assert refused(read(a=WEB.replace("runs:", "server: embedded\nruns:"), b=mobile)) == []


def test_a_renamed_owner_has_an_alias_in_all_its_files(read: Read):
    files = {name: manifest("web", name, aliases="mobile") for name in "ab"}

    assert refused(read(**files)) == []


def test_a_key_counts_in_whichever_file_of_the_owner_it_stands(read: Read):
    files = {
        "a": manifest("web", "other", aliases="mobile"),
        "b": manifest("web", "smoke"),
        "c": manifest("mobile", "smoke"),
    }

    assert refused(read(**files)) == [("a.yaml", "alias-in-use")]


def test_two_owners_with_one_alias_and_one_key(read: Read):
    files = {owner: manifest(owner, "smoke", aliases="qa-team") for owner in ("web", "mobile")}

    assert refused(read(**files)) == [
        ("mobile.yaml", "alias-in-use"),
        ("web.yaml", "alias-in-use"),
    ]


@pytest.mark.parametrize("key", ["checkout", "smoke: {state: unmanaged}"])
def test_an_owner_may_be_split_by_keys(read: Read, key: str):
    files = {
        "web": manifest("web", "smoke", aliases="qa-team"),
        "mobile": manifest("mobile", key, aliases="qa-team"),
    }

    assert refused(read(**files)) == []


def test_two_owners_that_are_each_other_s_alias(read: Read):
    files = {
        "a": manifest("web", "smoke", aliases="mobile"),
        "b": manifest("mobile", "smoke", aliases="web"),
    }

    assert refused(read(**files)) == [("a.yaml", "alias-in-use"), ("b.yaml", "alias-in-use")]


def test_the_owner_s_manifest_lies_beside_and_was_not_given(read: Read):
    read(a=WEB, b=manifest("mobile", "smoke"))

    result = read_manifests(["a.yaml"])

    assert refused(result) == [("a.yaml", "alias-in-use")]
    assert "`mobile` is the owner of the manifest at b.yaml:3:8" in result.diagnostics[0].message


@pytest.mark.parametrize("text", ["", "owner: mobile\nruns: {", "apiVersion: qarun/v1\nowner: {"])
def test_a_file_beside_that_can_t_be_read_is_left_to_the_plan(read: Read, text: str):
    read(a=WEB, b=text)

    result = read_manifests(["a.yaml"])

    assert refused(result) == []
    assert "mobile" in {left.owner for left in result.left_out}
