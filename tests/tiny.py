"""Four villages, three schools, one road: every figure can be worked by hand.

The road runs from west to east, 4500 m; children walk it at 4.5 km/h, 75 m a minute::

    V1,S1 ---1500 m--- V2,S2 ---1500 m--- V3 ---1500 m--- V4,S3
    town A ........................ | town B ..................

S1 central primary (seats 100), S2 village primary (seats 30), S3 nine-year school (seats 50 primary, 30 junior).
Lower primary pupils: 10, 5, 5, 10; upper primary the same; junior 0, 0, 2, 4. Norm: 30 minutes in lower primary.
"""

import itertools
from functools import cache
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.model import BANDS, GRADES, MODES, Roads, StudyArea, TravelTimes, Trips
from planner.plan import Plan, ask
from planner.scenario import parse_scenario

CRS = "EPSG:4545"
X0, Y0 = 530_000.0, 3_880_000.0
X = [0.0, 1500.0, 3000.0, 4500.0]
VILLAGES = ["V1", "V2", "V3", "V4"]
SCHOOLS = ["S1", "S2", "S3"]
MINUTES = np.array([[0.0, 20.0, 60.0], [20.0, 0.0, 40.0], [40.0, 20.0, 20.0], [60.0, 40.0, 0.0]])
SCENARIO = """
title = "Tiny"
norms = "unlimited"
[travel]
modes = ["walk"]
[travel.max_minutes]
lower_primary = 30
[rules]
may_close_below_pupils = 40
[[rules.per_town]]
kinds = ["village_primary", "teaching_point"]
stage = "primary"
open = { min = 0, max = 0 }
[capacity]
expansion = true
seat_step = 10
cost_per_seat_cny = 1000
[costs]
annual_cny_per_school = { central_primary = 900, village_primary = 300, nine_year = 1500 }
annual_cny_per_pupil = 10
[solver]
gap = 0.0
"""


def points(xs: list[float]) -> gpd.GeoSeries:
    return gpd.GeoSeries(shapely.points([[X0 + x, Y0] for x in xs]), crs=CRS)


@cache
def _parts() -> dict[str, Any]:
    """What the area is made of; nobody else may hold these frames."""
    schools = gpd.GeoDataFrame(
        {
            "name": ["中心小学 <img src=x onerror=alert(1)>", "Village `${x}` </script>", "九年制学校"],
            "kind": ["central_primary", "village_primary", "nine_year"],
            "status": "existing",
            "town_id": ["A", "A", "B"],
            "grades": [GRADES[3:9], GRADES[3:9], GRADES[3:12]],
            "seats_kindergarten": [0.0, 0.0, 0.0],
            "seats_primary": [100.0, 30.0, 50.0],
            "seats_junior": [0.0, 0.0, 30.0],
            "pupils_kindergarten": [0.0, 0.0, 0.0],
            "pupils_primary": [20.0, 20.0, 20.0],
            "pupils_junior": [0.0, 0.0, 6.0],
            "beds": [0.0, 0.0, 0.0],
            "annual_cost_cny": np.nan,
            "assumed": "",
        },
        geometry=points([X[0], X[1], X[3]]).to_numpy(),
        index=pd.Index(SCHOOLS, name="school_id"),
        crs=CRS,
    )
    demand = gpd.GeoDataFrame(
        {
            "name": ["东村", "Two", "三村", "Four"],
            "town_id": ["A", "A", "B", "B"],
            "population": [400.0, 200.0, 230.0, 460.0],
            "assumed": "",
        },
        geometry=points(X).to_numpy(),
        index=pd.Index(VILLAGES, name="demand_id"),
        crs=CRS,
    )
    pupils = pd.DataFrame(0, index=demand.index, columns=list(GRADES), dtype="int64")
    pupils["g1"] = [10, 5, 5, 10]
    pupils["g4"] = [10, 5, 5, 10]
    pupils["g7"] = [0, 0, 2, 4]
    towns = gpd.GeoDataFrame(
        {"name": ["甲镇", "Town B"]},
        geometry=[
            shapely.box(X0 - 500, Y0 - 1000, X0 + 2250, Y0 + 1000),
            shapely.box(X0 + 2250, Y0 - 1000, X0 + 5000, Y0 + 1000),
        ],
        index=pd.Index(["A", "B"], name="town_id"),
        crs=CRS,
    )
    lines = [shapely.LineString([(X0 + a, Y0), (X0 + b, Y0)]) for a, b in itertools.pairwise(X)]
    edges = gpd.GeoDataFrame(
        {
            "from_node": [0, 1, 2],
            "to_node": [1, 2, 3],
            "road_class": "residential",
            "surface": "asphalt",
            "maxspeed_kmh": np.nan,
            "oneway": 0,
            "walk": True,
            "bicycle": True,
            "ebike": True,
            "bus": True,
            "car": True,
            "width_m": np.nan,
            "lanes": np.nan,
            "off_ground": False,
            "bend_share": 0.0,
            "length_m": 1500.0,
            "name": "",
        },
        geometry=lines,
        crs=CRS,
    )
    nodes = pd.DataFrame({"x": [X0 + x for x in X], "y": Y0})
    return {"schools": schools, "demand": demand, "pupils": pupils, "towns": towns, "roads": Roads(edges, nodes)}


