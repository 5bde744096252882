"""Draws the synthetic Xunyi county: ``python data/xunyi/make.py [folder]`` (default: this file's folder).

What is true is in the tables right below: ten towns where they are, 125 villages, the area, the population of 2010.
All else is drawn from one seed, in this order: an outline; a loess plateau that its own streams cut into ridges and
gullies; villages on flat land; roads as cheapest paths, which therefore keep to the ridges and cross the gullies
rarely; hamlets; town polygons whose borders run in the gullies; pupils; schools.

Nothing here knows which school a plan will close. There are more small schools than the town pattern of
``scenarios/county-2023.toml`` has room for, and which of them stay is the optimiser's to say.
"""

from __future__ import annotations

import heapq
import itertools
import math
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from rasterio.features import shapes
from rasterio.transform import from_origin
from scipy import ndimage, sparse
from scipy.interpolate import CubicSpline
from scipy.sparse import csgraph
from shapely.geometry import LineString, Polygon, shape

SEED = 2023
CRS = "EPSG:4545"  # CGCS2000, 3-degree zone at 108 E; within centimetres of WGS-84
AREA_KM2 = 1774
POPULATION = 262_000  # census of 2010
CELL_M = 180.0

# code, name, lon, lat, villages (all true), then drawn: share of pupils, share of them in the town seat,
# neighbourhoods of the seat, small primary schools, village kindergartens.
TOWNS = [
    ("610429001", "城关街道", 108.33, 35.11, 10, 0.16, 0.80, 6, 3, 2),
    ("610429101", "土桥镇", 108.42, 35.02, 27, 0.15, 0.46, 3, 8, 4),
    ("610429102", "职田镇", 108.38, 35.22, 11, 0.10, 0.55, 3, 5, 2),
    ("610429103", "张洪镇", 108.25, 35.05, 14, 0.13, 0.50, 3, 6, 3),
    ("610429104", "太村镇", 108.29, 35.17, 20, 0.14, 0.52, 3, 8, 3),
    ("610429105", "郑家镇", 108.24, 35.12, 9, 0.07, 0.55, 2, 3, 2),
    ("610429106", "湫坡头镇", 108.30, 35.24, 11, 0.08, 0.56, 2, 4, 2),
    ("610429107", "底庙镇", 108.19, 35.27, 9, 0.07, 0.56, 2, 4, 2),
    ("610429109", "马栏镇", 108.45, 35.25, 8, 0.04, 0.58, 2, 1, 2),
    ("610429110", "清塬镇", 108.41, 35.08, 6, 0.06, 0.60, 2, 1, 1),
]
TOWN_IDS = [row[0] for row in TOWNS]
NINE_YEAR_TOWN = 3  # 张洪镇 has swallowed a neighbour township, whose nine-year school still stands
CANDIDATES = ((8, "village_primary"), (9, "kindergarten"))  # town, kind of a site that could be built

# Joined towns, by row of TOWNS, and how good the road is.
TRUNK = [
    (1, 9, "primary"), (9, 0, "primary"), (0, 4, "primary"), (4, 6, "primary"),
    (3, 5, "secondary"), (5, 4, "secondary"), (6, 7, "secondary"), (2, 4, "secondary"), (2, 8, "secondary"),
    (0, 3, "secondary"), (0, 5, "tertiary"), (2, 6, "tertiary"), (2, 9, "tertiary"), (1, 3, "tertiary"),
]  # fmt: skip
EXITS = [
    (1, -80, "primary"),
    (3, 215, "secondary"),
    (6, 95, "primary"),
    (7, 160, "secondary"),
    (8, 30, "secondary"),
]

# A year's pupils by grade: fewer are born every year.
GRADE_TOTALS = {
    "k1": 1430, "k2": 1530, "k3": 1640,
    "g1": 1850, "g2": 1930, "g3": 1990, "g4": 2050, "g5": 2080, "g6": 2100,
    "g7": 2070, "g8": 2030, "g9": 2000,
}  # fmt: skip
STAGE_GRADES = {
    "kindergarten": ["k1", "k2", "k3"],
    "primary": ["g1", "g2", "g3", "g4", "g5", "g6"],
    "junior": ["g7", "g8", "g9"],
}
# Outline: bearing (degrees from east, counter-clockwise) -> kilometres from the centre; long to the forested north-east.
CENTRE = (108.385, 35.175)
OUTLINE_KM = {
    0: 26, 28: 31, 52: 29, 75: 24, 95: 18.5, 120: 17.5, 150: 25, 175: 22, 200: 20.5, 228: 22.5,
    252: 20.5, 276: 22.5, 300: 20, 330: 22,
}  # fmt: skip

CLASSES = ["primary", "secondary", "tertiary", "unclassified", "residential", "track", "path"]
SURFACE = ["asphalt", "asphalt", "asphalt", "concrete", "concrete", "dirt", "dirt"]
MAXSPEED = [60.0, 50.0, 40.0, math.nan, math.nan, math.nan, math.nan]
ENROL_KMH = [50, 45, 40, 30, 25, 6, 4]  # only to say who attends where today
NUMERALS = "一二三四五六七八九"


# ---------------------------------------------------------------- land


