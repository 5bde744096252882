"""Who would be cut off from school if one road closed: connections alone, no search for ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.model import MODES, Roads, StudyArea
from planner.remembered import remembered
from planner.roads import Bridges, along_one, bridges
from planner.scenario import Travel
from planner.travel.changes import settle
from planner.travel.doors import spread
from planner.travel.network import Network, OffRoad, mode_network, off_road
from planner.travel.routes import directions_of, going, mode_routes

if TYPE_CHECKING:
    import pandas as pd


def travelling(area: StudyArea, travel: Travel, assignment: pd.DataFrame) -> pd.DataFrame:
    """Pupils with a school by demand point, school, mode and the modes their band may use.

    >>> rows = travelling(tiny.area, tiny.scenario.travel, tiny.plan.assignment)
    >>> rows.loc[1, "demand_id"], rows.loc[1, "modes"], int(rows.loc[1, "pupils"])
    ('V2', ('walk',), 10)
    """
    rows = going(area, assignment, "band", "pupils")
    rows = rows[rows["pupils"] > 0]
    allowed = {band: travel.modes_by_band.get(band, travel.modes) for band in rows["band"].unique()}
    modes = {band: tuple(mode for mode in MODES if mode in some) for band, some in allowed.items()}
    rows = rows.assign(modes=rows["band"].map(modes))
    keys = ["demand_id", "school_id", "mode", "modes"]
    return rows.groupby(keys, sort=True)["pupils"].sum().reset_index()


def cut_off(area: StudyArea, travel: Travel, assignment: pd.DataFrame) -> pd.Series:
    """Pupils whom closing an edge would leave without any road to their school.

    By every mode that their band may use, and with every road that their door can reach; one-way streets do not count,
    and of the walking limit only that nobody walks beyond it in a straight line. ``walk_bus`` counts as if one could
    change between walking and riding anywhere. So no fewer than these would lose their way (``criticality``). Who only
    crosses a road, from door to door over land, does not go along it.

    Parameters
    ----------
    assignment : columns ``demand_id, band, school_id, mode, pupils``, as in a plan's

    Returns
    -------
    Pupils; index the edges (rows of ``roads.edges``) that cut anybody off.

    Raises
    ------
    DataError : a column is missing; no such demand point, school or mode; all in one pass

    >>> near = tiny.scenario.travel.model_copy(update={"max_access_m": 100.0})
    >>> cut_off(tiny.area, near, tiny.plan.assignment).to_dict()
    {0: 10, 2: 12}
    """
    import pandas as pd

    area, travel = settle(area, travel)
    table, total = travelling(area, travel, assignment), np.zeros(len(area.roads.edges), dtype=np.int64)
    nets = {mode: connections(area, travel, mode) for mode in set().union(*table["modes"])}
    for modes in table["modes"].unique():
        rows = table[table["modes"] == modes]
        homes = area.demand.index.get_indexer(rows["demand_id"])
        schools = len(area.demand) + area.schools.index.get_indexer(rows["school_id"])
        found = np.concatenate([nets[mode].suspects(homes, schools) for mode in modes])
        numbers = np.sort(found)
        row, edge = np.divmod(numbers[np.diff(numbers, prepend=-1) > 0], len(total))
        lost = ~np.any([nets[mode].joined(homes[row], schools[row], edge) for mode in modes], axis=0)
        row, edge, by = row[lost], edge[lost], rows["mode"].to_numpy()[row[lost]]
        for mode in modes:
            some = by == mode
            ends = homes[row[some]], schools[row[some]]
            if mode == "walk_bus":
                along = _goes_along(area, travel, ends[0], ends[1] - len(area.demand), edge[some])
            else:
                along = nets[mode].along(*ends, edge[some])
            np.add.at(total, edge[some][along], rows["pupils"].to_numpy()[row[some][along]])
    edges = np.flatnonzero(total)
    return pd.Series(total[edges], index=pd.Index(edges, name="edge"), name="pupils")


def _goes_along(
    area: StudyArea, travel: Travel, demand: np.ndarray, school: np.ndarray, edge: np.ndarray
) -> np.ndarray:
    """(n,) bool, the way on foot and by bus leads along the edge: there or, where that is asked, back."""
    ends, pair = np.unique(np.column_stack([demand, school]), axis=0, return_inverse=True)
    found, size = np.zeros(len(edge), dtype=bool), len(area.roads.edges)
    for direction in directions_of(travel) if len(edge) else ():
        way = mode_routes(area, travel, "walk_bus", ends[:, 0], ends[:, 1], direction)
        found |= np.isin(pair * np.int64(size) + edge, way.pair * np.int64(size) + way.edge)
    return found


@dataclass(frozen=True, eq=False)
class Connections:
    """Which roads of a mode every door can reach, and how they hang together.

    Parameters
    ----------
    network, off : the mode's, and the way off the road
    found : the bridges of the network
    node, spot, part : (n_edge,) an edge's first junction, its place (``Bridges.place``) and its connected part
    door, touched : (n,) a door (demand points before schools) and an edge within its reach, by door and then by spot
    reach : (n,) the same in one number each, ``door * n_edge + touched``, sorted
    run : (n_run,) rows of these where another door or another part begins
    xy : (n_door, 2) metres
    within_m : nobody goes farther by this mode, straight
    """

    network: Network
    off: OffRoad
    found: Bridges
    node: np.ndarray
    spot: np.ndarray
    part: np.ndarray
    door: np.ndarray
    touched: np.ndarray
    reach: np.ndarray
    run: np.ndarray
    xy: np.ndarray
    within_m: float

    def suspects(self, home: np.ndarray, school: np.ndarray) -> np.ndarray:
        """Pairs with edges, among them all whose closing parts a home (n_pair,) from its school.

        In one number each, ``pair * n_edge + edge``.

        Whatever parts them is one road that the home can reach, or one that the school can, or a bridge between.
        """
        pair, mine, theirs = self._shared(home, school)
        single = np.bincount(pair, minlength=len(home))[pair] == 1
        pair, mine, theirs = pair[single], mine[single], theirs[single]
        found = [pair * np.int64(len(self.node)) + edge for edge in (mine, theirs)]
        for one, other in ((mine, theirs), (theirs, mine)):
            edge, who, goal = self.found.above[self.node[one]], pair, self.spot[other]
            while len(edge):
                climbs = (edge >= 0) & ~((self.found.first[edge] <= goal) & (goal <= self.found.last[edge]))
                edge, who, goal = edge[climbs], who[climbs], goal[climbs]
                found.append(who * np.int64(len(self.node)) + edge)
                edge = self.found.beyond[edge]
        return np.concatenate(found)

    def joined(self, home: np.ndarray, school: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """(n,) bool, roads join the home to the school with the edge closed."""
        row, mine, _ = self._shared(home, school)
        elsewhere = np.zeros(len(home), dtype=bool)
        elsewhere[row[self.part[mine] != self.part[edge[row]]]] = True
        beneath, beside = zip(*(self._sides(doors, edge) for doors in (home, school)), strict=True)
        near = np.hypot(*(self.xy[home] - self.xy[school]).T) <= self.within_m
        return np.asarray(near & (elsewhere | np.logical_and(*beneath) | np.logical_and(*beside)))

    def along(self, home: np.ndarray, school: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """(n,) bool, whoever is parted by the edge goes along it, and does not only cross it from door to door."""
        both = np.flatnonzero(self._reaches(home, edge) & self._reaches(school, edge))
        ends, minutes, rides = (self.xy[home[both]], self.xy[school[both]]), [], []
        for ahead, paces in ((True, self.network.ahead), (False, self.network.back)):
            pace = paces[edge[both]]
            may = np.isfinite(pace)
            road = (self.network.roads, edge[both], np.full(len(both), ahead), np.where(may, pace, 0.0))
            time, _, start, end = along_one(*road, *ends, self.off.pace, self.off.within_m)
            minutes.append(np.where(may, time, np.inf))
            rides.append(start != end)
        found = np.ones(len(home), dtype=bool)
        found[both] = np.where(minutes[0] <= minutes[1], *rides)
        return found

    def _reaches(self, door: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """(n,) bool, the edge is within the door's reach."""
        wanted = door * np.int64(len(self.node)) + edge
        at = np.minimum(np.searchsorted(self.reach, wanted), len(self.reach) - 1)
        return self.reach[at] == wanted if len(self.reach) else np.zeros(len(door), dtype=bool)

    def _shared(self, home: np.ndarray, school: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parts of the network that both doors reach: the row of ``home``, and a road that each reaches of the part."""
        key = self.door[self.run] * np.int64(len(self.found.place)) + self.part[self.touched[self.run]]
        first = np.searchsorted(self.door[self.run], np.arange(len(self.xy) + 1))
        row, mine = spread(first, home)
        wanted = school[row] * np.int64(len(self.found.place)) + self.part[self.touched[self.run[mine]]]
        theirs = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        both = key[theirs] == wanted if len(key) else np.zeros(0, dtype=bool)
        return row[both], *(self.touched[self.run[side[both]]] for side in (mine, theirs))

    def _sides(self, door: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) bool, the door reaches a road beneath the edge, and one of its part beside that; not the edge itself."""
        size = np.int64(len(self.found.place))
        key, parts = self.door * size + self.spot[self.touched], self.door * size + self.part[self.touched]
        low, high = self.found.first[edge], self.found.last[edge]
        beneath = np.searchsorted(key, door * size + high, "right") - np.searchsorted(key, door * size + low)
        beneath = np.where(low >= 0, beneath, 0)
        whole = door * size + self.part[edge]
        beside = np.searchsorted(parts, whole, "right") - np.searchsorted(parts, whole) - beneath
        own = self._reaches(door, edge)
        its_side = (low <= self.spot[edge]) & (self.spot[edge] <= high)
        return beneath - (own & its_side) > 0, beside - (own & ~its_side) > 0


def _network(roads: Roads, travel: Travel, mode: str) -> Network:
    """A mode's network; of ``walk_bus`` all roads to walk or ride on, each at the quicker pace."""
    if mode != "walk_bus":
        return mode_network(roads, travel, mode)
    walk, bus = (mode_network(roads, travel, part) for part in ("walk", "bus"))
    ahead, back = np.minimum(walk.ahead, bus.ahead), np.minimum(walk.back, bus.back)
    return Network(roads, ahead, back, walk.stops | bus.stops)


@remembered
def connections(area: StudyArea, travel: Travel, mode: str) -> Connections:
    """The connections of a mode: every road within ``max_access_m`` of a door where the mode may stop counts."""
    import shapely

    network, off, roads = _network(area.roads, travel, mode), off_road(travel), area.roads
    found = bridges(roads, np.isfinite(network.ahead) | np.isfinite(network.back))
    node = roads.edges["from_node"].to_numpy(dtype=np.int64)
    doors = np.concatenate([area.demand.geometry.to_numpy(), area.schools.geometry.to_numpy()])
    stops = np.flatnonzero(network.stops)
    door, at = network.stop_tree.query(doors, predicate="dwithin", distance=travel.max_access_m)
    touched, spot, part = stops[at], found.place[node], found.part[node]
    order = np.lexsort((spot[touched], door))
    door, touched = door[order], touched[order]
    another = (door[1:] != door[:-1]) | (part[touched[1:]] != part[touched[:-1]])
    within_m = np.inf
    if mode == "walk":
        paces = (np.min(pace, initial=off.pace) for pace in (network.ahead, network.back))
        within_m = travel.walk_max_minutes / min(paces)
    return Connections(
        network=network,
        off=off,
        found=found,
        node=node,
        spot=spot,
        part=part,
        door=door,
        touched=touched,
        reach=np.sort(door * np.int64(len(node)) + touched),
        run=np.flatnonzero(np.append(True, another)[: len(door)]),
        xy=shapely.get_coordinates(doors),
        within_m=within_m,
    )
