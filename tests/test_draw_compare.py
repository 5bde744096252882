"""Two layouts side by side, their difference, and a slider through several."""

import dataclasses

import pytest

from planner.draw import draw
from tests.fixtures import PHONE
from tests.test_draw_browser import CANVASES

pytestmark = pytest.mark.browser

LEFT_SIGNS = """() => [...document.querySelectorAll(".leaflet-swipe-pane .school svg path:nth-child(2)")]
  .map((path) => path.getAttribute("fill")).sort()"""
HANDLE = "() => { const b = document.querySelector('.handle').getBoundingClientRect(); return b.x + b.width / 2; }"


@pytest.fixture(scope="module")
def path(tiny, tmp_path_factory):
    return draw(tiny.area, tiny.today, tiny.plan, lang="en").save(tmp_path_factory.mktemp("two") / "map.html")


def pixels(page, clip):
    page.wait_for_timeout(150)
    return page.screenshot(clip=clip)


def halves(page):
    box = page.locator(".folium-map").bounding_box()
    box |= {"y": box["y"] + 60, "height": box["height"] - 180}  # without the names of the sides, and the scale
    side = {**box, "width": box["width"] / 2 - 40}
    return side, {**side, "x": box["x"] + box["width"] / 2 + 40}


def test_the_swipe_shows_before_on_the_left_and_after_on_the_right(open_page, path):
    page = open_page(path)
    left, right = halves(page)
    after = pixels(page, left), pixels(page, right)
    page.get_by_text("Before", exact=True).click()
    before = pixels(page, left), pixels(page, right)
    assert before[0] != after[0]
    page.get_by_text("After", exact=True).click()
    page.locator("#show-swipe").click()
    assert pixels(page, left) == before[0]
    assert pixels(page, right) == after[1]
    assert page.locator("[data-school]").count() == 3  # the picture's signs are nobody's
    page.locator("#show-swipe").click()
    assert pixels(page, left) == after[0]
    assert page.locator(".leaflet-swipe-pane canvas").count() == 0


def test_the_handle_goes_by_keyboard_and_by_hand(open_page, path):
    page = open_page(path)
    page.locator("#show-swipe").click()
    handle, start = page.get_by_role("slider", name="Before on the left, After on the right"), page.evaluate(HANDLE)
    handle.press("ArrowRight")
    assert handle.get_attribute("aria-valuenow") == "55"
    assert page.evaluate(HANDLE) > start
    handle.press("Home")
    assert handle.get_attribute("aria-valuenow") == "0"
    handle.press("End")
    box = page.locator(".folium-map").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 300)
    page.mouse.up()
    assert handle.get_attribute("aria-valuenow") == "25"


def test_the_swipe_follows_the_map_and_what_is_shown_on_it(open_page, path):
    page = open_page(path)
    page.locator("#show-swipe").click()
    signs = page.evaluate(LEFT_SIGNS)
    assert len(set(signs)) == 1  # before, every school is kept
    page.evaluate("map_plan.panBy([90, 0], { animate: false })")
    left, _ = halves(page)
    shown = pixels(page, left)
    page.locator("#layer-catchments").uncheck()
    assert pixels(page, left) != shown
    page.locator("#band").select_option(label="Junior, grades 7–9")
    assert len(page.evaluate(LEFT_SIGNS)) == 1


def test_the_difference_counts_pupils_by_minutes_gained_or_lost(open_page, path):
    page = open_page(path)
    plain = page.evaluate(CANVASES)
    section = page.locator("#key section", has=page.locator("#layer-difference"))
    # V2 (5 lower primary pupils) goes 20 minutes longer, V3 as long as before to another school, V1 and V4 as before.
    assert section.locator("b").all_text_contents() == ["0 pupils", "0 pupils", "25 pupils", "0 pupils", "5 pupils"]
    page.locator("#layer-difference").check()
    assert not page.locator("#layer-villages").is_checked()
    page.wait_for_timeout(150)
    assert page.evaluate(CANVASES) != plain
    page.locator("#layer-villages").check()
    assert not page.locator("#layer-difference").is_checked()
    page.wait_for_timeout(150)
    assert page.evaluate(CANVASES) == plain


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-10, 0), (-9.9, 1), (-2, 1), (-1.9, 2), (0, 2), (1.9, 2), (2, 3), (9.9, 3), (10, 4)],
)
def test_classes_of_change_are_the_same_either_way(open_page, path, minutes, expected):
    assert open_page(path).evaluate(f"changeClass({minutes})") == expected


def test_several_plans_have_a_slider(open_page, tiny, tmp_path):
    middle = [dataclasses.replace(tiny.plan, title=f"{k} schools") for k in range(4)]
    page = open_page(draw(tiny.area, tiny.today, *middle, lang="en").save(tmp_path / "five.html"))
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    slider, said = page.locator("#views input[type=range]"), page.locator("#views output")
    assert said.text_content() == "3 schools"
    slider.press("ArrowLeft")
    assert said.text_content() == "2 schools"
    assert slider.get_attribute("aria-valuetext") == "2 schools"
    shown = page.locator("[data-school=S2]").get_attribute("aria-label")
    slider.press("Home")
    assert said.text_content() == "Before"
    assert page.locator("[data-school=S2]").get_attribute("aria-label") != shown
    assert page.evaluate("document.activeElement.type") == "range"


def test_one_layout_has_nothing_to_compare(open_page, tiny, tmp_path):
    real = dataclasses.replace(tiny.area, synthetic=False, public=True, assumptions=("Roads are level.",))
    page = open_page(draw(real, tiny.today, lang="en").save(tmp_path / "one.html"), PHONE)
    marks = {name: page.locator(f"#{name}").is_visible() for name in ("synthetic", "assumed", "public")}
    assert marks == {"synthetic": False, "assumed": True, "public": True}
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#assumed").is_visible()
    assert page.locator("#public").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#show-swipe").is_hidden()
    assert page.locator("#layer-difference").count() == 0
