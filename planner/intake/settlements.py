"""Demand points from OSM's settlements or from a population raster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.area.places import project
from planner.errors import DataError, Fault
from planner.sources.datum import projected_crs
from planner.sources.osm import OsmExtract
from planner.wording import Label, Listed, Phrase, remark

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# People of a settlement whose population OSM does not tell, by its place tag: assumed, and marked so.
PEOPLE = {
    "city": 50_000,
    "town": 5_000,
    "suburb": 2_000,
    "quarter": 1_000,
    "neighbourhood": 400,
    "village": 800,
    "hamlet": 120,
    "farm": 10,
    "isolated_dwelling": 10,
}
NEAR_M = 400.0


def demand_points(extract: OsmExtract, raster: str | Path | None, outline: Any, said: list[Label]) -> pd.DataFrame:
    """Demand points of the raster where one is given, else OSM's settlements."""
    if raster is None:
        return settlement_table(extract, outline, said)
    from planner.sources.rasters import cluster_population

    points = cluster_population(raster, boundary=outline)
    said.append(remark("intake.clusters", n=len(points), raster=Path(raster).name))
    table = points.drop(columns="geometry").assign(lon=points.geometry.x, lat=points.geometry.y)
    table.insert(0, "demand_id", [f"P{i + 1:04d}" for i in range(len(table))])
    table.insert(1, "name", _nearest_names(extract, points))
    columns = ["demand_id", "name", "lon", "lat", "population", "assumed"]
    made: pd.DataFrame = table.assign(assumed="")[columns]
    return made


def _nearest_names(extract: OsmExtract, points: gpd.GeoDataFrame) -> list[str]:
    """The nearest named settlement of every point: a cluster has no name of its own."""
    import shapely

    named = extract.places[extract.places["place"].isin(PEOPLE) & (extract.places["name"] != "")]
    if named.empty:
        return [""] * len(points)
    at = shapely.STRtree(named.geometry.to_numpy()).nearest(points.geometry.to_numpy())
    return [f"{name}附近" if not str(name).isascii() else f"near {name}" for name in named["name"].to_numpy()[at]]


def settlement_table(extract: OsmExtract, outline: Any, said: list[Label]) -> pd.DataFrame:
    """Settlements of OSM inside the outline as demand points; a population that is not known is assumed by kind.

    Raises
    ------
    DataError : there is no settlement
    """
    import pandas as pd

    places = extract.places[extract.places["place"].isin(PEOPLE)].reset_index(drop=True)
    if outline is not None and len(places):
        places = places[np.array(outline.covers(places.geometry.to_numpy()))].reset_index(drop=True)
    if places.empty:
        fix = "Give the villages with --demand, or a raster with --population."
        raise DataError([Fault("--osm", "it holds no settlement inside the towns", fix)])
    known = places["population"].str.replace(r"[,\s ]", "", regex=True)
    people = pd.to_numeric(known.where(known.str.fullmatch(r"\d+(\.\d+)?")), errors="coerce")
    places = places.assign(people=people)
    places = _without_doubles(places, said)
    blank = places["people"].isna()
    _say_if_one_is_half(places, said)
    if blank.any():
        kinds = [kind for kind in PEOPLE if (places["place"][blank] == kind).any()]
        each = Listed(tuple(Phrase(f"place.{kind}", {"n": f"{PEOPLE[kind]:,}"}) for kind in kinds), len(PEOPLE))
        said.append(remark("intake.population", n=blank.sum(), all=len(places), each=each))
    return pd.DataFrame(
        {
            "demand_id": places["osm_id"],
            "name": places["name"].where(places["name"] != "", places["osm_id"]),
            "lon": places.geometry.x,
            "lat": places.geometry.y,
            "population": places["people"].fillna(places["place"].map(PEOPLE)),
            "assumed": np.where(blank, "population", ""),
        }
    )


def _say_if_one_is_half(places: gpd.GeoDataFrame, said: list[Label]) -> None:
    people = places["people"].fillna(places["place"].map(PEOPLE))
    first = people.idxmax()
    if len(places) > 1 and people[first] > people.sum() / 2:
        figures = {"its": f"{people[first]:,.0f}", "all": f"{people.sum():,.0f}"}
        said.append(remark("intake.half", name=places["name"][first], **figures))


def _without_doubles(places: gpd.GeoDataFrame, said: list[Label]) -> gpd.GeoDataFrame:
    """One row for a settlement that OSM has as a node and as a polygon: the one that tells its population."""
    name = places["name"].to_numpy(dtype=object)
    lon, lat = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    metres = project(lon, lat, projected_crs(lon, lat))
    kept: dict[str, list[int]] = {}
    keep = np.ones(len(places), dtype=bool)
    for row in places["people"].isna().to_numpy().argsort(kind="stable").tolist():
        others = kept.setdefault(name[row], [])
        keep[row] = not (name[row] and others and (np.hypot(*(metres[others] - metres[row]).T) < NEAR_M).any())
        others.append(row)
    if not keep.all():
        said.append(remark("intake.twice", n=(~keep).sum(), metres=f"{NEAR_M:g}"))
    return places[keep].reset_index(drop=True)
