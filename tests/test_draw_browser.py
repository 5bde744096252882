"""The map in a real browser, the network off."""

import dataclasses
import re

import pytest

from planner.draw import draw
from planner.scenario import parse_scenario
from tests.fixtures import DESKTOP, PHONE
from tests.test_draw import HOSTILE, hostile_plans, unreachable
from tests.tiny import SCENARIO

CANVASES = "() => [...document.querySelectorAll('canvas')].map(c => c.toDataURL()).join()"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    area, today, plan = hostile_plans()
    return draw(area, today, unreachable(plan), lang="en").save(tmp_path_factory.mktemp("map") / "map.html")


@pytest.fixture
def open_page(open_page, hostile):
    return lambda path=hostile, size=DESKTOP: open_page(path, size)


def drawn(page):
    page.wait_for_timeout(150)
    return page.evaluate(CANVASES), page.locator(".leaflet-marker-icon").count()


def label(page, school):
    return page.locator(f"[data-school={school}]").get_attribute("aria-label")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_opens_without_a_fault(open_page, size):
    page = open_page(size=size)
    assert page.locator("[data-school]").count() == 3
    assert page.locator("#title").text_content() == f"Tiny {HOSTILE[1]}"
    assert "Synthetic" in page.locator("#foot").text_content()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_before_and_after_draw_different_things(open_page):
    page = open_page()
    after, text = drawn(page), label(page, "S2")
    page.get_by_text("Before", exact=True).click()
    before = drawn(page)
    assert before[0] != after[0]
    assert "closing" in text
    assert "kept" in label(page, "S2")
    page.keyboard.press("ArrowRight")
    assert drawn(page) == after
    assert label(page, "S2") == text


@pytest.mark.parametrize("layer", ["schools", "villages", "lines", "catchments", "towns", "roads"])
def test_layers_toggle(open_page, layer):
    page = open_page()
    shown = drawn(page)
    page.locator(f"#layer-{layer}").uncheck()
    assert drawn(page) != shown
    page.locator(f"#layer-{layer}").check()
    assert drawn(page) == shown


def test_a_moved_map_is_covered_by_what_is_painted_and_back_again_looks_the_same(open_page):
    page = open_page()
    shown = drawn(page)
    uncovered = """() => {
      const map = map_plan.getContainer().getBoundingClientRect();
      return ["land", "ground", "plan"]
        .map((name) => document.querySelector(`.leaflet-${name}-pane canvas`).getBoundingClientRect())
        .map((is) => Math.min(map.x - is.x, map.y - is.y, is.right - map.right, is.bottom - map.bottom))
        .filter((left) => left < LEAST).length;
    }"""
    for step in ([200, 0], [0, 900], [-200, -900]):
        page.evaluate("(step) => map_plan.panBy(step, { animate: false })", step)
        assert page.evaluate(uncovered.replace("LEAST", "0")) == 0, step
        page.wait_for_timeout(400)
        assert page.evaluate(uncovered.replace("LEAST", "100")) == 0, step  # at rest there is room to move again
    assert drawn(page) == shown


def test_pupils_on_roads_are_shown_on_demand_for_each_layout(open_page):
    page = open_page()
    plain = drawn(page)
    assert not page.locator("#layer-flows").is_checked()
    page.locator("#layer-flows").check()
    after = drawn(page)
    assert after[0] != plain[0]
    assert "busiest road: 12 pupils" in page.locator("#key").text_content()
    page.get_by_text("Before", exact=True).click()
    before = drawn(page)
    page.locator("#layer-flows").uncheck()
    assert drawn(page)[0] != before[0]


def test_the_land_by_minutes_is_off_until_it_is_asked_for(open_page):
    page = open_page()
    shown = drawn(page)
    box = page.locator("#layer-isochrones")
    assert not box.is_checked()
    box.check()
    plan = drawn(page)
    assert plan != shown
    assert "0–5 min" in page.locator("#key").text_content()
    page.get_by_text("Before", exact=True).click()
    assert land_at(page, "V2") == [68, 1, 84]  # today S2 stands there
    page.get_by_text("After", exact=True).click()
    assert land_at(page, "V2") == [253, 231, 37]  # 20 minutes from S1: there the land of 20 minutes ends
    assert drawn(page) == plan
    box.uncheck()
    assert land_at(page, "V2") == [0, 0, 0]  # an empty canvas


