"""The quickest ways of pairs of doors, edge by edge: one tree of shortest paths a school, none a pair."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from planner.errors import DataError, Fault
from planner.model import MODES, StudyArea
from planner.roads.access import Access
from planner.scenario import Travel
from planner.travel.doors import Doors, spread
from planner.travel.network import Network, OffRoad
from planner.travel.on_foot import Walks
from planner.travel.trips import SCHOOLS_AT_A_TIME, SameEdge, arc_metres, reversed_graph, same_edge, settled
from planner.travel.ways import Ways, ways

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal["to_school", "from_school"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


def directions_of(travel: Travel) -> tuple[Direction, ...]:
    """The ways that travel times are the mean of.

    >>> directions_of(tiny.scenario.travel), directions_of(Travel(trip="both"))
    (('to_school',), ('to_school', 'from_school'))
    """
    return DIRECTIONS if travel.trip == "both" else DIRECTIONS[:1]


def unknown_direction(direction: str) -> list[Fault]:
    """What is wrong with a direction: nothing, or one fault.

    >>> print(unknown_direction("home")[0])
    direction: there is no direction 'home'. Use to_school or from_school.
    """
    if direction in DIRECTIONS:
        return []
    return [Fault("direction", f"there is no direction {direction!r}", f"Use {' or '.join(DIRECTIONS)}.")]


def going(area: StudyArea, assignment: pd.DataFrame, *columns: str, direction: Direction = "to_school") -> pd.DataFrame:
    """The rows of an assignment that have a school.

    Parameters
    ----------
    columns : needed beside ``demand_id, school_id, mode``

    Raises
    ------
    DataError : a column is missing; no such demand point, school, mode or direction; all in one pass

    >>> len(going(tiny.area, tiny.plan.assignment))
    10
    """
    needed = ("demand_id", "school_id", "mode", *columns)
    faults = unknown_direction(direction)
    faults += [
        Fault("assignment", f"column {name} is missing", "Add it.", name) for name in needed if name not in assignment
    ]
    if faults:
        raise DataError(faults)
    known = {"demand_id": area.demand.index, "school_id": area.schools.index, "mode": MODES}
    some = assignment["school_id"] != ""
    for column, words in known.items():
        wrong = np.flatnonzero(some & ~assignment[column].isin(words))
        if len(wrong):
            said = f"{assignment[column].iloc[wrong[0]]!r} is not known in this area"
            fix = f"Use one of {', '.join(str(word) for word in words[:4])}{', ...' if len(words) > 4 else ''}."
            faults.append(Fault("assignment", said, fix, column, tuple((wrong + 2).tolist())))
    if faults:
        raise DataError(faults)
    return assignment[some]


NO_RIDE = 1e-9
"""Share of an edge below which nobody goes along it: getting on and off at one place, but for rounding."""


@dataclass(frozen=True, eq=False)
class Routes:
    """The quickest way of every pair, of equals the shortest: off the road, along edges, off the road.

    Parameters
    ----------
    minutes, metres : (n_pair,) of the whole way, off-road metres with their detour; infinite without a way
    away_m : (n_pair,) metres off the road, straight, both ends together
    on_edge, on_share, off_edge, off_share : (n_pair,) where it gets on the road and off it (0 an edge's start, 1 its
        end); edge -1 without a way
    pair, edge, start, end : (n_leg,) rides along edges, pair by pair in order of travel, from one place on the edge to
        another; ``end`` below ``start`` is against the line
    on_foot : (n_leg,) bool, walked
    """

    minutes: np.ndarray
    metres: np.ndarray
    away_m: np.ndarray
    on_edge: np.ndarray
    on_share: np.ndarray
    off_edge: np.ndarray
    off_share: np.ndarray
    pair: np.ndarray
    edge: np.ndarray
    start: np.ndarray
    end: np.ndarray
    on_foot: np.ndarray

    @classmethod
    def none(cls, pairs: int) -> Routes:
        """No way for any pair."""
        far, away, edge = np.full(pairs, np.inf), np.full(pairs, np.nan), np.full(pairs, -1)
        legs, place = np.zeros(0, dtype=np.int64), np.zeros(0)
        return cls(far, far, away, edge, away, edge, away, legs, legs, place, place, legs.astype(bool))

    @property
    def ahead(self) -> np.ndarray:
        """(n_leg,) bool, with the edge's line."""
        return self.end > self.start

    def turned(self) -> Routes:
        """The same ways from their ends to their starts."""
        order = np.argsort(self.pair[::-1], kind="stable")
        pair, edge, start, end, on_foot = (
            legs[::-1][order] for legs in (self.pair, self.edge, self.end, self.start, self.on_foot)
        )
        ends = self.off_edge, self.off_share, self.on_edge, self.on_share
        return Routes(self.minutes, self.metres, self.away_m, *ends, pair, edge, start, end, on_foot)


