"""What if, asked in the page: its figures are Python's to the last digit shown, and the planner reads its files."""

import csv
import dataclasses
import io

import numpy as np
import pandas as pd
import pytest

from planner.draw import draw
from planner.plan import current_plan, score, what_if
from planner.scenario import parse_scenario
from planner.travel import travel_times
from tests import test_drawn, tiny
from tests.test_draw_browser import open_page, pytestmark  # noqa: F401
from tests.test_whatif import CARDS, figures


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    made = tiny.make()
    return draw(made.area, made.today, made.plan, lang="en").save(tmp_path_factory.mktemp("map") / "map.html")


def cards(page):
    page.wait_for_timeout(120)
    shown = page.evaluate(
        "() => [...document.querySelectorAll('#cards li')].map((li) => [li.dataset.card, li.innerText])"
    )
    return {key: text.splitlines()[1].split()[0] for key, text in shown}


def written(value, digits):
    """A figure as the page writes it in English; half is rounded up."""
    if np.isnan(value):
        return "–"
    rounded = np.floor(value * 10**digits + 0.5 + 1e-9) / 10**digits
    return f"{rounded:,.{digits}f}".removesuffix(".0")


def expected(plan):
    return {key: written(value, CARDS[key]) for key, value in figures(plan).items()}


def press(page, school):
    """Choose a school by keyboard, and press x; a second Enter on a chosen school would close it, too."""
    page.keyboard.press("Escape")
    page.evaluate("(id) => document.querySelector(`[data-school='${id}']`).focus()", school)
    page.keyboard.press("Enter")
    page.keyboard.press("x")


def test_the_page_says_what_was_worked_by_hand(open_page, tmp_path):  # noqa: F811
    made = tiny.make()
    page = open_page(draw(made.area, made.today, made.plan, lang="en").save(tmp_path / "map.html"))
    sentence = "1 school closes; 20 pupils change school; longest lower-primary trip 20 min (norm 30)"
    assert page.locator("#headline").text_content() == sentence
    assert cards(page) == expected(made.plan)
    press(page, "S2")
    assert cards(page) == expected(what_if(made.plan, reopen=["S2"]))
    assert page.locator("#said").text_content().endswith(": kept")
    assert "No school closes; 0 pupils change school" in page.locator("#headline").text_content()
    assert "nearest open school; capacities are flagged, not enforced" in page.locator("#whatif").text_content().lower()
    page.keyboard.press("Control+z")
    assert cards(page)["schools_open"] == "2"
    page.keyboard.press("Control+y")
    assert cards(page)["schools_open"] == "3"
    page.locator("#toggle").click()
    assert cards(page)["changing_pupils"] == "20"
    assert page.locator("#said").text_content().endswith(": closing")
    page.get_by_role("button", name="Reset").click()
    assert cards(page) == expected(made.plan)
    said = page.locator("#details").text_content()  # S2 closes: who came there, and where they go
    assert "Villages that go elsewhere · Lower primary, grades 1–3 · 2 villages" in said
    assert "三村 5 pupils, 20 min → 九年制学校 20 min" in said
    assert page.locator("#views label").count() == 2


def test_who_is_hit_and_who_has_no_seat_is_listed(open_page, tmp_path):  # noqa: F811
    made = tiny.make()
    seats = made.area.schools.assign(seats_primary=[45.0, 30.0, 50.0])
    area = dataclasses.replace(made.area, schools=seats)
    today = dataclasses.replace(made.today, area=area)
    page = open_page(
        draw(area, today, dataclasses.replace(made.plan, area=area, today=today), lang="en").save(tmp_path / "a.html")
    )
    page.evaluate("document.querySelector('[data-school=S3]').focus()")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close primary").click()
    page.wait_for_selector("#against")  # the lists follow the map
    text = page.locator("#whatif").text_content()
    assert "60 pupils on 45 seats" in text
    assert "Four lower-primary, 10 pupils: 0 → 60 min (+60)" in text
    assert cards(page)["without_seat_pupils"] == "15"
    assert "60 pupils on 45 seats" in page.locator("[data-school=S1]").get_attribute("aria-label")
    page.locator("#whatif").get_by_role("button", name="Four", exact=True).click()
    assert "60 min" in page.locator("#details").text_content()


