"""Certificates are verified, an authority of one's own can be named, nothing else is trusted."""

import ssl
from pathlib import Path

import pytest
from cli.support import HEAD, call, write
from hostile.servers import Listener, listening, make_certificates, refusing_writes, reply, saying
from hostile.texts import KEY


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return write(tmp_path / "m.yaml", head=HEAD.replace("server: embedded\n", ""))


def plan(manifest: Path, server: Listener, **environ: str):
    address = server.address if server.address.startswith("https") else "wrong"
    return call("plan", "-f", manifest, QAS_URL=address, QAS_TOKEN=KEY, **environ)


@pytest.mark.usefixtures("quick_retries")
def test_a_certificate_that_nobody_vouches_for_is_refused(certificates, manifest: Path):
    with listening(saying(reply("{}")), certificates[1]) as server:
        ended = plan(manifest, server)
        assert ended.code == 9
        assert "certificate can't be trusted" in ended.err
        assert "SSL_CERT_FILE" in ended.err
        assert server.heads == []


def test_an_authority_of_ones_own_is_honoured(certificates, manifest: Path):
    with listening(refusing_writes(b""), certificates[1]) as server:
        ended = plan(manifest, server, SSL_CERT_FILE=str(certificates[0]))
        assert ended.code == 0, ended.err
        assert "1 to create" in ended.out
        assert server.heads


@pytest.mark.usefixtures("quick_retries")
def test_a_certificate_of_another_host_is_refused(certificates, manifest: Path):
    with listening(saying(reply("{}")), certificates[1]) as server:
        address = f"https://localhost:{server.port}"
        environ = {"QAS_URL": address, "QAS_TOKEN": KEY, "SSL_CERT_FILE": str(certificates[0])}
        ended = call("plan", "-f", manifest, **environ)
        assert ended.code == 9
        assert "certificate can't be trusted" in ended.err
        assert server.heads == []


@pytest.mark.parametrize("content", [None, "", "no certificate", "\0"])
def test_a_bad_file_of_authorities_is_said(certificates, manifest: Path, content: str | None):
    path = manifest.parent / "ca.pem"
    if content is not None:
        path.write_text(content, "utf-8")
    with listening(saying(reply("{}")), certificates[1]) as server:
        ended = plan(manifest, server, SSL_CERT_FILE=str(path))
        assert ended.code == 64
        assert "SSL_CERT_FILE" in ended.err
        assert server.heads == []


@pytest.mark.usefixtures("quick_retries")
def test_nothing_speaks_an_old_version(certificates, manifest: Path, tmp_path: Path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = certificates[0].parent
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with listening(saying(reply("{}")), context) as server:
        ended = plan(manifest, server, SSL_CERT_FILE=str(certificates[0]))
        assert ended.code == 9
        assert "no encrypted connection" in ended.err
        assert server.heads == []
