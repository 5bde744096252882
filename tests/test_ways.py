"""On foot to a stop and on by bus; there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.scenario import Travel
from planner.travel import travel_times
from planner.verify.network import Network
from tests.test_travel import area_of, minutes, networks, road, with_edges

ALL_SORTS = ("residential", "primary", "footway", "footway", "motorway")
WALK_BUS = Travel(modes=("walk_bus",), bus_wait_minutes=3)


def test_walking_to_a_stop_waiting_riding_and_walking_on_by_hand():
    """A footpath of 600 m, 3 km of road, a footpath of 300 m; the bus goes 25 km/h."""
    lines = [
        road([(0, 600), (0, 0)], highway="footway"),
        road([(0, 0), (3000, 0)]),
        road([(3000, 0), (3000, 300)], highway="footway"),
    ]
    area = area_of(lines, demand=[(0, 600)], schools=[(3000, 300)])
    travel = WALK_BUS.model_copy(update={"max_access_m": 200.0})
    found = travel_times(area, travel).data.sel(band="junior")
    assert found["minutes"].item() == pytest.approx(600 / 75 + 3 + 3 / 25 * 60 + 300 / 75)
    assert found["km"].item() == pytest.approx(3.9)
    at_limit = travel.model_copy(update={"walk_to_stop_max_minutes": 8.0})
    assert minutes(area, at_limit)[0, 0] == pytest.approx(8 + 3 + 7.2 + 4)
    assert np.isnan(minutes(area, travel.model_copy(update={"walk_to_stop_max_minutes": 7.99}))[0, 0])
    assert np.isnan(minutes(area, travel.model_copy(update={"modes": ("bus",)}))[0, 0])


def test_no_bus_stops_on_an_expressway():
    lines = [
        road([(0, 0), (3000, 0)], highway="motorway", oneway="no"),
        road([(0, 0), (0, 600)], highway="footway"),
        road([(3000, 0), (3000, 600)], highway="footway"),
    ]
    area = area_of(lines, demand=[(0, 600)], schools=[(3000, 600)])
    assert np.isnan(minutes(area, WALK_BUS)[0, 0])


def test_nobody_walks_where_no_road_may_be_walked():
    area = area_of([road([(0, 0), (3000, 0)], highway="motorway")], demand=[(0, 600)], schools=[(3000, 600)])
    travel = Travel(modes=("walk",))
    assert np.isnan(minutes(area, travel)[0, 0])
    assert np.isinf(Network(area, travel).minutes(area.demand.index[0], "junior", area.schools.index[0]))


@settings(max_examples=40, deadline=None)
@given(networks(ALL_SORTS), st.sampled_from([2.0, 6.0, 15.0, 60.0]), st.sampled_from([50.0, 2000.0]))
def test_equal_to_a_plain_search_of_every_stop(area, limit, access):
    update = {"walk_to_stop_max_minutes": limit, "max_access_m": access}
    travel = WALK_BUS.model_copy(update=update)
    check = Network(area, travel)
    expected = [[check.minutes(d, "junior", s) for s in area.schools.index] for d in area.demand.index]
    np.testing.assert_allclose(minutes(area, travel), np.where(np.isinf(expected), np.nan, expected), atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(networks(ALL_SORTS), st.integers(0, 10**6))
def test_walking_to_a_stop_is_never_slower_than_the_bus_to_the_door_within_reach(area, seed):
    """Also: a new road never raises a time, and a longer walk allowed never does."""
    limit = 2000 * 2 * 60 / 4500  # what max_access_m costs off the road
    far = WALK_BUS.model_copy(update={"walk_to_stop_max_minutes": limit})
    bus = Travel(modes=("bus",), bus_wait_minutes=3)
    before = minutes(area, far)
    assert not (before > minutes(area, bus) + 1e-9).any()
    assert not (before > minutes(area, WALK_BUS) + 1e-9).any()
    rng = np.random.default_rng(seed)
    nodes = area.roads.nodes[["x", "y"]].to_numpy()
    a, b = rng.choice(len(nodes), 2, replace=False)
    import shapely

    wider = with_edges(area, [(a, b, shapely.LineString(nodes[[a, b]]), 0)])
    assert not (minutes(wider, far) > before + 1e-9).any()


def test_there_and_back_is_the_mean_of_both():
    """A one-way ring of 4 km: 1 km to school, 3 km home, by bicycle at 13 km/h."""
    lines = [road([(0, 0), (1000, 0)], oneway="yes"), road([(1000, 0), (1000, 1000), (0, 1000), (0, 0)], oneway="yes")]
    area = area_of(lines, demand=[(0, 0)], schools=[(1000, 0)])
    travel = Travel(modes=("bicycle",), max_access_m=1)
    assert minutes(area, travel)[0, 0] == pytest.approx(60 / 13)
    both = travel_times(area, travel.model_copy(update={"trip": "both"})).data.sel(band="junior")
    assert both["minutes"].item() == pytest.approx(2 * 60 / 13)
    assert both["km"].item() == pytest.approx(2)


def test_a_way_there_without_a_way_back_is_no_way_for_both():
    area = area_of([road([(0, 0), (1000, 0)], oneway="yes")], demand=[(0, 0)], schools=[(1000, 0)])
    assert np.isnan(minutes(area, Travel(modes=("bus",), trip="both", max_access_m=1))[0, 0])


@settings(max_examples=20, deadline=None)
@given(networks(ALL_SORTS))
def test_there_and_back_equal_to_a_plain_search(area):
    travel = Travel(modes=("walk", "bus", "walk_bus"), trip="both", walk_max_minutes=25)
    check = Network(area, travel)
    expected = [[check.minutes(d, "junior", s) for s in area.schools.index] for d in area.demand.index]
    np.testing.assert_allclose(minutes(area, travel), np.where(np.isinf(expected), np.nan, expected), atol=1e-9)
