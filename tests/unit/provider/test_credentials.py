from pathlib import Path

import pytest

from runs_as_code.errors import AccessError, UsageError
from runs_as_code.provider.credentials import Credentials, find_credentials

ONE, TWO = "https://one.eu1.qasphere.com", "https://two.eu1.qasphere.com"
TOKEN = "canary-token"


def pair(url: str = "", token: str = "") -> dict[str, str]:
    both = {"QAS_URL": url, "QAS_TOKEN": token}
    return {name: value for name, value in both.items() if value}


def write(path: Path, url: str = "", token: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{k}={v}\n" for k, v in pair(url, token).items()), "utf-8")


@pytest.fixture
def cwd(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    return folder


def test_the_environment_comes_first(cwd):
    write(cwd / ".env", TWO, "other")
    found = find_credentials(None, pair(ONE, TOKEN), cwd)
    assert found == Credentials(ONE, TOKEN, "environment variables")


def test_then_the_env_file_of_the_folder(cwd):
    write(cwd / ".env", ONE, TOKEN)
    write(cwd / ".qaspherecli", TWO, "other")
    found = find_credentials(None, {}, cwd)
    assert (found.server, found.token) == (ONE, TOKEN)
    assert ".env" in found.source


def test_env_files_further_up_do_not_count(cwd):
    write(cwd.parent / ".env", ONE, TOKEN)
    with pytest.raises(AccessError):
        find_credentials(None, {}, cwd)


def test_then_the_nearest_qaspherecli_upwards(cwd):
    write(cwd.parent / ".qaspherecli", ONE, TOKEN)
    write(cwd.parent.parent / ".qaspherecli", TWO, "other")
    found = find_credentials(None, {}, cwd)
    assert (found.server, found.token) == (ONE, TOKEN)
    assert found.source == f"`{cwd.parent / '.qaspherecli'}`"


def test_quotes_comments_and_dollars_in_files(cwd):
    (cwd / ".env").write_text(f'# key\nexport QAS_URL="{ONE}/" # eu\nQAS_TOKEN="a$HOME${{X}}b"\n')
    found = find_credentials(None, {"HOME": "/home"}, cwd)
    assert (found.server, found.token) == (ONE, "a$HOME${X}b")


@pytest.mark.parametrize(
    ("environ", "lack"), [(pair(ONE), "QAS_TOKEN"), (pair(token=TOKEN), "QAS_URL")]
)
def test_half_a_source_is_skipped_with_a_warning(cwd, environ, lack):
    write(cwd / ".env", TWO, "second")
    found = find_credentials(None, environ, cwd)
    assert (found.server, found.token) == (TWO, "second")
    assert f"`{lack}` is missing" in found.warnings[0]
    assert TOKEN not in str(found.warnings)


def test_two_halves_make_no_whole(cwd):
    write(cwd / ".env", token=TOKEN)
    with pytest.raises(AccessError, match=r"environment variables.*\.env") as caught:
        find_credentials(None, pair(ONE), cwd)
    assert "QAS_URL" in caught.value.hint


def test_a_known_server_needs_the_token_only(cwd):
    found = find_credentials(ONE, pair(token=TOKEN), cwd)
    assert found == Credentials(ONE, TOKEN, "environment variables")


@pytest.mark.parametrize("server", [ONE, f"{ONE}/", f"{ONE}:443", f"{ONE}/api/public/v0"])
def test_a_known_server_takes_the_token_made_for_it(cwd, server):
    found = find_credentials(server, pair(f"{ONE}//", TOKEN), cwd)
    assert found == Credentials(ONE, TOKEN, "environment variables")


@pytest.mark.parametrize(
    "url",
    [
        TWO,
        "https://one.eu1.qasphere.com.evil.com",
        f"{ONE}:8443",
        "http://one.eu1.qasphere.com",
        "no address",
        "https://user:pass@one.eu1.qasphere.com",
    ],
)
def test_a_token_is_never_sent_to_another_host_than_its_own(cwd, url):
    with pytest.raises(AccessError, match="environment variables: `QAS_URL`") as caught:
        find_credentials(ONE, pair(url, TOKEN), cwd)
    assert "not sent" in caught.value.message
    assert TOKEN not in str(caught.value)
    assert "pass" not in str(caught.value)


def test_the_next_source_counts_when_the_first_belongs_to_another_host(cwd):
    write(cwd / ".qaspherecli", ONE, "right")
    found = find_credentials(ONE, pair(TWO, TOKEN), cwd)
    assert found.token == "right"
    assert found.warnings == (
        f"environment variables: `QAS_URL` names `{TWO}`; its key is not sent to `{ONE}`",
    )


def test_an_address_in_the_environment_that_is_not_used_is_named(cwd):
    write(cwd / ".env", ONE, TOKEN)
    found = find_credentials(ONE, pair(TWO), cwd)
    assert found.warnings == (f"environment variables: `QAS_URL` names `{TWO}`; used is `{ONE}`",)


def test_the_right_address_without_a_key_is_named(cwd):
    with pytest.raises(AccessError, match="`QAS_TOKEN` is missing"):
        find_credentials(ONE, pair(ONE), cwd)


def test_the_embedded_server_needs_no_key(cwd):
    assert find_credentials("embedded", {}, cwd) == Credentials("embedded", None)
    found = find_credentials("embedded", pair(ONE, TOKEN), cwd)
    assert found.token is None
    assert found.warnings == (
        f"environment variables: `QAS_URL` names `{ONE}`; used is `embedded`",
    )


def test_the_embedded_server_can_come_from_the_environment(cwd):
    with pytest.raises(AccessError):
        find_credentials(None, pair("embedded"), cwd)


def test_nothing_at_all_says_what_to_set(cwd):
    with pytest.raises(AccessError) as caught:
        find_credentials(None, {"QAS_URL": " ", "QAS_TOKEN": ""}, cwd)
    assert caught.value.message == "no server and no key found"
    assert "QAS_TOKEN" in caught.value.hint


def test_a_wrong_address_says_where_it_stands(cwd):
    with pytest.raises(UsageError, match="environment variables: `QAS_URL`"):
        find_credentials(None, pair("127.0.0.1:18933", TOKEN), cwd)
    with pytest.raises(UsageError):
        find_credentials("one.eu1.qasphere.com", pair(ONE, TOKEN), cwd)


def test_a_file_that_can_not_be_read_is_named(cwd):
    (cwd / ".env").write_bytes(b"QAS_TOKEN=\xff\xfe\xfa\n")
    write(cwd / ".qaspherecli", ONE, TOKEN)
    found = find_credentials(None, {}, cwd)
    assert found.token == TOKEN
    assert "can't be read" in found.warnings[0]


def test_a_folder_called_env_is_no_file(cwd):
    (cwd / ".env").mkdir()
    assert find_credentials(None, pair(ONE, TOKEN), cwd).warnings == ()


def test_the_key_is_in_no_text():
    assert TOKEN not in repr(Credentials(ONE, TOKEN, "environment variables"))
