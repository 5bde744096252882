"""The first question that is asked of a new area."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from planner.area.places import to_wgs84_of
from planner.model import StudyArea


def default_scenario(area: StudyArea) -> str:
    """A scenario that runs as it is: as few schools as the norms allow, then as little travel.

    >>> from planner.scenario import parse_scenario
    >>> parse_scenario(default_scenario(tiny.area)).objective.minimise
    'schools_open'
    """
    lon, lat = _lonlat(area)
    norms = "cn-rural-2018" if 73 < lon < 136 and 18 < lat < 54 else "unlimited"
    return f'''\
# Written by planner new: a question that runs as it is. Every value is yours to change; `planner norms` lists presets.
title = {_toml_text(f"Default scenario / 默认方案: {area.title}")}
norms = "{norms}"

[travel]
modes = ["walk", "bus"]
walk_max_minutes = 45

[travel.max_minutes]               # one way, door to door
kindergarten = 30
lower_primary = 30
upper_primary = 40
junior = 60

[rules]
may_close_below_pupils = 100

[capacity]
expansion = true
max_seats_per_school = inf         # seats are assumed until the bureau gives them: let no guess forbid a plan

[assignment]
unit = "village"
beyond_norm = "as_today"           # whoever lives beyond the norm today may go as far as today, no farther

[objective]
minimise = "schools_open"
then = ["pupil_minutes"]

[solver]
gap = 0.001
time_limit_s = 60
'''


def _lonlat(area: StudyArea) -> Sequence[float]:
    places = area.demand.geometry
    lon, lat = to_wgs84_of(area.crs, places.x.to_numpy(), places.y.to_numpy())
    return float(np.median(lon)), float(np.median(lat))


def _toml_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
