"""What closing a road does: equal to the travel times without it, one road after another."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.model import MODES, Roads
from planner.scenario import Travel
from planner.travel import criticality, cut_off, path, travel_times
from planner.travel.routes import directions_of
from tests.test_travel import area_of, networks, road
from tests.test_ways import ALL_SORTS


def assigned(area, travel, seed):
    """Pupils of two bands, each to a random school that they can reach, as a plan has it."""
    rng, rows, times = np.random.default_rng(seed), [], travel_times(area, travel).data
    for band in ("lower_primary", "junior"):
        minutes, mode = (times[name].sel(band=band).to_numpy() for name in ("minutes", "mode"))
        for i in range(len(area.demand)):
            reached = np.flatnonzero(np.isfinite(minutes[i]))
            if len(reached):
                j = rng.choice(reached)
                pair = area.demand.index[i], band, area.schools.index[j]
                rows.append((*pair, MODES[mode[i, j]], int(rng.integers(1, 20))))
    return pd.DataFrame(rows, columns=["demand_id", "band", "school_id", "mode", "pupils"])


def by_hand(area, travel, rows):
    """A function of an edge: pupils lost and longer, and extra minutes, from the travel times of all without it."""
    before = travel_times(area, travel).data["minutes"]
    used = [
        {
            edge
            for way in directions_of(travel)
            for edge in path(area, travel, row.demand_id, row.school_id, mode=row.mode, direction=way).edges["edge"]
        }
        for row in rows.itertuples()
    ]

    def without(edge):
        edges = area.roads.edges.drop(index=edge).reset_index(drop=True)
        closed = dataclasses.replace(area, roads=Roads(edges, area.roads.nodes))
        after = travel_times(closed, travel).data["minutes"]
        more = np.zeros(len(rows))
        for i, row in enumerate(rows.itertuples()):
            if edge in used[i]:
                place = {"band": row.band, "demand": row.demand_id, "school": row.school_id}
                more[i] = after.sel(place).item() - before.sel(place).item()
        pupils, longer = rows["pupils"].to_numpy(), more > 1e-6
        mean = np.average(more[longer], weights=pupils[longer]) if longer.any() else np.nan
        most = more[longer].max() if longer.any() else np.nan
        return pupils[np.isnan(more)].sum(), pupils[longer].sum(), mean, most

    return without


def some_edges(area, seed):
    return np.random.default_rng(seed).permutation(len(area.roads.edges))[:EDGES].tolist()


EDGES = 6
MODES_BY_BAND = {"lower_primary": ("walk",), "junior": ("walk", "bus")}
ON_FOOT_TO_THE_BUS = {"lower_primary": ("walk",), "junior": ("walk_bus",)}


@settings(max_examples=5, deadline=None)
@given(
    networks(ALL_SORTS),
    st.integers(0, 10**6),
    st.sampled_from([60.0, 2000.0]),
    st.sampled_from([MODES_BY_BAND, ON_FOOT_TO_THE_BUS]),
    st.sampled_from(["to_school", "both"]),
)
def test_equal_to_the_travel_times_without_the_road(area, seed, within_m, modes, trip):
    travel = Travel(modes_by_band=modes, max_access_m=within_m, walk_max_minutes=45, trip=trip)
    rows = assigned(area, travel, seed)
    found = criticality(area, travel, rows, top=len(area.roads.edges)).set_index("edge")
    without = by_hand(area, travel, rows)
    for edge in some_edges(area, seed):
        lost, longer, mean, most = without(edge)
        if edge not in found.index:
            assert lost + longer == 0
            continue
        line = found.loc[edge]
        assert (line["pupils_lost"], line["pupils_longer"]) == (lost, longer)
        assert [line["extra_minutes_mean"], line["extra_minutes_max"]] == pytest.approx([mean, most], nan_ok=True)
    assert found["pupils_lost"].is_monotonic_decreasing


@settings(max_examples=6, deadline=None)
@given(networks(), st.integers(0, 10**6), st.sampled_from([30.0, 60.0, 150.0]), st.sampled_from([90.0, np.inf]))
def test_whom_a_road_cuts_off(area, seed, within_m, limit):
    """Without one-way streets and a walking limit: exactly those who lose their way. With them: no more."""
    travel = Travel(modes_by_band=MODES_BY_BAND, max_access_m=within_m, walk_max_minutes=limit)
    both = dataclasses.replace(area, roads=Roads(area.roads.edges.assign(oneway=0), area.roads.nodes))
    for county, exact in ((both, limit == np.inf), (area, False)):
        rows = assigned(county, travel, seed)
        found, without = cut_off(county, travel, rows), by_hand(county, travel, rows)
        for edge in some_edges(area, seed):
            lost = without(edge)[0]
            if exact:
                assert found.get(edge, 0) == lost
            assert found.get(edge, 0) <= lost


@settings(max_examples=3, deadline=None)
@given(networks(ALL_SORTS), st.integers(0, 10**6), st.sampled_from([30.0, 150.0]), st.sampled_from([2.0, 60.0]))
def test_whom_a_road_cuts_off_from_the_bus(area, seed, within_m, limit):
    """No more than lose their way."""
    travel = Travel(modes_by_band=ON_FOOT_TO_THE_BUS, max_access_m=within_m, walk_to_stop_max_minutes=limit)
    rows = assigned(area, travel, seed)
    found, without = cut_off(area, travel, rows), by_hand(area, travel, rows)
    for edge in {*found.nlargest(3).index.tolist(), *some_edges(area, seed)[:2]}:
        assert found.get(edge, 0) <= without(edge)[0]


def test_a_footpath_and_a_road_of_the_bus_are_links_of_its_pupils():
    lines = [
        road([(0, 600), (0, 0)], highway="footway", name="path"),
        road([(0, 0), (3000, 0)], name="road"),
    ]
    area = area_of(lines, demand=[(0, 600), (0, 0)], schools=[(3000, 0)])
    travel = Travel(modes=("walk_bus",), max_access_m=50)
    rows = pd.DataFrame(
        {"demand_id": ["V1", "V2"], "band": "junior", "school_id": "S1", "mode": "walk_bus", "pupils": [7, 4]}
    )
    found = criticality(area, travel, rows)
    assert found[["name", "pupils", "pupils_lost"]].values.tolist() == [["road", 11, 11], ["path", 7, 7]]
    assert cut_off(area, travel, rows).sort_index().to_list() == [7, 11]


def test_a_bridge_and_a_ring():
    """A village behind a bridge; another on a ring whose long side is 4 km longer."""
    lines = [road([(0, 0), (3000, 0)], name="桥"), road([(3000, 0), (6000, 0)])]
    lines += [road([(3000, 0), (3000, 3500), (6000, 3500), (6000, 0)], name="ring")]
    area = area_of(lines, demand=[(0, 0), (3000, 0)], schools=[(6000, 0)])
    rows = pd.DataFrame(
        {"demand_id": ["V1", "V2"], "band": "junior", "school_id": "S1", "mode": "walk", "pupils": [7, 4]}
    )
    travel = Travel(modes=("walk",), max_access_m=50)
    found = criticality(area, travel, rows)
    edges = area.roads.edges
    bridge = edges.index[edges["name"] == "桥"][0]
    assert found["edge"][0] == bridge
    assert found.loc[0, ["pupils", "pupils_lost", "pupils_longer"]].tolist() == [7, 7, 0]
    assert np.isnan(found["extra_minutes_mean"][0])
    assert found.loc[1, ["pupils", "pupils_lost", "pupils_longer"]].tolist() == [11, 0, 11]
    assert found["extra_minutes_mean"][1] == pytest.approx((10_000 - 3000) / 75)
    assert len(found) == 2
    assert cut_off(area, travel, rows).to_dict() == {bridge: 7}
    middle = area.roads.edges.geometry[[bridge]].interpolate(0.5, normalized=True).to_crs(4326).iloc[0]
    assert (found["lon"][0], found["lat"][0]) == pytest.approx((middle.x, middle.y))
    assert len(criticality(area, travel, rows, top=1)) == 1


def test_another_mode_of_the_band_is_another_way():
    """The bus's road is closed: a pupil who may walk takes the path, one who may not has lost the way.

    At two right angles, 30 m each, the bus keeps to 20 km/h.
    """
    lines = [road([(0, 0), (0, 500), (900, 500), (900, 0)]), road([(0, 0), (900, 0)], highway="path")]
    area = area_of(lines, demand=[(0, 0)], schools=[(900, 0)])
    kinds = {"lower_primary": ("bus",), "junior": ("walk", "bus")}
    travel = Travel(modes_by_band=kinds, max_access_m=20, bus_wait_minutes=0)
    rows = pd.DataFrame({"demand_id": "V1", "band": list(kinds), "school_id": "S1", "mode": "bus", "pupils": [5, 3]})
    found = criticality(area, travel, rows)
    assert found[["pupils", "pupils_lost", "pupils_longer"]].values.tolist() == [[8, 5, 3]]
    assert found["extra_minutes_max"][0] == pytest.approx(0.9 / 4 * 60 - (1.84 / 25 + 0.06 / 20) * 60)
    assert cut_off(area, travel, rows).to_list() == [5]


def test_nobody_travels(tiny):
    found = criticality(tiny.area, tiny.scenario.travel, tiny.plan.assignment.iloc[:0])
    assert len(found) == 0
    assert found.crs == tiny.area.crs
    assert cut_off(tiny.area, tiny.scenario.travel, tiny.plan.assignment.iloc[:0]).empty
