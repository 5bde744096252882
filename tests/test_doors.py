"""Doors' ways onto the network: door by door as compiled, and all at once, lead to the same trips."""

import numpy as np
import pytest
from hypothesis import given, settings

from planner.scenario import Travel
from planner.travel import doors, flows, isochrones, travel_times, ways
from planner.travel.doors import doors_in, doors_out
from planner.travel.network import mode_network, off_road
from planner.travel.trips import trips
from tests.test_travel import networks
from tests.tiny import make as tiny_county


@settings(max_examples=20, deadline=None)
@given(networks())
def test_door_by_door_as_all_at_once(area):
    homes, schools = area.demand.geometry.to_numpy(), area.schools.geometry.to_numpy()
    for mode in ("walk", "bus"):
        network, off = mode_network(area.roads, Travel(), mode), off_road(Travel())
        found = []
        for choice in (np.inf, 0):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(doors, "COMPILED_FROM", choice)
                patch.setattr(doors, "COMPILING_FROM", choice)
                out, into = doors_out(homes, network, off), doors_in(schools, network, off)
            found.append(trips(network, out, into, off))
            assert len(out.by.edge) == len(out.node) == out.first[-1]
            # Where a way gets on decides its minutes.
            along = (
                np.where(out.by.ahead, 1 - out.by.share, out.by.share)
                * area.roads.edges["length_m"].to_numpy()[out.by.edge]
            )
            pace = np.where(out.by.ahead, network.ahead[out.by.edge], network.back[out.by.edge])
            np.testing.assert_allclose(out.minutes, off.pace * out.by.away_m + pace * along, atol=1e-9)
            assert (np.diff(out.on.door) >= 0).all()
        np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-9)
        np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-6)


@pytest.mark.parametrize("choice", [np.inf, 0])
def test_no_doors_and_no_road_near_are_no_error(choice, tiny, monkeypatch):
    monkeypatch.setattr(doors, "COMPILED_FROM", choice)
    monkeypatch.setattr(doors, "COMPILING_FROM", choice)
    network, off = mode_network(tiny.area.roads, Travel(), "walk"), off_road(Travel(max_access_m=1))
    homes = tiny.area.demand.geometry.translate(0, 50).to_numpy()
    assert doors_out(homes[:0], network, off).first.tolist() == [0]
    far = doors_out(homes, network, off)
    assert far.first.tolist() == [0] * (len(homes) + 1)
    assert not far.reach.any()
    assert len(far.on.edge) == 0


@settings(max_examples=20, deadline=None)
@given(networks())
def test_some_doors_in_another_order_are_those_of_their_points(area):
    homes = area.demand.geometry.to_numpy()
    network, off = mode_network(area.roads, Travel(), "walk"), off_road(Travel())
    some = np.arange(len(homes))[::-2]
    taken, found = doors_out(homes, network, off).take(some), doors_out(homes[some], network, off)
    for column in ("first", "node", "minutes", "metres", "on_minutes"):
        np.testing.assert_allclose(getattr(taken, column), getattr(found, column), atol=1e-9)
    for one, other in ((taken.on, found.on), (taken.by, found.by)):
        assert (one.door == other.door).all()
        assert (one.edge == other.edge).all()
        np.testing.assert_allclose(one.share, other.share, atol=1e-9)


def test_doors_are_found_once_for_all_who_set_out_from_them(monkeypatch):
    county, calls = tiny_county(), []

    def counted(points, network, off):
        calls.append(len(points))
        return doors_out(points, network, off)

    monkeypatch.setattr(ways, "doors_out", counted)
    travel_times(county.area, county.scenario.travel)
    assert len(calls) == 1
    flows(county.area, county.scenario.travel, county.plan.assignment)
    isochrones(county.area, county.scenario.travel)
    assert len(calls) == 1
    travel_times(county.area, county.scenario.travel.model_copy(update={"max_access_m": 100.0}))
    assert len(calls) == 2
