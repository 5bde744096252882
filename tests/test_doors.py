"""Doors' ways onto the network: door by door as compiled, and all at once, lead to the same trips."""

import numpy as np
import pytest
from hypothesis import given, settings

from planner.scenario import Travel
from planner.travel import doors
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
        for ways in (doors._by_numpy, doors._compiled):
            out, into = ways(homes, network, off), ways(schools, network.reversed(), off)
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


@pytest.mark.parametrize("ways", [doors._by_numpy, doors._compiled])
def test_no_doors_and_no_road_near_are_no_error(ways, tiny):
    network, off = mode_network(tiny.area.roads, Travel(), "walk"), off_road(Travel(max_access_m=1))
    homes = tiny.area.demand.geometry.translate(0, 50).to_numpy()
    assert ways(homes[:0], network, off).first.tolist() == [0]
    far = ways(homes, network, off)
    assert far.first.tolist() == [0] * (len(homes) + 1)
    assert not far.reach.any()
    assert len(far.on.edge) == 0
