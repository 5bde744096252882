import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.draw import Blank, Drawing, blank_of, draw
from planner.draw.basemap import DEGREE, RANKS, encode, roads
from planner.draw.catchments import catchments
from planner.draw.isochrones import isochrones
from planner.draw.layers import payload
from planner.draw.pack import from_text, pack
from planner.draw.page import SCRIPTS, bare
from planner.draw.words import asset, words
from planner.indicators import INDICATORS
from planner.model import ACTIONS, BANDS, KIND_GRADES, MODES, STAGES
from planner.scenario import parse_scenario
from tests import tiny as tiny_module
from tests.test_whatif import CARDS
from tests.tiny import SCENARIO

ROOT = Path(__file__).parents[1]
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "{{ 7*7 }} {% raw %} {# #}",
    "`${alert(1)}` \\u003cb\\u003e $& \u2028\u2029 \"'&amp;",
]


class Tags(HTMLParser):
    """Every tag of a page, and what it would fetch."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.fetched, self.text = [], [], {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [v for k, v in attributes if k in ("src", "href", "srcset", "data", "action", "poster")]

    def handle_data(self, data):
        self.text.setdefault(self.tags[-1] if self.tags else "", []).append(data)


def hostile_plans():
    """The tiny county, every name of it hostile."""
    names = HOSTILE * 2
    area = tiny_module.make_area(
        title=f"Tiny {HOSTILE[1]}", attribution=tuple(HOSTILE), assumptions=tuple(HOSTILE), data_date=HOSTILE[0]
    )
    area = dataclasses.replace(
        area,
        schools=area.schools.assign(name=names[:3]),
        demand=area.demand.assign(name=names[1:5]),
        towns=area.towns.assign(name=names[:2]),
    )
    made = tiny_module.make()
    today = dataclasses.replace(made.today, area=area, title=HOSTILE[3], notes=tuple(HOSTILE))
    return area, today, dataclasses.replace(made.plan, area=area, title=HOSTILE[1], today=today)


def data_of(drawing):
    return from_text(re.search(r'id="plan-data">(.*?)</script>', drawing.html)[1])


def unreachable(plan):
    """The plan with V4 off the network and V1's upper primary without a seat."""
    rows = plan.assignment.copy()
    lost = (rows["demand_id"] == "V4") | ((rows["demand_id"] == "V1") & (rows["band"] == "upper_primary"))
    rows.loc[lost, ["minutes", "km"]] = np.nan
    rows.loc[lost, ["school_id", "mode"]] = ""
    rows.loc[lost, "reason"] = np.where(rows.loc[lost, "demand_id"] == "V4", "unreachable", "no_seat")
    return dataclasses.replace(plan, assignment=rows)


@pytest.fixture(scope="module")
def page(tiny):
    return draw(tiny.area, tiny.today, tiny.plan)


def test_a_blank_map_from_another_process_makes_the_same_page(tiny):
    blank = Blank.of_bytes(blank_of(tiny.area, "en").to_bytes())
    assert draw(tiny.area, tiny.today, tiny.plan, blank=blank) == draw(tiny.area, tiny.today, tiny.plan, lang="en")
    with pytest.raises(ValueError, match="another"):
        draw(dataclasses.replace(tiny.area, title="another"), blank=blank)


def test_the_page_fetches_nothing(page):
    found = Tags(page.html)
    assert all(url.startswith(("data:", "#")) for url in found.fetched)
    assert "link" not in found.tags
    urls = [url for css in found.text["style"] for url in re.findall(r"url\(([^)]*)\)", css)]
    assert urls
    assert all(url.startswith(("data:image/png;base64,", "#default#VML")) for url in urls)
    assert "@import" not in page.html
    assert "connect-src" not in page.html
    assert "default-src 'none'" in page.html


def test_every_script_is_allowed_by_its_hash(page):
    import base64
    import hashlib

    for script in re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in page.html
    assert "unsafe-eval" not in page.html
    assert "'unsafe-inline'" not in re.search(r"script-src[^;]*", page.html)[0]


