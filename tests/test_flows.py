"""Flows: the paths summed up edge by edge; nobody appears or is lost at a junction."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import DataError
from planner.scenario import Travel
from planner.travel import criticality, cut_off, flows, mode_times, path, paths
from planner.travel.flows import COLUMNS
from planner.travel.routes import DIRECTIONS
from tests.test_travel import area_of, networks, road
from tests.test_ways import ALL_SORTS


def somebody(area, seed, *modes):
    """An assignment drawn at random: every mode between every pair, some of them twice (two bands)."""
    rng, rows = np.random.default_rng(seed), []
    for mode in modes:
        reached = np.isfinite(mode_times(area, Travel(), mode).minutes)
        for i, j in np.argwhere(reached):
            bands = rng.choice(["lower_primary", "junior"], rng.integers(1, 3), replace=False)
            pair = area.demand.index[i], area.schools.index[j]
            rows += [(*pair, band, mode, int(rng.integers(1, 20))) for band in bands]
    return pd.DataFrame(rows, columns=["demand_id", "school_id", "band", "mode", "pupils"])


@settings(max_examples=4, deadline=None)
@given(networks(ALL_SORTS), st.integers(0, 10**6), st.sampled_from(DIRECTIONS))
def test_flows_are_the_paths_summed_up(area, seed, direction):
    rows = somebody(area, seed, "walk", "bus", "walk_bus")
    found = flows(area, Travel(), rows, direction=direction)
    expected = {}
    km = {}
    for row in rows.itertuples():
        rides = path(area, Travel(), row.demand_id, row.school_id, mode=row.mode, direction=direction).edges
        for edge, ahead, on_foot in set(zip(rides["edge"], rides["ahead"], rides["on_foot"], strict=True)):
            key = row.mode, bool(on_foot), int(edge), bool(ahead)
            expected[key] = expected.get(key, 0) + row.pupils
        for edge, on_foot, part in zip(rides["edge"], rides["on_foot"], rides["km"], strict=True):
            key = row.mode, bool(on_foot), int(edge)
            km[key] = km.get(key, 0) + row.pupils * part
    made = {}
    for row in found.itertuples():
        key = row.mode, row.on_foot, row.edge
        made |= {(*key, True): row.pupils_ahead, (*key, False): row.pupils_back}
        assert row.pupils == row.pupils_ahead + row.pupils_back
        assert row.pupil_km == pytest.approx(km[key])
    assert {key: n for key, n in made.items() if n} == expected


@settings(max_examples=5, deadline=None)
@given(networks(), st.integers(0, 10**6), st.sampled_from(["walk", "bicycle", "bus", "walk_bus"]))
def test_nobody_appears_or_is_lost_at_a_junction(area, seed, mode):
    rows = somebody(area, seed, mode)
    net = np.zeros(len(area.roads.nodes))
    ends = area.roads.edges[["from_node", "to_node"]].to_numpy()
    for row in flows(area, Travel(), rows).itertuples():
        a, b = ends[row.edge]
        net[b] += row.pupils_ahead - row.pupils_back
        net[a] += row.pupils_back - row.pupils_ahead
    for row in rows.itertuples():
        rides = path(area, Travel(), row.demand_id, row.school_id, mode=mode).edges
        if len(rides):
            first, last = rides.iloc[0], rides.iloc[-1]
            net[ends[first["edge"]][0 if first["ahead"] else 1]] += row.pupils
            net[ends[last["edge"]][1 if last["ahead"] else 0]] -= row.pupils
        # Round a one-way block and along the same road again: one pupil on it, who comes by twice.
        for (edge, ahead), times in rides.groupby(["edge", "ahead"]).size().items():
            a, b = ends[edge] if ahead else ends[edge][::-1]
            net[b] += (times - 1) * row.pupils
            net[a] -= (times - 1) * row.pupils
    assert (net == 0).all()


@settings(max_examples=4, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_pupil_kilometres_are_those_of_the_paths_on_the_road(area, seed):
    rows = somebody(area, seed, "walk")
    found = paths(area, Travel(), rows).set_index(["demand_id", "school_id"])
    way = found.loc[list(zip(rows["demand_id"], rows["school_id"], strict=True))]
    on_road = way["km"].to_numpy() - Travel().access_detour * way["off_road_m"].to_numpy() / 1000
    total = flows(area, Travel(), rows)["pupil_km"].sum()
    assert total == pytest.approx((on_road * rows["pupils"].to_numpy()).sum())


def test_one_mode_alone_and_nobody_at_all():
    area = area_of([road([(0, 0), (2000, 0)], name="村道")], demand=[(0, 0)], schools=[(2000, 0)])
    rows = pd.DataFrame({"demand_id": "V1", "school_id": "S1", "mode": ["walk", "bus", "walk_bus", ""], "pupils": 7})
    rows.loc[3, "school_id"] = ""
    found = flows(area, Travel(), rows)
    assert found[["mode", "name", "pupils_ahead", "pupils_back"]].values.tolist() == [
        ["walk", "村道", 7, 0],
        ["bus", "村道", 7, 0],
        ["walk_bus", "村道", 7, 0],
    ]
    home = flows(area, Travel(), rows, direction="from_school")
    assert home[["mode", "pupils_ahead", "pupils_back"]].values.tolist() == [
        [mode, 0, 7] for mode in ("walk", "bus", "walk_bus")
    ]
    assert found["on_foot"].tolist() == [True, False, False]
    assert flows(area, Travel(), rows, "bus")["mode"].tolist() == ["bus"]
    nobody = flows(area, Travel(), rows.iloc[:0])
    assert tuple(nobody.columns) == tuple(found.columns) == COLUMNS
    assert nobody.crs == area.crs
    assert nobody["pupils"].sum() == 0


def test_walkers_and_riders_of_one_mode_stand_apart():
    """600 m of footpath, 3 km of road, 300 m of footpath: on foot, by bus, on foot."""
    lines = [
        road([(0, 600), (0, 0)], highway="footway", name="one"),
        road([(0, 0), (3000, 0)], name="two"),
        road([(3000, 0), (3000, 300)], highway="footway", name="three"),
    ]
    area = area_of(lines, demand=[(0, 600)], schools=[(3000, 300)])
    rows = pd.DataFrame({"demand_id": ["V1"], "school_id": "S1", "mode": "walk_bus", "pupils": 7})
    found = flows(area, Travel(max_access_m=200), rows)
    assert found[["on_foot", "name", "pupils"]].values.tolist() == [
        [True, "one", 7],
        [True, "three", 7],
        [False, "two", 7],
    ]
    assert found["pupil_km"].tolist() == pytest.approx([4.2, 2.1, 21])


@pytest.mark.parametrize("look", [flows, paths, cut_off, criticality])
def test_what_an_assignment_lacks_is_said(tiny, look):
    rows = tiny.plan.assignment
    with pytest.raises(DataError, match="assignment, column mode: column mode is missing"):
        look(tiny.area, Travel(), rows.drop(columns="mode"))
    wrong = rows.assign(school_id="S9", mode=["fly", *rows["mode"][1:]])
    with pytest.raises(DataError) as caught:
        look(tiny.area, Travel(), wrong)
    said = str(caught.value)
    assert "assignment row 2, column school_id: 'S9' is not known in this area. Use one of S1, S2, S3. 10 rows" in said
    assert "assignment row 2, column mode: 'fly' is not known in this area. Use one of walk" in said