def drawn_county(seed):
    rng = np.random.default_rng(seed)
    area = test_drawn.county(rng)
    scenario = test_drawn.question(rng)
    times = travel_times(area, scenario.travel, cache=False)
    return rng, current_plan(area, times, scenario)


STALE = """async () => {
  const canvas = document.querySelector(".leaflet-plan-pane canvas"), { width, height } = canvas;
  const read = async () => {
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    return pen.getImageData(0, 0, width, height).data;
  };
  const painted = await read();
  for (const _ of [1, 2]) document.getElementById("layer-lines").click(); // all is painted anew
  const anew = await read();
  return painted.filter((value, i) => Math.abs(value * painted[i | 3] - anew[i] * anew[i | 3]) > 48 * 255).length;
}"""
"""How many bytes of the plan's picture are not what they are where all is painted; edges may differ by a shade."""


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_random_what_ifs_say_what_python_says(open_page, tmp_path, seed):  # noqa: F811
    rng, today = drawn_county(seed)
    ids = [str(school) for school in today.area.schools.index]
    close = [str(s) for s in rng.choice(ids[1:], 2, replace=False)]
    plan = score(today.area, today.times, today.scenario, pd.DataFrame({"school_id": close, "action": "close"}))
    page = open_page(draw(today.area, today, plan, lang="en").save(tmp_path / "map.html"))
    assert cards(page) == expected(plan)
    start = set(plan.actions.loc[~plan.actions["action"].isin(["close", "merge", "convert", "none"]), "school_id"])
    turned = set()
    page.locator("#layer-others").check()  # a school of any stage can be chosen on the map
    for _ in range(10):
        school = str(rng.choice(ids))
        press(page, school)
        turned ^= {school}
        tried = what_if(plan, close=sorted(turned & start), reopen=sorted(turned - start))
        assert cards(page) == expected(tried), (seed, sorted(turned))
        assert page.evaluate(STALE) == 0, (seed, sorted(turned))  # only what changes is painted