def mode_routes(
    area: StudyArea,
    travel: Travel,
    mode: str,
    demand: np.ndarray,
    school: np.ndarray,
    direction: Direction = "to_school",
) -> Routes:
    """Routes of a mode with its waits, none beyond the walking limit: minutes and metres are the travel times' own.

    Parameters
    ----------
    demand, school : (n_pair,) rows of ``area.demand`` and ``area.schools``; no pair stands twice
    """
    homes, origin = np.unique(demand, return_inverse=True)
    schools, target = np.unique(school, return_inverse=True)
    of = ways(area, travel, mode, turned=direction == "from_school").take(homes, schools)
    found = routes(of, origin, target)
    found = replace(found, minutes=found.minutes + of.wait_minutes)
    if mode == "walk":
        found = without(found, found.minutes > travel.walk_max_minutes + 1e-9)
        found = replace(found, on_foot=np.ones(len(found.pair), dtype=bool))
    # On the network turned round the way from school was found from its end.
    return found.turned() if direction == "from_school" else found


def without(found: Routes, lost: np.ndarray) -> Routes:
    """The routes, some pairs (n_pair,) having none."""
    kept = ~lost[found.pair]
    return replace(
        found,
        minutes=np.where(lost, np.inf, found.minutes),
        metres=np.where(lost, np.inf, found.metres),
        away_m=np.where(lost, np.nan, found.away_m),
        on_edge=np.where(lost, -1, found.on_edge),
        off_edge=np.where(lost, -1, found.off_edge),
        pair=found.pair[kept],
        edge=found.edge[kept],
        start=found.start[kept],
        end=found.end[kept],
        on_foot=found.on_foot[kept],
    )


def routes(of: Ways, origin: np.ndarray, target: np.ndarray) -> Routes:
    """The quickest ways of pairs, no wait counted; on foot are only the ways to bus stops and from them.

    Parameters
    ----------
    origin, target : (n_pair,) doors of ``of.out`` and ``of.into``; no pair stands twice
    """
    over = _over_junctions(of, origin, target)
    if not len(origin):
        return over
    return _together(over, *_along_one(of.network, of.out, of.into, of.off, origin, target, over.minutes))


def _over_junctions(of: Ways, origin: np.ndarray, target: np.ndarray) -> Routes:
    """The quickest ways over a junction at least."""
    from scipy.sparse.csgraph import dijkstra

    network, out, into = of.network, of.out, of.into
    reverse, tail, head, arc = reversed_graph(network, into)
    key, length = head * np.int64(reverse.shape[0]) + tail, arc_metres(network, into)
    minutes, metres = np.full((2, len(origin)), np.inf)
    way = np.full(len(origin), -1)
    steps = [(np.zeros(0, dtype=np.int64),) * 2]
    schools, which = np.unique(target, return_inverse=True)
    for begin in range(0, len(schools), SCHOOLS_AT_A_TIME):
        some = schools[begin : begin + SCHOOLS_AT_A_TIME]
        far, before = dijkstra(reverse, indices=network.size + some, return_predecessors=True)
        pairs = np.flatnonzero((which >= begin) & (which < begin + len(some)))
        row, ways = spread(out.first, origin[pairs])
        tree = which[pairs][row] - begin
        ride = far[tree, out.node[ways]] + out.minutes[ways]
        best = np.full(len(pairs), np.inf)
        np.minimum.at(best, row, ride)
        tied = np.isfinite(ride) & (ride == best[row])
        row, ways, tree = row[tied], ways[tied], tree[tied]
        who, at, onward = _climb(before, tree, out.node[ways], network.size)
        arcs = arc[np.searchsorted(key, onward * np.int64(reverse.shape[0]) + at)]
        walked = out.metres[ways] + np.bincount(who, weights=length[arcs], minlength=len(ways))
        order = np.lexsort((walked, row))
        won = order[np.unique(row[order], return_index=True)[1]]
        chosen = np.zeros(len(ways), dtype=bool)
        chosen[won] = True
        minutes[pairs], metres[pairs[row[won]]], way[pairs[row[won]]] = best, walked[won], ways[won]
        kept = chosen[who]
        steps.append((pairs[row[who[kept]]], arcs[kept]))
    pair, arcs = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    return _on_edges(of, minutes, metres, way, pair, arcs)