def test_hostile_names_make_no_tag(page):
    area, today, plan = hostile_plans()
    drawing = draw(area, today, plan, lang="en")
    assert Tags(drawing.html).tags == Tags(page.html).tags
    for name in HOSTILE[:3]:
        assert name not in drawing.html
    data = data_of(drawing)
    assert [school["name"] for school in data["schools"]] == HOSTILE[:3]
    assert data["area"]["attribution"] == HOSTILE
    assert {school["id"] for school in data["schools"]} == {"S1", "S2", "S3"}


def test_drawing_is_deterministic(tiny, page):
    assert draw(tiny.area, tiny.today, tiny.plan).html == page.html


def test_nothing_is_changed_in_folium(tiny):
    import folium

    draw(tiny.area)
    assert any(name == "leaflet" and url.startswith("https") for name, url in folium.Map.default_js)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_without_its_comments_and_indents_is_the_same_script(name):
    script = asset(name)
    assert all(
        line.count("`") % 2 == 0 for line in script.splitlines()
    )  # no text runs over lines: it would lose indents
    lines = [line.strip() for line in re.sub(r"/\*.*?\*/", "", script, flags=re.DOTALL).splitlines()]
    assert bare(script).splitlines() == [line for line in lines if line]


def test_languages_are_complete():
    used = set()
    for name in SCRIPTS:
        used |= set(re.findall(r'\b(?:t|press|counted|text|number|figures)\("([\w.]+)"', asset(name)))
        used |= set(re.findall(r'key: "([\w.]+)"', asset(name)))
    used |= {f"card.{key}" for key in CARDS} | {f"short.{band}" for band in BANDS}
    used |= set(re.findall(r'data-(?:word|label|hint)="([\w.]+)"', asset("page.html")))
    used |= {f"band.{b}" for b in BANDS} | {f"stage.{s}" for s in STAGES} | {f"kind.{k}" for k in KIND_GRADES}
    used |= {f"state.{a}" for a in ACTIONS} | {f"mode.{m}" for m in MODES} | {f"roads.{r}" for r in RANKS}
    used |= {f"unit.{i.unit}" for i in INDICATORS.values() if i.unit}
    used |= {"better", "worse", "same", "incomparable", "unknown"}
    assert used <= set(words()), used - set(words())
    for key, said in words().items():
        assert set(said) == {"en", "zh"}, key
        assert all(said.values()), key
        assert re.findall(r"\{\w+\}", said["en"]) == re.findall(r"\{\w+\}", said["zh"]), key


@pytest.mark.parametrize(("lang", "tag"), [("zh", "zh"), ("en", "en")])
def test_page_says_its_language(tiny, lang, tag):
    assert f'<html lang="{tag}">' in draw(tiny.area, lang=lang).html


def test_another_language_is_refused(tiny):
    with pytest.raises(ValueError, match="choose one of zh, en"):
        draw(tiny.area, lang="fr")


def test_no_plan_and_no_towns(tiny):
    assert data_of(draw(tiny.area))["plans"] == []
    bare = dataclasses.replace(
        tiny.area, towns=tiny.area.towns.assign(geometry=[shapely.Polygon(), None]), synthetic=False
    )
    data = data_of(draw(bare, tiny.plan))
    assert data["towns"] == []
    assert data["bounds"] is not None
    assert len(data["plans"][0]["catchments"]["primary"]) == 2
    level = dataclasses.replace(bare, assumptions=("Roads are level.",))
    assert [data_of(draw(area))["area"]["assumed"] for area in (bare, level)] == [False, True]
    none = dataclasses.replace(tiny.area, towns=tiny.area.towns.iloc[:0])
    assert data_of(draw(none, tiny.plan))["towns"] == []


def test_an_empty_area(tiny):
    a = tiny.area
    empty = dataclasses.replace(
        a,
        schools=a.schools.iloc[:0],
        demand=a.demand.iloc[:0],
        pupils=a.pupils.iloc[:0],
        towns=a.towns.iloc[:0],
        roads=dataclasses.replace(a.roads, edges=a.roads.edges.iloc[:0]),
    )
    assert data_of(draw(empty))["bounds"] is None


