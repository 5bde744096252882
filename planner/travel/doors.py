"""Doors beside the network: the junctions each leads to, and the places where it gets on an edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.compiled import worth_it
from planner.roads.access import Access, access, edges_near, least, lines_of
from planner.travel.network import Network, OffRoad

RELAXATIONS = 200
"""Junctions in a row that a door's surroundings are searched over; fewer only leave more ways than are needed."""

COMPILED_FROM, COMPILING_FROM = 1e5, 1e6
"""Roads near doors from which going door by door is quicker than all at once: compiled, and not compiled yet."""


@dataclass(frozen=True, eq=False)
class Doors:
    """Ways from doors to junctions (or from junctions to doors), and onto edges for trips that stay on one.

    Parameters
    ----------
    xy : (n_door, 2) metres
    first : (n_door + 1,) where each door's junctions begin
    node, minutes, metres : (n,) junctions, and the way to each
    on : where doors get on an edge and no junction's way is as quick
    on_minutes : (n_on,) from the door to there
    by : (n,) the place on an edge where the way to each junction gets on; None for doors that stand on junctions
    """

    xy: np.ndarray
    first: np.ndarray
    node: np.ndarray
    minutes: np.ndarray
    metres: np.ndarray
    on: Access
    on_minutes: np.ndarray
    by: Access | None = None

    @property
    def reach(self) -> np.ndarray:
        """(n_door,) bool, the door has a way onto the network."""
        return np.diff(self.first) > 0

    def take(self, doors: np.ndarray) -> Doors:
        """Some of the doors (n,), none twice, counted in this order."""
        number = np.full(len(self.xy), -1)
        number[doors] = np.arange(len(doors))
        count, ways = np.diff(self.first)[doors], spread(self.first, doors)[1]
        on = np.flatnonzero(number[self.on.door] >= 0)
        on = on[np.argsort(number[self.on.door[on]], kind="stable")]
        return Doors(
            self.xy[doors],
            np.append(0, np.cumsum(count)),
            self.node[ways],
            self.minutes[ways],
            self.metres[ways],
            self.on.take(on).renumbered(number),
            self.on_minutes[on],
            None if self.by is None else self.by.take(ways).renumbered(number),
        )


