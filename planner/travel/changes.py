"""The roads as a scenario has them: gaps joined, edges and areas closed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from planner.area import layer_sha256, read_layer
from planner.errors import DataError, Fault, ScenarioError
from planner.model import MODES, Roads, StudyArea
from planner.remembered import remembered
from planner.roads import close_areas, close_edges, find_gaps, join_gaps
from planner.scenario import Travel
from planner.wording import Amount, Label, remark

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Changed:
    """Roads as a scenario has them.

    Parameters
    ----------
    roads : an edge keeps its row; pieces that were cut off and joins follow behind
    said : what was changed, in sentences
    closed : rows of the edges that are closed
    """

    roads: Roads
    said: tuple[Label, ...] = ()
    closed: tuple[int, ...] = ()


def roads_of(area: StudyArea, travel: Travel) -> Roads:
    """The roads that trips of a scenario use; the area's own where it changes nothing.

    The same object is returned as long as nothing of it changes, the file of closed areas included.

    Raises
    ------
    ScenarioError : see ``changed``

    >>> roads_of(tiny.area, Travel(closed_edges=(1,))).edges["walk"].tolist()
    [True, False, True]
    """
    return changed(area, travel).roads


def settle(area: StudyArea, travel: Travel) -> tuple[StudyArea, Travel]:
    """The area with the roads of the scenario, and the scenario with nothing left to change on them.

    Raises
    ------
    ScenarioError : see ``changed``

    >>> area, travel = settle(tiny.area, Travel(closed_edges=(1,)))
    >>> area.roads.edges["walk"].tolist(), travel.closed_edges
    ([True, False, True], ())
    """
    roads = roads_of(area, travel)
    return (area, travel) if roads is area.roads else _settled(area, roads, travel)


@remembered
def _settled(area: StudyArea, roads: Roads, travel: Travel) -> tuple[StudyArea, Travel]:
    done = {"closed_edges": (), "closed_areas": "", "closed_areas_datum": "", "close_gaps_m": 0.0}
    return dataclasses.replace(area, roads=roads), travel.model_copy(update=done)


def changed(area: StudyArea, travel: Travel) -> Changed:
    """The roads of a scenario, and what is other about them than about the area's.

    Gaps are those of the area's own roads: what a closure cuts is never joined again.

    Raises
    ------
    ScenarioError : a row that no road has; a file of closed areas that is absent, outside the area's folder, without
        shapes, or in no known coordinate system

    >>> print(*changed(tiny.area, Travel(closed_edges=(1,))).said)
    closed: 1 edge (1.5 km) by closed_edges
    """
    faults = [_no_such_row(area.roads, travel)] if _unknown(area.roads, travel).size else []
    sha = ""
    if travel.closed_areas:
        try:
            sha = layer_sha256(area.folder, travel.closed_areas)
        except DataError as error:
            faults.extend(error.faults)
    if faults:
        raise ScenarioError(faults)
    if not (travel.closed_edges or travel.closed_areas or travel.close_gaps_m):
        return Changed(area.roads)
    closed = (travel.closed_areas, travel.closed_areas_datum)
    try:
        return _changed(area.roads, area.crs, area.folder, travel.closed_edges, closed, travel.close_gaps_m, sha)
    except DataError as error:
        raise ScenarioError(error.faults) from None


@lru_cache(maxsize=4)
def _changed(
    roads: Roads,
    crs: str,
    folder: Path | None,
    closed_edges: tuple[int, ...],
    closed_areas: tuple[str, str],
    close_gaps_m: float,
    sha: str,  # noqa: ARG001 - the file's content, for the cache
) -> Changed:
    said = []
    row, shut = np.arange(len(roads.edges)), np.zeros(0, dtype=np.int64)
    if close_gaps_m:
        gaps = find_gaps(roads)
        gaps = gaps[gaps["metres"] <= close_gaps_m + 1e-9]
        roads, row = join_gaps(roads, gaps)
        said.append(remark("roads.joined", gaps=Amount(len(gaps), "gaps"), metres=f"{close_gaps_m:g}"))
    if closed_edges:
        closed = np.isin(row, closed_edges)
        roads, shut = close_edges(roads, closed), np.flatnonzero(closed)
        km = roads.edges["length_m"].to_numpy()[shut].sum() / 1000
        said.append(_closed(len(set(closed_edges)), km, "closed_edges"))
    if closed_areas[0]:
        shapes = read_layer(folder, *closed_areas, crs)
        before = _open(roads.edges)
        roads, new_row = close_areas(roads, shapes)
        inside = before[new_row] & ~_open(roads.edges)
        shut = np.flatnonzero(inside | np.isin(new_row, shut))
        km = roads.edges["length_m"].to_numpy()[inside].sum() / 1000
        edges = len(np.unique(new_row[inside]))
        said.append(_closed(edges, km, f"closed_areas {closed_areas[0]}"))
    return Changed(roads, tuple(said), tuple(shut.tolist()))


def _open(edges: pd.DataFrame) -> np.ndarray:
    return np.asarray(edges[[mode for mode in MODES if mode in edges]].any(axis=1).to_numpy())


def _closed(edges: int, km: float, by: str) -> Label:
    return remark("roads.closed", edges=Amount(edges, "edges"), km=f"{km:.1f}", by=by)


def _unknown(roads: Roads, travel: Travel) -> np.ndarray:
    rows = np.array(travel.closed_edges, dtype=np.int64)
    return rows[rows >= len(roads.edges)]


def _no_such_row(roads: Roads, travel: Travel) -> Fault:
    rows = ", ".join(map(str, _unknown(roads, travel)[:5].tolist()))
    last = len(roads.edges) - 1
    problem = f"travel.closed_edges: there is no road {rows}; this area's roads are rows 0 to {last}"
    fix = "Take rows from a report on this area: they hold as long as its roads file is the same."
    return Fault("scenario", problem, fix)
