"""What the tags of an OSM way say: who may use it, which way, how fast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

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


def features(tags: pd.DataFrame) -> pd.DataFrame:
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
    kmh = {text: _kmh(text) for text in tags["maxspeed"].unique()}
    return pd.DataFrame(
        {
            "road_class": road,
            "surface": tags["surface"].to_numpy(dtype=object),
            "maxspeed_kmh": tags["maxspeed"].map(kmh).to_numpy(dtype=float),
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
