"""Speeds and paces: the tables, the law on bends, narrow and iced roads, and where a bus cannot go."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.area import read_area, write_area
from planner.model import ROAD_CLASSES, ROAD_MODES, SURFACES, Roads
from planner.roads import bend_shares, from_lines, paces, speeds_kmh
from planner.roads.bends import ROUNDED_M, SHARP_RADIUS_M
from planner.roads.speeds import CAP_KMH, SLOW_KMH, SPEED_KMH, SURFACE_FACTORS
from planner.scenario import Travel, parse_scenario
from tests.test_roads import CRS, edge_of
from tests.test_scenario import message


def kmh(mode, travel=None, **tags):
    """The speed with the line of one straight residential road of these tags; 0 where the mode may not go."""
    return edge_kmh(edge_of(**tags), mode, travel)


def edge_kmh(edge, mode, travel=None):
    ahead, _ = paces(edge, mode, travel or Travel())
    return 0.06 / ahead[0] if len(ahead) else 0.0


def bent(angle_deg, before=300.0, after=300.0):
    """A line that turns once."""
    turn = np.radians(angle_deg)
    return shapely.LineString([(0, 0), (before, 0), (before + after * np.cos(turn), after * np.sin(turn))])


def arc(radius, turn_deg, steps):
    """Points along a circle."""
    angle = np.radians(np.linspace(0, turn_deg, steps + 1))
    return shapely.LineString(radius * np.column_stack([np.sin(angle), 1 - np.cos(angle)]))


@pytest.mark.parametrize("mode", ROAD_MODES)
def test_tables_name_known_classes_and_surfaces_only(mode):
    assert set(SPEED_KMH[mode]) <= {"", *ROAD_CLASSES}
    assert set(SURFACE_FACTORS[mode]) <= {"", *SURFACES}
    assert max(SPEED_KMH[mode].values()) <= max(CAP_KMH.get(mode, np.inf), 80)


@pytest.mark.parametrize(
    ("tags", "modes"),
    [
        ({}, "walk bicycle ebike bus car"),
        ({"highway": "motorway"}, "bus car"),
        ({"highway": "motorway", "foot": "yes", "bicycle": "yes"}, "bus car"),
        ({"highway": "trunk", "motorroad": "yes"}, "bus car"),
        ({"highway": "path"}, "walk bicycle ebike"),
        ({"highway": "track"}, "walk bicycle ebike"),
        ({"highway": "track", "tracktype": "grade1", "motor_vehicle": "yes"}, "walk bicycle ebike"),
        ({"highway": "unclassified", "tracktype": "grade3"}, "walk bicycle ebike car"),
        ({"width": "3.0"}, "walk bicycle ebike car"),
        ({"width": "3.1"}, "walk bicycle ebike bus car"),
        ({"est_width": "2.5 m"}, "walk bicycle ebike car"),
        ({"width": "6", "maxwidth": "2"}, "walk bicycle ebike car"),
        ({"width": "1.5"}, "walk bicycle ebike"),
        ({"maxweight": "3.5"}, "walk bicycle ebike car"),
        ({"maxweight": "20 t"}, "walk bicycle ebike bus car"),
        ({"maxheight": "2.8"}, "walk bicycle ebike car"),
        ({"maxheight": "default"}, "walk bicycle ebike bus car"),
        ({"motorcar": "no"}, "walk bicycle ebike bus"),
        ({"bus": "no"}, "walk bicycle ebike car"),
        ({"motor_vehicle": "forestry"}, "walk bicycle ebike"),
        ({"access": "private", "motor_vehicle": "yes"}, "ebike bus car"),
        ({"bicycle": "no"}, "walk ebike bus car"),
        ({"bicycle": "no", "motorcycle": "no"}, "walk bus car"),
        ({"vehicle": "no", "psv": "yes"}, "walk bus"),
        ({"highway": "pedestrian"}, "walk"),
    ],
)
def test_who_may_use_a_road(tags, modes):
    edge = edge_of(**tags)
    assert " ".join(mode for mode in ROAD_MODES if edge[mode].any()) == modes


@pytest.mark.parametrize(
    ("mode", "tags", "expected"),
    [
        ("bus", {"highway": "motorway", "maxspeed": "120"}, 80),
        ("bus", {"highway": "trunk", "maxspeed": "120"}, 60),
        ("car", {"highway": "trunk", "maxspeed": "40"}, 40),
        ("car", {"highway": "trunk", "surface": "gravel"}, 70 * 0.7),
        ("ebike", {"highway": "trunk"}, 20),
        ("bicycle", {"maxspeed": "10"}, 10),
        ("walk", {"maxspeed": "3"}, 4.5),
        ("walk", {"surface": "mud"}, 4.5 * 0.9),
        ("bus", {"highway": "primary", "surface": "mud"}, 20),
        ("bus", {"highway": "primary", "width": "3.4"}, 20),
        ("bus", {"highway": "primary", "width": "3.5"}, 50),
        ("bus", {"highway": "primary", "lanes": "1"}, 20),
        ("bus", {"highway": "primary", "lanes": "1", "oneway": "yes"}, 50),
        ("car", {"highway": "primary", "lanes": "1"}, 30),
        ("bicycle", {"highway": "primary", "lanes": "1"}, 13),
    ],
)
def test_speeds_by_class_surface_sign_and_law(mode, tags, expected):
    assert kmh(mode, **tags) == pytest.approx(expected)


def test_winter():
    winter = Travel(winter=True)
    assert kmh("bus", winter, highway="primary") == 50  # cleared
    assert kmh("bus", winter, highway="primary_link") == 50
    assert kmh("bus", winter, highway="tertiary") == 20
    assert kmh("bus", winter, highway="service") == 15
    assert kmh("bus", Travel(winter=True, winter_cleared=("tertiary",)), highway="primary") == 20
    assert kmh("car", winter, highway="tertiary") == 30
    assert kmh("bicycle", winter) == pytest.approx(13 * 0.7)
    assert 60 / kmh("walk", winter) == pytest.approx(60 / 4.5 + 2)  # min per km on ice
    assert 60 / kmh("walk", winter, highway="primary") == pytest.approx(60 / 4.5 + 1)


def test_a_scenario_changes_speeds_and_factors_but_not_the_law():
    travel = Travel(speeds={"bus": {"residential": 90}, "walk": {"": 3}}, surface_factors={"bus": {"gravel": 0.5}})
    assert kmh("bus", travel) == 60
    assert kmh("bus", travel, surface="gravel") == 45
    assert kmh("bus", travel, surface="dirt") == 60  # 63 by the table
    assert kmh("walk", travel, highway="pedestrian") == pytest.approx(3)
    assert kmh("bus", Travel(surface_factors={"bus": {"": 0.5}})) == pytest.approx(12.5)
    assert kmh("bus", Travel(speeds={"bus": {"residential": 0}})) == 0


def test_unknown_classes_surfaces_and_modes_are_refused_with_the_nearest_spelling():
    said = message(
        'title = "A"\n[travel]\nwinter_cleared = ["primray"]\n[travel.speeds.bus]\ntertairy = 30\n'
        "[travel.surface_factors.bus]\ngravle = 0.5\n"
    )
    assert said.splitlines() == [
        "a.toml: travel.speeds.bus.tertairy is not a key here. Did you mean tertiary?",
        "a.toml: travel.surface_factors.bus.gravle is not a key here. Did you mean gravel?",
        "a.toml: travel.winter_cleared: 'primray' is no class of road. Did you mean primary?",
    ]
    assert message('title = "A"\n[travel.speeds.buss]\nprimary = 30\n') == (
        "a.toml: travel.speeds.buss: 'buss' is no word for it. Did you mean bus?"
    )
    assert "Did you mean walk?" in message('title = "A"\n[travel]\nmodes = ["wlak"]\n')
    assert parse_scenario('title = "A"\n[travel.speeds.bus]\n"" = 30\n').travel.speeds["bus"][""] == 30


# --- bends


def test_one_corner_by_hand():
    """A right angle: 15 m before it and after it at 20 km/h, whatever the length of the pieces beyond."""
    share = bend_shares(np.array([bent(90)]))
    assert share.tolist() == [pytest.approx(30 / 600)]
    edge = edge_of(highway="primary").assign(bend_share=share)
    assert 1 / edge_kmh(edge, "bus") == pytest.approx(0.95 / 50 + 0.05 / 20)
    assert 1 / edge_kmh(edge, "car") == pytest.approx(0.95 / 60 + 0.05 / 30)
    assert edge_kmh(edge, "bicycle") == pytest.approx(13)
    assert edge_kmh(edge_of(highway="service").assign(bend_share=1.0), "bus") == pytest.approx(15)


def test_a_bend_is_sharp_by_its_radius_not_by_its_vertices():
    limit = np.degrees(2 * np.arctan(ROUNDED_M / SHARP_RADIUS_M))
    shares = bend_shares(np.array([bent(limit - 0.1), bent(limit + 0.1), bent(-90), bent(180)]))
    assert (shares > 0).tolist() == [False, True, True, True]
    for steps in (9, 18, 60):
        tight, wide = bend_shares(np.array([arc(25, 180, steps), arc(40, 180, steps)]))
        assert (tight, wide) == (pytest.approx(1 - 1 / steps), 0)  # half a piece at either end has no bend


def test_lines_without_bends_and_odd_lines():
    lines = [bent(0), shapely.LineString([(0, 0), (0, 0)]), shapely.LineString([(0, 0), (9, 0), (9, 0), (18, 0)])]
    assert bend_shares(np.array(lines)).tolist() == [0, 0, 0]
    assert bend_shares(np.array([], dtype=object)).tolist() == []


def turns(rng):
    heading = np.cumsum(rng.uniform(-1.6, 1.6, rng.integers(2, 12)))
    step = rng.uniform(5, 120, len(heading))[:, None] * np.column_stack([np.cos(heading), np.sin(heading)])
    return np.vstack([[0, 0], np.cumsum(step, axis=0)])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_a_road_cut_at_a_vertex_loses_the_bend_there_and_no_more(seed):
    rng = np.random.default_rng(seed)
    xy = turns(rng)
    cut = int(rng.integers(1, len(xy) - 1))
    whole, *halves = (shapely.LineString(part) for part in (xy, xy[: cut + 1], xy[cut:]))
    there = shapely.LineString(xy[cut - 1 : cut + 2])
    metres = [float(line.length * bend_shares(np.array([line]))[0]) for line in (whole, *halves, there)]
    assert metres[1] + metres[2] == pytest.approx(metres[0] - metres[3])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_bends_are_the_same_from_either_end(seed):
    line = shapely.LineString(turns(np.random.default_rng(seed)))
    assert bend_shares(np.array([line]))[0] == pytest.approx(bend_shares(np.array([line.reverse()]))[0])


def test_a_bent_road_that_is_added_does_not_slow_a_straight_one():
    """Also where the two become one ring, or one road through a place where nothing else meets."""
    straight = {"geometry": shapely.LineString([(0, 0), (1000, 0)]), "highway": "residential"}
    around = straight | {"geometry": shapely.LineString([(1000, 0), (1000, 800), (0, 800), (0, 0)])}
    beyond = straight | {"geometry": shapely.LineString([(1000, 0), (1500, 0), (1500, 900)])}
    for lines in ([straight], [straight, around], [straight, beyond], [around, straight, beyond]):
        roads = from_lines(gpd.GeoDataFrame(lines, geometry="geometry", crs=CRS), CRS)
        assert sorted(roads.edges["bend_share"] > 0) == [False] + [True] * (len(lines) - 1)
        assert edge_kmh(roads.edges[roads.edges["bend_share"] == 0], "bus") == pytest.approx(25)


# --- all modes


@st.composite
def edges(draw):
    """Edges of any class, surface, sign, width, bend and slope."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = 40
    frame = pd.DataFrame(
        {
            "road_class": rng.choice(ROAD_CLASSES, n),
            "surface": rng.choice(["", *SURFACES], n),
            "maxspeed_kmh": rng.choice([np.nan, 20, 50, 90], n),
            "oneway": rng.choice([-1, 0, 1], n),
            "width_m": rng.choice([np.nan, 3.2, 6], n),
            "lanes": rng.choice([np.nan, 1, 2], n),
            "bend_share": rng.choice([0, 0.3, 1], n),
            "steep_share": rng.uniform(0, 1, n),
        }
    )
    frame = frame.assign(**{mode: rng.random(n) < 0.8 for mode in ROAD_MODES})
    ways = [f"slope_{mode}_{way}" for mode in ("walk", "bicycle", "ebike", "bus") for way in ("ahead", "back")]
    return frame.assign(**{name: rng.uniform(0.8, 3, n) for name in ways})


