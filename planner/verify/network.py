"""Shortest paths of its own: a heap, one village at a time, on plain lists."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.model import BAND_GRADES, BUS_MODES, StudyArea
from planner.remembered import remembered
from planner.roads import along_one
from planner.scenario import Travel
from planner.travel.doors import Doors
from planner.travel.network import Network as RoadNetwork
from planner.travel.network import OffRoad, off_road
from planner.travel.ways import ways
from planner.verify.folder import Folder

Arcs = Mapping[Any, list[tuple[Any, float]]]


@dataclass(frozen=True)
class Door:
    """A place: its junctions with minutes, and by edge and direction where it gets on, with minutes."""

    xy: tuple[float, float]
    ends: list[tuple[int, float]]
    on: dict[tuple[int, bool], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Lane:
    """A mode one way: the network, arcs between junctions and on to schools, and the doors at either end.

    ``alighting`` says by edge and direction which schools get off there, ``minutes`` how long the whole edge takes.
    """

    network: RoadNetwork
    off: OffRoad
    arcs: Arcs
    homes: Mapping[str, Door]
    schools: Mapping[str, Door]
    alighting: Mapping[tuple[int, bool], list[tuple[str, float, float]]]
    minutes: Mapping[tuple[int, bool], float]

    def ride(self, homes: Sequence[Door], totals: Sequence[dict[str, float]], limit: float = math.inf) -> None:
        """Shorten each home's trips to schools where it gets on an edge and the school gets off it before its end.

        Trips of the limit and longer are not looked at.
        """
        passing = []
        for i, home in enumerate(homes):
            most = min(limit, max((totals[i].get(school, math.inf) for school in self.schools), default=0.0))
            for way, (share, walk) in home.on.items():
                # Nobody saves more than the whole edge by getting off behind the place where they got on.
                if way not in self.alighting or walk - self.minutes[way] >= most:
                    continue
                edge, ahead = way
                for school, its_share, its_walk in self.alighting[way]:
                    on = (its_share - share) * (1 if ahead else -1)
                    total = walk + its_walk + on * self.minutes[way]
                    if total >= min(totals[i].get(school, math.inf), limit):
                        continue
                    if on < 0:  # the two places pass each other: other places on the edge, none quicker than this
                        passing.append((i, school, edge, ahead))
                    else:
                        totals[i][school] = total
        if not passing:
            return
        edges, aheads = np.array([row[2] for row in passing]), np.array([row[3] for row in passing])
        road = (edges, aheads, np.where(aheads, self.network.ahead[edges], self.network.back[edges]))
        ends = (np.array([homes[i].xy for i, *_ in passing]), np.array([self.schools[s].xy for _, s, *_ in passing]))
        found = along_one(self.network.roads, *road, *ends, self.off.pace, self.off.within_m)[0]
        for (i, school, _, _), total in zip(passing, found.tolist(), strict=True):
            totals[i][school] = min(total, totals[i].get(school, math.inf))


class Network:
    """The roads as plain lists, searched with a heap from one village at a time."""

    def __init__(self, area: StudyArea, travel: Travel) -> None:
        self.area, self.travel = area, travel
        self._lanes: dict[tuple[str, bool], Lane] = {}
        self._back: dict[str, Arcs] = {}
        self._reach: dict[tuple[str, str, float], dict[str, float]] = {}
        self._today: dict[str, dict[str, float]] = {}

    def minutes(self, demand: str, band: str, school: str, limit: float = math.inf) -> float:
        """By the quickest mode that the band may use; infinite without a way, or with none within the limit."""
        return min(self.reach(demand, mode, limit).get(school, math.inf) for mode in self._modes(band))

    def _modes(self, band: str) -> tuple[str, ...]:
        return tuple(self.travel.modes_by_band.get(band, self.travel.modes))  # type: ignore[call-overload]

    def today(self, demand: str, band: str, limit: float = math.inf) -> float:
        """Minutes to the quickest existing school that teaches the band; infinite where none is within the limit."""
        if self.travel.trip == "both" or math.isfinite(limit):
            found = (self.minutes(demand, band, school, limit) for school in self._teaching(band))
            return min(found, default=math.inf)
        if band not in self._today:
            by_mode = [self._to_any_school(band, mode) for mode in self._modes(band)]
            self._today[band] = {d: min(found[d] for found in by_mode) for d in by_mode[0]}
        return self._today[band][demand]

    def _teaching(self, band: str) -> list[str]:
        """Existing schools that teach the band."""
        schools = self.area.schools
        return [
            str(school)
            for school, status, grades in zip(schools.index, schools["status"], schools["grades"], strict=True)
            if status != "candidate" and set(BAND_GRADES[band]) <= set(grades)
        ]

    def _to_any_school(self, band: str, mode: str) -> dict[str, float]:
        """Minutes from every demand point to the nearest existing school: one search from all schools, backwards."""
        lane, teaching = self._lane(mode), self._teaching(band)
        if mode not in self._back:
            self._back[mode] = turned(lane.arcs)
        best = search(self._back[mode], [(school, 0.0) for school in teaching])
        homes = list(lane.homes.values())
        other = dict.fromkeys(lane.schools, -math.inf)
        least = [min((best.get(node, math.inf) + t for node, t in home.ends), default=math.inf) for home in homes]
        totals = [other | dict.fromkeys(teaching, total) for total in least]
        lane.ride(homes, totals)
        least = [min((of[school] for school in teaching), default=math.inf) for of in totals]
        return {place: self._door_to_door(total, mode) for place, total in zip(lane.homes, least, strict=True)}

    def reach(self, demand: str, mode: str, limit: float = math.inf) -> dict[str, float]:
        """Minutes, door to door, to every school that the mode reaches; of both ways the mean where that is asked.

        Trips longer than the limit may be missing.
        """
        if (demand, mode, limit) not in self._reach:
            turns = (False, True) if self.travel.trip == "both" else (False,)
            found = [self._one_way(demand, mode, homewards, limit * len(turns)) for homewards in turns]
            schools = set.intersection(*(set(way) for way in found))
            self._reach[demand, mode, limit] = {s: sum(way[s] for way in found) / len(found) for s in schools}
        return self._reach[demand, mode, limit]

    def _one_way(self, demand: str, mode: str, homewards: bool, limit: float) -> dict[str, float]:
        lane = self._lane(mode, homewards)
        best = search(lane.arcs, lane.homes[demand].ends, limit)
        totals = {school: best[school] for school in lane.schools if school in best}
        lane.ride([lane.homes[demand]], [totals], limit)
        whole = {school: self._door_to_door(total, mode) for school, total in totals.items()}
        return {school: total for school, total in whole.items() if math.isfinite(total)}

    def _door_to_door(self, ride: float, mode: str) -> float:
        total = ride + (self.travel.bus_wait_minutes if mode in BUS_MODES else 0.0)
        return math.inf if mode == "walk" and total > self.travel.walk_max_minutes + 1e-9 else total

    def _lane(self, mode: str, homewards: bool = False) -> Lane:
        if (mode, homewards) not in self._lanes:
            walks = mode == "walk_bus"
            self._lanes[mode, homewards] = self._to_stops(homewards) if walks else self._straight(mode, homewards)
        return self._lanes[mode, homewards]

    def _straight(self, mode: str, homewards: bool, within_m: float = math.inf) -> Lane:
        """From door to door on one network; the way home is the way to school on the network turned round."""
        area, travel = self.area, self.travel
        if within_m < travel.max_access_m:
            travel = travel.model_copy(update={"max_access_m": within_m})
        of = ways(area, travel, mode, turned=homewards)
        homes, schools = _doors(area.demand, of.out, into=False), _doors(area.schools, of.into, into=True)
        return _lane(of.network, of.off, homes, schools)

    def _to_stops(self, homewards: bool) -> Lane:
        """On foot, within the limit, to a junction of a road where a bus may stop, or straight to such a road."""
        limit, on_foot = self.travel.walk_to_stop_max_minutes, self._lane("walk", homewards)
        bus = self._straight("bus", homewards, limit / off_road(self.travel).pace)
        back = turned(on_foot.arcs)
        edges = bus.network.roads.edges[bus.network.stops]
        stops = set(edges["from_node"]) | set(edges["to_node"])

        def walked(door: Door, arcs: Arcs, ridden: Door) -> Door:
            near = search(arcs, door.ends, limit)
            return Door(door.xy, [*ridden.ends, *((n, t) for n, t in near.items() if n in stops)], ridden.on)

        homes = {i: walked(door, on_foot.arcs, bus.homes[i]) for i, door in on_foot.homes.items()}
        schools = {i: walked(door, back, bus.schools[i]) for i, door in on_foot.schools.items()}
        return _lane(bus.network, bus.off, homes, schools)


@remembered
def network_of(plan: Folder) -> Network:
    """The roads of a plan, one for all checks: what one has searched the next finds again."""
    return Network(plan.area, plan.scenario.travel)


def _lane(network: RoadNetwork, off: OffRoad, homes: Mapping[str, Door], schools: Mapping[str, Door]) -> Lane:
    arcs = _arcs(network)
    alighting: dict[tuple[int, bool], list[tuple[str, float, float]]] = defaultdict(list)
    length, pace = network.roads.edges["length_m"].tolist(), (network.back.tolist(), network.ahead.tolist())
    for school, door in schools.items():
        for node, walk in door.ends:
            arcs[node].append((school, walk))
        for road, (share, walk) in door.on.items():
            alighting[road].append((school, share, walk))
    minutes = {(edge, ahead): length[edge] * pace[ahead][edge] for edge, ahead in alighting}
    return Lane(network, off, arcs, homes, schools, alighting, minutes)


def _arcs(network: RoadNetwork) -> dict[Any, list[tuple[Any, float]]]:
    """The open arcs by the junction that they leave, with their minutes."""
    edges = network.roads.edges
    ends = network.roads.ends
    pace = np.column_stack([network.ahead, network.back]).ravel()
    tail, head, metres = ends.ravel(), ends[:, ::-1].ravel(), np.repeat(edges["length_m"].to_numpy(), 2)
    order = np.argsort(tail, kind="stable")
    order = order[np.isfinite(pace[order])]
    onward = list(zip(head[order].tolist(), (metres[order] * pace[order]).tolist(), strict=True))
    first = np.flatnonzero(np.diff(tail[order], prepend=-1))
    last = np.append(first, len(order))[1:]  # where no road is open there is none of either
    bounds = zip(tail[order][first].tolist(), first.tolist(), last.tolist(), strict=True)
    return defaultdict(list, {node: onward[low:high] for node, low, high in bounds})


def _doors(places: Any, found: Doors, *, into: bool) -> dict[str, Door]:
    """Doors as plain lists; what leaves the network going back on the reversed one arrives going ahead."""
    on, x, y = found.on, places.geometry.x.tolist(), places.geometry.y.tolist()
    ends = list(zip(found.node.tolist(), found.minutes.tolist(), strict=True))
    ways = zip(on.edge.tolist(), (on.ahead != into).tolist(), strict=True)
    gets_on = list(zip(ways, zip(on.share.tolist(), found.on_minutes.tolist(), strict=True), strict=True))
    first, first_on = found.first.tolist(), np.searchsorted(on.door, np.arange(len(x) + 1)).tolist()
    made = (
        Door(place, ends[first[i] : first[i + 1]], dict(gets_on[first_on[i] : first_on[i + 1]]))
        for i, place in enumerate(zip(x, y, strict=True))
    )
    return {str(i): door for i, door in zip(places.index, made, strict=True)}


def turned(arcs: Arcs) -> Arcs:
    """Every arc turned round."""
    back: dict[Any, list[tuple[Any, float]]] = defaultdict(list)
    for node, onward in arcs.items():
        for other, cost in onward:
            back[other].append((node, cost))
    return back


def search(arcs: Arcs, starts: Iterable[tuple[Any, float]], limit: float = math.inf) -> dict[Any, float]:
    """Dijkstra's algorithm from several starts with minutes already spent, no farther than ``limit``."""
    best: dict[Any, float] = {}
    heap = [(time, number, node) for number, (node, time) in enumerate(starts) if time <= limit]
    heapq.heapify(heap)
    number = len(heap)
    while heap:
        time, _, node = heapq.heappop(heap)
        if node in best:
            continue
        best[node] = time
        for other, cost in arcs.get(node, ()):
            if other not in best and time + cost <= limit:
                number += 1
                heapq.heappush(heap, (time + cost, number, other))
    return best
