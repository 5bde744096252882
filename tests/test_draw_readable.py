"""The map for everybody: checked by axe, by keyboard alone, as tables, on paper and on a phone."""

import shutil
import subprocess
from importlib import resources

import numpy as np
import pytest

from planner.draw import draw
from tests.fixtures import DESKTOP, PHONE
from tests.test_draw import HOSTILE, hostile_plans, unreachable

pytestmark = pytest.mark.browser

FAULTS = "async () => (await axe.run()).violations.map((one) => [one.impact, one.id, one.nodes[0].target[0]])"
FOCUS = """() => {
  const node = document.activeElement, drawn = [node, node.nextElementSibling, node.firstElementChild];
  const ring = drawn.some((one) => one && getComputedStyle(one).outlineStyle !== "none");
  const { id, title, dataset, className } = node;
  return [id || dataset.school || title || node.getAttribute("href") || className || node.tagName, ring];
}"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    area, today, plan = hostile_plans()
    return draw(area, today, unreachable(plan), lang="en").save(tmp_path_factory.mktemp("map") / "map.html")


@pytest.fixture(scope="module")
def axe():
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(open_page, path, axe, size, lang):
    page = open_page(path, size)
    page.evaluate(axe)
    if lang == "zh":
        page.locator("#language").click()
    assert page.evaluate(FAULTS) == []
    page.locator("[data-school=S2]").press("Enter")
    assert page.evaluate(FAULTS) == []
    page.locator("#show-tables").click()
    assert page.evaluate(FAULTS) == []
    page.locator("#listing-tabs label").last.click()
    assert page.evaluate(FAULTS) == []


def test_axe_would_find_a_fault(open_page, path, axe):
    page = open_page(path)
    page.evaluate(axe)
    page.evaluate("document.querySelector('label:has(#band) span').remove()")
    assert ["critical", "select-name", "#band"] in page.evaluate(FAULTS)


def test_every_control_is_reached_by_keyboard_and_shows_its_focus(open_page, path):
    page = open_page(path)
    reached = {}
    for _ in range(80):
        page.keyboard.press("Tab")
        name, ring = page.evaluate(FOCUS)
        if name in reached or name == "BODY":
            break
        reached[name] = ring
    layers = page.locator("#key input").evaluate_all("(boxes) => boxes.map((box) => box.id)")
    needed = {"band", "search", "show-key", "show-card", "show-tables", "language", "fit", "S1", "S2", "S3", *layers}
    assert needed <= set(reached)
    assert list(reached)[:2] == ["#map_plan", "#card"]
    assert [name for name in reached if name in ("S1", "S2", "S3")] == ["S3", "S1", "S2"]  # by the names of their towns
    assert [name for name, ring in reached.items() if not ring] == []


def test_a_school_is_chosen_and_left_by_keyboard_alone(open_page, path):
    page = open_page(path)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link that skips to the map
    assert page.evaluate("document.activeElement.id") == "map_plan"
    while page.evaluate("document.activeElement.dataset.school") != "S2":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("#details h2").text_content() == HOSTILE[1]
    assert page.locator("#said").text_content() == f"{HOSTILE[1]}: closing"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.school") == "S2"


def cells(page):
    rows = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    return page.locator("#listing tbody tr").evaluate_all(rows)


def test_every_school_village_and_town_is_in_a_table(open_page, path):
    page = open_page(path)
    page.locator("#show-tables").click()
    found = {(row[1], row[4]): row for row in cells(page)}
    assert set(found) == {("S1", "primary"), ("S2", "primary"), ("S3", "primary"), ("S3", "junior")}
    assert found["S2", "primary"][5:] == ["closing", "30", "0", "−30", "20", "0", "−20"]
    page.locator("#listing-tabs label", has_text="Villages").click()
    found = {row[1]: row for row in cells(page)}
    assert found["V2"][3:] == ["5", HOSTILE[1], HOSTILE[0], "0", "20", "+20"]
    assert found["V4"][3:] == ["10", HOSTILE[2], "unreachable: no road joins it to a school", "0", "–", "–"]
    page.locator("#listing-band").select_option(label="Junior, grades 7–9")
    assert {row[1]: row[3] for row in cells(page)} == {"V1": "0", "V2": "0", "V3": "2", "V4": "4"}
    page.locator("#listing-tabs label", has_text="Towns").click()
    (one, other) = sorted(cells(page), key=lambda row: int(row[1]))
    # V2's 10 pupils go 20 minutes, 10 of V1's none, and the other 10 have no seat.
    assert one[1:8] == ["30", "2", "1", "−1", "0", "10", "+10"]
    assert other[1] == "36"


def test_tables_are_sorted_and_searched(open_page, path):
    page = open_page(path)
    page.locator("#show-tables").click()
    page.locator("#listing thead button").nth(1).press("Enter")
    assert [row[1] for row in cells(page)] == ["S1", "S2", "S3", "S3"]
    page.keyboard.press("Enter")
    assert [row[1] for row in cells(page)] == ["S3", "S3", "S2", "S1"]
    assert page.locator("#listing th[aria-sort=descending]").count() == 1
    page.locator("#listing-search").fill("s2")
    assert [row[1] for row in cells(page)] == ["S2"]
    page.locator("#listing tbody button").press("Enter")
    assert page.locator("#tables").is_hidden()
    assert page.locator("#details h2").text_content() == HOSTILE[1]


def test_rows_are_made_when_they_are_looked_at(open_page, path):
    page = open_page(path)
    milliseconds = page.evaluate("""() => {
      const villages = Array.from({ length: 5000 }, (_, i) => ({ id: `V${i}`, name: "v", town: "t", pupils: [i] }));
      const data = { schools: [], villages, bands: [{ band: "junior", stage: "junior" }], plans: [] };
      const state = { lang: "en", band: 0 }, say = speaker({}, state);
      const view = { trips: villages.map(() => [[]]), question: { villages, limits: {} } }, one = () => view;
      makeListing({ data, state, views: [view], say, view: one, compared: one });
      document.getElementById("show-tables").click();
      const start = performance.now();
      document.querySelectorAll("#listing-tabs input")[1].click();
      return performance.now() - start;
    }""")
    assert page.locator("#listing tbody tr").count() == 100
    assert milliseconds < 500
    page.evaluate("document.querySelector('.more').click()")
    assert page.locator("#listing tbody tr").count() == 200


def test_seats_and_pupils_are_a_chart_with_words(open_page, path):
    page = open_page(path)
    page.locator("#show-tables").click()
    page.locator("#listing-tabs label", has_text="Seats and pupils").click()
    chart = page.get_by_role("img", name="Seats and pupils · primary")
    assert "2 schools" in chart.locator("desc").text_content()
    assert "30 / 100" in chart.text_content()
    assert HOSTILE[0][:20] in chart.text_content()


INSIDE = """() => ["top", "paper-line", "map_plan", "key", "foot"].map((id) => {
  const { left, top, right, bottom } = document.getElementById(id).getBoundingClientRect();
  return [left, top, right, bottom].map(Math.round);
})"""


def test_page_one_holds_the_whole_map_and_afterwards_the_screen_is_as_it_was(open_page, path):
    page = open_page(path)
    page.evaluate("map_plan.setZoom(16, { animate: false })")
    before = page.evaluate("[map_plan.getZoom(), document.getElementById('card').getBoundingClientRect().width]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    boxes = page.evaluate(INSIDE)
    assert all(left >= 0 and right <= 1055 and bottom <= 725 for left, _, right, bottom in boxes)
    top, line, plan, key, foot = boxes
    assert top[3] <= line[1] <= line[3] <= plan[1] <= plan[3] <= foot[1]
    assert plan[2] <= key[0]
    schools = page.locator("[data-school]").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().x)")
    assert all(plan[0] < x < plan[2] for x in schools)
    said = page.locator("#paper-line").text_content()
    assert all(part in said for part in ("Optimal: proven, gap 0 %", "Norm: at most 30 min", "Data of"))
    assert page.locator("#synthetic").is_visible()
    assert page.locator("#paper table").count() == 2
    assert page.locator("#paper tbody tr").count() == 2 + 4
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    after = page.evaluate("[map_plan.getZoom(), document.getElementById('card').getBoundingClientRect().width]")
    assert after == before
    assert page.locator("#paper table").count() == 0


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="no pdftoppm on this machine")
def test_the_printed_map_is_not_blank(open_page, path, tmp_path):
    page = open_page(path)
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True, print_background=True)
    command = ["pdftoppm", "-r", "48", "-f", "1", "-l", "1", tmp_path / "map.pdf", tmp_path / "page"]
    subprocess.run(command, check=True)
    header, size, _, pixels = next(tmp_path.glob("page*.ppm")).read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    assert header == b"P6"
    assert width > 1.4 * height
    picture = np.frombuffer(pixels, np.uint8).reshape(height, width, 3).astype(int)
    land = picture[:, : int(0.7 * width)]
    tinted = (land.max(axis=2) - land.min(axis=2)) > 10  # catchments are drawn on canvases, and cover much of the map
    assert tinted.mean() > 0.1


def test_a_phone_reaches_everything_without_scrolling_sideways(open_page, path):
    page = open_page(path, PHONE)
    for control in ("band", "search", "show-key", "show-card", "show-tables", "language", "fit"):
        box = page.locator(f"#{control}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
    page.locator("#show-tables").click()
    for tab in page.locator("#listing-tabs label").all():
        tab.click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#shut-tables").click()
    assert page.locator("#tables").is_hidden()