@settings(max_examples=60, deadline=None)
@given(edges(), st.sampled_from(ROAD_MODES), st.booleans(), st.floats(1, 4), st.floats(1, 2))
def test_no_higher_speed_no_better_surface_and_no_thaw_raises_a_time(frame, mode, winter, faster, smoother):
    table = {word: 5.0 + 3 * i for i, word in enumerate(("", *ROAD_CLASSES))}
    slow = Travel(winter=winter, speeds={mode: table}, surface_factors={mode: {"": 0.5, "gravel": 0.4}})
    fast = Travel(
        winter=winter,
        speeds={mode: {word: faster * kmh for word, kmh in table.items()}},
        surface_factors={mode: {"": 0.5 * smoother, "gravel": 0.4 * smoother}},
    )
    before, after = np.concatenate(paces(frame, mode, slow)), np.concatenate(paces(frame, mode, fast))
    assert (np.isinf(before) == np.isinf(after)).all()
    assert (after <= before * (1 + 1e-12)).all()
    thawed = np.concatenate(paces(frame, mode, fast.model_copy(update={"winter": False})))
    assert (thawed <= after * (1 + 1e-12)).all()


@settings(max_examples=30, deadline=None)
@given(edges(), st.sampled_from(ROAD_MODES))
def test_reversing_every_edge_swaps_the_two_directions(frame, mode):
    other = {"ahead": "back", "back": "ahead"}
    swapped = {c: c.rsplit("_", 1)[0] + "_" + other[c.rsplit("_", 1)[1]] for c in frame if c.startswith("slope_")}
    ahead, back = paces(frame, mode, Travel())
    again = paces(frame.rename(columns=swapped).assign(oneway=-frame["oneway"]), mode, Travel())
    np.testing.assert_allclose(again, (back, ahead))


