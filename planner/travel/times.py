"""Travel times: minutes from every demand point to every school, door to door, by the quickest mode a band may use.

The network is cut at the places where doors meet it, so that a trip along one edge is as exact as any other. Trips run
towards school: Dijkstra starts at the schools on the reversed network (Dijkstra 1959); large networks go through
``hierarchy``.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from planner.model import BANDS, MODES, Roads, StudyArea, TravelTimes
from planner.roads import EXPRESSWAY, snap, speeds_kmh
from planner.scenario import Travel

if TYPE_CHECKING:
    import xarray as xr

SCHOOLS_AT_A_TIME = 64
SWEEP_FROM = 5e7
"""Schools times nodes; for fewer, compiling the hierarchy on a fresh machine takes longer than all of scipy's work."""
CACHE_VERSION = 1
SAME_PLACE_M = 1e-5


@dataclass(frozen=True)
class ModeTimes:
    """Trips by one mode: (n_demand, n_school) minutes and km, NaN where there is no way; metres to the road."""

    minutes: np.ndarray
    km: np.ndarray
    demand_away_m: np.ndarray
    school_away_m: np.ndarray


def travel_times(area: StudyArea, travel: Travel, *, cache: bool = True) -> TravelTimes:
    """Minutes and kilometres, one way, from every demand point to every school by band.

    Walking and cycling: the way from the door to the nearest edge that the mode may use, along the roads, and to the
    school's door. Bus: the same with the bus on the road, a wait, and one-way streets obeyed. The parts off the road
    are straight lines at walking speed (``access_kmh``), at most ``max_access_m`` at either end. Nobody walks longer
    than ``walk_max_minutes``.

    Parameters
    ----------
    cache : keep the result in the area's folder under ``.cache``, named by the hash of all it depends on; it is safe
        to delete

    Returns
    -------
    TravelTimes : equal to any exact shortest-path algorithm's; NaN where no way exists

    >>> times = travel_times(tiny.area, tiny.scenario.travel)
    >>> times.data["minutes"].sel(band="lower_primary", demand="V3").values.round(6).tolist()
    [40.0, 20.0, 20.0]
    """
    began = time.perf_counter()
    store = _cache_file(area, travel) if cache else None
    held = _read_cache(store, area) if store else None
    if held is not None:
        return TravelTimes(held[0], MODES, held[1], time.perf_counter() - began, from_cache=True)
    wanted = {band: travel.modes_by_band.get(band, travel.modes) for band in BANDS}  # type: ignore[call-overload]
    used = [mode for mode in MODES if any(mode in modes for modes in wanted.values())]
    by_mode = {mode: mode_times(area, travel, mode) for mode in used}
    data = _by_band(area, wanted, by_mode)
    reasons = off_network(area, travel, by_mode)
    if store:
        _write_cache(store, data, reasons)
    return TravelTimes(data, MODES, reasons, time.perf_counter() - began)


def mode_times(area: StudyArea, travel: Travel, mode: str) -> ModeTimes:
    """Trips by one mode, door to door."""
    edges = area.roads.edges
    kmh = speeds_kmh(edges, mode, travel.speeds.get(mode))  # type: ignore[call-overload]
    stops = kmh > 0  # a bus does not stop on an expressway
    stops &= ~edges["road_class"].isin(EXPRESSWAY).to_numpy() if mode == "bus" else True
    doors = np.concatenate([area.demand.geometry.to_numpy(), area.schools.geometry.to_numpy()])
    edge, along, away = snap(doors, area.roads, stops)
    n = len(area.demand)
    reach = (edge >= 0) & (away <= travel.max_access_m)
    minutes = np.full((n, len(doors) - n), np.nan)
    km = minutes.copy()
    from_here, to_there = np.flatnonzero(reach[:n]), np.flatnonzero(reach[n:])
    if len(from_here) and len(to_there):
        graph = cut_graph(area.roads, kmh, mode, edge[reach], along[reach])
        place = np.full(len(doors), -1)
        place[reach] = graph.door
        ride, metres = graph.trips(place[from_here], place[n + to_there])
        walk_m = away[from_here][:, None] + away[n + to_there][None, :]
        ride += walk_m / (travel.access_kmh * 1000 / 60)
        if mode == "bus":
            ride += travel.bus_wait_minutes
        if mode == "walk":
            ride[ride > travel.walk_max_minutes + 1e-9] = np.nan
        block = np.ix_(from_here, to_there)
        minutes[block] = np.where(np.isfinite(ride), ride, np.nan)
        km[block] = np.where(np.isfinite(ride), (metres + walk_m) / 1000, np.nan)
    return ModeTimes(minutes, km, away[:n], away[n:])


