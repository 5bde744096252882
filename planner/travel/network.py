"""The roads as one mode sees them: arcs between junctions, with minutes and metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.model import Roads
from planner.roads import EXPRESSWAY, off_road_kmh, paces
from planner.scenario import Travel


@dataclass(frozen=True)
class OffRoad:
    """The way between a door and the road: ``detour`` times the straight line, at ``kmh``; doors farther have none."""

    kmh: float
    detour: float
    within_m: float

    @property
    def pace(self) -> float:
        """Minutes per metre of straight line."""
        return 60 * self.detour / (1000 * self.kmh)


def off_road(travel: Travel) -> OffRoad:
    """What a scenario says of it."""
    return OffRoad(off_road_kmh(travel), travel.access_detour, travel.max_access_m)


@dataclass(frozen=True, eq=False)
class Network:
    """Every edge as two arcs, first all with their lines, then all against them.

    Parameters
    ----------
    roads : edges and junctions
    ahead, back : (n_edge,) minutes per metre with and against the line, infinite where the mode may not go
    stops : (n_edge,) bool, where a door may meet the road
    """

    roads: Roads
    ahead: np.ndarray
    back: np.ndarray
    stops: np.ndarray

    @property
    def size(self) -> int:
        """Junctions."""
        return len(self.roads.nodes)

    @property
    def tail(self) -> np.ndarray:
        """(n_arc,) junctions that arcs leave."""
        ends = self.roads.edges[["from_node", "to_node"]].to_numpy(dtype=np.int64)
        return np.concatenate([ends[:, 0], ends[:, 1]])

    @property
    def head(self) -> np.ndarray:
        """(n_arc,) junctions that arcs lead to."""
        ends = self.roads.edges[["from_node", "to_node"]].to_numpy(dtype=np.int64)
        return np.concatenate([ends[:, 1], ends[:, 0]])

    @property
    def metres(self) -> np.ndarray:
        """(n_arc,) metres."""
        return np.tile(self.roads.edges["length_m"].to_numpy(dtype=np.float64), 2)

    @property
    def minutes(self) -> np.ndarray:
        """(n_arc,) minutes, infinite where the mode may not go."""
        pace = np.concatenate([self.ahead, self.back])
        return np.where(np.isfinite(pace), np.where(np.isfinite(pace), pace, 0.0) * self.metres, np.inf)

    def reversed(self) -> Network:
        """Every arc turned round: trips from school on it are trips to school here."""
        return Network(self.roads, self.back, self.ahead, self.stops)


def mode_network(roads: Roads, travel: Travel, mode: str) -> Network:
    """The network of a mode, with the minutes that ``planner.roads.paces`` gives it.

    >>> network = mode_network(tiny.area.roads, tiny.scenario.travel, "walk")
    >>> network.minutes.tolist()
    [20.0, 20.0, 20.0, 20.0, 20.0, 20.0]
    """
    ahead, back = paces(roads.edges, mode, travel)
    stops = np.isfinite(ahead) | np.isfinite(back)
    if mode == "bus":  # a bus does not stop on an expressway
        stops &= ~roads.edges["road_class"].isin(EXPRESSWAY).to_numpy()
    return Network(roads, ahead, back, stops)
