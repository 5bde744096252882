"""A page of several plans: whatever it says belongs to the plan that is shown, and is what Python says of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from planner.compare import scorecard
from planner.draw import draw
from planner.indicators import INDICATORS
from planner.model import Trips
from planner.plan import current_plan, score, what_if
from planner.plan.futures import come_true
from planner.plan.whatif import ENDED, tenths, to_tenths
from planner.scenario import Future, parse_scenario
from planner.travel import travel_times
from tests import tiny as tiny_module
from tests.test_draw import data_of, unreachable
from tests.test_whatif_browser import cards, drawn_county, expected, press, written

SCORES = """() => [...document.querySelectorAll("#scores tbody tr")].map((row) =>
  [...row.cells].map((cell) => cell.firstChild.firstChild ? cell.firstChild.firstChild.data : cell.textContent))"""


def strict(plan):
    """The plan where the norm of lower primary is 15 minutes: those of V2 and V3, five each, are beyond it."""
    scenario = parse_scenario(tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 15"))
    said = {"title": "Fifteen", "notes": ("A norm of fifteen.",), "status": "feasible", "gap": 0.02}
    return dataclasses.replace(plan, scenario=scenario, **said)


def in_winter(plan):
    """The plan's schools with half the pupils, at half the speed."""
    area, scenario = come_true(plan.area, plan.scenario, Future(name="winter", pupils=0.5, speed=0.5))
    times = travel_times(area, scenario.travel, cache=False)
    actions = plan.actions[["school_id", "stage", "action"]]
    return dataclasses.replace(score(area, times, scenario, actions), title="Winter", notes=("Half of the pupils.",))


@pytest.fixture(scope="module")
def several(tiny):
    kept = dataclasses.replace(tiny.today, title="All kept", today=tiny.today)
    return [tiny.today, tiny.plan, strict(tiny.plan), in_winter(tiny.plan), kept]


@pytest.fixture(scope="module")
def path(tiny, several, tmp_path_factory):
    return draw(tiny.area, *several, lang="en").save(tmp_path_factory.mktemp("several") / "map.html")


def figure(value, unit, key=""):
    """A number as the scorecard has it; where nobody has such a trip there is none, and nothing is unknown."""
    if np.isnan(value):
        return "–" if key and INDICATORS[key].of_trips else "unknown"
    size = abs(value)
    digits = 3 if unit == "" else 2 if unit == "%" else 0 if size >= 1000 else 1 if size >= 10 else 2
    said = written(value, digits)
    return said.rstrip("0").rstrip(".") if "." in said else said


def said_by_python(plan):
    card = scorecard(plan)
    columns = ["plan"] if card["today"].isna().all() else ["today", "plan"]
    return [
        [row["label_en"], *(figure(row[key], row["unit"], row["indicator"]) for key in columns)]
        for _, row in card.iterrows()
    ]


def turn_to(page, view):
    slider = page.locator("#views input[type=range]")
    slider.focus()
    slider.press("Home")
    for _ in range(view):
        slider.press("ArrowRight")


@pytest.mark.browser
def test_the_slider_turns_everything_that_is_said_to_the_plan_shown(open_page, path, several):
    page = open_page(path)
    status = ["Not proven", "Optimal: proven, gap 0 %", "at most 2 % from the best", "Not proven", "Not proven"]
    norms = [30, 30, 15, 30, 30]
    for view in (3, 0, 2, 4, 1):
        plan = several[view]
        turn_to(page, view)
        rows = [row[: 2 + (plan.today is not None)] for row in page.evaluate(SCORES)]
        assert rows == said_by_python(plan), plan.title
        assert page.locator("#scores .title").text_content() == plan.title
        assert status[view] in page.locator("#scores .status").text_content()
        assert page.locator("#about li").all_text_contents() == list(plan.notes)
        assert f"Norm: at most {norms[view]} min" in page.locator("#key").text_content()
        assert f"(norm {norms[view]})" in page.locator("#headline").text_content()
        assert cards(page) == expected(plan), plan.title
        pupils = int(plan.assignment.loc[plan.assignment["band"] == "lower_primary", "pupils"].sum())
        page.locator("#layer-difference").check()
        page.locator("#layer-villages").check()
        assert counted(page, "layer-villages") == pupils


def counted(page, layer):
    """Pupils in the key of a layer."""
    section = page.locator("#key section", has=page.locator(f"#{layer}"))
    return sum(int(text.split()[0]) for text in section.locator("b").all_text_contents() if text)