@dataclass(frozen=True)
class CutGraph:
    """The network with a node at every door: arcs ``tail -> head``, minutes and metres; ``door`` (n_door,) nodes."""

    size: int
    tail: np.ndarray
    head: np.ndarray
    minutes: np.ndarray
    metres: np.ndarray
    door: np.ndarray

    def trips(self, origins: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minutes and metres (n_origin, n_target) of the quickest ways; infinite where there is none."""
        stop, which = np.unique(targets, return_inverse=True)
        if len(stop) * self.size > SWEEP_FROM:
            from planner.travel.hierarchy import contract, customize, many_to_many

            metric = customize(contract(self.size, self.tail, self.head), self.minutes, self.metres)
            minutes, metres = many_to_many(metric, origins, stop)
            return minutes[:, which], metres[:, which]
        return self._dijkstra(origins, stop, which)

    def _dijkstra(self, origins: np.ndarray, stop: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same by scipy, from the schools on the reversed network."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        # Of parallel arcs the quickest counts; scipy would add them up. Zero minutes stay an arc, not "no arc".
        order = np.lexsort((self.metres, self.minutes, self.tail, self.head))
        tail, head = self.tail[order], self.head[order]
        first = np.append(True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1]))[: len(tail)]
        tail, head, order = tail[first], head[first], order[first]
        indptr = np.searchsorted(head, np.arange(self.size + 1))
        reverse = csr_array((self.minutes[order], tail, indptr), shape=(self.size, self.size))
        metres = self.metres[order]
        minutes_out = np.empty((len(origins), len(which)))
        metres_out = np.empty_like(minutes_out)
        for begin in range(0, len(stop), SCHOOLS_AT_A_TIME):
            some = stop[begin : begin + SCHOOLS_AT_A_TIME]
            far, before = dijkstra(reverse, indices=some, return_predecessors=True)
            length = np.vstack([_lengths(row, head, tail, metres, self.size) for row in before])
            columns = np.flatnonzero((which >= begin) & (which < begin + len(some)))
            minutes_out[:, columns] = far[which[columns] - begin][:, origins].T
            metres_out[:, columns] = length[which[columns] - begin][:, origins].T
        return minutes_out, metres_out


def _lengths(before: np.ndarray, head: np.ndarray, tail: np.ndarray, metres: np.ndarray, size: int) -> np.ndarray:
    """Metres along a shortest-path tree, by pointer doubling; ``before`` is the next node towards school."""
    node = np.flatnonzero(before >= 0)
    total = np.zeros(size)
    step = before.astype(np.int64)
    # The arc node -> before[node]: arcs are sorted by (head, tail).
    at = np.searchsorted(head * np.int64(size) + tail, step[node] * size + node)
    total[node] = metres[at]
    parent = np.where(step >= 0, step, np.arange(size))
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return total
        total = total + total[parent]
        parent = further


def cut_graph(roads: Roads, kmh: np.ndarray, mode: str, edge: np.ndarray, along_m: np.ndarray) -> CutGraph:
    """The usable network with every edge cut at the doors on it.

    Parameters
    ----------
    kmh : (n_edge,) 0 where the mode may not go
    edge, along_m : (n_door,) where each door meets the network
    """
    frame = roads.edges
    a, b = frame["from_node"].to_numpy(), frame["to_node"].to_numpy()
    length = frame["length_m"].to_numpy()
    one = np.zeros(len(frame), dtype=np.int64) if mode == "walk" else frame["oneway"].to_numpy()
    nodes = len(roads.nodes)
    # Doors at one place share a node, and a door at an edge's end is the junction: it may leave by any road there.
    order = np.lexsort((along_m, edge))
    apart = (np.diff(edge[order]) != 0) | (np.diff(along_m[order]) > SAME_PLACE_M)
    door = np.empty(len(edge), dtype=np.int64)
    door[order] = nodes + np.append(0, np.cumsum(apart))[: len(edge)]
    door = np.where(along_m >= length[edge] - SAME_PLACE_M, b[edge], door)
    door = np.where(along_m <= SAME_PLACE_M, a[edge], door)
    between = np.unique(np.where(door >= nodes, door, -1), return_index=True)[1]
    between = between[door[between] >= nodes]
    # Every stop along an edge in order: its start, the doors on it, its end.
    usable = np.flatnonzero(kmh > 0)
    row = np.concatenate([usable, edge[between], usable])
    where = np.concatenate([np.zeros(len(usable)), along_m[between], length[usable]])
    kind = np.repeat([0, 1, 2], [len(usable), len(between), len(usable)])
    stop = np.concatenate([a[usable], door[between], b[usable]])
    order = np.lexsort((where, kind, row))
    row, where, stop = row[order], where[order], stop[order]
    joined = row[1:] == row[:-1]
    e, u, v = row[1:][joined], stop[:-1][joined], stop[1:][joined]
    metres = np.maximum(where[1:][joined] - where[:-1][joined], 0.0)
    minutes = metres / (kmh[e] * 1000 / 60)
    ahead, back = one[e] >= 0, one[e] <= 0
    return CutGraph(
        size=nodes + len(edge),
        tail=np.concatenate([u[ahead], v[back]]).astype(np.int64),
        head=np.concatenate([v[ahead], u[back]]).astype(np.int64),
        minutes=np.concatenate([minutes[ahead], minutes[back]]),
        metres=np.concatenate([metres[ahead], metres[back]]),
        door=door,
    )


def _by_band(area: StudyArea, wanted: Mapping[str, tuple[str, ...]], by_mode: Mapping[str, ModeTimes]) -> xr.Dataset:
    """The quickest of each band's modes; among equals the earlier of ``MODES``."""
    import xarray as xr

    shape = (len(BANDS), len(area.demand), len(area.schools))
    minutes, km = np.full(shape, np.nan), np.full(shape, np.nan)
    mode_at = np.full(shape, -1, dtype=np.int8)
    for i, band in enumerate(BANDS):
        for mode, trips in by_mode.items():
            if mode in wanted[band]:
                with np.errstate(invalid="ignore"):
                    better = ~np.isnan(trips.minutes) & ~(minutes[i] <= trips.minutes)
                minutes[i][better] = trips.minutes[better]
                km[i][better] = trips.km[better]
                mode_at[i][better] = MODES.index(mode)
    dims = ("band", "demand", "school")
    return xr.Dataset(
        {"minutes": (dims, minutes), "km": (dims, km), "mode": (dims, mode_at)},
        coords={
            "band": list(BANDS),
            "demand": area.demand.index.to_numpy(dtype=str),
            "school": area.schools.index.to_numpy(dtype=str),
        },
    )


def off_network(area: StudyArea, travel: Travel, by_mode: Mapping[str, ModeTimes]) -> dict[str, str]:
    """Demand points and schools without any trip at all, and why, in words."""
    if not by_mode:
        return {}
    some = np.any([~np.isnan(trips.minutes) for trips in by_mode.values()], axis=0)
    near_demand = np.min([trips.demand_away_m for trips in by_mode.values()], axis=0)
    near_school = np.min([trips.school_away_m for trips in by_mode.values()], axis=0)
    found: dict[str, str] = {}
    for ids, lost, near in (
        (area.demand.index, ~some.any(axis=1), near_demand),
        (area.schools.index, ~some.any(axis=0), near_school),
    ):
        for place in np.flatnonzero(lost):
            found[str(ids[place])] = _why(float(near[place]), travel)
    return found


def _why(near_m: float, travel: Travel) -> str:
    if not np.isfinite(near_m):
        return "the network has no road that a mode of the scenario may use"
    if near_m > travel.max_access_m:
        return f"the nearest usable road is {near_m:,.0f} m away (limit {travel.max_access_m:,.0f} m)"
    return "its road is an island of the network, or every way is beyond the walking limit"


# ---------------------------------------------------------------- cache


def _cache_file(area: StudyArea, travel: Travel) -> Path | None:
    if area.folder is None or not area.content_hash:
        return None
    key = f"{CACHE_VERSION} {area.content_hash} {travel.model_dump_json()}"
    return area.folder / ".cache" / f"travel-{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"


def _read_cache(file: Path, area: StudyArea) -> tuple[xr.Dataset, dict[str, str]] | None:
    import xarray as xr

    try:
        with np.load(file, allow_pickle=False) as held:
            dims = ("band", "demand", "school")
            coords = {dim: held[dim] for dim in dims}
            data = xr.Dataset({name: (dims, held[name]) for name in ("minutes", "km", "mode")}, coords=coords)
            reasons = dict(zip(held["lost"].tolist(), held["why"].tolist(), strict=True))
    except (OSError, ValueError, KeyError, EOFError):  # absent, or half-written by a machine that went down
        return None
    same = np.array_equal(coords["demand"], area.demand.index.to_numpy(dtype=str))
    same &= np.array_equal(coords["school"], area.schools.index.to_numpy(dtype=str))
    return (data, reasons) if same else None


def _write_cache(file: Path, data: xr.Dataset, reasons: Mapping[str, str]) -> None:
    """All of it or nothing; a folder that may not be written to goes without a cache."""
    arrays = {name: data[name].to_numpy() for name in ("minutes", "km", "mode", "band", "demand", "school")}
    arrays["lost"] = np.array(list(reasons), dtype=str)
    arrays["why"] = np.array(list(reasons.values()), dtype=str)
    try:
        file.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".npz", delete=False) as part:
            np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
        Path(part.name).replace(file)
    except OSError:
        return
