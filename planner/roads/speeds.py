"""How fast each mode goes on every edge: tables with their sources, and the rules that bind it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from planner.roads.tags import DRIVABLE, EXPRESSWAY

if TYPE_CHECKING:
    import pandas as pd

    from planner.scenario import Travel

# km/h on a straight, level, paved road of the class ("" is every other class); docs/conventions.md 5.5 has the sources
# in full. Order 617 is 校车安全管理条例, order 405 道路交通安全法实施条例; JTG B01-2014 gives the speeds that roads are
# designed for: class II 60-80, III 30-40, IV 20-30.
SPEED_KMH: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "walk": {
            "steps": 2.0,  # about 0.5 m/s along the level on stairs (Fruin 1971, unverified)
            "path": 4.0,
            "track": 4.0,
            "": 4.5,  # children of 6-12 years 4.2, of 13-19 years 4.4, adults 4.8 (Waters et al. 1988, unverified)
        },
        "bicycle": {
            "path": 8.0,  # assumed
            "track": 8.0,  # assumed
            "": 13.0,  # 11 to 14 in planning (GB 50220-95, unverified)
        },
        "ebike": {
            "path": 10.0,  # assumed
            "track": 10.0,  # assumed
            "": 20.0,  # between 15 in a cycle lane (Road Traffic Safety Law art. 58) and the machine's 25
        },
        "bus": {
            "motorway": 80.0,  # order 617 art. 35
            "trunk": 60.0,  # national road, class II: order 617 art. 35
            "primary": 50.0,  # provincial road, class II or III: between 60 and 40
            "secondary": 45.0,  # county road, class III, the better ones II
            "tertiary": 40.0,  # township road, class III
            "unclassified": 30.0,  # village road, class IV
            "road": 30.0,
            "residential": 25.0,  # below the 30 of a street without a centre line (order 405 art. 45)
            "service": 15.0,  # assumed
            "living_street": 15.0,  # assumed
            "": 20.0,
        },
        "car": {
            "motorway": 100.0,  # design speed 80 to 120
            "trunk": 70.0,  # a road with one lane each way (order 405 art. 45)
            "primary": 60.0,  # class II
            "secondary": 50.0,
            "tertiary": 40.0,  # class III; a road without a centre line (order 405 art. 45)
            "unclassified": 30.0,  # class IV
            "road": 30.0,
            "residential": 30.0,  # a street without a centre line (order 405 art. 45)
            "service": 15.0,  # assumed
            "living_street": 15.0,  # assumed
            "": 20.0,
        },
    }
)
# Share of it that is kept on a surface ("" is every other surface, and unknown). No standard gives them: assumed, so
# that a bus on a gravel road of class IV keeps the 20 km/h such a road is designed for (JTG B01-2014).
_LOOSE = (
    "unpaved",
    "compacted",
    "fine_gravel",
    "gravel",
    "pebblestone",
    "dirt",
    "earth",
    "ground",
    "grass",
    "sand",
    "mud",
)
SURFACE_FACTORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        mode: {**dict.fromkeys(_LOOSE, factor), "": 1.0}
        for mode, factor in (("walk", 0.9), ("bicycle", 0.75), ("ebike", 0.75), ("bus", 0.7), ("car", 0.7))
    }
)
CAP_KMH: Mapping[str, float] = MappingProxyType({"ebike": 25.0, "bus": 60.0, "car": 120.0})
"""GB 17761-2018; order 617 art. 35; order 405 art. 78."""
BUS_CAP_EXPRESSWAY_KMH = 80.0
SLOW_KMH: Mapping[str, float] = MappingProxyType({"bus": 20.0, "car": 30.0})
"""On sharp bends, steep or narrow road, ice, snow and mud: order 617 art. 35 for school buses, order 405 art. 46 for
other motor vehicles."""
SLIPPERY = ("mud", "ice", "snow")
NARROW_M = 3.5
"""One lane of a road of class IV (JTG B01-2014, unverified): a narrower road, or one lane for both ways, is narrow."""
ICE_WALK_MIN_PER_KM, SNOW_WALK_MIN_PER_KM = 2.0, 1.0
"""Walkers lose so much on ice, and on a road that is cleared as well as it can be (Fossum and Ryeng 2021)."""
WINTER_BICYCLE_FACTOR = 0.7
"""Of the speed on ice or snow, for bicycles and e-bikes: assumed."""


def may_use(edges: pd.DataFrame, mode: str) -> np.ndarray:
    """Edges that a mode may use, (n_edge,) bool; networks made before there were cars and e-bikes tell it by the bus.

    >>> may_use(tiny.area.roads.edges.drop(columns=["car"], errors="ignore"), "car").tolist()
    [True, True, True]
    """
    if mode in edges.columns:
        return edges[mode].to_numpy(dtype=bool)
    if mode == "car":
        return edges["bus"].to_numpy(dtype=bool)
    classes = edges["road_class"]
    drivable = classes.isin(DRIVABLE) & ~classes.isin(EXPRESSWAY) & edges["bus"].to_numpy(dtype=bool)
    return np.asarray(edges["bicycle"].to_numpy(dtype=bool) | drivable.to_numpy())


def speeds_kmh(
    edges: pd.DataFrame, mode: str, own: Mapping[str, float] | None = None, factors: Mapping[str, float] | None = None
) -> np.ndarray:
    """Speed on every edge where it is straight, level and free of ice, km/h; 0 where the mode may not go.

    ``own`` lays the scenario's speeds (by class, ``""`` for every other class) over ``SPEED_KMH``, ``factors`` its
    factors (by surface) over ``SURFACE_FACTORS``; a road's signed maximum holds for all but walkers, and so does the
    highest speed that the law allows the mode.

    Parameters
    ----------
    edges : columns ``road_class, surface, maxspeed_kmh, walk, bicycle, bus``
    mode : one of ``ROAD_MODES``

    Returns
    -------
    (n_edge,) float

    >>> float(speeds_kmh(tiny.area.roads.edges, "walk")[0])
    4.5
    """
    classes, surfaces = edges["road_class"].to_numpy(dtype=str), edges["surface"].to_numpy(dtype=str)
    kmh = _looked_up(classes, {**SPEED_KMH[mode], **(own or {})})
    kmh = kmh * _looked_up(surfaces, {**SURFACE_FACTORS[mode], **(factors or {})})
    if mode != "walk":
        kmh = np.fmin(kmh, edges["maxspeed_kmh"].to_numpy(dtype=float))
    cap = np.full(len(edges), CAP_KMH.get(mode, np.inf))
    if mode == "bus":
        cap[np.isin(classes, EXPRESSWAY)] = BUS_CAP_EXPRESSWAY_KMH
    return np.where(may_use(edges, mode), np.minimum(kmh, cap), 0.0)


def _looked_up(words: np.ndarray, table: Mapping[str, float]) -> np.ndarray:
    """Values of a table whose ``""`` is every other word; a link road is its road where it has no row of its own."""
    known, which = np.unique(words, return_inverse=True)
    found = [table.get(word, table.get(word.removesuffix("_link"), table[""])) for word in known.tolist()]
    return np.asarray(np.array(found, dtype=float)[which])


def paces(edges: pd.DataFrame, mode: str, travel: Travel) -> tuple[np.ndarray, np.ndarray]:
    """Minutes per metre with the line and against it; infinite where the mode may not go.

    A motor vehicle covers the share of an edge that is in sharp bends, steep, narrow or iced at ``SLOW_KMH`` at most,
    and the rest at its speed there. Slopes (``planner.roads.slope``) lengthen or shorten the time by direction.
    Walkers go either way along a one-way street.

    Parameters
    ----------
    edges : as in ``planner.model.Roads``
    mode : one of ``ROAD_MODES``

    Returns
    -------
    (n_edge,) float, twice

    >>> ahead, back = paces(tiny.area.roads.edges, "walk", tiny.scenario.travel)
    >>> (1 / ahead).tolist()
    [75.0, 75.0, 75.0]
    """
    factors = travel.surface_factors.get(mode)  # type: ignore[call-overload]
    kmh = speeds_kmh(edges, mode, travel.speeds.get(mode), factors)  # type: ignore[call-overload]
    iced = np.zeros(len(edges), dtype=bool)
    if travel.winter:
        plain = edges["road_class"].str.removesuffix("_link")
        iced = ~(edges["road_class"].isin(travel.winter_cleared) | plain.isin(travel.winter_cleared)).to_numpy()
    if mode in ("bicycle", "ebike"):
        kmh = np.where(iced, kmh * WINTER_BICYCLE_FACTOR, kmh)
    with np.errstate(divide="ignore"):
        pace = np.where(kmh > 0, 60 / (1000 * kmh), np.inf)
    if mode in SLOW_KMH:
        slow = _slow_share(edges, iced)
        pace = pace * (1 - slow + slow * np.maximum(1.0, kmh / SLOW_KMH[mode]))
    ahead, back = (pace * column(edges, f"slope_{mode}_{way}", 1.0) for way in ("ahead", "back"))
    if mode == "walk" and travel.winter:
        later = np.where(iced, ICE_WALK_MIN_PER_KM, SNOW_WALK_MIN_PER_KM) / 1000
        ahead, back = ahead + later, back + later
    one = np.zeros(len(edges)) if mode == "walk" else edges["oneway"].to_numpy()
    return np.where(one >= 0, ahead, np.inf), np.where(one <= 0, back, np.inf)


def off_road_kmh(travel: Travel) -> float:
    """Walking speed between a door and the road, slower on the ice of a winter.

    >>> from planner.scenario import Travel
    >>> round(off_road_kmh(Travel(access_kmh=4.5)), 2), round(off_road_kmh(Travel(access_kmh=4.5, winter=True)), 2)
    (4.5, 3.91)
    """
    return 60 / (60 / travel.access_kmh + (ICE_WALK_MIN_PER_KM if travel.winter else 0.0))


def _slow_share(edges: pd.DataFrame, iced: np.ndarray) -> np.ndarray:
    """Share of every edge where the law slows a motor vehicle; bends and steep stretches fall independently."""
    shared = (edges["oneway"] == 0).to_numpy() & ~edges["road_class"].isin(EXPRESSWAY).to_numpy()
    narrow = (column(edges, "width_m", np.nan) < NARROW_M) | (shared & (column(edges, "lanes", np.nan) == 1))
    whole = narrow | iced | edges["surface"].isin(SLIPPERY).to_numpy()
    even = (1 - column(edges, "bend_share", 0.0)) * (1 - column(edges, "steep_share", 0.0))
    return np.where(whole, 1.0, 1 - even)


def column(edges: pd.DataFrame, name: str, absent: float) -> np.ndarray:
    """A column that a network need not have."""
    return edges[name].to_numpy(dtype=float) if name in edges.columns else np.full(len(edges), absent)