def _climb(
    before: np.ndarray, tree: np.ndarray, node: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step by step from junctions up their trees to the school, all at once: who steps, from where, where to."""
    who = np.arange(len(node))
    none = np.zeros(0, dtype=np.int64)
    steps = [(none, none, none)]
    while len(who):
        onward = before[tree, node].astype(np.int64)
        steps.append((who, node, onward))
        more = onward < size
        who, tree, node = who[more], tree[more], onward[more]
    walked, at, onward = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    return walked, at, onward


def _on_edges(
    of: Ways, minutes: np.ndarray, metres: np.ndarray, way: np.ndarray, pair: np.ndarray, arcs: np.ndarray
) -> Routes:
    """Ways out, arcs between junctions and ways in as rides along edges."""
    edges = len(of.network.roads.edges)
    last, some = arcs >= 2 * edges, np.flatnonzero(way >= 0)
    back, ends = arcs[~last] >= edges, pair[last]
    leaves, arrives = of.walks or (None, None)
    first, (begins, *begun) = _outward(of.out, leaves, way[some])
    # The ways in are those of the network turned round, from their ends.
    final, (arriving, edge, end, start, on_foot) = _outward(of.into, arrives, arcs[last] - 2 * edges)
    parts = (
        (some[begins], *begun),
        (pair[~last], arcs[~last] % edges, back * 1.0, ~back * 1.0, np.zeros(len(back), dtype=bool)),
        (ends[arriving[::-1]], *(column[::-1] for column in (edge, start, end, on_foot))),
    )
    legs = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(legs[0], kind="stable")
    order = order[(np.abs(legs[3] - legs[2]) > NO_RIDE)[order]]
    on_edge, off_edge = np.full((2, len(way)), -1)
    away, on_share, off_share = np.full((3, len(way)), np.nan)
    on_edge[some], on_share[some], away[some] = first.edge, first.share, first.away_m
    off_edge[ends], off_share[ends] = final.edge, final.share
    away[ends] += final.away_m
    return Routes(minutes, metres, away, on_edge, on_share, off_edge, off_share, *(leg[order] for leg in legs))


def _outward(doors: Doors, walks: Walks | None, way: np.ndarray) -> tuple[Access, tuple[np.ndarray, ...]]:
    """Where ways from doors get on the road, and their legs from there to their junctions.

    Legs, all ways together, each in order: the row of ``way``, edge, start, end, on foot.
    """
    if doors.by is None:
        raise ValueError("these doors stand on junctions: they have no place on an edge")
    by, row = doors.by.take(way), np.arange(len(way))
    walked = by.edge < 0
    if walks is None or not walked.any():
        return by, (row, by.edge, by.share, by.ahead * 1.0, walked)
    door = np.searchsorted(doors.first, way[walked], side="right") - 1
    gets_on, who, arcs = walks.follow(door, doors.node[way[walked]])
    by = Access(*(getattr(by, field.name).copy() for field in fields(Access)))
    for field in fields(Access):
        getattr(by, field.name)[walked] = getattr(gets_on, field.name)
    who, arcs, edges = who[::-1], arcs[::-1], len(walks.network.roads.edges)
    back = arcs >= edges
    legs = (
        np.append(row, row[walked][who]),
        np.append(by.edge, arcs % edges),
        np.append(by.share, back),
        np.append(by.ahead * 1.0, ~back),
        np.append(walked, np.ones(len(arcs), dtype=bool)),
    )
    return by, legs


def _along_one(
    network: Network,
    out: Doors,
    into: Doors,
    off: OffRoad,
    origin: np.ndarray,
    target: np.ndarray,
    minutes: np.ndarray,
) -> tuple[np.ndarray, SameEdge]:
    """Pairs whose way along a single edge is quicker than ``minutes`` (n_pair,), and that way."""
    found = same_edge(network, out, into, off)
    keys, theirs = (i * np.int64(len(into.first)) + j for i, j in ((origin, target), (found.origin, found.target)))
    order = np.argsort(keys)
    pair = order[np.minimum(np.searchsorted(keys, theirs, sorter=order), len(keys) - 1)]
    good = (keys[pair] == theirs) & (found.minutes < minutes[pair])
    pair, found = pair[good], found.take(good)
    plain, best = ~found.passing, minutes.copy()
    np.minimum.at(best, pair[plain], found.minutes[plain])
    passing = ~plain & (found.minutes < best[pair])
    found = found.take(plain).plus(settled(found.take(passing), network, out, into, off))
    pair, later = np.append(pair[plain], pair[passing]), np.repeat([False, True], [plain.sum(), passing.sum()])
    order = np.lexsort((found.metres, later, found.minutes, pair))
    order = order[found.minutes[order] < minutes[pair[order]]]
    order = order[np.unique(pair[order], return_index=True)[1]]
    return pair[order], found.take(order)


def _together(over: Routes, pair: np.ndarray, one: SameEdge) -> Routes:
    """Routes over junctions, but for some pairs along one edge."""
    mine = np.zeros(len(over.minutes), dtype=bool)
    mine[pair] = True
    kept, ridden = ~mine[over.pair], np.abs(one.end - one.start) > NO_RIDE
    columns = (over.minutes, over.metres, over.away_m, over.on_edge, over.on_share, over.off_edge, over.off_share)
    laid = [column.copy() for column in columns]
    theirs = (one.minutes, one.metres, one.away_m, one.edge, one.start, one.edge, one.end)
    for column, values in zip(laid, theirs, strict=True):
        column[pair] = values
    riding = np.zeros(len(pair), dtype=bool)
    legs = (
        (over.pair, pair),
        (over.edge, one.edge),
        (over.start, one.start),
        (over.end, one.end),
        (over.on_foot, riding),
    )
    joined = [np.append(old[kept], new[ridden]) for old, new in legs]
    order = np.argsort(joined[0], kind="stable")
    return Routes(*laid, *(leg[order] for leg in joined))