@pytest.mark.browser
def test_tables_and_paper_are_of_the_plan_shown(open_page, path, several):
    page = open_page(path)
    for view, beyond in ((2, 10), (1, 0), (3, None)):
        turn_to(page, view)
        page.locator("#show-tables").click()
        page.get_by_text("Towns", exact=True).last.click()
        heads = page.locator("#listing thead th").all_text_contents()
        cells = [row.locator("th,td").all_text_contents() for row in page.locator("#listing tbody tr").all()]
        table = pd.DataFrame(cells, columns=[head.removesuffix(" ▲") for head in heads])
        assert table["Pupils"].astype(int).sum() == several[view].assignment["pupils"].sum()
        if beyond is not None:
            assert table["Pupils beyond the norm\nAfter"].astype(int).sum() == beyond
        page.locator("#shut-tables").click()
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        line = page.locator("#paper-line").text_content()
        assert several[view].title in line
        assert f"Norm: at most {15 if view == 2 else 30} min" in line
        page.evaluate("dispatchEvent(new Event('afterprint'))")


@pytest.mark.browser
def test_the_first_of_several_stands_alone(open_page, path):
    page = open_page(path)
    turn_to(page, 0)
    page.locator("#show-tables").click()
    heads = page.locator("#listing thead th").all_text_contents()
    assert [head for head in heads if "After" in head] == []
    page.locator("#shut-tables").click()
    press(page, "S2")
    page.keyboard.press("Control+z")
    assert "What if" in page.locator("#headline").text_content()
    turn_to(page, 0)
    heads = page.locator("#details thead th").all_text_contents()
    assert heads == ["Stage", "What happens", "Seats", "Pupils"]


@pytest.mark.browser
def test_what_if_asks_the_question_of_the_plan_it_begins_with(open_page, tmp_path):
    """Two questions about one county, other in norm, speed and pupils: the page says what Python says of either."""
    rng, today = drawn_county(3)
    ids = [str(school) for school in today.area.schools.index]
    actions = pd.DataFrame({"school_id": [ids[1]], "action": "close"})
    travel = today.scenario.travel.model_copy(update={"max_minutes": {"lower_primary": 17.3, "junior": 40.0}})
    area, scenario = come_true(
        today.area, today.scenario.model_copy(update={"travel": travel}), Future(name="x", pupils=0.7, speed=0.8)
    )
    times = travel_times(area, scenario.travel, cache=False)
    plans = [
        score(today.area, today.times, today.scenario, actions),
        score(area, times, scenario, actions),
    ]
    page = open_page(draw(today.area, today, *plans, lang="en").save(tmp_path / "map.html"))
    page.locator("#layer-others").check()
    for view, plan in ((1, plans[0]), (2, plans[1])):
        page.locator("#views label").nth(view).click()
        assert cards(page) == expected(plan)
        turned = set()
        for _ in range(4):
            school = str(rng.choice(ids))
            press(page, school)
            turned ^= {school}
            running = set(plan.actions.loc[~plan.actions["action"].isin(ENDED), "school_id"])
            tried = what_if(plan, close=sorted(turned & running), reopen=sorted(turned - running))
            assert cards(page) == expected(tried), (view, sorted(turned))


@pytest.mark.browser
def test_a_what_if_from_a_plan_can_be_taken_up_where_the_plan_is_shown(open_page, path):
    page = open_page(path)
    turn_to(page, 1)
    press(page, "S2")
    assert cards(page)["schools_open"] == "3"
    turn_to(page, 1)
    press(page, "S1")  # of the plan, where S2 is closed
    assert cards(page)["schools_open"] == "1"
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert cards(page)["schools_open"] == "3"
    assert page.locator("#scores .told").text_content() == "Of the plan, not of this what-if"


# ---------------------------------------------------------------- the data


def test_what_plans_share_is_in_the_page_once(tiny, several):
    data = data_of(draw(tiny.area, *several))
    assert data["whatif"]["of"] == [0, 0, 1, 2, 0]
    assert [plan["ground"] for plan in data["plans"]] == [0, 0, 0, 1, 0]
    assert [plan["layout"] for plan in data["plans"]] == [0, 1, 2, 0, 3]
    assert len(data["whatif"]["times"]) == 2  # as today, and at half the speed
    winter = data["whatif"]["questions"][2]["pupils"]
    assert np.sum(winter, axis=0).tolist() == [0, 15, 15, 3]
    assert data["whatif"]["questions"][1]["pupils"] is None


