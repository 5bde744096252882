"""Travel times: minutes from every demand point to every school, door to door, by the quickest mode a band may use.

A door reaches the network at whichever point of whichever road near it serves the trip best (``roads.access``). Trips
run towards school: Dijkstra starts at the schools on the reversed network (Dijkstra 1959); large networks go through
``hierarchy``.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from planner.area import layer_sha256
from planner.model import BANDS, MODES, TRIP_IDS, TRIP_TABLES, StudyArea, TravelTimes, Trips
from planner.roads import snap
from planner.scenario import Travel
from planner.travel.changes import changed, roads_of
from planner.travel.network import mode_network
from planner.travel.trips import hierarchy_for, trips
from planner.travel.ways import ways

if TYPE_CHECKING:
    from planner.travel.hierarchy import Hierarchy

CACHE_VERSION = 4


@dataclass(frozen=True)
class ModeTimes:
    """Trips by one mode: (n_demand, n_school) minutes and km, NaN where there is no way."""

    minutes: np.ndarray
    km: np.ndarray


def travel_times(
    area: StudyArea, travel: Travel, *, cache: bool = True, tell: Callable[[str], object] = str
) -> TravelTimes:
    """Minutes and kilometres, one way, from every demand point to every school by band.

    By every mode: from the door to any point of any road near it that the mode may use, along the roads, and to the
    school's door; one-way streets bind all but walkers; a bus has a wait. The parts off the road are ``access_detour``
    times the straight line at walking speed (``access_kmh``), the straight line at most ``max_access_m`` at either
    end. Nobody walks longer than ``walk_max_minutes``.

    Parameters
    ----------
    cache : keep the result in the area's folder under ``.cache``, named by the hash of all it depends on; it is safe
        to delete
    tell : is told, in words, what takes long

    Returns
    -------
    TravelTimes : equal to any exact shortest-path algorithm's; NaN where no way exists

    Raises
    ------
    ScenarioError : what the scenario closes is not there (``travel.changes``)

    >>> times = travel_times(tiny.area, tiny.scenario.travel)
    >>> times.data["minutes"].sel(band="lower_primary", demand="V3").values.round(6).tolist()
    [40.0, 20.0, 20.0]
    """
    began = time.perf_counter()
    changed(area, travel)  # a fault of the scenario is told before anything is computed, or taken from the cache
    store = _cache_file(area, travel) if cache else None
    held = _read_cache(store, area) if store else None
    if held is not None:
        return TravelTimes(held[0], MODES, held[1], time.perf_counter() - began, from_cache=True)
    wanted = {band: travel.modes_by_band.get(band, travel.modes) for band in BANDS}  # type: ignore[call-overload]
    used = [mode for mode in MODES if any(mode in modes for modes in wanted.values())]
    hierarchy = hierarchy_for(roads_of(area, travel), len(area.schools), len(used), tell)
    by_mode = {mode: mode_times(area, travel, mode, hierarchy) for mode in used}
    data = _by_band(area, wanted, by_mode)
    reasons = off_network(area, travel, by_mode)
    if store:
        _write_cache(store, data, reasons)
    return TravelTimes(data, MODES, reasons, time.perf_counter() - began)


def mode_times(area: StudyArea, travel: Travel, mode: str, hierarchy: Hierarchy | None = None) -> ModeTimes:
    """Trips by one mode, door to door; the mean of the way there and the way back where both are asked.

    Parameters
    ----------
    hierarchy : of the area's roads, where there are many trips
    """
    there = _one_way(area, travel, mode, hierarchy)
    if travel.trip == "to_school":
        return there
    back = _one_way(area, travel, mode, hierarchy, turned=True)
    return ModeTimes((there.minutes + back.minutes) / 2, (there.km + back.km) / 2)


def _one_way(
    area: StudyArea, travel: Travel, mode: str, hierarchy: Hierarchy | None, *, turned: bool = False
) -> ModeTimes:
    of = ways(area, travel, mode, turned=turned)
    limit = travel.walk_max_minutes + 1e-9 if mode == "walk" else np.inf
    minutes, metres = trips(of.network, of.out, of.into, of.off, hierarchy, limit)
    minutes += of.wait_minutes
    none = ~np.isfinite(minutes) | (minutes > limit)
    minutes[none], metres[none] = np.nan, np.nan
    return ModeTimes(minutes, metres / 1000)


def _by_band(area: StudyArea, wanted: Mapping[str, tuple[str, ...]], by_mode: Mapping[str, ModeTimes]) -> Trips:
    """The quickest of each band's modes; among equals the earlier of ``MODES``."""
    shape = (len(BANDS), len(area.demand), len(area.schools))
    minutes, km = np.full(shape, np.nan), np.full(shape, np.nan)
    mode_at = np.full(shape, -1, dtype=np.int8)
    for i, band in enumerate(BANDS):
        for mode, found in by_mode.items():
            if mode in wanted[band]:
                with np.errstate(invalid="ignore"):
                    better = ~np.isnan(found.minutes) & ~(minutes[i] <= found.minutes)
                minutes[i][better] = found.minutes[better]
                km[i][better] = found.km[better]
                mode_at[i][better] = MODES.index(mode)
    ids = np.array(BANDS), area.demand.index.to_numpy(dtype=str), area.schools.index.to_numpy(dtype=str)
    return Trips(minutes, km, mode_at, *ids)