def land_at(page, village):
    """The colour that the isochrones have at a village."""
    page.wait_for_timeout(150)
    return page.evaluate(
        """async (id) => {
          const at = (await readData($("plan-data"))).villages.find((v) => v.id === id).at;
          const canvas = document.querySelector(".leaflet-isochrones-pane canvas");
          const box = canvas.getBoundingClientRect(), map = map_plan.getContainer().getBoundingClientRect();
          const point = map_plan.latLngToContainerPoint(at), scale = canvas.width / box.width;
          const x = (map.left + point.x - box.left) * scale, y = (map.top + point.y - box.top) * scale;
          const pen = new OffscreenCanvas(1, 1).getContext("2d");
          pen.drawImage(canvas, x, y, 1, 1, 0, 0, 1, 1);
          return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }""",
        village,
    )


def test_the_band_changes_what_is_drawn(open_page):
    page = open_page()
    shown = drawn(page)
    page.locator("#band").select_option(label="Junior, grades 7–9")
    assert drawn(page) != shown
    assert page.locator("[data-school]").count() == 1


def test_a_school_opens_its_details_with_its_name_as_text(open_page):
    page = open_page()
    page.locator("[data-school=S2] svg").click()
    assert page.locator("#details h2").text_content() == HOSTILE[1]
    assert "closing" in page.locator("#details").text_content()
    assert page.locator("#details img").count() == 0
    page.keyboard.press("Escape")
    assert page.locator("#details").is_hidden()
    page.locator("[data-school=S3]").focus()
    page.keyboard.press("Enter")
    assert page.locator("#details h2").text_content() == HOSTILE[2]


def test_search_finds_a_village_and_the_marker_images_load(open_page):
    page = open_page()
    page.locator("#search").fill(f"{HOSTILE[4]} · V4")
    details = page.locator("#details")
    assert details.locator("h2").text_content() == HOSTILE[4]
    assert "unreachable" in details.text_content()
    assert "10 min" not in details.text_content()
    page.wait_for_timeout(200)
    images = "() => [...document.querySelectorAll('.leaflet-pane img')].map(i => i.complete && i.naturalWidth > 0)"
    assert page.evaluate(images) == [True, True]


def test_a_village_opens_on_a_click_on_the_map(open_page):
    page = open_page()
    x, y = page.evaluate(
        """async () => {
          const { villages } = await readData($("plan-data"));
          const { x, y } = map_plan.latLngToContainerPoint(villages[2].at);
          return [x, y];
        }"""
    )
    box = page.locator(".folium-map").bounding_box()
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert page.locator("#details h2").text_content() == HOSTILE[3]
    assert "20 min, 1.5 km, on foot" in page.locator("#details").text_content()


def test_a_chosen_village_shows_its_way_to_school(open_page):
    page = open_page()
    assert page.locator("#layer-way").count() == 0
    page.locator("#search").fill(f"{HOSTILE[3]} · V3")
    assert "Way of the chosen village" in page.locator("#key").text_content()
    shown = drawn(page)
    after = way_at(page, [2, 3])
    assert after == [True, True]  # V3 goes east to S3
    page.locator("#views span").first.click()
    assert way_at(page, [2, 3]) == [True, False]  # today it goes west to S2
    page.locator("#views span").last.click()
    page.locator("#layer-way").uncheck()
    assert drawn(page)[0] != shown[0]
    page.keyboard.press("Escape")
    assert page.locator("#layer-way").count() == 0


def way_at(page, villages):
    """Whether the way is drawn at some villages."""
    page.wait_for_timeout(150)
    return page.evaluate(
        """async (rows) => {
          const { villages } = await readData($("plan-data"));
          const canvas = document.querySelector(".leaflet-way-pane canvas"), box = canvas.getBoundingClientRect();
          const map = map_plan.getContainer().getBoundingClientRect(), scale = canvas.width / box.width;
          const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
          pen.drawImage(canvas, 0, 0);
          return rows.map((row) => {
            const point = map_plan.latLngToContainerPoint(villages[row].at);
            const place = [map.left + point.x - box.left - 3, map.top + point.y - box.top - 3].map((n) => n * scale);
            const pixels = pen.getImageData(...place, 6 * scale, 6 * scale).data;
            return pixels.some((value) => value > 0);
          });
        }""",
        villages,
    )


def test_closed_roads_have_a_sign_and_a_line_in_the_key(open_page, tiny, tmp_path):
    def page_of(plan):
        name = f"{len(plan.scenario.travel.closed_edges)} closed.html"
        return open_page(draw(tiny.area, plan, lang="en").save(tmp_path / name))

    open_roads = page_of(tiny.plan)
    assert open_roads.locator("#layer-closed").count() == 0
    text = SCENARIO.replace('modes = ["walk"]', 'modes = ["walk"]\nclosed_edges = [1]')
    page = page_of(dataclasses.replace(tiny.plan, scenario=parse_scenario(text)))
    assert "Closed to everybody in this scenario" in page.locator("#key").text_content()
    shown = drawn(page)
    page.locator("#layer-closed").uncheck()
    assert drawn(page)[0] != shown[0]
    page.locator("#language").click()
    assert "封闭道路" in page.locator("#key").text_content()