@settings(max_examples=30, deadline=None)
@given(edges(), st.booleans())
def test_the_school_bus_rule_holds_on_every_edge(frame, winter):
    """Nowhere faster than 60 km/h (80 on expressways), and 20 where all of an edge is bent."""
    fast = Travel(winter=winter, speeds={"bus": dict.fromkeys(("", *ROAD_CLASSES), 200.0)})
    level = frame.drop(columns=[c for c in frame if c.startswith("slope_")])
    speed = 0.06 / np.minimum(*paces(level, "bus", fast))
    express = frame["road_class"].isin(["motorway", "motorway_link"])
    assert (speed <= np.where(express, 80, 60) + 1e-9).all()
    assert (speed[frame["bend_share"] == 1] <= SLOW_KMH["bus"] + 1e-9).all()


# --- networks of an earlier version


def test_an_older_road_file_is_read_with_what_can_be_told(tiny, tmp_path):
    roads = tiny.area.roads
    older = roads.edges.drop(columns=["ebike", "car", "width_m", "lanes", "off_ground", "bend_share"])
    older = older.assign(bicycle=False, bus=[True, False, True], road_class=["motorway", "path", "tertiary"])
    older.geometry = [bent(90), *older.geometry[1:]]
    folder = write_area(dataclasses.replace(tiny.area, roads=Roads(older, roads.nodes)), tmp_path / "older")
    edges = read_area(folder).roads.edges
    assert edges["car"].tolist() == [True, False, True]
    assert edges["ebike"].tolist() == [False, False, True]
    assert edges["bend_share"].tolist() == [pytest.approx(0.05), 0, 0]
    assert edges[["width_m", "lanes"]].isna().all(axis=None)
    for mode in ROAD_MODES:
        np.testing.assert_array_equal(speeds_kmh(older, mode), speeds_kmh(edges, mode))
