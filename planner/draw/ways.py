"""Ways to school as the page stores them: runs of road that the same pupils use, each once, and who uses which."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from planner.model import MODES
from planner.travel.flows import Followed

NUMBERS = 150_000
"""More numbers than this make a page too heavy: ways are left out."""


def legs_of(followed: Sequence[Followed]) -> pd.DataFrame:
    """The ways of some plans, leg by leg in order of travel, nobody's twice.

    Returns
    -------
    Columns ``way`` (counted from 0), ``mode`` (row of ``MODES``), ``demand, school`` (rows), ``edge, start, end,
    on_foot`` as in ``travel.routes.Routes``
    """
    parts, seen = [], np.zeros(0, dtype=np.int64)
    for pairs, routes in (found for ways in followed for found in ways):
        columns = {"edge": routes.edge, "start": routes.start, "end": routes.end, "on_foot": routes.on_foot}
        mode = MODES.index(pairs.mode)
        who = ((np.int64(mode) << 56) | (pairs.demand.astype(np.int64) << 28) | pairs.school)[routes.pair]
        ends = {"mode": mode, "demand": pairs.demand[routes.pair], "school": pairs.school[routes.pair], "who": who}
        parts.append(pd.DataFrame(ends | columns)[~np.isin(who, seen)])
        seen = np.union1d(seen, who)
    if not parts:
        return pd.DataFrame(columns=["way", "mode", "demand", "school", "edge", "start", "end", "on_foot"], dtype=int)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(way=pd.factorize(table.pop("who"))[0])


def runs(legs: pd.DataFrame) -> np.ndarray:
    """(n_leg,) a number for each run of edges that all who use one of them use one after another.

    >>> legs = pd.DataFrame({"way": [0, 0, 0, 1, 1], "edge": [5, 6, 7, 6, 7], "start": 0, "end": 1, "on_foot": False})
    >>> runs(legs).tolist()  # 6 and 7 always together
    [0, 1, 1, 1, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edge, way, on_foot = (legs[name].to_numpy() for name in ("edge", "way", "on_foot"))
    edges, place = np.unique(edge, return_inverse=True)
    uses = np.bincount(place, minlength=len(edges))
    twice = np.zeros(len(edges), dtype=bool)
    twice[place[legs.duplicated(["way", "edge"]).to_numpy()]] = True
    on = np.flatnonzero((way[1:] == way[:-1]) & (on_foot[1:] == on_foot[:-1]) & ~twice[place[1:]] & ~twice[place[:-1]])
    # Two edges may meet at either end, as both halves of a loop do: together they are what meets at the same ends.
    ahead = (legs["end"] > legs["start"]).to_numpy()
    ends = np.column_stack([2 * place[on] + ahead[on], 2 * place[on + 1] + ~ahead[on + 1]])
    pair, together = np.unique(np.sort(ends, axis=1), axis=0, return_counts=True)
    always = (together == uses[pair[:, 0] // 2]) & (together == uses[pair[:, 1] // 2])
    one, other = pair[always].T // 2
    joined = coo_array((np.ones(len(one)), (one, other)), shape=(len(edges),) * 2)
    return np.asarray(connected_components(joined, directed=False)[1][place], dtype=np.int64)


def lines_of(legs: pd.DataFrame, run: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The runs' lines (n_run,), an edge of each, and (n_leg,) whether a leg goes along its run's line.

    Parameters
    ----------
    edges : (n_edge,) shapely lines of all edges
    """
    ahead = (legs["end"] > legs["start"]).to_numpy()
    way, edge = legs["way"].to_numpy(), legs["edge"].to_numpy()
    first = np.unique(run, return_index=True)[1]
    begins = np.append(True, (run[1:] != run[:-1]) | (way[1:] != way[:-1]))[: len(run)]
    passage = np.cumsum(begins) - 1
    # The first to use a run gives it its direction.
    drawn = np.flatnonzero(passage == passage[first][run])
    drawn = np.sort(drawn[np.unique(edge[drawn], return_index=True)[1]])
    parts = edges[edge[drawn]]
    parts = np.where(ahead[drawn], parts, shapely.reverse(parts))
    xy, part = shapely.get_coordinates(parts, return_index=True)
    of = run[drawn][part]
    order = np.argsort(of, kind="stable")
    lines = shapely.linestrings(xy[order], indices=of[order]) if len(of) else np.zeros(0, dtype=object)
    along = np.zeros((edge.max(initial=0) + 1), dtype=bool)
    along[edge[drawn]] = ahead[drawn]
    return lines, edge[first], along[edge] == ahead


def numbers(
    legs: pd.DataFrame, run: np.ndarray, with_line: np.ndarray, length_m: np.ndarray
) -> dict[str, list[list[int]]]:
    """Ways by mode as whole numbers.

    Village, school, where the way begins on its first run and ends on its last (thousandths in order of travel), how
    many runs are walked first and last, and the runs: from 1, below 0 against their line.
    """
    if not len(legs):
        return {}
    way, edge, start, end = (legs[name].to_numpy() for name in ("way", "edge", "start", "end"))
    ahead, length = end > start, length_m[edge]
    signed = np.where(with_line, run + 1, -run - 1)
    fresh = (way[1:] != way[:-1]) | (signed[1:] != signed[:-1]) | (edge[1:] == edge[:-1])
    passage = np.flatnonzero(np.append(True, fresh))
    whole, last = np.add.reduceat(length, passage), np.append(passage[1:], len(way)) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        begin = np.nan_to_num((np.where(ahead, start, 1 - start) * length)[passage] / whole)
        stop = np.nan_to_num(1 - (np.where(ahead, 1 - end, end) * length)[last] / whole, nan=1.0)
    runs_of, walked = signed[passage], legs["on_foot"].to_numpy(dtype=bool)[passage]
    first = np.flatnonzero(np.diff(way[passage], prepend=-1))
    made: dict[str, list[list[int]]] = {}
    ends = legs[["mode", "demand", "school"]].to_numpy()[passage[first]]
    for (mode, demand, school), low, high in zip(ends.tolist(), first, np.append(first[1:], len(passage)), strict=True):
        riding = np.flatnonzero(~walked[low:high])
        on_foot = (riding[0], high - low - 1 - riding[-1]) if len(riding) else (high - low, 0)
        places = (round(1000 * begin[low]), round(1000 * stop[high - 1]))
        way_of = [demand, school, *places, *map(int, on_foot), *runs_of[low:high].tolist()]
        made.setdefault(MODES[mode], []).append(way_of)
    return made


def shared(ways: Sequence[Sequence[int]]) -> dict[str, list[Any]]:
    """Ways as ``numbers`` gives them, in few numbers: those to one school end alike, as the branches of a tree.

    Returns
    -------
    ``ends`` (a way's numbers but for its runs), ``kept`` (so many runs at its end are those of the way before it) and
    ``runs`` (the ones in front of them)

    >>> shared([[0, 1, 0, 1000, 0, 0, 5, 6, 7], [2, 1, 0, 1000, 0, 0, 8, -6, 7], [1, 1, 0, 1000, 0, 0, 6, 7]])["runs"]
    [[8, -6, 7], [6], [5]]
    """
    made: dict[str, list[Any]] = {"ends": [], "kept": [], "runs": []}
    before: Sequence[int] = ()
    for way in sorted(ways, key=lambda way: (way[1], way[:5:-1])):
        runs_of = way[6:]
        pairs = zip(reversed(runs_of), reversed(before), strict=False)
        kept = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        made["ends"].append(list(way[:6]))
        made["kept"].append(kept)
        made["runs"].append(list(runs_of[: len(runs_of) - kept]))
        before = runs_of
    return made
