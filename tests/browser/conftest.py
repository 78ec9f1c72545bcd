"""One Chromium for each module of this folder, and tabs that watch what a page does.

`script/test` says which browser (CHROMIUM, from `script/browser`). A missing one fails the tests.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser.watching import Tab
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Open = Callable[..., Tab]


def find_browser() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found or not shutil.which(found):
        pytest.fail(
            "there is no Chromium for these tests; `CHROMIUM=$(script/browser)` finds or installs"
            " one",
            pytrace=False,
        )
    return found


# Not for the session: while Playwright is up, its event loop counts as this thread's running one,
# and no other test could start its own.
@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    home = tmp_path_factory.mktemp("browser-home")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(),
            args=ARGUMENTS,
            chromium_sandbox=False,  # root has none; the pages are our own
            env={**os.environ, "HOME": str(home)},
        )
        yield browser
        browser.close()


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Open]:
    """Open a file or an address in a tab of its own; afterwards it must have behaved."""
    with ExitStack() as stack:

        def open_tab(where: Path | str, **options) -> Tab:
            address = where.as_uri() if isinstance(where, Path) else where
            context = stack.enter_context(browser.new_context(**options))
            tab = Tab(context.new_page(), address)
            stack.callback(tab.check)
            return tab

        yield open_tab
