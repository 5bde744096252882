"""Tiles under the map: opt-in, in the map's datum, from one host alone, and nothing is lost where they do not come."""

import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from planner.draw import Tiles, draw, tiles_of
from planner.draw.tiles import KEY
from planner.errors import DataError
from tests.test_draw import data_of

SECRET = "0123456789abcdef0123456789abcdef"
TILE = "http://127.0.0.1:{port}/{{z}}/{{x}}/{{y}}.png?tk=" + SECRET
LOADED = "document.querySelectorAll('.leaflet-tile-loaded').length"
GREEN, PLAIN = (90, 200, 90), (251, 250, 247)


@pytest.fixture
def host():
    """A host of green tiles on this machine: what it was ``asked`` for, and whether it ``answers``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = server.answers
            self.send_response(200 if found else 403)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            if found:
                self.wfile.write(green)

        def log_message(self, *_):
            pass

    green, asked = picture(GREEN), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answers = asked, True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def opened(browser):
    """A page on a network of which nothing but this machine is there, and all that it asked for."""
    pages = []

    def opened(path):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.asked, page.wrong = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("dialog", lambda dialog: page.wrong.append(dialog.message))
        page.goto(path.as_uri())
        page.wait_for_selector("#scores > *", state="attached")
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
        assert page.wrong == []


def drawn_on(tiny, server, tmp_path):
    ground = tiles_of(TILE.format(port=server.server_port), datum="wgs84", credit="Green <b>Ltd</b>")
    return draw(tiny.area, tiny.today, tiny.plan, lang="en", tiles=ground).save(tmp_path / "map.html")


def picture(colour, size=256):
    """A PNG of one colour."""
    head = struct.pack(">2I5B", size, size, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress((b"\0" + bytes(colour) * size) * size)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def until(page, condition):
    """Wait for what is said in JavaScript; the page's policy lets nothing be waited for in it."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def colour(page):
    """The colour of the map near its upper left corner: a picture of one pixel, which is its first three bytes."""
    x, y, *_ = page.locator(".folium-map").bounding_box().values()
    drawn = page.screenshot(clip={"x": x + 8, "y": y + 8, "width": 1, "height": 1})
    at = drawn.index(b"IDAT")
    part = drawn[at + 4 : at + 4 + int.from_bytes(drawn[at - 4 : at])]  # the first of several
    return tuple(zlib.decompressobj().decompress(part)[1:4])


def turns_to(page, wanted):
    """Whether the map there comes to be of a colour: tiles fade in, the sooner the less else there is to do."""
    for _ in range(60):
        if colour(page) == wanted:
            return True
        page.wait_for_timeout(50)
    return False


@pytest.mark.browser
def test_tiles_lie_under_the_map_and_can_be_taken_off(opened, host, tiny, tmp_path):
    page = opened(drawn_on(tiny, host, tmp_path))
    until(page, f"{LOADED} > 3")
    assert turns_to(page, GREEN)
    assert page.locator(".credit").text_content() == "Green <b>Ltd</b>"
    asked = len(host.asked)
    assert asked > 3
    assert {path.partition("?")[2] for path in host.asked} == {f"tk={SECRET}"}
    page.locator("#layer-tiles").uncheck()
    assert page.locator(".credit").count() == page.locator(".leaflet-tile").count() == 0
    assert colour(page) == PLAIN
    page.locator("#fit").click()
    page.evaluate("map_plan.setZoom(map_plan.getZoom() + 1, { animate: false })")
    page.wait_for_timeout(200)
    assert len(host.asked) == asked
    page.locator("#layer-tiles").check()
    until(page, f"{LOADED} > 3")
    assert {url.split("/")[2] for url in page.asked if url.startswith("http")} == {f"127.0.0.1:{host.server_port}"}


@pytest.mark.browser
def test_the_left_side_of_a_swipe_has_them_too(opened, host, tiny, tmp_path):
    page = opened(drawn_on(tiny, host, tmp_path))
    until(page, f"{LOADED} > 3")
    page.locator("#show-swipe").click()
    assert turns_to(page, GREEN)


@pytest.mark.browser
@pytest.mark.parametrize("gone", ["refused", "no network"])
def test_a_page_whose_tiles_do_not_come_is_whole(opened, host, tiny, tmp_path, gone):
    path = drawn_on(tiny, host, tmp_path)
    host.answers = False
    if gone == "no network":
        host.shutdown()
        host.server_close()
    page = opened(path)
    until(page, "document.getElementById('key').textContent.includes('It does not come')")
    assert colour(page) == PLAIN
    assert page.locator("[data-school]").count() == 3
    page.locator("[data-school=S2]").press("Enter")
    assert page.locator("#details h2").text_content()
    assert page.evaluate(LOADED) == 0