@dataclass
class Land:
    """The county on a grid: elevation, the cells inside the outline, and what a road through it costs."""

    outline: Polygon
    x0: float
    y1: float
    z: np.ndarray
    inside: np.ndarray
    slope: np.ndarray
    channel_depth: np.ndarray  # metres of the gully or valley whose bed is in the cell, 0 elsewhere
    xy: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))  # a point in every cell, off its middle
    graph: sparse.csr_matrix | None = None  # data: 1 + row of ``pairs``
    pairs: np.ndarray = field(default_factory=lambda: np.empty((0, 2), int))
    cost: np.ndarray = field(default_factory=lambda: np.empty(0))  # metres of flat road that the pair is worth

    def cell_at(self, xy: np.ndarray) -> np.ndarray:
        """Flat cell numbers of points (n, 2)."""
        xy = np.atleast_2d(xy)
        column = ((xy[:, 0] - self.x0) / CELL_M).astype(int)
        row = ((self.y1 - xy[:, 1]) / CELL_M).astype(int)
        return row * self.z.shape[1] + column

    def cheapest(self, sources: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cost to the nearest source, the way back to it, and which source it is, for every cell."""
        graph = self.graph.copy()
        graph.data = cost[graph.data.astype(int) - 1]
        return csgraph.dijkstra(graph, directed=False, indices=sources, min_only=True, return_predecessors=True)


def to_metres(lon: float, lat: float) -> np.ndarray:
    return np.array(Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(lon, lat))


def draw_outline(rng: np.random.Generator) -> Polygon:
    bearings = np.array(list(OUTLINE_KM), float)
    radii = np.array(list(OUTLINE_KM.values())) * 1000
    spline = CubicSpline(np.append(bearings, 360), np.append(radii, radii[0]), bc_type="periodic")
    angle = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    radius = spline(np.degrees(angle))
    for harmonic in range(7, 90):  # county borders follow streams and watersheds: rough at every scale
        radius += 1500 * harmonic**-0.75 * 0.55 * np.sin(harmonic * angle + rng.uniform(0, 2 * np.pi))
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    ring *= math.sqrt(AREA_KM2 * 1e6 / Polygon(ring).area)
    return Polygon(ring + to_metres(*CENTRE)).simplify(15)


def drain(surface: np.ndarray) -> np.ndarray:
    """Cells that drain through every cell; pits are filled from the border inwards (priority flood)."""
    rows, columns = surface.shape
    flat = surface.ravel()
    downstream = np.full(flat.size, -1)
    seen = np.zeros(flat.size, bool)
    border = np.zeros(surface.shape, bool)
    border[[0, -1], :] = border[:, [0, -1]] = True
    heap = [(float(flat[i]), int(i)) for i in np.flatnonzero(border)]
    seen[border.ravel()] = True
    heapq.heapify(heap)
    order = []
    while heap:
        level, cell = heapq.heappop(heap)
        order.append(cell)
        row, column = divmod(cell, columns)
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            for c in range(max(column - 1, 0), min(column + 2, columns)):
                near = r * columns + c
                if not seen[near]:
                    seen[near] = True
                    downstream[near] = cell
                    heapq.heappush(heap, (max(float(flat[near]), level + 1e-3), near))
    through = np.ones(flat.size)
    for cell in reversed(order):
        if downstream[cell] >= 0:
            through[downstream[cell]] += through[cell]
    return through.reshape(surface.shape)


def draw_land(rng: np.random.Generator) -> Land:
    outline = draw_outline(rng)
    west, south, east, north = outline.bounds
    x0, y1 = west - 4 * CELL_M, north + 4 * CELL_M
    columns, rows = int((east - west) / CELL_M) + 9, int((north - south) / CELL_M) + 9
    x = x0 + (np.arange(columns) + 0.5) * CELL_M
    y = y1 - (np.arange(rows) + 0.5) * CELL_M
    xs, ys = np.meshgrid(x, y)

    # The old surface: high in the north-east, so that the streams run south-west as 三水河 does.
    old = 1050 + (xs - xs.min()) * 0.0075 + (ys - ys.min()) * 0.008
    for km, metres in ((7, 70), (3, 45), (1.3, 22), (0.6, 9)):
        noise = ndimage.gaussian_filter(rng.standard_normal(old.shape), km * 1000 / CELL_M / 2)
        old += metres * noise / noise.std()
    for _, _, lon, lat, *_ in TOWNS:  # towns stand on a tableland (塬), not in a ravine
        away = np.hypot(xs - to_metres(lon, lat)[0], ys - to_metres(lon, lat)[1])
        old += 55 * np.exp(-((away / 2200) ** 2))

    # Streams cut in, deeper and wider the more land they drain.
    area_km2 = drain(old) * (CELL_M / 1000) ** 2
    channel = area_km2 > 0.9
    depth = np.where(channel, np.minimum(45 + 36 * np.log2(np.maximum(area_km2, 0.9) / 0.9), 290), 0)
    away, (r, c) = ndimage.distance_transform_edt(~channel, return_indices=True)
    deep = depth[r, c]
    cut = deep * np.exp(-((away * CELL_M / (140 + 1.25 * deep)) ** 3))
    z = ndimage.gaussian_filter(ndimage.gaussian_filter(old, 2.5) - cut, 0.6)
    slope = np.hypot(*np.gradient(z, CELL_M))

    inside = shapely.contains_xy(outline.buffer(-250), xs, ys)
    land = Land(outline, x0, y1, z, inside, slope, depth)
    jitter = rng.uniform(-0.33, 0.33, (rows, columns, 2)) * CELL_M  # no road may look as if drawn on squared paper
    land.xy = (np.dstack([xs, ys]) + jitter).reshape(-1, 2)
    join_cells(land, rng)
    return land


def join_cells(land: Land, rng: np.random.Generator) -> None:
    """Neighbouring cells and what a road between them costs: steep is dear, a gully is dearest."""
    number = np.arange(land.z.size).reshape(land.z.shape)
    pairs = np.vstack(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
            np.column_stack([number[:-1, :-1].ravel(), number[1:, 1:].ravel()]),
            np.column_stack([number[:-1, 1:].ravel(), number[1:, :-1].ravel()]),
        ]
    )
    pairs = pairs[land.inside.ravel()[pairs].all(axis=1)]
    a, b = pairs.T
    length = np.hypot(*(land.xy[a] - land.xy[b]).T)
    grade = np.abs(land.z.ravel()[a] - land.z.ravel()[b]) / length
    rough = ndimage.gaussian_filter(rng.standard_normal(land.z.shape), 2)
    rough = 1 + 0.25 * np.clip(rough / rough.std(), -2, 2).ravel()
    wet = land.channel_depth.ravel()[a] + land.channel_depth.ravel()[b]
    land.pairs = pairs
    land.cost = length * (1 + (grade / 0.07) ** 1.6) * (rough[a] + rough[b]) / 2 + 3.5 * wet
    size = land.z.size
    land.graph = sparse.csr_matrix((np.arange(len(pairs)) + 1.0, (a, b)), shape=(size, size))


# ---------------------------------------------------------------- roads on the grid


class Network:
    """Roads as pairs of neighbouring cells, each with its best class and a name."""

    def __init__(self, land: Land) -> None:
        self.land = land
        self.rank: dict[tuple[int, int], int] = {}
        self.name: dict[tuple[int, int], str] = {}
        self.row = {(min(a, b), max(a, b)): i for i, (a, b) in enumerate(land.pairs.tolist())}

    def add(self, path: list[int], road_class: str, name: str = "") -> None:
        rank = CLASSES.index(road_class)
        for a, b in itertools.pairwise(path):
            pair = (min(a, b), max(a, b))
            if rank < self.rank.get(pair, 99):
                self.rank[pair] = rank
                self.name[pair] = name

    def cells(self) -> np.ndarray:
        return np.unique(np.array(list(self.rank)))

    def cost(self, reuse: float) -> np.ndarray:
        """Cell costs where an existing road costs only a share: new roads join old ones."""
        cost = self.land.cost.copy()
        rows = [self.row[pair] for pair in self.rank]
        cost[rows] *= reuse
        return cost

    def minutes(self) -> sparse.csr_matrix:
        """Bus minutes between joined cells (a sixth longer than the straight line, for the bends)."""
        pairs = np.array(list(self.rank))
        rank = np.array(list(self.rank.values()))
        length = np.hypot(*(self.land.xy[pairs[:, 0]] - self.land.xy[pairs[:, 1]]).T) * 1.17
        size = self.land.z.size
        return sparse.csr_matrix(
            (length * 0.06 / np.array(ENROL_KMH)[rank], (pairs[:, 0], pairs[:, 1])), shape=(size, size)
        )


def trace(back: np.ndarray, cell: int) -> list[int]:
    """Cells from ``cell`` to the source it is served from."""
    path = [int(cell)]
    while back[path[-1]] >= 0:
        path.append(int(back[path[-1]]))
    return path


def draw_trunk(land: Land, seats: np.ndarray) -> Network:
    network = Network(land)
    shape_ = land.z.shape
    for seat in seats:  # a few streets
        row, column = divmod(int(seat), shape_[1])
        for k in (-2, 0, 2):
            network.add([(row + k) * shape_[1] + column + i for i in range(-3, 4)], "residential")
            network.add([(row + i) * shape_[1] + column + k for i in range(-3, 4)], "residential")
    for a, b, road_class in TRUNK:
        _, back, _ = land.cheapest(seats[[a]], network.cost(0.5))
        network.add(trace(back, seats[b]), road_class, f"{TOWNS[a][1][0]}{TOWNS[b][1][0]}路")
    centre = to_metres(*CENTRE)
    inside = np.flatnonzero(land.inside)
    for a, bearing, road_class in EXITS:
        way = np.array([math.cos(math.radians(bearing)), math.sin(math.radians(bearing))])
        off = land.xy[inside] - centre
        off_line = np.abs(off @ np.array([-way[1], way[0]]))
        edge = inside[np.argmax(off @ way - 4 * off_line)]
        _, back, _ = land.cheapest(seats[[a]], network.cost(0.5))
        network.add(trace(back, edge), road_class, f"{TOWNS[a][1][0]}外路")
    return network


def join_villages(land: Land, network: Network, villages: np.ndarray) -> None:
    """Every village to the roads there are; a road that serves three villages or more is a tertiary one."""
    _, back, _ = land.cheapest(network.cells(), network.cost(0.5))
    paths = [trace(back, cell) for cell in villages]
    users: dict[tuple[int, int], int] = defaultdict(int)
    for path in paths:
        for pair in itertools.pairwise(path):
            users[pair] += 1
    for path in paths:
        for pair in itertools.pairwise(path):
            network.add(list(pair), "tertiary" if users[pair] >= 3 else "unclassified")


def join_neighbours(
    land: Land, network: Network, places: np.ndarray, road_class: str, near_m: float, detour: float, most: int
) -> None:
    """Links between near places that are far apart by road, the worst detours first; few are ever built."""
    xy = land.xy[places]
    straight = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    graph = network.minutes()
    pairs = np.array(list(network.rank))
    length = np.hypot(*(land.xy[pairs[:, 0]] - land.xy[pairs[:, 1]]).T)
    graph = sparse.csr_matrix((length, (pairs[:, 0], pairs[:, 1])), shape=graph.shape)
    by_road = csgraph.dijkstra(graph, directed=False, indices=places)[:, places]
    ratio = np.where((straight < near_m) & (straight > 0), by_road / np.maximum(straight, 1), 0)
    done: set[int] = set()
    for flat in np.argsort(-np.triu(ratio), axis=None, kind="stable"):
        a, b = divmod(int(flat), len(places))
        if ratio[a, b] < detour or most == 0:
            break
        if done & {a, b}:
            continue
        done |= {a, b}
        most -= 1
        _, back, _ = land.cheapest(places[[a]], network.cost(0.6))
        network.add(trace(back, places[b]), road_class)


# ---------------------------------------------------------------- people


def spread(
    rng: np.random.Generator,
    land: Land,
    allowed: np.ndarray,
    taken: list[int],
    count: int,
    apart_m: float,
    liking: np.ndarray,
) -> list[int]:
    """``count`` cells drawn from ``allowed`` with chances ``liking``, no two nearer than ``apart_m``."""
    chosen: list[int] = []
    while len(chosen) < count:
        if apart_m < CELL_M:
            raise RuntimeError("no room left for villages: draw other land")
        keys = rng.random(len(allowed)) ** (1 / np.maximum(liking, 1e-9))
        for cell in allowed[np.argsort(-keys, kind="stable")]:
            others = land.xy[[*taken, *chosen]]
            if len(others) == 0 or np.hypot(*(others - land.xy[cell]).T).min() >= apart_m:
                chosen.append(int(cell))
            if len(chosen) == count:
                break
        apart_m *= 0.85
    return chosen


def place_villages(rng: np.random.Generator, land: Land, seats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells and town rows of the 125 villages: on flat land that is easy to reach from the town seat."""
    cost, _, nearest = land.cheapest(seats, land.cost)
    flat = (land.slope.ravel() < 0.085) & land.inside.ravel() & (land.channel_depth.ravel() == 0)
    edge = shapely.contains_xy(land.outline.buffer(-900), *land.xy.T)
    villages: list[int] = []
    towns: list[int] = []
    for town, seat in enumerate(seats):
        reach = np.hypot(*(land.xy - land.xy[seat]).T)
        allowed = np.flatnonzero(flat & edge & (nearest == seat) & (reach > 1100) & (cost < 16_000) & (reach < 9500))
        cells = spread(rng, land, allowed, villages, TOWNS[town][4], 1500, np.exp(-reach[allowed] / 6000))
        villages += cells
        towns += [town] * len(cells)
    return np.array(villages), np.array(towns)


def town_cells(land: Land, places: np.ndarray, towns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The town of every cell (also outside the county), and the nearest place; borders end up in the gullies."""
    _, _, nearest = land.cheapest(places, land.cost)
    row_of = {int(cell): row for row, cell in enumerate(places)}
    place = np.array([row_of.get(int(cell), -1) for cell in nearest])
    label = np.where(place >= 0, towns[place], -1).reshape(land.z.shape)
    for _ in range(3):  # one piece to a town: crumbs go to the neighbour
        clean = np.full_like(label, -1)
        for town in range(len(TOWNS)):
            pieces, count = ndimage.label(label == town)
            if count:
                clean[pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])] = town
        _, (r, c) = ndimage.distance_transform_edt(clean < 0, return_indices=True)
        label = clean[r, c]
    return label, place


def town_polygons(land: Land, label: np.ndarray) -> gpd.GeoDataFrame:
    """Ten polygons without gap or overlap."""
    grid = from_origin(land.x0, land.y1, CELL_M, CELL_M)
    parts = defaultdict(list)
    for geometry, value in shapes(label.astype("int16"), connectivity=4, transform=grid):
        parts[int(value)].append(shape(geometry))
    whole = [shapely.union_all(parts[town]) for town in range(len(TOWNS))]
    smooth = shapely.coverage_simplify(whole, 330, simplify_boundary=False)
    clipped = shapely.intersection(smooth, land.outline)
    frame = gpd.GeoDataFrame({"town_id": TOWN_IDS, "name": [row[1] for row in TOWNS]}, geometry=clipped, crs=CRS)
    frame = frame.to_crs("EPSG:4326")
    frame.geometry = shapely.transform(frame.geometry.values, lambda xy: xy.round(7))
    return frame


def invent_names(rng: np.random.Generator, count: int) -> list[str]:
    """Village names as they sound on the plateau; no two the same."""
    first = [
        *"王李张刘赵杨韩蒲郭文秦程第五崔曹席卢宁豆段纪梁屈师史冯雷万景成屯",
        "上官", "北", "南", "东", "西", "前", "后", "上", "下", "石", "柏", "槐", "枣", "柳", "梨", "杏", "红", "白", "黄",
    ]  # fmt: skip
    last = [
        "家塬",
        "家堡",
        "家咀",
        "家沟",
        "家洼",
        "家河",
        "家庄",
        "家坳",
        "塬",
        "堡",
        "头",
        "坡",
        "洼",
        "岭",
        "川",
        "湾",
        "峪",
        "坊",
    ]
    names = [
        a + b
        for a in first
        for b in last
        if not (b.startswith("家") and a in "北南东西前后上下石柏槐枣柳梨杏红白黄五第")
    ]
    return [f"{name}村" for name in rng.permutation(sorted(set(names)))[:count]]


def whole_shares(total: int, weight: np.ndarray) -> np.ndarray:
    """``total`` in whole numbers by weight; the largest remainders are rounded up."""
    exact = total * weight / weight.sum()
    shares = np.floor(exact).astype(int)
    shares[np.argsort(-(exact - shares), kind="stable")[: total - shares.sum()]] += 1
    return shares


def place_demand(
    rng: np.random.Generator,
    land: Land,
    seats: np.ndarray,
    villages: np.ndarray,
    towns: np.ndarray,
    label: np.ndarray,
    place: np.ndarray,
) -> pd.DataFrame:
    """Hamlets of every village and neighbourhoods of every town seat, with their weight; no pupils yet."""
    names = invent_names(rng, len(villages))
    flat = (land.slope.ravel() < 0.12) & (land.channel_depth.ravel() == 0) & land.inside.ravel()
    own = ndimage.minimum_filter(label, 5) == ndimage.maximum_filter(label, 5)  # well away from a border
    rows = []
    taken = [int(cell) for cell in [*villages, *seats]]
    for number, (cell, town) in enumerate(zip(villages, towns, strict=True)):
        reach = np.hypot(*(land.xy - land.xy[cell]).T)
        allowed = np.flatnonzero(flat & own.ravel() & (place == number) & (reach > 400) & (reach < 1900))
        wanted = min(int(rng.choice([2, 2, 3, 3, 4])), len(allowed) // 4)
        others = spread(rng, land, allowed, taken, wanted, 480, np.exp(-reach[allowed] / 900)) if wanted else []
        taken += others
        for i, hamlet in enumerate([int(cell), *others]):
            weight = rng.lognormal(0, 0.35) * (1.9 if i == 0 else 0.8)
            rows.append(
                (
                    f"V{number + 1:03d}{'abcdefgh'[i]}",
                    f"{names[number]}{NUMERALS[i]}组",
                    town,
                    hamlet,
                    weight,
                    number,
                )
            )
    columns = ["demand_id", "name", "town", "cell", "weight", "village"]
    hamlets = pd.DataFrame(rows, columns=columns)
    rows = []
    for town, seat in enumerate(seats):
        size = TOWNS[town][7]
        row, column = divmod(int(seat), land.z.shape[1])
        spots = [(0, 0), (2, -2), (-2, 2), (2, 2), (-2, -2), (0, 3)][:size]
        for i, (r, c) in enumerate(spots):
            cell = (row + r) * land.z.shape[1] + column + c
            where = TOWNS[town][1].removesuffix("镇").removesuffix("街道")
            name = f"{where}社区{NUMERALS[i]}片"
            rows.append((f"T{town + 1:02d}{'abcdefgh'[i]}", name, town, cell, rng.uniform(0.8, 1.2), -1 - town))
    return pd.concat([hamlets, pd.DataFrame(rows, columns=columns)], ignore_index=True)


def place_pupils(rng: np.random.Generator, demand: pd.DataFrame) -> pd.DataFrame:
    """Pupils by grade and population: town shares, then seat against hamlets, then weight."""
    weight = demand["weight"].to_numpy().copy()
    town = demand["town"].to_numpy()
    seat = demand["village"].to_numpy() < 0
    for number, row in enumerate(TOWNS):
        for part, share in ((seat, row[6]), (~seat, 1 - row[6])):
            here = (town == number) & part
            weight[here] *= row[5] * share / weight[here].sum()
    weight /= weight.sum()
    # The old people have stayed in the villages: pupils gather in the towns more than inhabitants do.
    demand = demand.assign(population=whole_shares(POPULATION, weight * np.where(seat, 0.62, 1.45)))
    for grade, total in GRADE_TOTALS.items():
        demand[grade] = rng.multinomial(total, weight)
    return demand


# ---------------------------------------------------------------- schools


def scatter_sites(minutes: np.ndarray, count: int, start: list[int]) -> list[int]:
    """Places that lie far from one another (and from ``start``): as villages once each asked for their own."""
    chosen: list[int] = []
    near = minutes[start].min(axis=0)
    while len(chosen) < count:
        near_now = np.where(np.isin(np.arange(len(near)), chosen), -1, near)
        chosen.append(int(np.argmax(near_now)))
        near = np.minimum(near, minutes[chosen[-1]])
    return chosen


def place_schools(rng: np.random.Generator, network: Network, demand: pd.DataFrame, seats: np.ndarray) -> pd.DataFrame:
    """Sites, kinds and grades; enrolment and seats come later."""
    main = demand[demand["demand_id"].str.match(r"V\d+a")].reset_index(drop=True)
    by_road = csgraph.dijkstra(network.minutes(), directed=False, indices=np.append(seats, main["cell"]))
    by_road = by_road[:, np.append(seats, main["cell"])]
    rows: list[tuple[str, str, int, int, str, str]] = []
    small: list[tuple[str, str, int, int, str, str]] = []
    for town, (_, name, *_) in enumerate(TOWNS):
        seat = int(seats[town])
        for kind, word in (
            ("junior_middle", "初级中学"),
            ("central_primary", "中心小学"),
            ("central_kindergarten", "中心幼儿园"),
        ):
            rows.append((f"{name}{word}", kind, town, seat, "", "existing"))
        here = main[main["town"] == town].index.to_numpy()
        index = np.append(town, here + len(TOWNS))
        table = by_road[np.ix_(index, index)]
        candidates = [kind for where, kind in CANDIDATES if where == town]
        wanted = TOWNS[town][8] + (town == NINE_YEAR_TOWN) + candidates.count("village_primary")
        sites = [here[i - 1] for i in scatter_sites(table, wanted, [0])]
        if town == NINE_YEAR_TOWN:
            village = main.loc[sites.pop(1)]
            rows.append(
                (
                    f"{name}{village['name'][:-3]}九年制学校",
                    "nine_year",
                    town,
                    int(village["cell"]),
                    "",
                    "existing",
                )
            )
        if "village_primary" in candidates:
            small.append(
                (
                    f"{main.loc[sites[-1], 'name'][:-3]}小学（拟建）",
                    "village_primary",
                    town,
                    int(main.loc[sites.pop(), "cell"]),
                    "",
                    "candidate",
                )
            )
        for number, site in enumerate(sites):
            village, cell = main.loc[site, "name"][:-2], int(main.loc[site, "cell"])
            if number % 2 or (number and rng.random() < 0.15):
                grades = "" if rng.random() < 0.3 else "g1 g2 g3"
                small.append((f"{village}教学点", "teaching_point", town, cell, grades, "existing"))
            else:
                small.append((f"{village}小学", "village_primary", town, cell, "", "existing"))
        nurseries = [here[i - 1] for i in scatter_sites(table, TOWNS[town][9] + candidates.count("kindergarten"), [0])]
        for number, site in enumerate(nurseries):
            village, cell = main.loc[site, "name"][:-2], int(main.loc[site, "cell"])
            new = number >= TOWNS[town][9]
            small.append(
                (
                    f"{village}幼儿园{'（拟建）' if new else ''}",
                    "kindergarten",
                    town,
                    cell,
                    "",
                    "candidate" if new else "existing",
                )
            )
    frame = pd.DataFrame([*rows, *small], columns=["name", "kind", "town", "cell", "grades", "status"])
    frame.insert(0, "school_id", [f"S{i + 1:03d}" for i in range(len(frame))])
    return frame


def enrol(rng: np.random.Generator, network: Network, demand: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Who attends where today: half of those near a village school, and everyone else in the towns."""
    schools = schools.copy()
    minutes = csgraph.dijkstra(network.minutes(), directed=False, indices=schools["cell"].to_numpy())
    minutes = minutes[:, demand["cell"].to_numpy()]
    central = {
        "kindergarten": "central_kindergarten",
        "primary": "central_primary",
        "junior": "junior_middle",
    }
    teach = {
        "kindergarten": ("kindergarten", "central_kindergarten"),
        "primary": ("teaching_point", "village_primary", "central_primary", "nine_year"),
        "junior": ("junior_middle", "nine_year"),
    }
    exists = schools["status"].eq("existing")
    stays = rng.uniform(0.35, 0.6, len(schools))
    for stage, grades in STAGE_GRADES.items():
        pupils = np.zeros(len(schools), int)
        home = schools.index[schools["kind"].eq(central[stage])].to_numpy()  # one a town, in the order of TOWNS
        for grade in grades:
            taught = exists & schools["kind"].isin(teach[stage])
            taught &= schools["grades"].eq("") | schools["grades"].str.split().map(lambda words, g=grade: g in words)
            rows = np.flatnonzero(taught)
            nearest = rows[np.argmin(minutes[rows], axis=0)]
            for place, count in enumerate(demand[grade].to_numpy()):
                school = nearest[place]
                kept = count if school in home else int(rng.binomial(count, stays[school]))
                pupils[school] += kept
                pupils[home[demand.loc[place, "town"]]] += count - kept
        # A small school is one below 100; where the draw made a larger one, the rest ride to town.
        for row in np.flatnonzero(schools["kind"].isin(("teaching_point", "village_primary", "kindergarten"))):
            over = max(pupils[row] - int(rng.integers(70, 97)), 0)
            pupils[row] -= over
            pupils[home[schools.loc[row, "town"]]] += over
        schools[f"pupils_{stage}"] = pupils
    return schools


def seat_and_cost(rng: np.random.Generator, schools: pd.DataFrame) -> pd.DataFrame:
    """Seats in classes of 45 (30 in small schools); costs from a plain formula, see area.toml."""
    schools = schools.copy()
    small = schools["kind"].isin(("teaching_point", "village_primary", "kindergarten"))
    new = schools["status"].eq("candidate")
    for stage in STAGE_GRADES:
        pupils = schools[f"pupils_{stage}"].to_numpy()
        teaches = (
            schools["kind"]
            .map(
                {
                    "kindergarten": stage == "kindergarten",
                    "central_kindergarten": stage == "kindergarten",
                    "teaching_point": stage == "primary",
                    "village_primary": stage == "primary",
                    "central_primary": stage == "primary",
                    "junior_middle": stage == "junior",
                    "nine_year": stage != "kindergarten",
                }
            )
            .to_numpy()
        )
        step = np.where(small, 30, 50 if stage == "junior" else 45)
        room = np.where(small, rng.uniform(1.3, 2.2, len(schools)), rng.uniform(0.97, 1.1, len(schools)))
        seats = np.ceil(np.maximum(pupils * room, np.where(new, 120, 60)) / step) * step
        schools[f"seats_{stage}"] = np.where(teaches, seats, 0).astype(int)
    total = schools[[f"pupils_{stage}" for stage in STAGE_GRADES]].sum(axis=1)
    share = schools["kind"].map({"junior_middle": 0.4, "nine_year": 0.2, "central_primary": 0.06}).fillna(0)
    schools["beds"] = (np.ceil(total * share / 8) * 8).astype(int)
    fixed = schools["kind"].map(
        {
            "teaching_point": 240, "village_primary": 420, "central_primary": 900, "junior_middle": 1300,
            "nine_year": 1500, "kindergarten": 180, "central_kindergarten": 500,
        }
    )  # fmt: skip
    yuan = fixed * 1000 + total * schools["kind"].map({"junior_middle": 12_000}).fillna(9_000)
    schools["annual_cost_cny"] = (yuan / 1000).round().astype(int) * 1000
    schools["assumed"] = "seats_kindergarten seats_primary seats_junior beds annual_cost_cny"
    return schools


# ---------------------------------------------------------------- lines


def round_corners(line: np.ndarray) -> np.ndarray:
    """Chaikin's corner cutting; the ends stay."""
    if len(line) < 3:
        return line
    cut = np.empty((2 * len(line) - 2, 2))
    cut[0::2] = 0.75 * line[:-1] + 0.25 * line[1:]
    cut[1::2] = 0.25 * line[:-1] + 0.75 * line[1:]
    return np.vstack([line[:1], cut, line[-1:]])


def bend(land: Land, cells: list[int], rank: int) -> LineString:
    """A road through the cells: rounded, and in hairpins where it would climb more than 9 in 100."""
    line = round_corners(round_corners(land.xy[cells]))
    if rank < CLASSES.index("path"):
        whole = LineString(line)
        steps = max(int(whole.length / 65), 1)
        line = shapely.get_coordinates(whole.interpolate(np.linspace(0, 1, steps + 1), normalized=True))
        column = (line[:, 0] - land.x0) / CELL_M - 0.5
        row = (land.y1 - line[:, 1]) / CELL_M - 0.5
        z = ndimage.map_coordinates(land.z, [row, column], order=1, mode="nearest")
        if steps > 3:
            along = np.gradient(line, axis=0)
            across = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
            steep = np.abs(np.gradient(z)) / (whole.length / steps)
            swing = np.clip((steep - 0.09) / 0.12, 0, 1) * 48
            swing[[0, -1]] = 0
            line = line + across * (swing * np.where(np.arange(len(line)) % 2, 1, -1))[:, None]
        line = round_corners(round_corners(line))
    line = shapely.simplify(LineString(line), 3)
    return shapely.transform(line, lambda xy: xy.round(1))


def chains(network: Network) -> list[tuple[list[int], int, str]]:
    """Maximal runs of one class between junctions."""
    joined: dict[int, list[int]] = defaultdict(list)
    for a, b in network.rank:
        joined[a].append(b)
        joined[b].append(a)

    def mark(a: int, b: int) -> tuple[int, str]:
        pair = (min(a, b), max(a, b))
        return network.rank[pair], network.name[pair]

    ends = {n for n, near in joined.items() if len(near) != 2 or mark(n, near[0]) != mark(n, near[1])}
    found, seen = [], set()
    for end in sorted(ends):
        for first in sorted(joined[end]):
            if (end, first) in seen:
                continue
            run = [end, first]
            while run[-1] not in ends:
                run.append(next(n for n in joined[run[-1]] if n != run[-2]))
            seen |= {(run[0], run[1]), (run[-1], run[-2])}
            found.append((run, *mark(end, first)))
    return found


def road_table(land: Land, network: Network, forest: list[int]) -> gpd.GeoDataFrame:
    """The network as lines; ``forest`` is a track that meets no other road."""
    runs = chains(network)
    half = len(forest) // 2
    runs += [(part, CLASSES.index("track"), "林场便道") for part in (forest[: half + 1], forest[half:])]
    number: dict[int, int] = {}
    rows = []
    seat = to_metres(TOWNS[0][2], TOWNS[0][3])
    for cells, rank, name in runs:
        line = bend(land, cells, rank)
        ends = [number.setdefault(cell, len(number)) for cell in (cells[0], cells[-1])]
        # Two of the county town's back streets are one-way, one drawn with and one against its line.
        in_town = np.hypot(*(land.xy[cells[len(cells) // 2]] - seat)) < 420 and rank == 4
        oneway = (0, 1, 0, -1, 0)[len(rows) % 5] if in_town else 0
        bus = rank < CLASSES.index("track")
        rows.append(
            (
                *ends,
                CLASSES[rank],
                SURFACE[rank],
                MAXSPEED[rank],
                oneway,
                True,
                rank < 6,
                bus,
                line.length,
                name,
                line,
            )
        )
    columns = [
        "from_node", "to_node", "road_class", "surface", "maxspeed_kmh", "oneway", "walk", "bicycle", "bus",
        "length_m", "name", "geometry",
    ]  # fmt: skip
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=CRS)


# ---------------------------------------------------------------- all of it


def with_coordinates(rng: np.random.Generator, land: Land, table: pd.DataFrame, off_m: float) -> pd.DataFrame:
    """A point beside the road for every row: lon, lat to about 0.1 m."""
    angle, far = rng.uniform(0, 2 * np.pi, len(table)), rng.uniform(0.3, 1, len(table)) * off_m
    xy = land.xy[table["cell"]] + np.column_stack([np.cos(angle), np.sin(angle)]) * far[:, None]
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(*xy.T)
    return table.assign(lon=lon.round(6), lat=lat.round(6), town_id=[TOWN_IDS[t] for t in table["town"]])


def make(folder: Path) -> None:
    rng = np.random.default_rng(SEED)
    land = draw_land(rng)
    seats = land.cell_at(np.array([to_metres(row[2], row[3]) for row in TOWNS]))
    network = draw_trunk(land, seats)
    villages, towns = place_villages(rng, land, seats)
    join_villages(land, network, villages)
    join_neighbours(land, network, villages, "unclassified", 4200, 3.0, 26)
    label, place = town_cells(land, np.append(villages, seats), np.append(towns, np.arange(len(TOWNS))))
    demand = place_demand(rng, land, seats, villages, towns, label, place)
    _, back, _ = land.cheapest(network.cells(), network.cost(0.5))
    for cell in demand["cell"]:
        network.add(trace(back, cell), "residential")
    demand = place_pupils(rng, demand)
    schools = place_schools(rng, network, demand, seats)
    schools = seat_and_cost(rng, enrol(rng, network, demand, schools))
    hamlets = demand["cell"].to_numpy()
    join_neighbours(land, network, hamlets, "path", 1500, 3.0, 45)  # short cuts on foot through a gully
    far = to_metres(108.60, 35.30)
    _, back, _ = land.cheapest(land.cell_at(far), land.cost)
    used = set(network.cells().tolist())
    forest = trace(back, land.cell_at(far + np.array([2600, 1900]))[0])
    if used & set(forest):
        raise RuntimeError("the forest track meets a road")

    demand = with_coordinates(rng, land, demand, 70)
    schools = with_coordinates(rng, land, schools, 110)
    folder.mkdir(parents=True, exist_ok=True)
    demand[["demand_id", "name", "town_id", "lon", "lat", "population", *GRADE_TOTALS]].to_csv(
        folder / "demand.csv", index=False, encoding="utf-8", lineterminator="\n"
    )
    stages = list(STAGE_GRADES)
    columns = ["school_id", "name", "kind", "status", "town_id", "lon", "lat", "grades"]
    columns += [f"{word}_{stage}" for word in ("seats", "pupils") for stage in stages]
    schools[[*columns, "beds", "annual_cost_cny", "assumed"]].to_csv(
        folder / "schools.csv", index=False, encoding="utf-8", lineterminator="\n"
    )
    (folder / "towns.geojson").write_text(
        town_polygons(land, label).to_json(drop_id=True, ensure_ascii=False) + "\n", "utf-8"
    )
    road_table(land, network, forest).to_parquet(folder / "roads.parquet", compression="zstd", index=False)
    (folder / "area.toml").write_text(AREA_TOML, "utf-8")


AREA_TOML = """\
# Written by make.py: change it there.
title = "旬邑县 (synthetic / 合成数据)"
crs = "EPSG:4545"
synthetic = true
data_date = "2023-09-01"
attribution = ["合成数据，由 data/xunyi/make.py 绘制，非调查所得，无真实学校与道路；MIT 许可 / Synthetic data drawn by data/xunyi/make.py, MIT licence: no survey, no real school or road"]

[[assumptions]]
en = "Synthetic: villages, pupils, schools, roads and borders are drawn; only the county's area, its population of 2010, its ten towns, where they are and how many villages they have are true."
zh = "合成数据：村庄、学生、学校、道路和边界均为绘制；只有县域面积、2010年人口、十个乡镇及其位置和村数为真。"

[[assumptions]]
en = "Pupils by grade are a plausible cohort (22,700 from kindergarten to grade 9), not a count."
zh = "分年级学生数为合理推定（幼儿园至九年级共22,700人），并非统计。"

[[assumptions]]
en = "Enrolment supposes that about half of the pupils near a village school attend it and the others ride to the town."
zh = "在校生数假定村小附近约半数学生就近入学，其余乘车到镇上就读。"

[[assumptions]]
en = "Seats and beds are drawn from enrolment."
zh = "学位与床位由在校生数推定。"

[[assumptions]]
en = "Annual cost is a formula: CNY 180,000 to 1,500,000 a school by its kind, and 9,000 a pupil (12,000 in a junior middle school)."
zh = "年运行成本按公式计算：每校按类型18万至150万元，另加每生9,000元（初级中学每生12,000元）。"

[files]
schools = "schools.csv"
demand = "demand.csv"
towns = "towns.geojson"
roads = "roads.parquet"

[datum]
schools = "wgs84"
demand = "wgs84"
towns = "wgs84"
"""

if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
