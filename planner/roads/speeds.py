"""How fast each mode goes on every edge."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from planner.roads.tags import EXPRESSWAY

if TYPE_CHECKING:
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


def speeds_kmh(edges: pd.DataFrame, mode: str, own: Mapping[str, float] | None = None) -> np.ndarray:
    """Speed on every edge, km/h; 0 where the mode may not go.

    ``own`` lays the scenario's speeds (by class, ``""`` for every other class) over ``SPEED_KMH``; a road's signed
    maximum holds for bicycles and buses, the school-bus rule for buses, and a factor for unpaved roads.

    Parameters
    ----------
    edges : columns ``road_class, surface, maxspeed_kmh, walk, bicycle, bus``
    mode : one of ``ROAD_MODES``

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