def test_what_was_saved_is_scored_and_comes_back(open_page, tmp_path):  # noqa: F811
    from typer.testing import CliRunner

    from planner.area import write_area
    from planner.cli import app

    made = tiny.make()
    folder = write_area(made.area, tmp_path / "tiny")
    (folder / "scenarios").mkdir(exist_ok=True)
    (folder / "scenarios" / "tiny.toml").write_text(tiny.SCENARIO, "utf-8")
    page = open_page(draw(made.area, made.today, made.plan, lang="en").save(tmp_path / "map.html"))
    press(page, "S2")
    saved = {}
    for name, button in (("actions.csv", "Save actions.csv"), ("what-if.toml", "Save as scenario")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).click()
        saved[name] = tmp_path / name
        waiting.value.save_as(saved[name])
    raw = saved["actions.csv"].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(row["school_id"], row["stage"], row["action"]) for row in rows] == [
        ("S1", "primary", "keep"),
        ("S2", "primary", "keep"),
        ("S3", "primary", "keep"),
        ("S3", "junior", "keep"),
    ]
    out = tmp_path / "out"
    asked = [
        "score",
        str(folder / "scenarios" / "tiny.toml"),
        "--actions",
        str(saved["actions.csv"]),
        "--out",
        str(out),
    ]
    result = CliRunner().invoke(app, asked)
    assert (out / "map.html").exists(), result.output
    scenario = parse_scenario(saved["what-if.toml"].read_text("utf-8"))
    assert scenario.rules.keep == ("S1", "S2", "S3")
    assert scenario.rules.close == ()
    for name, file in saved.items():
        page.get_by_role("button", name="Reset").click()
        assert cards(page)["schools_open"] == "2"
        page.locator("#load").set_input_files(file)
        page.wait_for_selector(".told")
        assert cards(page)["schools_open"] == "3", name
    # A plan's own table says all seats of what opens, of which the school's own are not added again.
    table = "school_id,stage,action,seats,seats_added\nS1,primary,open,40,40\n"
    candidate = "[{ school: 0, stage: 'primary', origin: CANDIDATE, seats: 30 }]"
    for text, added in ((table, 10), (table.replace("40,40", ",40"), 40), (table.replace("40,40", ","), 0)):
        found = page.evaluate(f"(text) => fromCsv(text, {{ schools: [{{ id: 'S1' }}] }}, {candidate})", text)
        assert found == {"open": [True], "added": [added]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "school_id,action\nS9,keep\nS1,shut\nS2,close\n",
            "These rows name no school, stage, action or seats of this map: 2, 3",
        ),
        ("school_id,stage\nS1,primary\n", "lacks the columns"),
        ("<script>alert(1)</script>", "neither a table"),
        ("", "neither a table"),
        ('rules.keep = ["S1", "<img src=x onerror=alert(1)>"]', "has no school <img src=x onerror=alert(1)>"),
        ('rules.close = ["S1"', "neither a table"),
        ('[rules]\nclose = ["\\q"]', "neither a table"),
        ("school_id,action," + "x" * 2_100_000, "larger than 2 MB"),
        ('school_id,action\n"S1,keep\n', "These rows"),
    ],
)
def test_a_broken_file_is_told_in_words(open_page, text, said):  # noqa: F811
    page = open_page()
    file = {"name": "<b>.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("#load").set_input_files(file)
    page.wait_for_selector(".told.bad")
    assert said in page.locator(".told").text_content()
    assert page.locator("#whatif img, #whatif b").count() == 0


LAYERS_OF_PLANS = {"flows": "flows", "isochrones": "isochrones", "catchments": "land"}  # and where each is drawn
INK = """(pane) => [...document.querySelectorAll(`.leaflet-${pane}-pane canvas`)].some((canvas) => {
  const { width, height } = canvas;
  return canvas.toDataURL() !== Object.assign(document.createElement("canvas"), { width, height }).toDataURL();
})"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_layers_of_the_plan_are_hidden_and_marked_in_a_what_if_and_come_back(open_page, tmp_path, lang):  # noqa: F811
    made = tiny.make()
    page = open_page(draw(made.area, made.today, made.plan, lang=lang).save(tmp_path / "map.html"))
    mark = {"en": "Of the plan, not of this what-if", "zh": "属于方案，不属于本次假设"}[lang]

    def painted():
        page.wait_for_timeout(150)
        return [page.evaluate(INK, pane) for pane in LAYERS_OF_PLANS.values()]

    def said():
        sections = [page.locator("#key section", has=page.locator(f"#layer-{name}")) for name in LAYERS_OF_PLANS]
        return [mark in section.text_content() for section in sections]

    for layer in LAYERS_OF_PLANS:
        page.locator(f"#layer-{layer}").check()
    assert painted() == [True] * 3
    assert said() == [False] * 3
    press(page, "S2")
    assert painted() == [False] * 3
    assert said() == [True] * 3
    assert all(page.locator(f"#layer-{layer}").is_disabled() for layer in LAYERS_OF_PLANS)
    page.keyboard.press("Escape")
    page.locator("#whatif\\.reset").click()
    assert painted() == [True] * 3
    assert said() == [False] * 3
    assert all(page.locator(f"#layer-{layer}").is_checked() for layer in LAYERS_OF_PLANS)


def test_a_way_that_no_plan_knows_is_said_to_be_unknown(open_page, tmp_path):  # noqa: F811
    made = tiny.make()
    page = open_page(draw(made.area, made.today, made.plan, lang="en").save(tmp_path / "map.html"))
    page.locator("#search").fill("Four · V4")
    assert "ridden" in page.locator("#key").text_content()
    page.evaluate("document.querySelector('[data-school=S3]').focus()")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close primary").click()  # V4 goes to S1, as in no plan
    page.wait_for_selector("#against")
    page.locator("#search").fill("")
    page.locator("#search").fill("Four · V4")
    assert "The page knows ways to the schools of its plans alone" in page.locator("#key").text_content()
