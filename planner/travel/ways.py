"""What a mode's trips are made of: its network, the ways from homes onto it, and the ways off it to schools."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from planner.model import BUS_MODES, Roads, StudyArea
from planner.remembered import remembered
from planner.roads.access import Access
from planner.scenario import Travel
from planner.travel.bounded import within
from planner.travel.changes import roads_of
from planner.travel.doors import Doors, doors_in, doors_out
from planner.travel.network import Network, OffRoad, mode_network, off_road
from planner.travel.on_foot import Walks, quickest_arc


@dataclass(frozen=True, eq=False)
class Ways:
    """From homes over a network to schools.

    Parameters
    ----------
    network : the roads as the mode sees them
    out, into : ways from every demand point onto it, and from it to every school
    off : the way off the road
    wait_minutes : spent on every trip besides
    walks : where the trip begins and ends on foot, these parts of ``out`` and ``into``
    """

    network: Network
    out: Doors
    into: Doors
    off: OffRoad
    wait_minutes: float
    walks: tuple[Walks, Walks] | None = None

    def take(self, homes: np.ndarray, schools: np.ndarray) -> Ways:
        """The ways of some homes and schools (n,), none twice, counted in this order."""
        walks = None if self.walks is None else (self.walks[0].take(homes), self.walks[1].take(schools))
        return dataclasses.replace(self, out=self.out.take(homes), into=self.into.take(schools), walks=walks)


def ways(area: StudyArea, travel: Travel, mode: str, *, turned: bool = False) -> Ways:
    """The ways of a mode, found once: times, paths, flows, isochrones and verification set out from the same doors.

    Parameters
    ----------
    turned : from school to home instead; the network's arcs are turned round

    >>> found = ways(tiny.area, tiny.scenario.travel, "walk_bus")
    >>> np.diff(found.out.first).tolist(), found.wait_minutes
    ([2, 3, 3, 2], 5.0)
    """
    return _ways(area, roads_of(area, travel), travel, mode, turned)


@remembered
def _ways(area: StudyArea, roads: Roads, travel: Travel, mode: str, turned: bool) -> Ways:
    homes, schools = area.demand.geometry.to_numpy(), area.schools.geometry.to_numpy()
    off = off_road(travel)
    wait = travel.bus_wait_minutes if mode in BUS_MODES else 0.0
    network = mode_network(roads, travel, "bus" if mode == "walk_bus" else mode)
    network = network.reversed() if turned else network
    if mode != "walk_bus":
        return Ways(network, doors_out(homes, network, off), doors_in(schools, network, off), off, wait)
    limit = travel.walk_to_stop_max_minutes
    on_foot = mode_network(roads, travel, "walk")
    on_foot = on_foot.reversed() if turned else on_foot
    near = dataclasses.replace(off, within_m=min(off.within_m, limit / off.pace))
    out, from_home = _to_stops(homes, on_foot, network, off, near, limit)
    # From a stop to school is from school to the stop on the reversed networks.
    into, to_school = _to_stops(schools, on_foot.reversed(), network.reversed(), off, near, limit)
    return Ways(network, out, into, near, wait, (from_home, to_school))


def _to_stops(
    points: np.ndarray, on_foot: Network, bus: Network, off: OffRoad, near: OffRoad, limit_minutes: float
) -> tuple[Doors, Walks]:
    """Ways to where a bus may stop: straight to a road that it uses, or on foot to a junction of one.

    Ways on foot have no place where they get on the bus's road (``by.edge`` is -1): the walks tell the rest.
    """
    direct, doors = doors_out(points, bus, near), doors_out(points, on_foot, off)
    walked, stop = within(on_foot, doors, limit_minutes), stops_of(bus)
    door = np.repeat(np.arange(len(points)), np.diff(walked.first))
    # Where the walker comes along a road of the bus, getting on before was as good.
    ridden, on_foot_minutes = (_arc_minutes(net, walked.before, walked.node) for net in (bus, on_foot))
    kept = stop[walked.node] & ~(stop[walked.before] & (walked.before >= 0) & (ridden <= on_foot_minutes))
    parts = (
        np.append(np.repeat(np.arange(len(points)), np.diff(direct.first)), door[kept]),
        np.append(direct.node, walked.node[kept]),
        np.append(direct.minutes, walked.minutes[kept]),
        np.append(direct.metres, walked.metres[kept]),
    )
    order = np.lexsort((parts[3], parts[2], parts[1], parts[0]))
    of, node, minutes, metres = (part[order] for part in parts)
    best = np.append(True, (of[1:] != of[:-1]) | (node[1:] != node[:-1]))[: len(of)]
    first = np.searchsorted(of[best], np.arange(len(points) + 1))
    columns = first, node[best], minutes[best], metres[best], direct.on, direct.on_minutes
    return Doors(direct.xy, *columns, _by(direct, door[kept]).take(order[best])), Walks(
        on_foot, doors, walked, np.arange(len(points))
    )


def stops_of(bus: Network) -> np.ndarray:
    """(n_junction,) bool, junctions of roads where a bus may stop.

    >>> stops_of(mode_network(tiny.area.roads, tiny.scenario.travel, "bus")).tolist()
    [True, True, True, True]
    """
    stop = np.zeros(bus.size, dtype=bool)
    for end in ("from_node", "to_node"):
        stop[bus.roads.edges[end].to_numpy()[bus.stops]] = True
    return stop


def _by(direct: Doors, walking: np.ndarray) -> Access:
    """Where ways get on the bus's road: the direct ones, and then those of doors (n,) that walk there."""
    by = direct.by
    if by is None:
        raise ValueError("these doors stand on junctions: they have no place on an edge")
    unknown = np.full(len(walking), np.nan)
    return Access(
        np.append(by.door, walking),
        np.append(by.edge, np.full(len(walking), -1)),
        np.append(by.ahead, np.zeros(len(walking), dtype=bool)),
        np.append(by.share, unknown),
        np.append(by.away_m, unknown),
    )


def _arc_minutes(network: Network, tail: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Minutes of the quickest arc between two junctions; infinite where there is none."""
    arc = quickest_arc(network, tail, head)
    return np.where(arc >= 0, network.minutes[arc], np.inf)
