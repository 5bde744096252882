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


@pytest.fixture(scope="module")
def browser():
    """Chromium, headless."""
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a map; whatever goes wrong in it fails the test."""
    wrong, pages = [], []

    def guard(route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            wrong.append(f"asked for {route.request.url}")
            route.abort()

    def dialog(shown):
        wrong.append(f"dialog: {shown.message}")
        shown.dismiss()

    def opened(path, size=DESKTOP, before="", **options):
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, **options)
        pages.append(page)
        page.route("**/*", guard)
        page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        page.on("dialog", dialog)
        if before:
            page.add_init_script(before)
        page.goto(path.as_uri())
        page.wait_for_selector("#key section", state="attached")
        page.wait_for_selector("#scores > *", state="attached")  # the card follows after the first frame
        return page

    yield opened
    for page in pages:
        page.wait_for_timeout(100)
        page.close()
    assert wrong == []
