"""What every test and doctest may name: ``tiny``; and a browser, where there is one."""

import shutil

import pytest
from hypothesis import settings

from tests import tiny as tiny_module

settings.register_profile("untimed", deadline=None)  # a machine with other work on it is no fault
settings.load_profile("untimed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1280, 800), (390, 844)


@pytest.fixture(scope="session")
def tiny():
    return tiny_module.make()


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace, request):
    if request.node.__class__.__name__ == "DoctestItem":
        doctest_namespace["tiny"] = request.getfixturevalue("tiny")


@pytest.fixture
def tables_alone(monkeypatch):
    """Plan folders without workbook and layers, which the check does not read and which take longest to write."""
    for name in ("write_workbook", "write_geopackage"):
        monkeypatch.setattr(f"planner.report.folder.{name}", lambda *_: None)


@pytest.fixture(scope="session")
def browser():
    """Chromium, headless."""
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


class Pages:
    """Pages for maps, lent to one test after another: a new page costs what loading four maps into one does.

    Parameters
    ----------
    wrong : whatever went wrong in any of them
    """

    def __init__(self, browser):
        self._browser, self._idle, self.wrong = browser, [], []

    def _guard(self, route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.wrong.append(f"asked for {route.request.url}")
            route.abort()

    def _dialog(self, shown):
        self.wrong.append(f"dialog: {shown.message}")
        shown.dismiss()

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def new(self, **options):
        """A page that tells whatever goes wrong in it."""
        page = self._browser.new_page(**options)
        page.route("**/*", self._guard)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("requestfailed", lambda request: self.wrong.append(f"failed: {request.url}"))
        page.on("dialog", self._dialog)
        return page

    def lend(self):
        """An empty page, new or used before."""
        return self._idle.pop() if self._idle else self.new()

    def take_back(self, page):
        """Empty it; nothing stays in it of the map that it showed."""
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        page.mouse.move(-9, -9)
        page.goto("about:blank")
        self._idle.append(page)


@pytest.fixture(scope="session")
def pages(browser):
    """Pages for maps."""
    return Pages(browser)


@pytest.fixture
def open_page(pages):
    """A function that opens a map; whatever goes wrong in it fails the test."""
    lent, own = [], []
    pages.wrong.clear()

    def opened(path, size=DESKTOP, before="", **options):
        if before or options:  # which a page keeps
            page = pages.new(**options)
            own.append(page)
        else:
            page = pages.lend()
            lent.append(page)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if before:
            page.add_init_script(before)
        page.goto(path.as_uri())
        page.wait_for_selector("#key section", state="attached")
        page.wait_for_selector("#scores > *", state="attached")  # the card follows after the first frame
        return page

    yield opened
    for page in own + lent:
        page.wait_for_timeout(100)
    assert pages.wrong == []
    for page in own:
        page.close()
    for page in lent:
        pages.take_back(page)
