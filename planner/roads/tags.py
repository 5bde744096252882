"""What the tags of an OSM way say: who may use it, which way, how fast."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from planner.model import ROAD_CLASSES
from planner.sources.words import Words

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
ONE_WAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1, "no": 0}

BUS_WIDTH_M, BUS_HEIGHT_M, BUS_TONNES = 2.55, 3.7, 10.0
"""A bus of 2.55 m (GB 1589-2016) and 3.7 m (GB 24407-2012), both unverified; loaded, one of some 36 seats weighs 10 t
(assumed). A road needs a quarter of a metre more on either side."""
MARGIN_M = 0.25
CAR_WIDTH_M = 1.9


def features(tags: Mapping[str, Words]) -> dict[str, Any]:
    """What the tags of every way say in the network's own words: columns of ``planner.model.Roads``.

    The nearest tag to a vehicle decides: ``motorcar`` before ``motor_vehicle`` before ``vehicle`` before ``access``.
    A bus goes nowhere that is too narrow, low or weak for it, nor on a way that is made for tractors.

    Parameters
    ----------
    tags : columns of ``planner.sources.osm.WAY_TAGS``, "" where there is none

    Returns
    -------
    (n,) each; those of words as ``Words``
    """
    road, on_foot, bicycle = tags["highway"], tags["foot"], tags["bicycle"]
    known = road.among(*ROAD_CLASSES) & ~tags["route"].among("ferry")
    drivable, expressway = road.among(*DRIVABLE), road.among(*EXPRESSWAY)
    no_slow = expressway | tags["motorroad"].among("yes")
    open_to_all = ~tags["access"].among(*FORBIDDEN)
    walk = (open_to_all & ~no_slow & ~on_foot.among(*FORBIDDEN)) | (on_foot.among(*ALLOWED) & ~expressway)
    cycle = ~no_slow & ~road.among("footway", "pedestrian", "steps") & ~bicycle.among(*FORBIDDEN)
    cycle &= open_to_all & ~tags["vehicle"].among(*FORBIDDEN)
    cycle |= bicycle.among(*ALLOWED) & ~road.among("steps") & ~expressway
    public = tags["bus"].among(*ALLOWED) | tags["psv"].among(*ALLOWED)
    public_not = tags["bus"].among(*FORBIDDEN) | tags["psv"].among(*FORBIDDEN)
    width, lanes = _first_number(tags, "width", "est_width"), _first_number(tags, "lanes")
    room = np.fmin(width, _first_number(tags, "maxwidth"))
    bus = drivable & ((_may(tags, "motor_vehicle") & ~public_not) | public) & _bus_fits(tags, room)
    car = drivable & _may(tags, "motorcar", "motor_vehicle") & ~(room < CAR_WIDTH_M)
    motorcycle = drivable & _may(tags, "motorcycle", "motor_vehicle") & ~no_slow
    return {
        "road_class": road,
        "surface": tags["surface"],
        "maxspeed_kmh": tags["maxspeed"].each(_kmh),
        "oneway": _oneway(tags),
        "walk": known & walk,
        "bicycle": known & cycle,
        "ebike": known & (cycle | motorcycle),
        "bus": known & bus,
        "car": known & car,
        "width_m": width,
        "lanes": lanes,
        "off_ground": ~(tags["bridge"].among(*NOT_SO) & tags["tunnel"].among(*NOT_SO)),
        "name": tags["name"],
    }


def _may(tags: Mapping[str, Words], *keys: str) -> np.ndarray:
    """Whether a motor vehicle may: by the first of the keys that says something, ``vehicle`` and ``access`` last."""
    may = np.ones(len(tags["access"]), dtype=bool)
    for tag in (tags[key] for key in ("access", "vehicle", *reversed(keys))):
        may = np.where(tag.among(""), may, ~tag.among(*FORBIDDEN, *FARMS_ONLY))
    return may


def _bus_fits(tags: Mapping[str, Words], room_m: np.ndarray) -> np.ndarray:
    fits = ~tags["tracktype"].among(*FOR_TRACTORS)
    fits &= ~(room_m < BUS_WIDTH_M + 2 * MARGIN_M)
    fits &= ~(_first_number(tags, "maxheight") < BUS_HEIGHT_M)
    return np.asarray(fits & ~(_first_number(tags, "maxweight") < BUS_TONNES))


def _first_number(tags: Mapping[str, Words], *keys: str) -> np.ndarray:
    """Metres, tonnes or a count, of the first of the keys that says a number; NaN where none does."""
    found = tags[keys[0]].each(_number)
    for key in keys[1:]:
        found = np.where(np.isnan(found), tags[key].each(_number), found)
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


def _oneway(tags: Mapping[str, Words]) -> np.ndarray:
    said = tags["oneway"].each(lambda word: ONE_WAY.get(word.lower(), np.nan))
    implied = tags["junction"].among("roundabout", "circular") | tags["highway"].among(*EXPRESSWAY)
    return np.where(np.isnan(said), implied, said).astype(np.int64)


def _kmh(text: str) -> float:
    """km/h of a ``maxspeed`` tag; NaN where it says nothing certain.

    >>> _kmh("50"), round(_kmh("30 mph")), _kmh("signals")
    (50.0, 48, nan)
    """
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(mph)?\s*(?:km/h|kmh)?\s*$", text)
    if not match or float(match[1]) == 0:
        return float("nan")
    return float(match[1]) * (1.609344 if match[2] else 1.0)
