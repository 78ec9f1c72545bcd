"""A tab that notes what its page asks for and complains about, and looks at it as people do."""

from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, Request

PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}

# Ratios of WCAG 2 of each text against what is painted behind it, where they are too low.
FAINT_TEXTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const paint = (colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || ['SCRIPT', 'STYLE', 'OPTION'].includes(element.tagName)
        || !element.checkVisibility({visibilityProperty: true})) continue;
    seen += 1;
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      layers.unshift(getComputedStyle(each).backgroundColor);
    }
    const dark = matchMedia('(prefers-color-scheme: dark)').matches ? '#000' : '#fff';
    const style = getComputedStyle(element);
    const under = light(paint([dark, ...layers]));
    const over = light(paint([dark, ...layers, style.color]));
    const ratio = (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 600);
    if (ratio < (isLarge ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return seen < 5 ? ['hardly any text'] : found;
}"""

# What somebody who does not see the page, or has no mouse, would miss.
MISSING = """() => {
  const found = [];
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 80)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const named = (element) => element.ariaLabel || element.textContent.trim();
  for (const each of all('input, select, textarea')) {
    if (!each.ariaLabel && ![...each.labels].some((label) => label.textContent.trim())) {
      say('no label', each);
    }
  }
  for (const each of all('a, button, summary, nav, aside, section[aria-label], [role="img"]')) {
    if (!named(each)) say('no name', each);
  }
  for (const each of all('img')) if (!each.hasAttribute('alt')) say('no alt', each);
  for (const each of all('svg')) if (each.getAttribute('role') !== 'img') say('no role', each);
  for (const each of all('[id]')) {
    if (all('#' + CSS.escape(each.id)).length > 1) say('id twice', each);
  }
  if (all('h1').length !== 1) found.push('not one h1');
  if (all('main').length !== 1) found.push('not one main');
  if (!document.documentElement.lang) found.push('no language');
  if (!document.title.trim()) found.push('no title');
  const levels = all('h1, h2, h3, h4').map((each) => Number(each.tagName[1]));
  levels.forEach((level, at) => {
    if (at && level > levels[at - 1] + 1) found.push(`h${level} after h${levels[at - 1]}`);
  });
  return found;
}"""

# Elements that stick out of the window, where the page would have to be moved sideways.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const wide = document.documentElement.scrollWidth > width ? ['the page'] : [];
  for (const each of document.querySelectorAll('body *')) {
    if (each.getBoundingClientRect().right > width + 1) wide.push(each.outerHTML.slice(0, 80));
  }
  return wide;
}"""

SHOWN = """(selector) => [...document.querySelectorAll(selector)]
  .filter((each) => each.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}))
  .map((each) => each.innerText)"""


class Tab:
    """A page, what it asked for, and what was said in its console."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        response = page.goto(address)
        self.status = response.status if response else 0

    def _note_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _note_message(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type} {message.text}")

    def check(self) -> None:
        """Nothing was asked of anybody else, and nothing went wrong."""
        assert self.complaints == []
        origin = "/".join(self.address.split("/")[:3])
        here = self.address.split("#")[0] if origin == "file://" else f"{origin}/"
        assert [url for url in self.requests if not url.startswith(here)] == []

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    @property
    def background(self) -> int:
        """How light the page is, from 0 to 765."""
        color = self.run("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color.removeprefix("rgb(").rstrip(")").split(","))

    def shown(self, selector: str) -> list[str]:
        """The texts of the elements that can be seen."""
        found: list[str] = self.run(SHOWN, selector)
        return [" ".join(text.split()) for text in found]

    def follow(self, link: Locator) -> None:
        """Click and wait for the page that comes."""
        with self.page.expect_navigation():
            link.click()

    def look(self, scheme: str, viewport: dict[str, int]) -> None:
        """Change the reader's theme and window."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size(viewport)
