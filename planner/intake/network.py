"""The roads of the area out of an extract that is wider than it."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.errors import DataError, Fault
from planner.model import Roads
from planner.roads import components
from planner.wording import Label, remark

ROADS_AROUND_M = 3_000.0
FRAGMENT_M = 1_000.0


def clip(roads: Roads, crs: str, outline: Any, said: list[Label]) -> Roads:
    """Roads near the towns; fragments that join nothing and are shorter than a kilometre in all are left out."""
    import geopandas as gpd

    keep = np.ones(len(roads.edges), dtype=bool)
    if outline is not None:
        around = gpd.GeoSeries([outline], crs="EPSG:4326").to_crs(crs).buffer(ROADS_AROUND_M).iloc[0]
        keep = roads.edges.intersects(around).to_numpy()
    if not keep.any():
        raise DataError([Fault("--osm", "no road lies in the towns", "Give an extract that covers them.")])
    near = _take(roads, keep)
    part = components(near)[near.edges["from_node"].to_numpy()]
    metres = np.bincount(part, weights=near.edges["length_m"].to_numpy())
    scrap = (metres < FRAGMENT_M)[part] & (part > 0)
    if scrap.any():
        km = {"each": f"{FRAGMENT_M / 1000:g}", "all": f"{near.edges['length_m'][scrap].sum() / 1000:.1f}"}
        said.append(remark("intake.fragments", n=len(np.unique(part[scrap])), **km))
    return _take(near, ~scrap)


def _take(roads: Roads, keep: np.ndarray) -> Roads:
    edges = roads.edges[keep].reset_index(drop=True)
    ends = edges[["from_node", "to_node"]].to_numpy()
    nodes, renumbered = np.unique(ends, return_inverse=True)
    edges[["from_node", "to_node"]] = renumbered.reshape(-1, 2)
    return Roads(edges, roads.nodes.iloc[nodes].reset_index(drop=True))