def spread(first: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries ``first[r]`` to ``first[r + 1]`` of some rows: which of ``rows`` each is of, and the entry."""
    count = np.diff(first)[rows]
    row = np.repeat(np.arange(len(rows)), count)
    return row, first[rows][row] + np.arange(len(row)) - (np.cumsum(count) - count)[row]


def doors_out(points: np.ndarray, network: Network, off: OffRoad) -> Doors:
    """Ways from doors onto the network.

    Parameters
    ----------
    points : (n_door,) shapely points
    """
    ahead, back = np.where(network.stops, (network.ahead, network.back), np.inf)
    near = edges_near(points, network.roads, ahead, back, off.within_m)
    compiled = worth_it(len(near[0]), COMPILED_FROM, COMPILING_FROM, "planner.travel.get_on")
    return (_compiled if compiled else _by_numpy)(points, network, off, near)


def _compiled(points: np.ndarray, network: Network, off: OffRoad, near: tuple[np.ndarray, np.ndarray]) -> Doors:
    """The same from the doors and edges near each other, door by door."""
    import shapely

    from planner.travel.get_on import get_on

    edges = network.roads.edges
    ahead, back = np.where(network.stops, (network.ahead, network.back), np.inf)
    door, edge = near
    some, seen = np.unique(edge, return_inverse=True)  # a school sees few of a county's roads
    ends = (edges[column].to_numpy(dtype=np.int64)[some] for column in ("from_node", "to_node"))
    columns = get_on(
        lines_of(edges.geometry.to_numpy()[some]),
        (*ends, edges["length_m"].to_numpy(dtype=np.float64)[some], ahead[some], back[some]),
        np.searchsorted(door, np.arange(len(points) + 1)),
        seen,
        shapely.get_coordinates(points),
        (off.pace, off.detour, off.within_m),
        RELAXATIONS,
        network.size,
    )
    junctions, node, minutes, metres, *by, rows, on_edge, ahead_on, share, away, on_minutes = columns
    by_door, on_door = (np.repeat(np.arange(len(points)), count) for count in (junctions, rows))
    return Doors(
        shapely.get_coordinates(points),
        np.append(0, np.cumsum(junctions)),
        node,
        minutes,
        metres,
        Access(on_door, some[on_edge], ahead_on, share, away),
        on_minutes,
        Access(by_door, some[by[0]], *by[1:]),
    )


def _by_numpy(points: np.ndarray, network: Network, off: OffRoad, near: tuple[np.ndarray, np.ndarray]) -> Doors:
    """The same, all doors at once."""
    import shapely

    roads, stops = network.roads, network.stops
    ahead, back = np.where(stops, network.ahead, np.inf), np.where(stops, network.back, np.inf)
    on = access(points, roads, ahead, back, off.pace, off.within_m, near)
    ends = roads.ends
    length = roads.edges["length_m"].to_numpy()
    rest = np.where(on.ahead, 1 - on.share, on.share) * length[on.edge]
    on_minutes = off.pace * on.away_m
    pace = np.where(on.ahead, ahead[on.edge], back[on.edge])
    minutes = on_minutes + rest * pace
    metres = off.detour * on.away_m + rest
    size = np.int64(network.size)
    key = on.door * size + np.where(on.ahead, ends[on.edge, 1], ends[on.edge, 0])
    if not len(key):
        none = np.zeros(len(points) + 1, dtype=np.int64)
        return Doors(shapely.get_coordinates(points), none, on.door, minutes, metres, on, on_minutes, on)
    order = np.argsort(key, kind="stable")
    by = order[least(key[order], minutes[order], metres[order])]
    label, minutes, metres = key[by], minutes[by], metres[by]

    # A junction that is reached sooner along the roads near the door needs no way of its own; nor does an edge.
    soonest = minutes.copy()
    used = np.column_stack([on.door, on.edge])
    used = used[np.append(True, (used[1:] != used[:-1]).any(axis=1))]
    u, v, ride = _rides(label, used, ends, ahead, back, length, size)
    moved = np.ones(len(label), dtype=bool)
    for _ in range(RELAXATIONS):
        some = np.flatnonzero(moved[u])
        sooner = soonest[u[some]] + ride[some]
        better = np.flatnonzero(sooner < soonest[v[some]])
        if not len(better):
            break
        to = v[some[better]]
        moved[:] = False
        moved[to] = True
        np.minimum.at(soonest, to, sooner[better])
    behind = on.door * size + np.where(on.ahead, ends[on.edge, 0], ends[on.edge, 1])
    place = np.minimum(np.searchsorted(label, behind), len(label) - 1)
    ridden = np.where(on.ahead, on.share, 1 - on.share) * length[on.edge] * pace
    own = (label[place] != behind) | (on_minutes <= soonest[place] + ridden)
    kept = soonest >= minutes
    door = label // size
    return Doors(
        shapely.get_coordinates(points),
        np.searchsorted(door[kept], np.arange(len(points) + 1)),
        (label % size)[kept],
        minutes[kept],
        metres[kept],
        on.take(own),
        on_minutes[own],
        on.take(by[kept]),
    )


def at_nodes(nodes: np.ndarray) -> Doors:
    """Doors that stand on junctions."""
    none, zero = np.zeros(0, dtype=np.int64), np.zeros(len(nodes))
    on = Access(none, none, none.astype(bool), none.astype(float), none.astype(float))
    return Doors(np.zeros((len(nodes), 2)), np.arange(len(nodes) + 1), nodes, zero, zero, on, none.astype(float))


def _rides(
    label: np.ndarray,
    near: np.ndarray,
    ends: np.ndarray,
    ahead: np.ndarray,
    back: np.ndarray,
    length: np.ndarray,
    size: np.int64,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rides along edges near doors, both ways, between junctions that the door has ways to: ``label`` rows, minutes."""
    door, edge = near.T
    row = [np.minimum(np.searchsorted(label, door * size + ends[edge, i]), len(label) - 1) for i in (0, 1)]
    both = (label[row[0]] == door * size + ends[edge, 0]) & (label[row[1]] == door * size + ends[edge, 1])
    one, other, edge = row[0][both], row[1][both], edge[both]
    u, v = np.append(one, other), np.append(other, one)
    pace = np.append(ahead[edge], back[edge])
    usable = np.isfinite(pace)
    return u[usable], v[usable], pace[usable] * np.tile(length[edge], 2)[usable]


def doors_in(points: np.ndarray, network: Network, off: OffRoad) -> Doors:
    """Ways from the network to doors; ``on.ahead`` is said of the reversed network."""
    return doors_out(points, network.reversed(), off)
