"""What slopes do to every edge: heights along it, and the time they add or save each mode in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from planner.model import Roads
from planner.roads.speeds import speeds_kmh
from planner.sources.elevation import heights_m

if TYPE_CHECKING:
    import pandas as pd

STEP_M = 30.0
STIFF_M = 70.0
"""A road is cut into a hillside and does not follow its cells up and down: heights between the ends of an edge are
drawn towards each other with weights that fall to 1/e over this length (a standard deviation of 100 m). In Andorra the
mean grade of primary roads falls by it from 7.6 to 5.8 %, which is their climb from end to end over their length."""
STEEP = 0.08
"""The greatest grade of a road for 30 km/h (JTG B01-2014, unverified): what is steeper is driven at 20 km/h."""
PUSHED = 0.3
"""Share of the level speed at which a bicycle or an e-bike is pushed: about walking pace."""
GRAVITY, ROLLING = 9.81, 0.01
POWER_W_PER_KG = {"ebike": 400 / 160, "bus": 8.5}
"""Watts at the wheel for a kilogram: an e-bike's 400 W (GB 17761-2018) for 160 kg with rider and passenger; a school
bus of 10 kW a tonne, 85 % of it at the wheels (assumed)."""
SLOPED_MODES = ("walk", "bicycle", "ebike", "bus")
SLOPE_COLUMNS = (*(f"slope_{mode}_{way}" for mode in SLOPED_MODES for way in ("ahead", "back")), "steep_share")
"""Columns of an edge: time with and against its line over the time if it were level, and share steeper than 8 %."""


def tobler(slope: np.ndarray) -> np.ndarray:
    """Walking time on a slope over that on the level: 1 at 0, least at -5 %.

    Source: Tobler 1993, Three presentations on geographical analysis and modeling, NCGIA report 93-1: speed
    6 exp(-3.5 |slope + 0.05|) km/h, divided by its 5.04 km/h on the level.

    >>> tobler(np.array([-0.05, 0.0, 0.1])).round(3).tolist()
    [0.839, 1.0, 1.419]
    """
    return np.asarray(np.exp(3.5 * (np.abs(slope + 0.05) - 0.05)))


def cycling(slope: np.ndarray) -> np.ndarray:
    """Cycling time uphill over that on the level; downhill no time is won, as children ride.

    Source: Parkin and Rotheram 2010, Transport Policy 17(5): 1.44 km/h less of 21.6 for each per cent uphill, which is
    a fifteenth; at 10.5 % the bicycle is pushed.

    >>> cycling(np.array([-0.05, 0.03, 0.2])).round(3).tolist()
    [1.0, 1.25, 3.333]
    """
    return np.asarray(1 / np.clip(1 - slope / 0.15, PUSHED, 1.0))


def climbing(slope: np.ndarray, kmh: np.ndarray, watts_per_kg: float) -> np.ndarray:
    """Driving time uphill over that on the level, where the motor cannot lift the vehicle at its level speed.

    The speed it can keep is power / (weight x (slope + rolling resistance)).

    >>> climbing(np.array([-0.05, 0.05, 0.1]), np.array([45.0] * 3), 8.5).round(3).tolist()
    [1.0, 1.0, 1.587]
    """
    slowest = watts_per_kg / (GRAVITY * (np.maximum(slope, 0.0) + ROLLING))
    return np.asarray(np.maximum(1.0, kmh / 3.6 / slowest))


def with_slope(roads: Roads, paths: Sequence[Path]) -> tuple[Roads, float]:
    """The roads with ``SLOPE_COLUMNS``, and the share of their length whose heights are unknown and taken as level.

    Heights are read at equal steps of at most 30 m along an edge. On a bridge or in a tunnel the ground says nothing:
    the road climbs evenly from one end to the other.

    Parameters
    ----------
    paths : height rasters, as in ``planner.sources.elevation.heights_m``

    Raises
    ------
    DataError : a raster cannot be read
    """
    import shapely

    edge, share = _stations(roads.edges)
    at = shapely.line_interpolate_point(roads.edges.geometry.to_numpy()[edge], share, normalized=True)
    height = heights_m(paths, shapely.get_x(at), shapely.get_y(at), str(roads.edges.crs))
    length, count = roads.edges["length_m"].to_numpy(), len(roads.edges)
    unknown = np.bincount(edge, weights=np.isnan(height), minlength=count) > 0
    within = edge[1:] == edge[:-1]
    step = edge[:-1][within]
    steps = np.bincount(step, minlength=count)
    run = length[step] / steps[step]
    height = _stiff(np.where(unknown[edge], 0.0, height), edge, (length / np.maximum(steps, 1))[edge])
    slope = np.divide(np.diff(height)[within], run, out=np.zeros(len(run)), where=run > 0)
    columns = {"steep_share": _mean(np.abs(slope) > STEEP, step, steps)}
    for mode in SLOPED_MODES:
        kmh = speeds_kmh(roads.edges, mode)[step]
        for way, grade in (("ahead", slope), ("back", -slope)):
            columns[f"slope_{mode}_{way}"] = _mean(_times_level(mode, grade, kmh), step, steps)
    lost = float(length[unknown].sum() / max(length.sum(), 1e-9))
    return Roads(roads.edges.assign(**columns), roads.nodes), lost


def _times_level(mode: str, slope: np.ndarray, kmh: np.ndarray) -> np.ndarray:
    if mode == "walk":
        return tobler(slope)
    if mode == "bicycle":
        return cycling(slope)
    if mode == "bus":  # what is steeper is driven at 20 km/h: roads.speeds
        slope = np.where(np.abs(slope) > STEEP, 0.0, slope)
    times = climbing(slope, kmh, POWER_W_PER_KG[mode])
    return np.minimum(times, 1 / PUSHED) if mode == "ebike" else times


def _mean(values: np.ndarray, step: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return np.asarray(np.bincount(step, weights=values, minlength=len(steps)) / np.maximum(steps, 1))


def _stations(edges: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Places along every edge from its start to its end: row of the edge, and share of its length."""
    length = edges["length_m"].to_numpy()
    steps = np.maximum(np.ceil(length / STEP_M), 1).astype(np.int64)
    if "off_ground" in edges.columns:
        steps = np.where(edges["off_ground"].to_numpy(dtype=bool), 1, steps)
    edge = np.repeat(np.arange(len(edges)), steps + 1)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    return edge, nth / steps[edge]


def _stiff(height: np.ndarray, edge: np.ndarray, apart_m: np.ndarray) -> np.ndarray:
    """Heights along every edge as of a road that cannot bend up and down sharply; those at its ends stay.

    It solves h - STIFF_M^2 h'' = heights; what climbs evenly stays as it is.
    """
    from scipy.linalg import solve_banded

    inner = np.zeros(len(edge), dtype=bool)
    inner[1:-1] = (edge[2:] == edge[1:-1]) & (edge[1:-1] == edge[:-2])
    pull = np.divide(STIFF_M**2, apart_m**2, out=np.zeros(len(edge)), where=inner & (apart_m > 0))
    bands = np.zeros((3, len(edge)))
    bands[0, 1:], bands[1], bands[2, :-1] = -pull[:-1], 1 + 2 * pull, -pull[1:]
    return np.asarray(solve_banded((1, 1), bands, height))
