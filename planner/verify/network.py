"""Shortest paths of its own: a heap, one village at a time, on plain lists."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.model import BAND_GRADES, BAND_STAGE
from planner.roads import speeds_kmh
from planner.verify.folder import Folder, open_stages


class Network:
    """The roads as plain lists, searched with a heap from one village at a time."""

    def __init__(self, plan: Folder) -> None:
        self.plan = plan
        self._arcs: dict[str, dict[int, list[tuple[int, float]]]] = {}
        self._kmh: dict[str, np.ndarray] = {}
        self._reach: dict[tuple[str, str], dict[str, float]] = {}
        self._today: dict[str, dict[str, float]] = {}
        self._trees: dict[str, tuple[Any, np.ndarray]] = {}
        self._doors: dict[tuple[float, float, str], tuple[int, float, float] | None] = {}

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
        area, travel = self.plan.area, self.plan.scenario.travel
        arcs, kmh = self._graph(mode)
        back: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for node, ways in arcs.items():
            for other, cost in ways:
                back[other].append((node, cost))
        pace = travel.access_kmh * 1000 / 60
        heap: list[tuple[float, int]] = []
        on_edge: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for _, school in area.schools.iterrows():
            if school["status"] == "candidate" or not set(BAND_GRADES[band]) <= set(school["grades"]):
                continue
            door = self._door(school.geometry, mode)
            if door is not None:
                edge, along, away = door
                on_edge[edge].append((along, away / pace))
                heap += [(away / pace + t, n) for n, t in self._ends(edge, along, mode, outward=False)]
        heapq.heapify(heap)
        best: dict[int, float] = {}
        while heap:
            time, node = heapq.heappop(heap)
            if node not in best:
                best[node] = time
                for other, cost in back[node]:
                    if other not in best:
                        heapq.heappush(heap, (time + cost, other))
        found = {}
        ways = area.roads.edges["oneway"].to_numpy()
        for demand, point in zip(area.demand.index, area.demand.geometry, strict=True):
            total, door = math.inf, self._door(point, mode)
            if door is not None:
                edge, along, away = door
                ends = self._ends(edge, along, mode, outward=True)
                total = min((best.get(n, math.inf) + t for n, t in ends), default=math.inf)
                one = 0 if mode == "walk" else int(ways[edge])
                for at, walk in on_edge.get(edge, ()):
                    if abs(at - along) < 1e-5 or (one >= 0 and at >= along) or (one <= 0 and at <= along):
                        total = min(total, walk + abs(at - along) / (kmh[edge] * 1000 / 60))
                total += away / pace + (travel.bus_wait_minutes if mode == "bus" else 0.0)
            too_far = mode == "walk" and total > travel.walk_max_minutes + 1e-9
            found[str(demand)] = math.inf if too_far else total
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
            self._reach[demand, mode] = self._search(demand, mode)
        return self._reach[demand, mode]

    def _search(self, demand: str, mode: str) -> dict[str, float]:
        import shapely

        area, travel = self.plan.area, self.plan.scenario.travel
        arcs, kmh = self._graph(mode)
        pace = travel.access_kmh * 1000 / 60
        start = self._door(area.demand.geometry.loc[demand], mode)
        if start is None:
            return {}
        edge, along, away = start
        best: dict[int, float] = {}
        heap = [(t, node) for node, t in self._ends(edge, along, mode, outward=True)]
        heapq.heapify(heap)
        while heap:
            time, node = heapq.heappop(heap)
            if node in best:
                continue
            best[node] = time
            for other, cost in arcs[node]:
                if other not in best:
                    heapq.heappush(heap, (time + cost, other))
        found = {}
        for school, point in zip(area.schools.index, area.schools.geometry, strict=True):
            door = self._door(point, mode)
            if door is None:
                continue
            there, at, far = door
            ride = min(
                (best.get(n, math.inf) + t for n, t in self._ends(there, at, mode, outward=False)), default=math.inf
            )
            if there == edge:
                one = 0 if mode == "walk" else int(area.roads.edges["oneway"].iloc[edge])
                if abs(at - along) < 1e-5 or (one >= 0 and at >= along) or (one <= 0 and at <= along):
                    ride = min(ride, abs(at - along) / (kmh[edge] * 1000 / 60))
            elif shapely.distance(self._on(edge, along), self._on(there, at)) < 1e-5 and self._joined(edge, there):
                ride = 0.0
            total = ride + (away + far) / pace + (travel.bus_wait_minutes if mode == "bus" else 0.0)
            if math.isfinite(total) and not (mode == "walk" and total > travel.walk_max_minutes + 1e-9):
                found[str(school)] = total
        return found

    def _on(self, edge: int, along: float) -> Any:
        row = self.plan.area.roads.edges.iloc[edge]
        return row.geometry.interpolate(along / row["length_m"] if row["length_m"] else 0.0, normalized=True)

    def _joined(self, a: int, b: int) -> bool:
        ends = self.plan.area.roads.edges[["from_node", "to_node"]].to_numpy()
        return bool(set(ends[a]) & set(ends[b]))

    def _graph(self, mode: str) -> tuple[dict[int, list[tuple[int, float]]], np.ndarray]:
        if mode not in self._arcs:
            edges = self.plan.area.roads.edges
            own = self.plan.scenario.travel.speeds.get(mode)  # type: ignore[call-overload]
            kmh = speeds_kmh(edges, mode, own)
            arcs: dict[int, list[tuple[int, float]]] = defaultdict(list)
            columns = (edges[c].tolist() for c in ("from_node", "to_node", "length_m", "oneway"))
            for a, b, metres, one, speed in zip(*columns, kmh.tolist(), strict=True):
                if speed > 0:
                    cost = metres / (speed * 1000 / 60)
                    if mode == "walk" or one >= 0:
                        arcs[a].append((b, cost))
                    if mode == "walk" or one <= 0:
                        arcs[b].append((a, cost))
            self._arcs[mode], self._kmh[mode] = arcs, kmh
        return self._arcs[mode], self._kmh[mode]

    def _door(self, point: Any, mode: str) -> tuple[int, float, float] | None:
        """Edge, metres along it, metres away; None where no usable road is near enough."""
        if (point.x, point.y, mode) not in self._doors:
            self._doors[point.x, point.y, mode] = self._find_door(point, mode)
        return self._doors[point.x, point.y, mode]

    def _find_door(self, point: Any, mode: str) -> tuple[int, float, float] | None:
        import shapely

        edges = self.plan.area.roads.edges
        if mode not in self._trees:
            _, kmh = self._graph(mode)
            stops = (kmh > 0) & ~((mode == "bus") & edges["road_class"].str.startswith("motorway").to_numpy())
            rows = np.flatnonzero(stops)
            self._trees[mode] = shapely.STRtree(edges.geometry.to_numpy()[rows]), rows
        tree, rows = self._trees[mode]
        if len(rows) == 0:
            return None
        edge = int(rows[np.min(tree.query_nearest(point))])
        line = edges.geometry.iloc[edge]
        away = line.distance(point)
        if away > self.plan.scenario.travel.max_access_m:
            return None
        along = line.project(point, normalized=True) * edges["length_m"].iloc[edge]
        return edge, float(along), float(away)

    def _ends(self, edge: int, along: float, mode: str, *, outward: bool) -> Iterator[tuple[int, float]]:
        """The junctions that a door on an edge leads to, or is led to from, and the minutes between."""
        row = self.plan.area.roads.edges.iloc[edge]
        one = 0 if mode == "walk" else int(row["oneway"]) * (1 if outward else -1)
        pace = self._kmh[mode][edge] * 1000 / 60
        a, b, length = int(row["from_node"]), int(row["to_node"]), float(row["length_m"])
        if one >= 0 or length - along < 1e-5:
            yield b, (length - along) / pace
        if one <= 0 or along < 1e-5:
            yield a, along / pace
