"""The roads as one mode sees them: arcs between junctions, with minutes and metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.model import Roads
from planner.roads import EXPRESSWAY, off_road_kmh, paces
from planner.scenario import Travel

if TYPE_CHECKING:
    import shapely


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

    @cached_property
    def tail(self) -> np.ndarray:
        """(n_arc,) junctions that arcs leave."""
        return self._ends("from_node", "to_node")

    @cached_property
    def head(self) -> np.ndarray:
        """(n_arc,) junctions that arcs lead to."""
        return self._ends("to_node", "from_node")

    def _ends(self, *columns: str) -> np.ndarray:
        return np.concatenate([self.roads.edges[column].to_numpy(dtype=np.int64) for column in columns])

    @cached_property
    def metres(self) -> np.ndarray:
        """(n_arc,) metres."""
        return np.tile(self.roads.edges["length_m"].to_numpy(dtype=np.float64), 2)

    @cached_property
    def minutes(self) -> np.ndarray:
        """(n_arc,) minutes, infinite where the mode may not go."""
        pace = np.concatenate([self.ahead, self.back])
        return np.where(np.isfinite(pace), np.where(np.isfinite(pace), pace, 0.0) * self.metres, np.inf)

    @cached_property
    def quickest(self) -> np.ndarray:
        """(n,) arcs by head, then tail: of parallel ones the quickest, of equals the shortest; none that is closed."""
        return quickest(self.head, self.tail, self.minutes, self.metres)

    @cached_property
    def stop_tree(self) -> shapely.STRtree:
        """The edges where a door may meet the road, in the order of ``stops``, by place."""
        import shapely

        return shapely.STRtree(self.roads.edges.geometry.to_numpy()[self.stops])

    def reversed(self) -> Network:
        """Every arc turned round: trips from school on it are trips to school here."""
        return Network(self.roads, self.back, self.ahead, self.stops)


def quickest(head: np.ndarray, tail: np.ndarray, minutes: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """Rows of arcs by head, then tail: of parallel ones the quickest, of equals the shortest; none that is closed.

    >>> quickest(np.array([1, 0, 1, 1]), np.zeros(4, int), np.array([2.0, 1, 1, np.inf]), np.ones(4)).tolist()
    [1, 2]
    """
    order = np.lexsort((metres, minutes, tail, head))
    order = order[np.isfinite(minutes[order])]
    first = (np.diff(tail[order], prepend=-1) != 0) | (np.diff(head[order], prepend=-1) != 0)
    return np.asarray(order[first])


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
