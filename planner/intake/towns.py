"""Towns from OSM's administrative boundaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.intake.settlements import PEOPLE
from planner.sources.osm import OsmExtract
from planner.wording import Label, remark

if TYPE_CHECKING:
    import geopandas as gpd


def town_polygons(extract: OsmExtract) -> tuple[gpd.GeoDataFrame | None, Label]:
    """The deepest level of boundaries that holds nine in ten of the settlements, and a sentence about the choice.

    Boundaries beside the county that hang into the extract are left out where a larger boundary tells them apart.
    Returns None where OSM has none that would do: the area is then one town.
    """
    import geopandas as gpd

    bounds = extract.boundaries.copy()
    bounds["level"] = bounds["admin_level"].str.extract(r"^(\d+)$")[0].astype(float)
    bounds = bounds.dropna(subset="level").drop_duplicates("osm_id")
    bounds = bounds[bounds["name"] != ""] if (bounds["name"] != "").any() else bounds
    bounds.geometry = bounds.geometry.make_valid()
    settled = extract.places[extract.places["place"].isin(PEOPLE)]
    spots = settled if len(settled) else extract.schools
    none = (None, remark("intake.one_town"))
    if bounds.empty or spots.empty:
        return none
    points = spots.geometry.to_numpy()
    whole = bounds.sort_values("level").iloc[:1] if (bounds["level"] == 1).any() else _container(bounds, points)
    inside = np.ones(len(points), dtype=bool)
    if whole is not None:
        inside = np.array(whole.union_all().covers(points))
        held = bounds.geometry.representative_point().within(whole.union_all())
        bounds = bounds[held & (bounds["level"] > whole["level"].iloc[0]) | bounds.index.isin(whole.index)]
    best = None
    for level in sorted(bounds["level"].unique()):
        here = bounds[bounds["level"] == level]
        covered = np.array(here.union_all().covers(points[inside]))
        if covered.mean() >= 0.9 and (len(here) > 1 or best is None):
            best = here
    if best is None:
        return none
    chosen = gpd.GeoDataFrame(
        {
            "town_id": best["osm_id"].to_numpy(),
            "name": best["name"].where(best["name"] != "", best["osm_id"]).to_numpy(),
        },
        geometry=best.geometry.to_numpy(),
        crs="EPSG:4326",
    )
    level = f"{best['level'].iloc[0]:g}"
    return chosen, remark("intake.towns", level=level, n=len(chosen))


def _container(bounds: gpd.GeoDataFrame, points: np.ndarray) -> gpd.GeoDataFrame | None:
    """The boundary that holds most settlements (the deepest of equals); None where none holds three in ten.

    One of the deepest level is no container: it would be one town beside others.
    """
    bounds = bounds[bounds["level"] < bounds["level"].max()]
    if bounds.empty:
        return None
    share = np.array([np.mean(shape.covers(points)) for shape in bounds.geometry])
    order = np.lexsort((-bounds["level"].to_numpy(), -share))
    return bounds.iloc[[order[0]]] if share[order[0]] >= 0.3 else None