def make_area(**changes: object) -> StudyArea:
    """The area, or one with changes; its frames are its own, so that a test may write into them."""
    parts = {
        name: Roads(part.edges.copy(), part.nodes.copy()) if name == "roads" else part.copy()
        for name, part in _parts().items()
        if name not in changes
    }
    return StudyArea(
        **{"area_id": "tiny", "title": "Tiny 小县", "crs": CRS, "synthetic": True, "attribution": ("Tiny",)}
        | parts
        | changes
    )


def make_times() -> TravelTimes:
    minutes = np.broadcast_to(MINUTES, (len(BANDS), 4, 3)).copy()
    ids = (np.array(ids) for ids in (BANDS, VILLAGES, SCHOOLS))
    return TravelTimes(Trips(minutes, minutes * 0.075, np.zeros(minutes.shape, np.int8), *ids), MODES)


def rows(schools: dict[str, list[str]]) -> pd.DataFrame:
    """An assignment table: band -> the school of V1..V4."""
    pupils = {"lower_primary": [10, 5, 5, 10], "upper_primary": [10, 5, 5, 10], "junior": [0, 0, 2, 4]}
    made = []
    for band, choice in schools.items():
        for i, village in enumerate(VILLAGES):
            if pupils[band][i]:
                t = MINUTES[i, SCHOOLS.index(choice[i])]
                made.append((village, band, choice[i], pupils[band][i], t, t * 0.075, "walk", ""))
    columns = ["demand_id", "band", "school_id", "pupils", "minutes", "km", "mode", "reason"]
    return pd.DataFrame(made, columns=columns).astype({"pupils": "int64"})


def actions(items: list[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["school_id", "stage", "action", "into", "seats", "seats_added", "pupils"]
    return pd.DataFrame(items, columns=columns).astype({"seats": float, "seats_added": float, "pupils": "int64"})


def make() -> SimpleNamespace:
    area, times = make_area(), make_times()
    scenario = parse_scenario(SCENARIO, "tiny.toml")
    near = ["S1", "S2", "S2", "S3"]
    today = Plan(
        area,
        scenario,
        times,
        title="Today",
        status="scored",
        actions=actions(
            [
                ("S1", "primary", "keep", "", 100, 0, 20),
                ("S2", "primary", "keep", "", 30, 0, 20),
                ("S3", "primary", "keep", "", 50, 0, 20),
                ("S3", "junior", "keep", "", 30, 0, 6),
            ]
        ),
        assignment=rows({"lower_primary": near, "upper_primary": near, "junior": ["S3"] * 4}),
        annual_cost_cny=900 + 300 + 1500 + 66 * 10,
        capital_cost_cny=0.0,
    )
    far = ["S1", "S1", "S3", "S3"]
    plan = Plan(
        area,
        scenario,
        times,
        title="Tiny",
        status="optimal",
        actions=actions(
            [
                ("S1", "primary", "keep", "", 100, 0, 30),
                ("S2", "primary", "close", "", 0, 0, 0),
                ("S3", "primary", "keep", "", 50, 0, 30),
                ("S3", "junior", "keep", "", 30, 0, 6),
            ]
        ),
        assignment=rows({"lower_primary": far, "upper_primary": far, "junior": ["S3"] * 4}),
        objective=20 * 10 + 20 * 10 + 20 * 2,
        bound=440.0,
        gap=0.0,
        annual_cost_cny=900 + 1500 + 66 * 10,
        capital_cost_cny=0.0,
        today=today,
    )
    question = ask(area, times, scenario)
    return SimpleNamespace(area=area, times=times, scenario=scenario, today=today, plan=plan, question=question)