def off_network(area: StudyArea, travel: Travel, by_mode: Mapping[str, ModeTimes]) -> dict[str, str]:
    """Demand points and schools without any trip at all, and why, in words."""
    if not by_mode:
        return {}
    some = np.any([~np.isnan(found.minutes) for found in by_mode.values()], axis=0)
    roads = roads_of(area, travel)
    networks = [mode_network(roads, travel, "bus" if mode == "walk_bus" else mode) for mode in by_mode]
    stops = np.any([network.stops for network in networks], axis=0)
    found: dict[str, str] = {}
    for places, lost in ((area.demand, ~some.any(axis=1)), (area.schools, ~some.any(axis=0))):
        away = snap(places.geometry.to_numpy()[lost], roads, stops)[2]
        found |= {str(i): _why(near_m, travel) for i, near_m in zip(places.index[lost], away.tolist(), strict=True)}
    return found


def _why(near_m: float, travel: Travel) -> str:
    if not np.isfinite(near_m):
        return "the network has no road that a mode of the scenario may use"
    if near_m > travel.max_access_m:
        return f"the nearest usable road is {near_m:,.0f} m away (limit {travel.max_access_m:,.0f} m)"
    return "the roads near it are an island of the network, or every way is beyond the walking limit"


# ---------------------------------------------------------------- cache


def _cache_file(area: StudyArea, travel: Travel) -> Path | None:
    if area.folder is None or not area.content_hash:
        return None
    layer = layer_sha256(area.folder, travel.closed_areas) if travel.closed_areas else ""
    key = f"{CACHE_VERSION} {area.content_hash} {travel.model_dump_json()} {layer}"
    return area.folder / ".cache" / f"travel-{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"


def _read_cache(file: Path, area: StudyArea) -> tuple[Trips, dict[str, str]] | None:
    try:
        with np.load(file, allow_pickle=False) as held:
            data = Trips(**{name: held[name] for name in (*TRIP_TABLES, *TRIP_IDS)})
            reasons = dict(zip(held["lost"].tolist(), held["why"].tolist(), strict=True))
    except (OSError, ValueError, KeyError, EOFError):  # absent, or half-written by a machine that went down
        return None
    same = np.array_equal(data.demand, area.demand.index.to_numpy(dtype=str))
    same &= np.array_equal(data.school, area.schools.index.to_numpy(dtype=str))
    return (data, reasons) if same else None


def _write_cache(file: Path, data: Trips, reasons: Mapping[str, str]) -> None:
    """All of it or nothing; a folder that may not be written to goes without a cache."""
    arrays = {name: getattr(data, name) for name in (*TRIP_TABLES, *TRIP_IDS)}
    arrays["lost"] = np.array(list(reasons), dtype=str)
    arrays["why"] = np.array(list(reasons.values()), dtype=str)
    try:
        file.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".npz", delete=False) as part:
            np.savez_compressed(part, **arrays)
        Path(part.name).replace(file)
    except OSError:
        return
