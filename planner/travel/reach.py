"""How soon school is reached from any place on the roads.

From a place one rides on to the junction ahead, or gets off on the way where the law of refraction has it
(``roads.access``): the minutes are linear along the edge. Or one crosses the road there and walks straight to school:
the minutes are the straight line's, a hyperbola along the edge. The same numbers as ``travel.trips``, from every place
at once: one Dijkstra from all schools on the reversed network.

By ``walk_bus`` one gets on a bus there, or goes on foot to a stop. The quickest stop may be too far to walk to, so a
place keeps every way to a stop that is quicker, or shorter on foot, than the others.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from planner.errors import Fault, ScenarioError
from planner.model import MODES, StudyArea
from planner.roads.access import Lines, Side, explode, lead, lines_of_roads
from planner.scenario import Travel
from planner.travel.bounded import within
from planner.travel.changes import settle
from planner.travel.doors import Doors, at_nodes
from planner.travel.network import Network, OffRoad
from planner.travel.trips import reversed_graph
from planner.travel.ways import stops_of, ways

SCHOOLS_AT_A_TIME = 256


@dataclass(frozen=True, eq=False)
class Rides:
    """Stretches of road from which one rides on, or walks to a stop: minutes fall evenly in the direction of travel.

    Parameters
    ----------
    edge : (n,) rows of ``roads.edges``
    ahead : (n,) bool, with the line; else against it
    low, high : (n,) shares of the edge, 0 at its start to 1 at its end
    minutes_low, minutes_high : (n,) to school from there
    school : (n,) which of the schools
    most : (n,) no more than so many minutes are of use there: on foot to a stop, the longest walk and what is after it;
        else infinite
    """

    edge: np.ndarray
    ahead: np.ndarray
    low: np.ndarray
    high: np.ndarray
    minutes_low: np.ndarray
    minutes_high: np.ndarray
    school: np.ndarray
    most: np.ndarray

    def take(self, rows: np.ndarray) -> Rides:
        """Some of the rows."""
        return Rides(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Crossings:
    """Straight stretches of road that one only crosses on the way to a school beside them.

    Parameters
    ----------
    edge : (n,) rows of ``roads.edges``
    piece : (n,) straight pieces of the lines
    low, high : (n,) metres from the piece's start
    foot, height : (n,) the school's place beside the piece: metres along it, metres away from it
    school : (n,) which of the schools
    """

    edge: np.ndarray
    piece: np.ndarray
    low: np.ndarray
    high: np.ndarray
    foot: np.ndarray
    height: np.ndarray
    school: np.ndarray


@dataclass(frozen=True, eq=False)
class Reach:
    """Every place where a door may meet the road, and its minutes to school, the wait not counted.

    Parameters
    ----------
    lines : all edges as straight pieces
    stops : (n_edge,) bool, where a door may meet the road
    off : the way between a door and the road
    wait_minutes, most_minutes : what a trip waits, and how long it may be in all
    """

    lines: Lines
    stops: np.ndarray
    off: OffRoad
    wait_minutes: float
    most_minutes: float
    rides: Rides
    crossings: Crossings

    def budget(self, minutes: float) -> float:
        """Minutes on the way, of so many in all; below 0 where the wait takes them up."""
        return min(minutes, self.most_minutes) - self.wait_minutes

    def at(self, edge: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minutes and school of places on edges: (n,) infinite and -1 where there is no way."""
        minutes, way = self.ways_from(edge, share)
        return minutes, self.school_of(way)

    def school_of(self, way: np.ndarray) -> np.ndarray:
        """(n,) the school that ways lead to, -1 for none."""
        school: np.ndarray = np.concatenate([self.rides.school, self.crossings.school, [-1]])[way]
        return school

    def ways_from(self, edge: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minutes of places on edges, and by which way: (n,) a row of ``rides``, then of ``crossings``; -1 for none."""
        rides = self.rides
        order = np.argsort(rides.edge, kind="stable")
        place, row = _pairs(*(np.searchsorted(rides.edge[order], edge, side) for side in ("left", "right")))
        row, at = order[row], share[place]
        low, high, first, last = (getattr(rides, name)[row] for name in ("low", "high", "minutes_low", "minutes_high"))
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(high > low, (at - low) / (high - low), 0.0)
        minutes = np.where((low <= at) & (at <= high), first + part * (last - first), np.inf)
        best, way = np.full(len(edge), np.inf), np.full(len(edge), -1)
        order = np.lexsort((-minutes, place))  # the last one laid stays
        order = order[np.isfinite(minutes[order])]
        best[place[order]], way[place[order]] = minutes[order], row[order]
        return self._across(edge, share, best, way)

    def _across(
        self, edge: np.ndarray, share: np.ndarray, best: np.ndarray, way: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same where walking straight across is quicker."""
        crossings, lines = self.crossings, self.lines
        order = np.argsort(crossings.edge, kind="stable")
        place, row = _pairs(*(np.searchsorted(crossings.edge[order], edge, side) for side in ("left", "right")))
        row = order[row]
        along = share[place] * lines.drawn[edge[place]] - lines.start[crossings.piece[row]]
        noise = 1e-9 * (1 + lines.drawn[edge[place]])
        here = (crossings.low[row] - noise <= along) & (along <= crossings.high[row] + noise)
        place, row, along = place[here], row[here], along[here]
        minutes = self.off.pace * np.hypot(crossings.height[row], along - crossings.foot[row])
        order = np.lexsort((minutes, place))
        order = order[np.unique(place[order], return_index=True)[1]]
        order = order[minutes[order] < best[place[order]]]
        best[place[order]], way[place[order]] = minutes[order], len(self.rides.edge) + row[order]
        return best, way


def _pairs(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every row from ``first`` up to ``last`` of each place: the place and the row."""
    count = last - first
    place = np.repeat(np.arange(len(count)), count)
    return place, np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)


def reach(area: StudyArea, travel: Travel, rows: np.ndarray, mode: str, within_minutes: float = np.inf) -> Reach:
    """From where on the roads, and how soon, one of some schools is reached by a mode.

    Parameters
    ----------
    rows : (n_school,) rows of ``area.schools``; ``school`` of the result counts in them
    within_minutes : longer trips need not be known

    Raises
    ------
    ScenarioError : no such mode
    """
    if mode not in MODES:
        raise ScenarioError([Fault("mode", f"there is no mode {mode!r}", f"Choose one of {', '.join(MODES)}.")])
    area, travel = settle(area, travel)
    of = ways(area, travel, mode)
    network, off = of.network, of.off
    most = travel.walk_max_minutes + 1e-9 if mode == "walk" else np.inf
    limit = min(within_minutes, most) - of.wait_minutes
    minutes, school = junction_minutes(network, of.into.take(rows), limit)
    lines = lines_of_roads(area.roads)
    marks, crossings = _beside(area.schools.geometry.to_numpy()[rows], network, off, lines, minutes, limit)
    rides = [_rides(network, minutes, school, marks[ahead], ahead, limit) for ahead in (True, False)]
    stops = network.stops
    if of.walks is not None:
        on_foot = of.walks[0].network
        rides.append(_to_stops(on_foot, network, minutes, school, limit, travel.walk_to_stop_max_minutes))
        stops = stops | on_foot.stops
    columns = [np.concatenate(parts) for parts in zip(*rides, strict=True)]
    return Reach(lines, stops, off, of.wait_minutes, most, Rides(*columns), crossings)


def junction_minutes(network: Network, into: Doors, limit: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Minutes from every junction to its nearest door, and which: (n_junction,) infinite and -1 where none is.

    Parameters
    ----------
    limit : farther junctions need not be known
    """
    from scipy.sparse.csgraph import dijkstra

    doors = np.arange(len(into.first) - 1)
    if not into.reach.any() or limit < 0:
        return np.full(network.size, np.inf), np.full(network.size, -1)
    graph = reversed_graph(network, into)[0]
    far, _, source = dijkstra(graph, indices=network.size + doors, return_predecessors=True, min_only=True, limit=limit)
    known = np.isfinite(far[: network.size])
    return far[: network.size], np.where(known, source[: network.size] - network.size, -1)


Marks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Where one gets off an edge for a school: (n,) edge, share, minutes from there, school."""


def _beside(
    points: np.ndarray, network: Network, off: OffRoad, lines: Lines, minutes: np.ndarray, limit: float
) -> tuple[dict[bool, Marks], Crossings]:
    """Schools beside edges: where each straight piece is left for them, going ahead and back, and crossed."""
    import shapely

    found: dict[bool, list[Marks]] = {True: [], False: []}
    crossed: list[tuple[np.ndarray, ...]] = []
    within = min(off.within_m, max(limit, 0.0) / off.pace)
    stops = np.flatnonzero(network.stops)
    length = network.roads.edges["length_m"].to_numpy()
    ends = network.roads.ends
    xy = shapely.get_coordinates(points)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(lines.drawn > 0, length / lines.drawn, 0.0)
    for begin in range(0, max(len(points), 1), SCHOOLS_AT_A_TIME):
        some = points[begin : begin + SCHOOLS_AT_A_TIME]
        school, edge = network.stop_tree.query(some, predicate="dwithin", distance=within)
        school, edge = school + begin, stops[edge]
        row, piece = explode(lines, edge)
        side = Side(lines, piece, xy[school[row]], within)
        near = np.flatnonzero(side.near)
        row, piece, side = row[near], piece[near], side.take(near)
        school, edge = school[row], edge[row]
        low, high, dominated, both = side.low, side.high, np.zeros(len(row), dtype=bool), np.ones(len(row), dtype=bool)
        for ahead in (True, False):
            pace = (network.ahead if ahead else network.back)[edge]
            usable, sign = np.isfinite(pace), 1.0 if ahead else -1.0
            both &= usable
            at = side.nearest(-sign * lead(pace * scale[edge], off.pace, side.height))
            # Who rides gets off at the best place, so that the road is only crossed between the two best places.
            low, high = (np.where(usable, at, low), high) if ahead else (low, np.where(usable, at, high))
            own, share = off.pace * side.away(at), _share(lines, edge, piece, at)
            ride, beyond = np.where(usable, pace, 0.0) * length[edge], minutes[ends[edge, 1 if ahead else 0]]
            good = usable & (own < beyond + ride * (1 - share if ahead else share)) & (own <= limit)
            found[ahead].append((edge[good], share[good], own[good], school[good]))
            dominated |= usable & (beyond + ride <= off.pace * side.height)
        kept = ((low < high) | ~both) & ~dominated & (off.pace * side.height <= limit)
        crossed.append(tuple(c[kept] for c in (edge, piece, low, high, side.foot, side.height, school)))
    marks = {ahead: tuple(np.concatenate(c) for c in zip(*parts, strict=True)) for ahead, parts in found.items()}
    return marks, Crossings(*(np.concatenate(c) for c in zip(*crossed, strict=True)))  # type: ignore[return-value]


def _share(lines: Lines, edge: np.ndarray, piece: np.ndarray, at: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(lines.drawn[edge] > 0, (lines.start[piece] + at) / lines.drawn[edge], 0.0)
    return np.clip(share, 0.0, 1.0)


def _rides(
    network: Network, minutes: np.ndarray, school: np.ndarray, marks: Marks, ahead: bool, limit: float
) -> tuple[np.ndarray, ...]:
    """The stretches of every edge one way, each up to where one gets off or to the edge's end: ``Rides``' columns."""
    import pandas as pd

    pace = network.ahead if ahead else network.back
    ends = network.roads.edges["to_node" if ahead else "from_node"].to_numpy(dtype=np.int64)
    length = network.roads.edges["length_m"].to_numpy()
    usable = np.flatnonzero(network.stops & np.isfinite(pace))
    usable = usable[np.isfinite(minutes[ends[usable]])]
    # As if all went ahead: shares count in the direction of travel. A row a place where one gets off; ends come last.
    edge = np.append(marks[0], usable)
    share = np.append(marks[1] if ahead else 1 - marks[1], np.ones(len(usable)))
    own = np.append(marks[2], minutes[ends[usable]])
    who = np.append(marks[3], school[ends[usable]])
    order = np.lexsort((own, -share, edge))
    edge, share, own, who = edge[order], share[order], own[order], who[order]
    cost = own + pace[edge] * length[edge] * share
    before = pd.Series(cost).groupby(edge).cummin().groupby(edge).shift(fill_value=np.inf).to_numpy()
    better = cost < before
    edge, share, own, who = edge[better], share[better], own[better], who[better]
    same = np.append(edge[1:] == edge[:-1], False)[: len(edge)]
    low = np.where(same, np.append(share[1:], 0.0)[: len(share)], 0.0)
    ride = pace[edge] * length[edge]
    # Only as far back as the time allows.
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.maximum(low, np.where(ride > 0, share - (limit - own) / ride, 0.0))
    kept = (own <= limit) & (low < share)
    edge, share, low, own, ride, who = (c[kept] for c in (edge, share, low, own, ride, who))
    far = own + ride * (share - low)
    order = np.lexsort((low if ahead else 1 - share, edge))
    columns = (low, share, far, own) if ahead else (1 - share, 1 - low, own, far)
    return (
        edge[order],
        np.full(len(edge), ahead),
        *(c[order] for c in columns),
        who[order],
        np.full(len(edge), np.inf),
    )


def _to_stops(
    network: Network, bus: Network, minutes: np.ndarray, school: np.ndarray, limit: float, walk_minutes: float
) -> tuple[np.ndarray, ...]:
    """Stretches of every edge on foot to the bus stop at its end, or on to one beyond it: ``Rides``' columns."""
    stop, on_foot, edges = stops_of(bus), network.minutes, len(network.roads.edges)
    # Nobody needs to walk along a road of the bus where riding is as quick: they get on at once.
    arc = np.flatnonzero(np.isfinite(on_foot) & ~(np.tile(bus.stops, 2) & (bus.minutes <= on_foot)))
    stop &= np.isfinite(minutes) & (minutes <= limit)
    source = np.intersect1d(network.head[arc], np.flatnonzero(stop))
    found = within(network.reversed(), at_nodes(source), walk_minutes)
    begin = np.repeat(source, np.diff(found.first))
    node, begin = np.append(found.node, np.flatnonzero(stop)), np.append(begin, np.flatnonzero(stop))
    walk = np.append(found.minutes, np.zeros(stop.sum()))
    node, walk, begin = _not_outdone(node, walk, minutes[begin], begin)
    first, last = (np.searchsorted(node, network.head[arc], side) for side in ("left", "right"))
    row, label = _pairs(first, last)
    arc, walk, begin = arc[row], walk[label], begin[label]
    own, ride, ahead = minutes[begin] + walk, on_foot[arc], arc < edges
    left = np.minimum(limit - own, walk_minutes - walk)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(ride > 0, np.minimum(left / ride, 1.0), 1.0)
    kept = (left >= 0) & (part > 0)
    low, high = np.where(ahead, 1 - part, 0.0), np.where(ahead, 1.0, part)
    far, most = own + ride * part, walk_minutes + minutes[begin]
    columns = (arc % edges, ahead, low, high, np.where(ahead, far, own), np.where(ahead, own, far), school[begin], most)
    return tuple(column[kept] for column in columns)


def _not_outdone(
    node: np.ndarray, walk: np.ndarray, onward: np.ndarray, begin: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ways from junctions to stops, by junction: those that no other is at least as quick and as short on foot as.

    Parameters
    ----------
    walk, onward : (n,) minutes on foot, and from the stop on

    >>> _not_outdone(np.array([0, 0, 0]), np.array([9.0, 2, 5]), np.array([0.0, 9, 9]), np.array([1, 2, 3]))[1]
    array([9., 2.])
    """
    import pandas as pd

    order = np.lexsort((walk, walk + onward, node))
    node, walk, begin = node[order], walk[order], begin[order]
    shortest = pd.Series(walk).groupby(node).cummin().groupby(node).shift(fill_value=np.inf).to_numpy()
    kept = walk < shortest
    return node[kept], walk[kept], begin[kept]