@pytest.mark.browser
def test_the_policy_lets_no_other_host_in(opened, host, tiny, tmp_path):
    page = opened(drawn_on(tiny, host, tmp_path))
    refused = page.evaluate(
        """async (port) => {
      const refused = [];
      document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
      document.body.append(Object.assign(new Image(), { src: "https://elsewhere.invalid/a.png" }));
      await fetch(`http://127.0.0.1:${port}/1/1/1.png`).catch(() => {});
      await new Promise((done) => setTimeout(done, 300));
      return refused;
    }""",
        host.server_port,
    )
    assert sorted(refused) == ["connect-src", "img-src"]


def policy(html):
    return html.split('Content-Security-Policy" content="')[1].split('"')[0]


def test_without_them_a_page_is_as_it_was(tiny, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    page = draw(tiny.area, tiny.plan)
    assert data_of(page)["tiles"] is None
    assert "img-src data:; base-uri" in policy(page.html)


def test_tianditu_by_name(tiny, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    page = draw(tiny.area, tiny.plan, tiles="tianditu")
    ground, names = data_of(page)["tiles"]["layers"]
    assert ground.startswith("https://t0.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&")
    assert "LAYER=cva&" in names
    assert names.endswith(f"&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={SECRET}")
    assert "天地图" in data_of(page)["tiles"]["credit"]
    hosts = "https://t0.tianditu.gov.cn/vec_w/ https://t0.tianditu.gov.cn/cva_w/"
    assert f"img-src data: {hosts}; base-uri" in policy(page.html)
    assert tiles_of("tianditu-image").sources[0] == "https://t0.tianditu.gov.cn/img_w/"
    assert tiles_of("tianditu", host="http://127.0.0.1:9").sources[0] == "http://127.0.0.1:9/vec_w/"


@pytest.mark.parametrize(
    ("key", "said"), [(None, "not set"), ("", "not set"), ("a secret", "holds no key"), ("a;b", "no key")]
)
def test_a_missing_key_says_how_to_get_one_and_a_wrong_one_is_not_repeated(monkeypatch, key, said):
    monkeypatch.delenv(KEY, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY, key)
    with pytest.raises(DataError) as error:
        tiles_of("tianditu")
    assert str(error.value).startswith(f"{KEY}: the environment variable")
    assert said in str(error.value)
    assert "console.tianditu.gov.cn" in str(error.value)
    assert not key or key not in str(error.value)


@pytest.mark.parametrize(
    ("host", "datum"),
    [
        ("webrd01.is.autonavi.com", "gcj02"),
        ("wprd.amap.com", "gcj02"),
        ("rt0.map.gtimg.com", "gcj02"),
        ("p0.map.qq.com", "gcj02"),
        ("mt0.google.cn", "gcj02"),
        ("maponline0.bdimg.com", "bd09"),
        ("online1.map.baidu.com:8080", "bd09"),
    ],
)
def test_tiles_in_another_datum_are_refused_whatever_is_said_of_them(host, datum):
    with pytest.raises(DataError, match=f"are in {datum}, the map is in WGS-84"):
        tiles_of(f"https://{host}/{{z}}/{{x}}/{{y}}", datum="wgs84", credit="them")


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "EPSG:32649", "", "wgs-84"])
def test_the_datum_of_other_tiles_is_declared_and_fits(datum):
    with pytest.raises(DataError, match="datum is"):
        tiles_of("https://tiles.example/{z}/{x}/{y}.png", datum=datum, credit="them")


@pytest.mark.parametrize(
    "address",
    [
        "http://tiles.example/{z}/{x}/{y}.png",
        "http://localhost/{z}/{x}/{y}.png",
        "http://127.0.0.1.example/{z}/{x}/{y}.png",
        "https://user@tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}.png?tk=secret",
        "https://{z}.example/{z}/{x}/{y}.png",
        "https://tiles.example/{s}/{z}/{x}/{y}.png",
        "https://tiles.example/{{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}/{y}; script-src *",
        'https://tiles.example/{z}/{x}/{y}"><script>',
        "https://tiles.example/a b/{z}/{x}/{y}",
        "javascript:alert(1)//{z}/{x}/{y}",
        "file:///etc/{z}/{x}/{y}",
        "//tiles.example/{z}/{x}/{y}",
        "https://瓦片.example/{z}/{x}/{y}",
    ],
)
def test_what_is_no_address_of_tiles_is_refused(address):
    with pytest.raises(DataError, match="is no address of tiles") as error:
        tiles_of(address, datum="wgs84", credit="them")
    assert "secret" not in str(error.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(DataError) as error:
        Tiles(("https://a.amap.com/{z}/{x}/{y}", "https://b"), " ", "bd09")
    assert len(error.value.faults) == 4
    with pytest.raises(DataError, match="none named 'osm'"):
        tiles_of("osm")


def test_a_key_is_in_no_policy(tiny):
    """The policy is read in the page's source; the key is in the packed data alone."""
    ground = tiles_of(f"https://tiles.example/{{z}}/{{x}}/{{y}}.png?key={SECRET}", datum="cgcs2000", credit="them")
    page = draw(tiny.area, tiny.plan, tiles=ground)
    assert SECRET not in page.html
    assert np.isin(SECRET, [layer.partition("key=")[2] for layer in data_of(page)["tiles"]["layers"]])
