"""The checks of this folder see what they are there to see."""

from browser.watching import FAINT_TEXTS, MISSING, PHONE, TOO_WIDE

BAD = """<!DOCTYPE html><body style="background:#fff"><h1>One</h1><h1>Two</h1><h4>Deep</h4>
<p style="color:#999">pale</p><p style="background:#222;color:#333">dark</p>
<p style="color:#777;font-size:30px">large</p><p style="color:#595959">fine</p>
<input><img src="data:,"><a href="#"></a><svg></svg><i id="x">a</i><i id="x">b</i>
<div style="width:900px">wide</div><p hidden style="color:#eee">unseen</p>"""


def test_faults_of_a_page_are_seen(open_tab, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(BAD, "utf-8")
    tab = open_tab(page, viewport=PHONE)
    assert [text.split()[1] for text in tab.run(FAINT_TEXTS)] == ["pale", "dark"]
    assert [text[:15] for text in tab.run(TOO_WIDE)] == ["the page", '<div style="wid']
    missing = " ".join(tab.run(MISSING))
    for fault in ("no label", "no name", "no alt", "no role", "id twice", "not one h1"):
        assert fault in missing
    for fault in ("not one main", "no language", "no title", "h4 after h1"):
        assert fault in missing


def test_requests_and_complaints_are_noted(open_tab, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text('<img src="http://127.0.0.1:9/x.png"><script>nonsense()</script>', "utf-8")
    tab = open_tab(page)
    assert tab.requests == [page.as_uri(), "http://127.0.0.1:9/x.png"]
    assert any("nonsense is not defined" in text for text in tab.complaints)
    tab.complaints.clear()
    tab.requests.clear()
