"""Doors' ways onto the network: door by door as compiled, and all at once, lead to the same trips."""

import numpy as np
import pytest
from hypothesis import given, settings

from planner.scenario import Travel
from planner.travel import doors
from planner.travel.doors import doors_in, doors_out
from planner.travel.network import mode_network, off_road
from planner.travel.trips import trips
from tests.test_travel import networks


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