def test_unknown_and_unreachable_are_null(tiny):
    plan = unreachable(tiny.plan)
    data = data_of(draw(tiny.area, tiny.today, plan))
    lost = [trip for trip in data["plans"][1]["trips"] if trip["school"] < 0]
    assert {(trip["village"], trip["minutes"], trip["km"], trip["reason"]) for trip in lost} == {
        (3, None, None, "unreachable"),
        (0, None, None, "no_seat"),
    }
    (question,) = data["whatif"]["questions"]
    assert question["limits"] == {"kindergarten": None, "lower_primary": 30, "upper_primary": None, "junior": None}
    assert data["plans"][0]["gap"] is None
    assert "NaN" not in json.dumps(data)
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack([float("nan")])


def test_the_scorecard_compares_with_the_first_plan(tiny):
    alone = dataclasses.replace(tiny.plan, today=None)
    data = data_of(draw(tiny.area, tiny.today, alone))
    before, after = (scores_of(data, i) for i in (0, 1))
    assert after["schools_open"] == (3, 2, "")
    assert after["mean_minutes"][2] == "worse"
    assert before["schools_open"] == (None, 3, "")


def scores_of(data, plan):
    """Of a plan in the page's data: indicator -> before, after, and which is better."""
    names, scores = [row["indicator"] for row in data["indicators"]], data["plans"][plan]["scores"]
    return dict(zip(names, zip(*(scores[key] for key in ("today", "plan", "change")), strict=True), strict=True))


def test_a_frame_made_by_hand_is_shown(tiny):
    frame = pd.DataFrame(
        [("x", "X", "某", "min", "lower", float("nan"), 2.5, "")],
        columns=["indicator", "label_en", "label_zh", "unit", "direction", "today", "plan", "change"],
    )
    data = payload(tiny.area, [tiny.plan], [frame])
    assert scores_of(data, 0) == {"x": (None, 2.5, "")}
    assert data["indicators"][0]["label_zh"] == "某"


def test_coordinates_go_out_in_wgs84(tiny):
    school = payload(tiny.area, [])["schools"][0]
    point = gpd.GeoSeries(tiny.area.schools.geometry.iloc[:1]).to_crs(4326).iloc[0]
    assert school["at"] == pytest.approx([point.y, point.x], abs=1e-5)


def test_lines_decode_to_where_they_were():
    line = shapely.LineString([(108.3, 35.1), (108.30001, 35.10003), (108.4, 35.0)])
    steps = np.array(encode([line])[0]).reshape(-1, 2)
    assert np.cumsum(steps, axis=0) / DEGREE == pytest.approx(shapely.get_coordinates(line), abs=1e-5)


def test_heavy_networks_lose_their_least_roads_first(tiny):
    edges = tiny.area.roads.edges.assign(road_class=["path", "residential", "primary"])
    area = dataclasses.replace(tiny.area, roads=dataclasses.replace(tiny.area.roads, edges=edges))
    drawn = roads(area, vertices=2)
    assert drawn["dropped"] == ["path", "local"]
    assert [rank for rank in RANKS if drawn["lines"][rank]] == ["main"]


def test_pupils_on_roads_are_those_of_each_layout(tiny):
    (ground,) = data_of(draw(tiny.area, tiny.today, tiny.plan))["grounds"]
    data = ground["flows"]
    ends = {
        tuple(sorted(np.round(decoded(line)[[0, -1], 0], 3))): n
        for line, n in zip(data["lines"], data["pupils"], strict=True)
    }
    assert sorted(ends.values()) == [[0, 10], [2, 12], [10, 0]]
    first = gpd.GeoSeries(tiny.area.roads.edges.geometry.iloc[:1]).to_crs(4326).iloc[0]
    assert ends[tuple(round(x, 3) for x, _ in first.coords)] == [0, 10]
    assert data_of(draw(tiny.area))["grounds"][0]["flows"] == {"lines": [], "pupils": [], "ways": {}, "dropped": False}


