"""What the failure of one road would do to pupils' ways to school."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from planner.model import Roads, StudyArea
from planner.scenario import Travel
from planner.travel.changes import settle
from planner.travel.routes import directions_of, mode_routes
from planner.travel.severed import cut_off, travelling
from planner.travel.times import mode_times

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


FIGURES = ("pupils", "pupils_lost", "pupils_longer", "extra_minutes_mean", "extra_minutes_max")


def criticality(area: StudyArea, travel: Travel, assignment: pd.DataFrame, top: int = 20) -> gpd.GeoDataFrame:
    """The roads whose failure would hurt most, and how: one closed at a time, both directions and for every mode.

    Everybody keeps their school, and goes there by the quickest way that is left, by any mode of the band. Looked at
    are the ``top`` edges that cut most pupils off (``severed.cut_off``) and the ``top`` that most pupils use; what
    closing each does is exact: the travel times of the area without it, where the scenario's ``trip`` is ``both`` the
    means of the way there and the way home. Who only crosses a road, from door to door over land, does not go along
    it and is not hurt.

    Parameters
    ----------
    assignment : columns ``demand_id, band, school_id, mode, pupils``, as in a plan's; rows without a school are left
        out

    Returns
    -------
    At most ``top`` rows, most pupils lost first, then most pupil-minutes added; edges that hurt nobody are left out.
    Columns ``edge`` (row of ``roads.edges``), ``name``, ``road_class``, ``lon, lat`` (its middle, WGS-84), ``pupils``
    (who use it), ``pupils_lost`` (no way is left), ``pupils_longer``, ``extra_minutes_mean, extra_minutes_max`` (of
    those, one way; NaN where there are none), the line.

    Raises
    ------
    DataError : a column is missing; no such demand point, school or mode; all in one pass

    >>> near = tiny.scenario.travel.model_copy(update={"max_access_m": 100.0})
    >>> criticality(tiny.area, near, tiny.plan.assignment)[["edge", "pupils", "pupils_lost"]].values.tolist()
    [[2, 12, 12], [0, 10, 10]]
    """
    import geopandas as gpd
    import pandas as pd

    area, travel = settle(area, travel)
    going = travelling(area, travel, assignment)
    pupils, count = going["pupils"].to_numpy(), len(area.roads.edges)
    before, on = _ways(area, travel, going)
    use = np.bincount(on["edge"], weights=pupils[on["row"]], minlength=count).astype(np.int64)
    severed = cut_off(area, travel, assignment).reindex(range(count), fill_value=0).to_numpy()
    looked_at = set()
    for rank in (severed, use):
        some = np.argsort(-rank, kind="stable")[:top]
        looked_at |= set(some[rank[some] > 0].tolist())
    effects = []
    for edge in sorted(looked_at):
        rows = on.loc[on["edge"] == edge, "row"].to_numpy()
        more = _minutes_without(area, travel, going.iloc[rows], edge) - before[rows]
        effects.append((edge, use[edge], *_effect(more, pupils[rows])))
    table = pd.DataFrame(effects, columns=["edge", *FIGURES])
    table["total"] = table["pupils_longer"] * table["extra_minutes_mean"].fillna(0)
    table = table[table["pupils_lost"] + table["pupils_longer"] > 0]
    table = table.sort_values(["pupils_lost", "total", "edge"], ascending=[False, False, True]).head(top)
    edges = area.roads.edges.iloc[table["edge"]].reset_index(drop=True)
    middles = edges.geometry.interpolate(0.5, normalized=True).to_crs("EPSG:4326")
    table = table.drop(columns="total").reset_index(drop=True)
    told = {"name": edges["name"], "road_class": edges["road_class"], "lon": middles.x, "lat": middles.y}
    for place, (column, values) in enumerate(told.items(), 1):
        table.insert(place, column, values)
    return gpd.GeoDataFrame(table, geometry=edges.geometry, crs=area.crs)


def _effect(more: np.ndarray, pupils: np.ndarray) -> tuple[int, int, float, float]:
    """Pupils lost and longer, extra minutes in the mean and at most; ``more`` is NaN where no way is left."""
    longer = more > 1e-6
    if not longer.any():
        return int(pupils[np.isnan(more)].sum()), 0, np.nan, np.nan
    extra, who = more[longer], pupils[longer]
    return int(pupils[np.isnan(more)].sum()), int(who.sum()), float(np.average(extra, weights=who)), float(extra.max())


def _ways(area: StudyArea, travel: Travel, going: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Minutes (n_row,), and who goes along which edges, there or, where that is asked, back: rows and edges."""
    import pandas as pd

    minutes, parts = np.full(len(going), np.nan), []
    for mode, rows in going.reset_index(drop=True).groupby("mode"):
        pairs = rows.groupby(["demand_id", "school_id"]).ngroup().to_numpy()
        first = np.unique(pairs, return_index=True)[1]
        demand = area.demand.index.get_indexer(rows["demand_id"].iloc[first])
        school = area.schools.index.get_indexer(rows["school_id"].iloc[first])
        found = [mode_routes(area, travel, str(mode), demand, school, way) for way in directions_of(travel)]
        minutes[rows.index] = np.mean([way.minutes for way in found], axis=0)[pairs]
        going_along = [pd.DataFrame({"pair": way.pair, "edge": way.edge}) for way in found]
        along = pd.concat(going_along).drop_duplicates()
        parts.append(along.merge(pd.DataFrame({"pair": pairs, "row": rows.index})))
    if not parts:
        return minutes, pd.DataFrame({"row": [], "edge": []}, dtype=np.int64)
    return minutes, pd.concat(parts, ignore_index=True)


def _minutes_without(area: StudyArea, travel: Travel, rows: pd.DataFrame, edge: int) -> np.ndarray:
    """(n_row,) minutes by the quickest mode of each row's with an edge closed; NaN where no way is left."""
    edges = area.roads.edges.drop(index=area.roads.edges.index[edge]).reset_index(drop=True)
    homes, home = np.unique(area.demand.index.get_indexer(rows["demand_id"]), return_inverse=True)
    schools, school = np.unique(area.schools.index.get_indexer(rows["school_id"]), return_inverse=True)
    closed = dataclasses.replace(
        area, roads=Roads(edges, area.roads.nodes), demand=area.demand.iloc[homes], schools=area.schools.iloc[schools]
    )
    best = np.full(len(rows), np.nan)
    for mode in {mode for modes in rows["modes"] for mode in modes}:
        may = rows["modes"].map(lambda modes, mode=mode: mode in modes).to_numpy()
        best[may] = np.fmin(best[may], mode_times(closed, travel, mode).minutes[home[may], school[may]])
    return best
