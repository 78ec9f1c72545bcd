import pytest

from runs_as_code.errors import UsageError
from runs_as_code.provider.address import parse_address, segment


@pytest.mark.parametrize(
    "text",
    [
        "https://acme.eu1.qasphere.com",
        "https://acme.eu1.qasphere.com/",
        "https://acme.eu1.qasphere.com///",
        "https://acme.eu1.qasphere.com/api/public/v0",
        "https://acme.eu1.qasphere.com/api/public/v0//",
        "https://acme.eu1.qasphere.com:443",
        " HTTPS://ACME.eu1.qasphere.com\n",
    ],
)
def test_many_ways_to_write_one_address(text):
    address = parse_address(text)

    assert address.name == "https://acme.eu1.qasphere.com"
    assert address.api == "https://acme.eu1.qasphere.com/api/public/v0"
    assert address.origin == ("https", "acme.eu1.qasphere.com", 443)
    assert address.run_page("BD", 12) == "https://acme.eu1.qasphere.com/project/BD/run/12"


def test_ports_and_paths_are_kept():
    assert parse_address("http://127.0.0.1:18933/qa/").api == (
        "http://127.0.0.1:18933/qa/api/public/v0"
    )
    assert parse_address("http://[::1]:80").name == "http://[::1]"


def test_the_embedded_server():
    address = parse_address("embedded")
    assert address.is_embedded
    assert address.is_loopback
    assert address.run_page("BD", 12) == "embedded:/project/BD/run/12"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.eu1.qasphere.com",
        "127.0.0.1:18933",
        "ftp://acme.com",
        "https://",
        "https:///path",
        "https://acme.com:port",
        "https://acme.com:99999",
        "https://[::1",
        "https://acme.com/?key=canary",
        "https://acme.com/#canary",
        "https://ac me.com",
        "https://acme.com/\x1b[2J",
        "https://user:canary@acme.com",
        "canary@acme.com",
    ],
)
def test_what_is_no_address_is_refused_without_quoting_secrets(text):
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert caught.value.hint
    assert "canary" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "is_loopback"),
    [
        ("http://localhost:8000", True),
        ("http://qa.localhost", True),
        ("http://127.0.0.1", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:8000", True),
        ("http://128.0.0.1", False),
        ("http://localhost.evil.com", False),
        ("http://127.0.0.1.evil.com", False),
        ("http://0.0.0.0", False),
    ],
)
def test_loopback(text, is_loopback):
    assert parse_address(text).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("BD", "BD"), ("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c"), ("ü", "%C3%BC"), ("...", "...")],
)
def test_segments_are_quoted(text, quoted):
    assert segment(text) == quoted


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_segments_that_would_change_the_path_are_refused(text):
    with pytest.raises(UsageError):
        segment(text)