@pytest.mark.parametrize("norm", [29.96, 30.0, 29.9])
def test_norms_move_cells_of_shared_tables_only_where_they_must(tiny, norm):
    data = tiny.times.data.copy(deep=True)
    data["minutes"] = data["minutes"] + 9.96  # V2 is 29.96 minutes from S1, 9.96 from S2
    times = dataclasses.replace(tiny.times, trips=Trips.of(data))
    text = tiny_module.SCENARIO.replace("lower_primary = 30", f"lower_primary = {norm}")
    plans = [current_plan(tiny.area, times, scenario) for scenario in (tiny.scenario, parse_scenario(text))]
    found = data_of(draw(tiny.area, *plans))["whatif"]
    question = found["questions"][found["of"][1]]
    (table,) = found["times"]
    cells = {(village, school): value for _, village, school, value in question["moved"]}
    for i, village in enumerate(table["villages"]):
        for j, school in enumerate(table["schools"]):
            right = tenths(data["minutes"].values[1, village, school], [norm])
            assert cells.pop((village, school), table["tenths"][i][j]) == right
    assert cells == {}
    assert bool(question["moved"]) is (norm == 29.96)


def test_several_plans_of_a_county_stay_light(tiny, several):
    """Nine plans more of one question take little more than their own trips."""
    one = len(draw(tiny.area, tiny.today, tiny.plan).html)
    many = len(draw(tiny.area, tiny.today, *[dataclasses.replace(tiny.plan, title=f"{k}") for k in range(9)]).html)
    assert many - one < 9 * 1_000


def in_full(trips, asked, plan, counts):
    """As ``knownTrips`` of ``questions.js`` does it."""
    question = asked["questions"][asked["of"][plan]]
    moved = {(at, village, school): tenth for at, village, school, tenth in question["moved"]}
    for trip in trips:
        village, band, school = (trip[key] for key in ("village", "band", "school"))
        at = question["bands"][band]["times"]
        if trip["pupils"] is None:
            trip["pupils"] = (question["pupils"] or counts)[village][band]
        if trip["minutes"] is None and school >= 0:
            table = asked["times"][at]
            cell = table["tenths"][table["villages"].index(village)][table["schools"].index(school)]
            trip["minutes"] = moved.get((at, village, school), cell) / 10
    return trips


def test_trips_say_again_nothing_that_the_page_knows(tiny, several):
    """Nothing is lost by it: with what the tables and the villages say, they are the plans' own."""
    plans = [*several, unreachable(tiny.plan)]
    data = data_of(draw(tiny.area, *plans))
    counts = [village["pupils"] for village in data["villages"]]
    assert {trip["minutes"] for trip in data["plans"][1]["trips"]} == {None}
    for i, plan in enumerate(plans):
        found = in_full(data["plans"][i]["trips"], data["whatif"], i, counts)
        rows = to_tenths(plan).assignment
        assert [trip["pupils"] for trip in found] == rows["pupils"].tolist()
        minutes = [np.nan if trip["minutes"] is None else trip["minutes"] for trip in found]
        assert minutes == pytest.approx(rows["minutes"].tolist(), abs=1e-9, nan_ok=True)


@pytest.mark.browser
def test_a_plan_beside_a_plan_is_not_called_today(tiny, open_page, tmp_path):
    """Their names are on the buttons and on the sides of the swipe, and all figures are beside the first plan's."""
    other = dataclasses.replace(tiny.today, title="All kept", today=tiny.today)
    page = open_page(draw(tiny.area, tiny.plan, other, lang="en").save(tmp_path / "map.html"))
    heads = "() => [...document.querySelectorAll('#scores thead th')].map((th) => th.textContent)"
    beside = "() => [...document.querySelectorAll('#cards li')].map((li) => li.lastChild.textContent)"
    assert page.locator("#views label").all_inner_texts() == [tiny.plan.title, "All kept"]
    assert page.evaluate(heads) == ["Indicator", "First plan", "This plan", "Change"]
    shown = [row[:3] for row in page.evaluate(SCORES)]
    assert shown == [
        [row["label_en"], *(figure(row[key], row["unit"], row["indicator"]) for key in ("today", "plan"))]
        for _, row in scorecard(other, tiny.plan).iterrows()
    ]
    assert all(text.startswith("First plan") for text in page.evaluate(beside)[1:])
    page.locator("#show-swipe").click()
    assert page.get_by_role("slider", name=f"{tiny.plan.title} on the left, All kept on the right").count() == 1
