"""What the tags of an OSM way say: who may use it, which way, how fast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.model import ROAD_CLASSES

if TYPE_CHECKING:
    import pandas as pd

ON_FOOT = ("track", "path", "footway", "pedestrian", "bridleway", "steps", "cycleway")
DRIVABLE = tuple(word for word in ROAD_CLASSES if word not in ON_FOOT)
CLASSES = frozenset(ROAD_CLASSES)
NOT_YET = frozenset(["construction", "proposed", "planned", "abandoned", "disused", "razed", "platform"])
EXPRESSWAY = ("motorway", "motorway_link")
FORBIDDEN = ("no", "private", "military")
FARMS_ONLY = ("agricultural", "forestry")
ALLOWED = ("yes", "designated", "permissive", "official", "destination")
NOT_SO = ("", "no", "F", "0")
FOR_TRACTORS = ("grade2", "grade3", "grade4", "grade5")

BUS_WIDTH_M, BUS_HEIGHT_M, BUS_TONNES = 2.55, 3.7, 10.0
"""A bus of 2.55 m (GB 1589-2016) and 3.7 m (GB 24407-2012), both unverified; loaded, one of some 36 seats weighs 10 t
(assumed). A road needs a quarter of a metre more on either side."""
MARGIN_M = 0.25
CAR_WIDTH_M = 1.9


def features(tags: pd.DataFrame) -> pd.DataFrame:
    """What the tags of every way say in the network's own words.

    The nearest tag to a vehicle decides: ``motorcar`` before ``motor_vehicle`` before ``vehicle`` before ``access``.
    A bus goes nowhere that is too narrow, low or weak for it, nor on a way that is made for tractors.
    """
    import pandas as pd

    road = tags["highway"].to_numpy(dtype=object)
    known = np.isin(road, ROAD_CLASSES) & (tags["route"] != "ferry").to_numpy()
    drivable = np.isin(road, DRIVABLE)
    expressway = np.isin(road, EXPRESSWAY)
    no_slow = expressway | (tags["motorroad"] == "yes").to_numpy()
    on_foot, bicycle = (tags[key].to_numpy(dtype=object) for key in ("foot", "bicycle"))
    open_to_all = ~tags["access"].isin(FORBIDDEN).to_numpy()
    walk = (open_to_all & ~no_slow & ~np.isin(on_foot, FORBIDDEN)) | (np.isin(on_foot, ALLOWED) & ~expressway)
    cycle = ~no_slow & ~np.isin(road, ("footway", "pedestrian", "steps")) & ~np.isin(bicycle, FORBIDDEN)
    cycle &= open_to_all & ~tags["vehicle"].isin(FORBIDDEN).to_numpy()
    cycle |= np.isin(bicycle, ALLOWED) & (road != "steps") & ~expressway
    public = tags[["bus", "psv"]].isin(ALLOWED).any(axis=1).to_numpy()
    public_not = tags[["bus", "psv"]].isin(FORBIDDEN).any(axis=1).to_numpy()
    width, lanes = _first_number(tags, "width", "est_width"), _first_number(tags, "lanes")
    room = np.fmin(width, _first_number(tags, "maxwidth"))
    bus = drivable & ((_may(tags, "motor_vehicle") & ~public_not) | public) & _bus_fits(tags, room)
    car = drivable & _may(tags, "motorcar", "motor_vehicle") & ~(room < CAR_WIDTH_M)
    motorcycle = drivable & _may(tags, "motorcycle", "motor_vehicle") & ~no_slow
    kmh = {text: _kmh(text) for text in tags["maxspeed"].unique()}
    return pd.DataFrame(
        {
            "road_class": road,
            "surface": tags["surface"].to_numpy(dtype=object),
            "maxspeed_kmh": tags["maxspeed"].map(kmh).to_numpy(dtype=float),
            "oneway": _oneway(tags),
            "walk": known & walk,
            "bicycle": known & cycle,
            "ebike": known & (cycle | motorcycle),
            "bus": known & bus,
            "car": known & car,
            "width_m": width,
            "lanes": lanes,
            "off_ground": ~tags[["bridge", "tunnel"]].isin(NOT_SO).all(axis=1).to_numpy(),
            "name": tags["name"].to_numpy(dtype=object),
        }
    )


def _may(tags: pd.DataFrame, *keys: str) -> np.ndarray:
    """Whether a motor vehicle may: by the first of the keys that says something, ``vehicle`` and ``access`` last."""
    said = np.full(len(tags), "", dtype=object)
    for key in (*keys, "vehicle", "access"):
        said = np.where(said == "", tags[key].to_numpy(dtype=object), said)
    return ~np.isin(said, (*FORBIDDEN, *FARMS_ONLY))


def _bus_fits(tags: pd.DataFrame, room_m: np.ndarray) -> np.ndarray:
    fits = ~tags["tracktype"].isin(FOR_TRACTORS).to_numpy()
    fits &= ~(room_m < BUS_WIDTH_M + 2 * MARGIN_M)
    fits &= ~(_first_number(tags, "maxheight") < BUS_HEIGHT_M)
    return np.asarray(fits & ~(_first_number(tags, "maxweight") < BUS_TONNES))


def _first_number(tags: pd.DataFrame, *keys: str) -> np.ndarray:
    """Metres, tonnes or a count, of the first of the keys that says a number; NaN where none does."""
    found = np.full(len(tags), np.nan)
    for key in keys:
        texts, which = np.unique(tags[key].to_numpy(dtype=str), return_inverse=True)
        values = np.array([_number(text) for text in texts])[which] if len(texts) else found
        found = np.where(np.isnan(found), values, found)
    return found


def _number(text: str) -> float:
    """Metres or tonnes of a tag; NaN where it says nothing certain.

    >>> _number("3.5"), _number("3,5 m"), _number("7.5 t"), round(_number("11'6"), 2), _number("narrow")
    (3.5, 3.5, 7.5, 3.51, nan)
    """
    text = text.strip()
    if feet := re.fullmatch(r"(\d+)'\s*(?:(\d+)\"?)?", text):
        return 0.3048 * (int(feet[1]) + int(feet[2] or 0) / 12)
    match = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(?:m|t)?", text)
    return float(match[1].replace(",", ".")) if match else float("nan")


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