def decoded(line):
    return np.cumsum(np.array(line).reshape(-1, 2), axis=0) / DEGREE


def test_isochrones_are_left_out_where_they_would_be_too_many(tiny):
    found = isochrones(tiny.area, [tiny.today, tiny.plan], rides=3)
    assert found["dropped"]
    assert found["sets"] == found["lines"] == []
    assert found["of"] == [[[]] * 4] * 2
    assert not isochrones(tiny.area, [])["dropped"]


def test_a_bus_counts_where_it_is_quicker(tiny):
    text = SCENARIO.replace('modes = ["walk"]', 'modes = ["walk", "bus"]\nbus_wait_minutes = 3')
    plan = dataclasses.replace(tiny.plan, scenario=parse_scenario(text))
    found = isochrones(tiny.area, [plan])
    (junior,) = found["of"][0][3]
    rides = np.array(found["sets"][junior]["rides"]).reshape(-1, 5)
    # Junior pupils to S3, 1.5 km at 25 km/h a road: walking is quicker on the last road alone, and only near its end.
    assert rides[:, 3:].tolist() == [[200, 0], [138, 102], [102, 66], [66, 30]]
    assert rides[0, 0] == rides[3, 0]
    assert (rides[:, 1:3] == [0, 1000]).all()


def test_the_walk_to_a_stop_is_limited_on_the_map(tiny):
    """The bus drives on the first two roads only; to S1 one walks to V3, 3 km by bus and a wait of 3 away."""
    edges = tiny.area.roads.edges.assign(bus=[True, True, False])
    area = dataclasses.replace(tiny.area, roads=dataclasses.replace(tiny.area.roads, edges=edges))
    text = SCENARIO.replace('modes = ["walk"]', 'modes = ["walk_bus"]\nbus_wait_minutes = 3')
    plan = dataclasses.replace(tiny.plan, area=area, scenario=parse_scenario(text))
    found = isochrones(area, [plan])
    (lower,) = found["of"][0][1]
    drawn = found["sets"][lower]
    assert drawn["within"] == 562.5  # 15 minutes of land
    rides = np.array(drawn["rides"]).reshape(-1, 5)
    walked = np.array(drawn["most"]) < 300
    assert rides[walked, 1:].tolist() == [[0, 750, 102, 252]]
    assert np.array(drawn["most"])[walked].tolist() == [252]


def test_catchments_are_those_of_open_schools(tiny):
    rows = {school: i for i, school in enumerate(tiny.area.schools.index)}
    assert [part["school"] for part in catchments(tiny.area, tiny.today, rows)["primary"]] == [0, 1, 2]


def test_catchments_leave_out_who_has_no_school(tiny):
    plan = unreachable(tiny.plan)
    rows = {school: i for i, school in enumerate(tiny.area.schools.index)}
    assert [part["school"] for part in catchments(tiny.area, plan, rows)["primary"]] == [0, 2]


def test_saving_is_whole_and_makes_folders(tmp_path):
    path = Drawing("<p>旬邑</p>").save(tmp_path / "a" / "b" / "map.html")
    assert path.read_text("utf-8") == "<p>旬邑</p>"
    assert [p.name for p in path.parent.iterdir()] == ["map.html"]


def test_a_notebook_gets_an_escaped_frame():
    shown = Drawing('<b title="x">&</b>')._repr_html_()
    assert 'srcdoc="&lt;b title=&quot;x&quot;&gt;&amp;&lt;/b&gt;"' in shown


def test_xunyi_is_light():
    from planner.area import read_area
    from planner.plan import current_plan
    from planner.scenario import read_scenario
    from planner.travel import travel_times

    area = read_area(ROOT / "data" / "xunyi")
    scenario = read_scenario(ROOT / "data" / "xunyi" / "scenarios" / "county-2023.toml")
    today = current_plan(area, travel_times(area, scenario.travel), scenario)
    assert len(draw(area, today, today).html.encode()) < 500_000
