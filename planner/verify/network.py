"""Shortest paths of its own: a heap, one village at a time, on plain lists."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.model import BAND_GRADES, BAND_STAGE
from planner.roads import along_one, speeds_kmh
from planner.travel import roads_of
from planner.travel.doors import doors_in, doors_out
from planner.travel.network import mode_network, off_road
from planner.verify.folder import Folder, open_stages

Arcs = Mapping[Any, list[tuple[Any, float]]]


@dataclass(frozen=True)
class Door:
    """A place: its junctions with minutes, and by edge and direction where it gets on, with minutes."""

    xy: tuple[float, float]
    ends: list[tuple[int, float]]
    on: dict[tuple[int, bool], tuple[float, float]]


class Network:
    """The roads as plain lists, searched with a heap from one village at a time."""

    def __init__(self, plan: Folder) -> None:
        self.plan = plan
        travel = plan.scenario.travel
        self.off_road = 60 * travel.access_detour / (1000 * travel.access_kmh)
        self._paces: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._arcs: dict[str, Arcs] = {}
        self._roads = roads_of(plan.area, travel)
        self._length = self._roads.edges["length_m"].tolist()
        self._alighting: dict[str, dict[tuple[int, bool], list[tuple[str, float, float]]]] = {}
        self._doors: dict[tuple[str, str, bool], Door] = {}
        self._reach: dict[tuple[str, str], dict[str, float]] = {}
        self._today: dict[str, dict[str, float]] = {}

    def minutes(self, demand: str, band: str, school: str) -> float:
        """By the quickest mode that the band may use; infinite without a way."""
        travel = self.plan.scenario.travel
        modes = travel.modes_by_band.get(band, travel.modes)  # type: ignore[call-overload]
        return min(self.reach(demand, mode).get(school, math.inf) for mode in modes)

    def today(self, demand: str, band: str) -> float:
        """Minutes to the quickest existing school that teaches the band."""
        if band not in self._today:
            travel = self.plan.scenario.travel
            modes = travel.modes_by_band.get(band, travel.modes)  # type: ignore[call-overload]
            by_mode = [self._to_any_school(band, mode) for mode in modes]
            self._today[band] = {d: min(found[d] for found in by_mode) for d in by_mode[0]}
        return self._today[band][demand]

    def _to_any_school(self, band: str, mode: str) -> dict[str, float]:
        """Minutes from every demand point to the nearest existing school: one search from all schools, backwards."""
        back: dict[Any, list[tuple[Any, float]]] = defaultdict(list)
        for node, ways in self._graph(mode).items():
            for other, cost in ways:
                back[other].append((node, cost))
        schools = self.plan.area.schools
        teaching = [
            str(school)
            for school, status, grades in zip(schools.index, schools["status"], schools["grades"], strict=True)
            if status != "candidate" and set(BAND_GRADES[band]) <= set(grades)
        ]
        best = search(back, [(school, 0.0) for school in teaching])
        found = {}
        for demand in map(str, self.plan.area.demand.index):
            door = self._door(demand, mode, home=True)
            total = min((best.get(node, math.inf) + t for node, t in door.ends), default=math.inf)
            rides = dict.fromkeys(map(str, self.plan.area.schools.index), -math.inf) | dict.fromkeys(teaching, total)
            self._along_one_edge(door, mode, rides)
            found[demand] = self._door_to_door(min((rides[s] for s in teaching), default=math.inf), mode)
        return found

    def any_school(self, row: dict[str, str]) -> str | None:
        """An open school that teaches the band and can be reached."""
        stage, grades = BAND_STAGE[row["band"]], set(BAND_GRADES[row["band"]])
        for school, of in open_stages(self.plan):
            teaches = grades <= set(self.plan.area.schools.loc[school, "grades"])
            if of == stage and teaches and math.isfinite(self.minutes(row["demand_id"], row["band"], school)):
                return school
        return None

    def reach(self, demand: str, mode: str) -> dict[str, float]:
        """Minutes, door to door, to every school that the mode reaches."""
        if (demand, mode) not in self._reach:
            door = self._door(demand, mode, home=True)
            best = search(self._graph(mode), door.ends)
            rides = {school: best[school] for school in map(str, self.plan.area.schools.index) if school in best}
            self._along_one_edge(door, mode, rides)
            totals = {school: self._door_to_door(ride, mode) for school, ride in rides.items()}
            self._reach[demand, mode] = {school: total for school, total in totals.items() if math.isfinite(total)}
        return self._reach[demand, mode]

    def _door_to_door(self, ride: float, mode: str) -> float:
        travel = self.plan.scenario.travel
        total = ride + (travel.bus_wait_minutes if mode == "bus" else 0.0)
        return math.inf if mode == "walk" and total > travel.walk_max_minutes + 1e-9 else total

    def _along_one_edge(self, home: Door, mode: str, rides: dict[str, float]) -> None:
        """Shorten rides to schools where the home gets on an edge and the school gets off it before its end."""
        roads, within = self._roads, self.plan.scenario.travel.max_access_m
        for (edge, ahead), (share, walk) in home.on.items():
            for school, its_share, its_walk in self._alighting[mode].get((edge, ahead), ()):
                pace = self._paces[mode][0 if ahead else 1][edge]
                on = (its_share - share) * (1 if ahead else -1)
                ride = walk + its_walk + on * self._length[edge] * pace
                if ride >= rides.get(school, math.inf):
                    continue
                if on < 0:  # the two places pass each other: other places on the edge, none of them quicker than this
                    road = (np.array([edge]), np.array([ahead]), np.array([pace]))
                    ends = (np.array([home.xy]), np.array([self._doors[school, mode, False].xy]))
                    ride = float(along_one(roads, *road, *ends, self.off_road, within)[0][0])
                rides[school] = min(ride, rides.get(school, math.inf))

    def _graph(self, mode: str) -> Arcs:
        """Arcs between junctions, and from junctions to schools."""
        if mode not in self._arcs:
            edges = self._roads.edges
            own = self.plan.scenario.travel.speeds.get(mode)  # type: ignore[call-overload]
            kmh = speeds_kmh(edges, mode, own)
            one = np.zeros(len(edges)) if mode == "walk" else edges["oneway"].to_numpy()
            with np.errstate(divide="ignore"):
                pace = np.where(kmh > 0, 60 / (kmh * 1000), math.inf)
            self._paces[mode] = np.where(one >= 0, pace, math.inf), np.where(one <= 0, pace, math.inf)
            arcs: dict[Any, list[tuple[Any, float]]] = defaultdict(list)
            columns = (edges[c].tolist() for c in ("from_node", "to_node", "length_m"))
            for a, b, metres, ahead, back in zip(*columns, *(p.tolist() for p in self._paces[mode]), strict=True):
                if math.isfinite(ahead):
                    arcs[a].append((b, metres * ahead))
                if math.isfinite(back):
                    arcs[b].append((a, metres * back))
            self._arcs[mode], self._alighting[mode] = arcs, defaultdict(list)
            self._find_doors(mode)
            for school in map(str, self.plan.area.schools.index):
                door = self._doors[school, mode, False]
                for node, walk in door.ends:
                    arcs[node].append((school, walk))
                for road, (share, walk) in door.on.items():
                    self._alighting[mode][road].append((school, share, walk))
        return self._arcs[mode]

    def _door(self, place: str, mode: str, *, home: bool) -> Door:
        self._graph(mode)
        return self._doors[place, mode, home]

    def _find_doors(self, mode: str) -> None:
        """Homes get onto the network, schools are got off to: the same with every arc turned round."""
        area, travel = self.plan.area, self.plan.scenario.travel
        network, off = mode_network(self._roads, travel, mode), off_road(travel)
        for frame, home in ((area.demand, True), (area.schools, False)):
            found = (doors_out if home else doors_in)(frame.geometry.to_numpy(), network, off)
            doors = [Door((p.x, p.y), [], {}) for p in frame.geometry]
            who = np.repeat(np.arange(len(doors)), np.diff(found.first))
            for door, node, walk in zip(who.tolist(), found.node.tolist(), found.minutes.tolist(), strict=True):
                doors[door].ends.append((node, walk))
            on = found.on
            columns = (c.tolist() for c in (on.door, on.edge, on.ahead, on.share, found.on_minutes))
            for door, edge, to_end, share, walk in zip(*columns, strict=True):
                doors[door].on[edge, to_end if home else not to_end] = share, walk
            self._doors |= {(str(i), mode, home): door for i, door in zip(frame.index, doors, strict=True)}


def search(arcs: Arcs, starts: Iterable[tuple[Any, float]]) -> dict[Any, float]:
    """Dijkstra's algorithm from several starts with minutes already spent."""
    best: dict[Any, float] = {}
    heap = [(time, number, node) for number, (node, time) in enumerate(starts)]
    heapq.heapify(heap)
    number = len(heap)
    while heap:
        time, _, node = heapq.heappop(heap)
        if node in best:
            continue
        best[node] = time
        for other, cost in arcs.get(node, ()):
            if other not in best:
                number += 1
                heapq.heappush(heap, (time + cost, number, other))
    return best
