"""A place by its name from OpenStreetMap's live services, through osmnx; the one source that needs the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.sources.osm import FEATURE_TAGS, WAY_TAGS, OsmExtract, Ways
from planner.sources.words import Words

if TYPE_CHECKING:
    import geopandas as gpd

WANTED: dict[str, bool | str | list[str]] = {
    "highway": True,
    "amenity": ["school", "kindergarten"],
    "place": True,
    "boundary": "administrative",
}


def read_place(name: str) -> OsmExtract:
    """Roads, schools, places and boundaries inside the place's own boundary, as ``read_osm`` gives them.

    Raises
    ------
    DataError : the place is not found, has no polygon, or the services do not answer
    """
    import osmnx

    try:
        place = osmnx.geocode_to_gdf(name)
        found = osmnx.features_from_polygon(place.union_all(), WANTED)
    except Exception as error:
        # osmnx passes on whatever its HTTP library, its JSON reader or its own checks raise: a user sees one sentence.
        fault = Fault(
            f"--place {name}",
            f"it could not be fetched: {type(error).__name__}: {str(error)[:200]}",
            "Check the name and the connection, or give an extract with --osm.",
        )
        raise DataError([fault]) from None
    return extract_of(found, place)


def extract_of(found: gpd.GeoDataFrame, place: gpd.GeoDataFrame) -> OsmExtract:
    """Features by (element, id) as an extract; the place's own polygon joins the boundaries as the outermost one."""
    import geopandas as gpd
    import pandas as pd

    frame = found.reset_index()
    frame["osm_id"] = frame["element"].str[0] + frame["id"].astype(str)
    for key in {*WAY_TAGS, *FEATURE_TAGS}:
        frame[key] = frame[key].astype("string").fillna("") if key in frame else ""
    lines = frame[(frame["highway"] != "") & frame.geom_type.isin(("LineString", "MultiLineString"))]
    if lines.empty:
        raise DataError([Fault("--place", "no road was found there", "Name a larger place, or give --osm.")])
    polygon = frame.geom_type.isin(("Polygon", "MultiPolygon"))
    schools = frame[frame["amenity"].isin(("school", "kindergarten"))].copy()
    schools.geometry = schools.geometry.representative_point()
    places = frame[(frame["place"] != "") & (frame["boundary"] == "")].copy()
    places.geometry = places.geometry.representative_point()
    columns = ["osm_id", *FEATURE_TAGS, "geometry"]
    own = dict.fromkeys(FEATURE_TAGS, "") | {
        "osm_id": f"{str(place['osm_type'].iloc[0])[:1]}{place['osm_id'].iloc[0]}",
        "name": str(place["name"].iloc[0]),
        "boundary": "administrative",
        "admin_level": "1",  # whatever it is: it holds all the others here
        "geometry": place.union_all(),
    }
    inside = frame[polygon & (frame["boundary"] == "administrative") & (frame["osm_id"] != own["osm_id"])]
    outer = gpd.GeoDataFrame([own], geometry="geometry", crs="EPSG:4326")
    boundaries = gpd.GeoDataFrame(pd.concat([outer[columns], inside[columns]], ignore_index=True), crs="EPSG:4326")
    return OsmExtract(
        ways=_ways_of(lines),
        schools=schools[columns].reset_index(drop=True),
        places=places[columns].reset_index(drop=True),
        boundaries=boundaries,
        date="",
    )


def _ways_of(lines: gpd.GeoDataFrame) -> Ways:
    """Lines whose vertices are the same place where their coordinates are the same (to a centimetre)."""
    import shapely

    single = lines.explode(ignore_index=True)
    lonlat, way = shapely.get_coordinates(single.geometry.to_numpy(), return_index=True)
    _, vertex = np.unique(np.round(lonlat * 1e7).astype(np.int64), axis=0, return_inverse=True)
    first: Any = np.searchsorted(way, np.arange(len(single) + 1))
    return Ways({key: Words.of(single[key]) for key in WAY_TAGS}, first, vertex.ravel(), lonlat)