def test_unreachable_is_a_sign_of_its_own(open_page):
    page = open_page()
    key = page.locator("#key").text_content()
    assert "unreachable" in key
    page.locator("#band").select_option(label="Upper primary, grades 4–6")
    assert "no seat" in page.locator("#key").text_content()


def test_the_language_switches_every_label(open_page):
    page = open_page()
    assert page.locator("#scores h2").text_content() == "Scorecard"
    page.locator("#language").click()
    assert page.locator("#scores h2").text_content() == "评分表"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    panels = page.locator("#key").text_content() + page.locator("#scores thead").text_content()
    assert not re.search("[A-Za-z]", panels)
    assert "关闭" in label(page, "S2")


def test_the_scorecard_marks_by_word(open_page):
    page = open_page()
    row = page.locator("#scores tr", has_text="Mean trip, one way").text_content()
    assert "min" in row
    assert "worse" in row
    assert "Optimal: proven" in page.locator("#scores").text_content()


def test_panels_collapse_on_a_phone(open_page):
    page = open_page(size=PHONE)
    assert page.locator("#key").is_hidden()
    page.locator("#show-key").click()
    assert page.locator("#key").is_visible()
    page.locator("#show-card").click()
    assert page.locator("#key").is_hidden()
    assert page.locator("#scores").is_visible()
    assert page.locator(".folium-map").bounding_box()["height"] > 250


def test_the_area_alone(open_page, tiny, tmp_path):
    page = open_page(draw(tiny.area, lang="en").save(tmp_path / "area.html"))
    assert "No plan" in page.locator("#scores").text_content()
    assert page.locator("[data-school]").count() == 2 + 1


def test_a_given_layout_is_not_called_proven(open_page, tiny, tmp_path):
    page = open_page(draw(tiny.area, tiny.today, lang="en").save(tmp_path / "today.html"))
    assert "Not proven" in page.locator("#scores").text_content()


def test_a_merged_school_points_to_its_receiver(open_page, tiny, tmp_path):
    rows = tiny.plan.actions.copy()
    rows.loc[rows["school_id"] == "S2", ["action", "into"]] = ["merge", "S1"]
    plan = dataclasses.replace(tiny.plan, actions=rows)
    page = open_page(draw(tiny.area, tiny.today, plan, lang="en").save(tmp_path / "merge.html"))
    shown = drawn(page)
    page.locator("#layer-merges").uncheck()
    assert drawn(page)[0] != shown[0]
    page.locator("[data-school=S2] svg").click()
    assert f"merged into {tiny.area.schools.at['S1', 'name']}" in page.locator("#details").text_content()


def test_names_of_towns_keep_off_the_signs_of_schools(open_page, tmp_path):
    """Up or down by the least of some steps that frees it, 16 pixels from the middle of a sign; else where it is."""
    area, today, plan = hostile_plans()
    page = open_page(draw(area, today, plan, lang="en").save(tmp_path / "map.html"))
    signs = [[], [[500, 300]], [[500, 300], [500, 290]], [[600, 300]], [[500, 288]]]
    freest = "(all) => all.map((some) => freest({ x: 500, y: 300 }, 40, some.map(([x, y]) => ({ x, y }))))"
    assert page.evaluate(freest, signs) == [0, -20, 20, 0, 10]


def test_a_chosen_place_stays_in_sight(open_page, tmp_path):
    """On a phone the card takes the lower half of the map; what was chosen there moves up."""
    area, today, plan = hostile_plans()
    page = open_page(draw(area, today, plan, lang="en").save(tmp_path / "map.html"), PHONE)
    page.evaluate("map_plan.setView(map_plan.getCenter(), 15, { animate: false })")
    page.evaluate("map_plan.panBy([0, -250], { animate: false })")
    page.locator("[data-school=S2]").dispatch_event("click")
    page.wait_for_timeout(500)  # the map has its new size
    sign, ground = (page.locator(where).bounding_box() for where in ("[data-school=S2] svg", ".folium-map"))
    assert ground["y"] < sign["y"] < sign["y"] + sign["height"] < ground["y"] + ground["height"]
    assert page.locator(".leaflet-tooltip").count() == 0


def test_a_window_made_narrow_keeps_its_map(open_page, tmp_path):
    area, today, plan = hostile_plans()
    page = open_page(draw(area, today, plan, lang="en").save(tmp_path / "map.html"))
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.locator("#key").is_hidden()
    assert page.locator(".folium-map").bounding_box()["height"] > 200
    assert page.locator("#top").bounding_box()["height"] < 150
