"""The road network: what may use a road and how fast, its parts, and where a door meets it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.model import MODES, Roads
from planner.sources.osm import WAY_TAGS, Ways

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# km/h on a paved road of the class. Walk: the 4.5 km/h of planning practice, slower where the way is rough. Bus: what
# a school bus keeps up between stops, never above the rule's 60 (80 on expressways) of order 617 (校车安全管理条例).
SPEED_KMH: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "walk": {"steps": 2.0, "path": 4.0, "track": 4.0, "": 4.5},
        "bicycle": {"path": 8.0, "track": 8.0, "": 13.0},
        "bus": {
            "motorway": 80.0,
            "trunk": 60.0,
            "primary": 50.0,
            "secondary": 45.0,
            "tertiary": 40.0,
            "unclassified": 30.0,
            "road": 30.0,
            "residential": 25.0,
            "service": 15.0,
            "living_street": 15.0,
            "": 20.0,
        },
    }
)
BUS_CAP_KMH, BUS_CAP_EXPRESSWAY_KMH = 60.0, 80.0
UNPAVED = frozenset(
    ["unpaved", "dirt", "earth", "ground", "mud", "sand", "gravel", "fine_gravel", "pebblestone", "grass", "compacted"]
)
UNPAVED_FACTOR: Mapping[str, float] = MappingProxyType({"walk": 0.9, "bicycle": 0.75, "bus": 0.7})

WITH_LINKS = ["motorway", "trunk", "primary", "secondary", "tertiary"]
DRIVABLE = [
    *WITH_LINKS,
    *(f"{road}_link" for road in WITH_LINKS),
    *("unclassified", "residential", "living_street", "service", "road"),
]
ON_FOOT = ["track", "path", "footway", "pedestrian", "bridleway", "steps", "cycleway"]
CLASSES = frozenset(DRIVABLE + ON_FOOT)
NOT_YET = frozenset(["construction", "proposed", "planned", "abandoned", "disused", "razed", "platform"])
EXPRESSWAY = ("motorway", "motorway_link")
FORBIDDEN = ("no", "private", "military")
ALLOWED = ("yes", "designated", "permissive", "official", "destination")

EDGE_COLUMNS = (
    "from_node",
    "to_node",
    "road_class",
    "surface",
    "maxspeed_kmh",
    "oneway",
    "walk",
    "bicycle",
    "bus",
    "length_m",
    "name",
)


def speeds_kmh(edges: pd.DataFrame, mode: str, own: Mapping[str, float] | None = None) -> np.ndarray:
    """Speed on every edge, km/h; 0 where the mode may not go.

    ``own`` lays the scenario's speeds (by class, ``""`` for every other class) over ``SPEED_KMH``; a road's signed
    maximum holds for bicycles and buses, the school-bus rule for buses, and a factor for unpaved roads.

    Parameters
    ----------
    edges : columns ``road_class, surface, maxspeed_kmh, walk, bicycle, bus``
    mode : one of ``MODES``

    Returns
    -------
    (n_edge,) float

    >>> float(speeds_kmh(tiny.area.roads.edges, "walk")[0])
    4.5
    """
    own = dict(own or {})
    table = {**SPEED_KMH[mode], **own}
    classes = edges["road_class"].to_numpy(dtype=object)
    plain = [c.removesuffix("_link") for c in classes]
    kmh = np.array([table.get(c, table.get(p, table[""])) for c, p in zip(classes, plain, strict=True)], dtype=float)
    rough = edges["surface"].isin(UNPAVED).to_numpy()
    kmh = np.where(rough, kmh * UNPAVED_FACTOR[mode], kmh)
    if mode != "walk":
        kmh = np.fmin(kmh, edges["maxspeed_kmh"].to_numpy(dtype=float))
    if mode == "bus":
        kmh = np.minimum(kmh, np.where(np.isin(classes, EXPRESSWAY), BUS_CAP_EXPRESSWAY_KMH, BUS_CAP_KMH))
    return np.where(edges[mode].to_numpy(dtype=bool), kmh, 0.0)


def components(roads: Roads) -> np.ndarray:
    """Which connected part every node belongs to, numbered from 0 by falling length of road.

    Returns
    -------
    (n_node,) int

    >>> components(tiny.area.roads).tolist()
    [0, 0, 0, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = roads.edges["from_node"].to_numpy(), roads.edges["to_node"].to_numpy()
    n = len(roads.nodes)
    count, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
    metres = np.bincount(label[a], weights=roads.edges["length_m"].to_numpy(), minlength=count)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(-metres, kind="stable")] = np.arange(count)
    return np.asarray(rank[label])


