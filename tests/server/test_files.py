"""Uploads and downloads."""

import httpx
import pytest
from server.conftest import Start
from server.support import Api

from runs_as_code.server import RunningServer, guesses
from runs_as_code.server.web import uploads

FILE = ("shot é.png", b"\x89PNG\x00content", "image/png")


def test_an_uploaded_file_comes_back_as_it_was(api: Api):
    response = api.send("POST", "/file", files={"file": FILE})
    assert response.status_code == 201
    made = response.json()
    assert made["url"] == made["stableUrl"] == f"http://embedded/files/{made['id']}"
    found = api.send("GET", f"!/files/{made['id']}")
    assert found.content == FILE[1]
    assert found.headers["content-type"] == "image/png"
    assert found.headers["content-disposition"].startswith("attachment; filename*=UTF-8''shot%20")
    api.patch("/project/BD/tcase/21", {"files": [{"id": made["id"]}]})
    assert api.get("/project/BD/tcase/21")["files"] == [
        {"id": made["id"], "fileName": "shot é.png", "mimeType": "image/png", "size": 12}
    ]


def test_a_batch_keeps_order(api: Api):
    files = [("files", (f"{n}.txt", str(n).encode(), "text/plain")) for n in range(5)]
    made = api.send("POST", "/file/batch", files=files).json()["files"]
    contents = [api.send("GET", f"!/files/{item['id']}").text for item in made]
    assert contents == ["0", "1", "2", "3", "4"]


def test_unknown_files_are_json(api: Api):
    assert api.get("!/files/nothing", 404) == {"message": "File not found"}


def test_too_many_too_large_and_broken_uploads(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "FILE_LIMIT", 10)
    refused = api.send("POST", "/file", files={"file": FILE})
    assert (refused.status_code, refused.json()["message"]) == (
        413,
        "http: request body too large",
    )
    files = [("files", (f"{n}.txt", b"x", "text/plain")) for n in range(101)]
    assert api.send("POST", "/file/batch", files=files).status_code == 400
    monkeypatch.setattr(guesses, "UPLOAD_LIMIT", 10)
    assert api.send("POST", "/file", files={"file": FILE}).status_code == 413
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        headers = {"Content-Type": kind}
        broken = api.send("POST", "/file", content=b"nonsense", headers=headers)
        assert broken.status_code in {400, 413}
    assert api.send("POST", "/file/batch", files={"file": FILE}).status_code in {400, 413}


def test_viewers_upload_nothing(start: Start):
    api = start("vera@example.com")
    assert api.send("POST", "/file", files={"file": FILE}).status_code == 403


def test_a_strange_type_does_no_harm(api: Api):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\xff.html"\r\n'
        b"Content-Type: text/html\xff\r\n\r\n<script>\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    made = api.send("POST", "/file", content=body, headers=headers)
    assert made.status_code == 201
    found = api.send("GET", f"!/files/{made.json()['id']}")
    assert found.status_code == 200
    assert found.headers["content-security-policy"] == "sandbox"


def test_a_type_that_no_header_can_carry_is_left_out(qasphere_server: RunningServer):
    headers = {
        "Authorization": f"Bearer {qasphere_server.key}",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    broken = (b"a/b\x00", b"a/b\x0bc", b"a/b\x7f", b"a/\xc3\xa9", b"a/b\nX-Evil: 1", b"  ")
    with httpx.Client(headers=headers, trust_env=False) as client:
        for kind in (b"image/png", *broken):
            body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
            body += b"Content-Type: " + kind + b"\r\n\r\n1\r\n--x--\r\n"
            made = client.post(f"{qasphere_server.api}/file", content=body)
            found = client.get(made.json()["url"])
            shown = "application/octet-stream" if kind in broken else kind.decode()
            assert found.headers["content-type"] == shown
            assert (found.content, "x-evil" in found.headers) == (b"1", False)


def form(disposition: str, kind: str = "multipart/form-data; boundary=x") -> dict[str, object]:
    head = f"--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    content = head.encode() + b"hi\r\n--x--\r\n"
    return {"content": content, "headers": {"Content-Type": kind}}


def test_media_types_ignore_case(api: Api):
    given = form('name="file"; filename="a"', "Multipart/Form-Data; boundary=x")
    assert api.send("POST", "/file", **given).status_code == 201


@pytest.mark.parametrize("disposition", ['name="file"; filename=""', 'name="file"'])
def test_what_has_no_name_is_no_file(api: Api, disposition: str):
    refused = api.send("POST", "/file", **form(disposition))
    assert (refused.status_code, refused.json()) == (400, {"message": "http: no such file"})


def test_a_broken_form_writes_nothing_to_the_log(api: Api, capfd: pytest.CaptureFixture[str]):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert api.send("POST", "/file", content=b"--xy", headers=headers).status_code == 400
    assert capfd.readouterr() == ("", "")
