"""The map in Firefox, the network off."""

import base64
import struct

import pytest

from planner.draw import draw
from tests.marionette import FIREFOX, Firefox
from tests.test_draw import HOSTILE, hostile_plans, unreachable

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not FIREFOX, reason="no Firefox on this machine")]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    browser = Firefox(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def test_the_map_opens_and_answers_in_firefox_with_the_network_off(firefox, tmp_path):
    area, today, plan = hostile_plans()
    page = draw(area, today, unreachable(plan), lang="en").save(tmp_path / "map.html").as_uri()
    firefox.ask("WebDriver:Navigate", {"url": page})
    assert firefox.run("return navigator.onLine") is False
    assert firefox.run("return document.title") == f"Tiny {HOSTILE[1]}"
    ready = "return new Promise((done) => setInterval(() => document.querySelector('#key section') && done(1), 50))"
    assert firefox.run(ready) == 1
    assert firefox.run("return document.querySelectorAll('[data-school]').length") == 3
    painted = "return [...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()).join()"
    after = firefox.run(painted)
    firefox.run("document.querySelector('#views input').click()")
    before = firefox.run(f"return new Promise((done) => setTimeout(() => done((() => {{ {painted} }})()), 300))")
    assert before != after
    firefox.run("document.querySelector('[data-school=S2]').click()")
    assert firefox.run("return document.querySelector('#details h2').textContent") == HOSTILE[1]
    assert firefox.run("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    assert firefox.faults(page) == []
    picture = base64.b64decode(firefox.ask("WebDriver:TakeScreenshot", {"full": False})["value"])
    width, _ = struct.unpack(">II", picture[16:24])
    assert width > 1000
    assert len(picture) > 50_000  # not a blank page


def test_what_goes_wrong_in_firefox_is_seen(firefox, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text("<script>throw new Error('seen')</script><img src='https://elsewhere.invalid/a.png'>", "utf-8")
    firefox.ask("WebDriver:Navigate", {"url": page.as_uri()})
    assert "seen" in "".join(firefox.faults(page.as_uri()))
    assert firefox.run("return performance.getEntriesByType('resource').length") == 1