def snap(points: np.ndarray, roads: Roads, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest usable edge of every point, at the place on it.

    Parameters
    ----------
    points : (n,) shapely points in the roads' CRS
    usable : (n_edge,) bool

    Returns
    -------
    edge : (n,) rows of ``roads.edges``, -1 where no edge is usable; the lower row wins a tie
    along_m : (n,) metres from the edge's start
    away_m : (n,) metres from the point to the edge
    """
    import shapely

    rows = np.flatnonzero(usable)
    edge = np.full(len(points), -1)
    along, away = np.zeros(len(points)), np.full(len(points), np.inf)
    if len(rows) == 0 or len(points) == 0:
        return edge, along, away
    lines = roads.edges.geometry.to_numpy()[rows]
    (who, which), distance = shapely.STRtree(lines).query_nearest(points, return_distance=True, all_matches=True)
    order = np.lexsort((which, who))
    first = order[np.unique(who[order], return_index=True)[1]]
    who, which = who[first], which[first]
    edge[who], away[who] = rows[which], distance[first]
    on_line = shapely.line_locate_point(lines[which], points[who], normalized=True)
    # ``length_m`` is the road's own length and may exceed the drawn line's.
    along[who] = on_line * roads.edges["length_m"].to_numpy()[edge[who]]
    return edge, along, away


def from_lines(lines: gpd.GeoDataFrame, crs: str) -> Roads:
    """A network from plain lines: two lines meet where they share a vertex (to a centimetre).

    Columns that are read where they exist, by their OSM names: ``highway`` (or ``road_class``, ``fclass``; a class
    that OSM does not know is ``unclassified``), ``oneway`` (also F, T, B as shapefile exports
    write it), ``maxspeed``, ``surface``, ``access``, ``name``. Empty and other than line geometries are left out.
    """
    import pandas as pd
    import shapely

    given = lines.set_geometry(lines.geometry.force_2d()).to_crs(crs).explode(ignore_index=True)
    given = given[(given.geom_type == "LineString") & ~given.is_empty].reset_index(drop=True)
    named = {str(column).lower(): column for column in given.columns}
    tags = pd.DataFrame("", index=given.index, columns=list(WAY_TAGS))
    for key, aliases in {
        "highway": ("highway", "road_class", "fclass"),
        "maxspeed": ("maxspeed", "maxspeed_kmh"),
    }.items():
        for alias in reversed(aliases):
            if alias in named:
                tags[key] = given[named[alias]].astype("string").fillna("").to_numpy(dtype=object)
    for key in set(WAY_TAGS) - {"highway", "maxspeed"}:
        if key in named:
            tags[key] = given[named[key]].astype("string").fillna("").to_numpy(dtype=object)
    named_so = tags["highway"].isin(CLASSES | NOT_YET)
    tags["highway"] = tags["highway"].where(named_so, "unclassified")  # 县道, or no class at all
    tags["oneway"] = tags["oneway"].replace({"F": "yes", "T": "-1", "B": "no", "0": "no"})
    xy, way = shapely.get_coordinates(given.geometry.to_numpy(), return_index=True)
    vertex = np.unique(np.round(xy * 100).astype(np.int64), axis=0, return_inverse=True)[1].ravel()
    first = np.searchsorted(way, np.arange(len(given) + 1))
    return _network(tags, first, vertex, xy, crs)


def from_ways(ways: Ways, crs: str) -> Roads:
    """The network of OSM ways: cut at junctions, and joined again where nothing meets and nothing changes.

    A travel time does not move by it: every edge keeps its whole line. Ferries, roads not yet built and ways that
    nobody may use are left out.

    Parameters
    ----------
    crs : projected CRS in metres
    """
    from pyproj import Transformer

    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    xy = np.column_stack(to_metres.transform(ways.lonlat[:, 0], ways.lonlat[:, 1]))
    return _network(ways.tags, ways.first, ways.vertex, xy, crs)


def _network(tags: pd.DataFrame, first: np.ndarray, vertex: np.ndarray, xy: np.ndarray, crs: str) -> Roads:
    import geopandas as gpd
    import pandas as pd
    import shapely

    features = _features(tags)
    used = features[list(MODES)].any(axis=1).to_numpy()
    way = np.repeat(np.arange(len(tags)), np.diff(first))
    kept = used[way] & np.append(True, (vertex[1:] != vertex[:-1]) | (way[1:] != way[:-1]))[: len(way)]
    way, vertex, xy = way[kept], vertex[kept], xy[kept]
    _, vertex = np.unique(vertex, return_inverse=True)
    change = way[1:] != way[:-1]
    end = np.append(True, change) | np.append(change, True)  # of a way
    junction = end | (np.bincount(vertex)[vertex] > 1)
    at = np.flatnonzero(junction)
    runs = np.column_stack([at[:-1], at[1:]])[way[at[:-1]] == way[at[1:]]]
    runs = runs[runs[:, 0] < runs[:, 1]]
    pieces = [np.arange(a, b + 1) for a, b in runs]
    attributes = features.iloc[way[runs[:, 0]]].reset_index(drop=True)
    chains, direction = _chains(vertex[runs[:, 0]], vertex[runs[:, 1]], attributes)
    lines, keep_row, ends = [], [], []
    for chain, forward in zip(chains, direction, strict=True):
        parts = [pieces[e] if f else pieces[e][::-1] for e, f in zip(chain, forward, strict=True)]
        position = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
        lines.append(shapely.LineString(xy[position]))
        keep_row.append(chain[0])
        ends.append((vertex[position[0]], vertex[position[-1]]))
    edges = attributes.iloc[keep_row].reset_index(drop=True)
    flipped = np.array([not forward[0] for forward in direction], dtype=bool)
    edges["oneway"] = np.where(flipped, -edges["oneway"], edges["oneway"]).astype(np.int64)
    numbers, inverse = np.unique(np.array(ends, dtype=np.int64).reshape(-1, 2), return_inverse=True)
    inverse = inverse.reshape(-1, 2)
    edges["from_node"], edges["to_node"] = inverse[:, 0], inverse[:, 1]
    frame = gpd.GeoDataFrame(edges, geometry=np.array(lines, dtype=object), crs=crs)
    frame["length_m"] = frame.length
    place = np.zeros((len(vertex) and vertex.max() + 1, 2))
    place[vertex] = xy
    nodes = pd.DataFrame(place[numbers], columns=["x", "y"])
    return Roads(frame[[*EDGE_COLUMNS, "geometry"]], nodes)


def _features(tags: pd.DataFrame) -> pd.DataFrame:
    """What the tags of every way say in the network's own words."""
    import pandas as pd

    road = tags["highway"].to_numpy(dtype=object)
    known = np.isin(road, list(CLASSES)) & (tags["route"] != "ferry").to_numpy()
    closed = tags["access"].isin(FORBIDDEN).to_numpy()
    on_foot = tags["foot"].to_numpy(dtype=object)
    bicycle = tags["bicycle"].to_numpy(dtype=object)
    motor = np.where(tags["motor_vehicle"] != "", tags["motor_vehicle"], tags["vehicle"])
    no_walk = np.isin(road, EXPRESSWAY) | (tags["motorroad"] == "yes").to_numpy()
    walk = (~closed & ~no_walk & ~np.isin(on_foot, FORBIDDEN)) | np.isin(on_foot, ALLOWED)
    cycle_base = ~closed & ~no_walk & ~np.isin(road, ("footway", "pedestrian", "steps")) & ~np.isin(bicycle, FORBIDDEN)
    cycle_base &= ~tags["vehicle"].isin(FORBIDDEN).to_numpy()
    drive = np.isin(road, DRIVABLE) & ~closed & ~np.isin(motor, FORBIDDEN)
    drive |= np.isin(road, DRIVABLE) & tags["bus"].isin(ALLOWED).to_numpy()
    speed = [_kmh(text) for text in tags["maxspeed"]]
    return pd.DataFrame(
        {
            "road_class": road,
            "surface": tags["surface"].to_numpy(dtype=object),
            "maxspeed_kmh": np.array(speed, dtype=float),
            "oneway": _oneway(tags),
            "walk": known & walk,
            "bicycle": known & (cycle_base | (np.isin(bicycle, ALLOWED) & (road != "steps"))),
            "bus": known & drive,
            "name": tags["name"].to_numpy(dtype=object),
        }
    )


def _oneway(tags: pd.DataFrame) -> np.ndarray:
    said = tags["oneway"].str.lower().to_numpy(dtype=object)
    implied = tags["junction"].isin(("roundabout", "circular")) | tags["highway"].isin(EXPRESSWAY)
    forward = np.isin(said, ("yes", "true", "1")) | (implied.to_numpy() & (said != "no") & (said != "-1"))
    return np.where(np.isin(said, ("-1", "reverse")), -1, np.where(forward, 1, 0))


def _kmh(text: Any) -> float:
    """km/h of a ``maxspeed`` tag; NaN where it says nothing certain.

    >>> _kmh("50"), round(_kmh("30 mph")), _kmh("signals")
    (50.0, 48, nan)
    """
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(mph)?\s*(?:km/h|kmh)?\s*$", str(text))
    if not match or float(match[1]) == 0:
        return float("nan")
    return float(match[1]) * (1.609344 if match[2] else 1.0)


def _chains(a: np.ndarray, b: np.ndarray, attributes: pd.DataFrame) -> tuple[list[list[int]], list[list[bool]]]:
    """Edges that follow one another through nodes where nothing else meets and nothing changes.

    Returns rows of edges by chain, and whether each is walked along its line.
    """
    n = len(a)
    nodes = int(max(a.max(initial=-1), b.max(initial=-1))) + 1
    same = attributes.drop(columns="oneway")
    sort = same.groupby(list(same.columns), dropna=False, sort=False).ngroup().to_numpy()
    oneway = attributes["oneway"].to_numpy()
    at: list[list[int]] = [[] for _ in range(nodes)]
    for e in range(n):
        at[a[e]].append(e)
        at[b[e]].append(e)

    def through(node: int, e: int, forward: bool) -> tuple[int, bool] | None:
        """The edge after ``e`` beyond ``node``, and its direction; None where the chain ends."""
        if len(at[node]) != 2 or at[node][0] == at[node][1]:
            return None
        f = at[node][0] if at[node][1] == e else at[node][1]
        along = bool(a[f] == node)
        flow = oneway[f] if along else -oneway[f]
        if sort[f] != sort[e] or flow != (oneway[e] if forward else -oneway[e]):
            return None
        return f, along

    seen = np.zeros(n, dtype=bool)
    chains, directions = [], []
    for start in range(n):
        if seen[start]:
            continue
        seen[start] = True
        chain, forward = [start], [True]
        for ahead in (True, False):
            e, along = start, ahead
            while (step := through(int(b[e] if along else a[e]), e, along)) is not None and not seen[step[0]]:
                e, along = step
                seen[e] = True
                chain.append(e) if ahead else chain.insert(0, e)
                forward.append(along) if ahead else forward.insert(0, not along)
        chains.append(chain)
        directions.append(forward)
    return chains, directions
