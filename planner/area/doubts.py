"""What stands in an area without being wrong, and yet should be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from planner.area.manifest import Findings
from planner.area.places import Source, project
from planner.area.repairs import REACH_M, reached
from planner.errors import Fault
from planner.model import STAGES, Roads, StudyArea
from planner.roads import components, mode_parts, strong_parts
from planner.sources.datum import DATUMS, from_wgs84, to_wgs84

if TYPE_CHECKING:
    import geopandas as gpd

SAME_PLACE_M = 10.0
BETTER_M = 100.0
SAMPLE = 500


def find_doubts(area: StudyArea, schools: Source, demand: Source) -> Iterator[Fault]:
    """Every doubt about an area whose tables have no fault; rows of ``area`` are rows of the tables."""
    return chain(
        _seats(area, schools),
        _no_pupils(area, demand),
        _more_pupils_than_people(area, demand),
        _towns_without_school(area, schools),
        _same_names(area, schools, demand),
        _same_places(area, schools, demand),
        _parts(area),
        _one_way_traps(area),
        _off_roads(area.schools, area.roads, schools),
        _off_roads(area.demand, area.roads, demand),
        _datum(area.roads, area.crs, schools),
        _datum(area.roads, area.crs, demand),
    )


def find_missing(area: StudyArea, found: Findings, *, towns_drawn: bool, heights: bool) -> None:
    """What is missing for which feature, in sentences."""
    schools, say = area.schools, found.missing.append
    if not towns_drawn:
        say("Town polygons: towns are drawn round their points, or one town stands for the county.")
    if not heights:
        say("Heights: every road is taken as level; name SRTM tiles or a GeoTIFF as files.elevation in area.toml.")
    if schools[[f"seats_{stage}" for stage in STAGES]].replace(0, np.nan).isna().all(axis=None):
        say("Seats: no plan can tell whether there is room, or what seats would cost.")
    if schools[[f"pupils_{stage}" for stage in STAGES]].replace(0, np.nan).isna().all(axis=None):
        say("Enrolment: today's schools cannot be compared with the children who live near.")
    if schools["annual_cost_cny"].isna().all():
        say("Running costs: a plan's cost rests on [costs] of the scenario alone.")
    if schools["beds"].isna().all():
        say("Beds: boarding cannot be considered.")
    if area.demand["population"].isna().all():
        say("Population: pupils cannot be compared with people.")
    if area.folder is not None and not any(area.folder.glob("scenarios/*.toml")):
        say("Scenarios: planner run needs a file in scenarios/.")


def _seats(area: StudyArea, source: Source) -> Iterator[Fault]:
    unknown = np.zeros(len(area.schools), dtype=bool)
    for stage in STAGES:
        unknown |= area.schools[f"seats_{stage}"].isna().to_numpy()
    if unknown.any():
        yield source.fault("seats are unknown and set no limit", "Enter them if they are known.", unknown)


def _no_pupils(area: StudyArea, source: Source) -> Iterator[Fault]:
    none = area.pupils.sum(axis=1).to_numpy() == 0
    if none.any():
        yield source.fault("no pupils live here", "Nothing to do if that is right.", none)


def _more_pupils_than_people(area: StudyArea, source: Source) -> Iterator[Fault]:
    count, people = area.pupils.sum(axis=1).to_numpy(), area.demand["population"].to_numpy(dtype=float)
    more = count > people
    if more.any():
        i = int(np.flatnonzero(more)[0])
        problem = f"{count[i]} pupils are more than {people[i]:g} people"
        yield source.fault(problem, "Correct one of them.", more, "population")


def _towns_without_school(area: StudyArea, source: Source) -> Iterator[Fault]:
    for stage in STAGES:
        first = {"kindergarten": "k1", "primary": "g1", "junior": "g7"}[stage]
        teaching = area.schools[[first in grades for grades in area.schools["grades"]]]
        without = [str(area.towns["name"][town]) for town in area.towns.index if town not in set(teaching["town_id"])]
        if without:
            problem = f"no {stage} school in {', '.join(without)}"
            yield source.fault(problem, "Nothing to do if that is right.")


def _same_names(area: StudyArea, schools: Source, demand: Source) -> Iterator[Fault]:
    for frame, source in ((area.schools, schools), (area.demand, demand)):
        for (_, name), rows in frame.reset_index().groupby(["town_id", "name"], sort=False).groups.items():
            if len(rows) > 1:
                where = np.isin(np.arange(len(frame)), rows)
                yield source.fault(
                    f"{name} stands {len(rows)} times in one town", "Drop one if they are the same.", where, "name"
                )


def _same_places(area: StudyArea, schools: Source, demand: Source) -> Iterator[Fault]:
    import shapely

    for frame, source in ((area.schools, schools), (area.demand, demand)):
        points = frame.geometry.to_numpy()
        a, b = shapely.STRtree(points).query(points, predicate="dwithin", distance=SAME_PLACE_M)
        a, b = a[a < b], b[a < b]
        if "grades" in frame.columns:
            taught = frame["grades"].tolist()
            both = np.array([bool(set(taught[i]) & set(taught[j])) for i, j in zip(a, b, strict=True)], dtype=bool)
            a, b = a[both], b[both]
        if len(a):
            problem = f"{frame.index[a[0]]} and {frame.index[b[0]]} lie within {SAME_PLACE_M:g} m of each other"
            where = np.isin(np.arange(len(frame)), np.concatenate([a, b]))
            yield source.fault(problem, "Drop one if they are the same.", where)


def _parts(area: StudyArea) -> Iterator[Fault]:
    """The network in several parts: how many, and how much of it is in the largest."""
    edges = area.roads.edges
    part = components(area.roads)[edges["from_node"].to_numpy()]
    metres = np.bincount(part, weights=edges["length_m"].to_numpy())
    if len(metres) > 1:
        share = metres[0] / metres.sum()
        said = f"the network is in {len(metres)} parts; the largest holds {share:.1%} of its length"
        yield Fault("roads", said, "Join the others where a road is missing from the data.")


def _one_way_traps(area: StudyArea) -> Iterator[Fault]:
    """Roads that one-way streets let a bus into and not out of, or out of and not in."""
    edges = area.roads.edges
    bus = edges[edges["bus"].to_numpy(dtype=bool)]
    nodes = np.unique(bus[["from_node", "to_node"]].to_numpy())
    trapped = (strong_parts(area.roads, "bus") > 0) & (mode_parts(area.roads, "bus") == 0)
    if trapped[nodes].any():
        share = trapped[nodes].mean()
        said = f"from {share:.1%} of the junctions of buses one-way streets let no bus come back, or none come there"
        yield Fault("roads", said, "Check oneway there, and the roads that the data cuts off at its border.")


def _off_roads(places: gpd.GeoDataFrame, roads: Roads, source: Source) -> Iterator[Fault]:
    """Places that a walker reaches no road from, or only islands of the network."""
    on_foot = roads.edges["walk"].to_numpy(dtype=bool)
    label = np.where(on_foot, mode_parts(roads, "walk")[roads.edges["from_node"].to_numpy()], -1)
    main, near = reached(places, roads, label)
    some = np.isin(np.arange(len(places)), [row for rows in near.values() for row in rows])
    far = ~main & ~some
    if far.any():
        problem = f"the nearest road is more than {REACH_M:,.0f} m away: {_named(places, far)}"
        yield source.fault(problem, "Check the place and the roads.", far)
    island = ~main & some
    if island.any():
        problem = f"every road within {REACH_M:,.0f} m is an island that no way leads to the rest from"
        yield source.fault(f"{problem}: {_named(places, island)}", "Join it in the data.", island)


def _named(places: gpd.GeoDataFrame, some: np.ndarray) -> str:
    """The first five by id and name."""
    rows = places[some]
    words = [f"{i} {name}".strip() for i, name in zip(rows.index[:5], rows["name"][:5], strict=True)]
    return ", ".join(words) + (", ..." if len(rows) > 5 else "")


def _datum(roads: Roads, crs: str, source: Source) -> Iterator[Fault]:
    better = datum_that_fits(source.lon, source.lat, source.datum, roads, crs)
    if better is not None:
        word, here, there = better
        problem = (
            f"under {word} the places lie {there:.0f} m from the roads, under {source.datum} {here:.0f} m (medians)"
        )
        yield source.fault(problem, f"Declare datum {word} in area.toml if that is what they are in.")


def datum_that_fits(
    lon: np.ndarray, lat: np.ndarray, declared: str, roads: Roads, crs: str
) -> tuple[str, float, float] | None:
    """The datum under which places lie clearly nearer to the roads than under the declared one.

    Clearly: the median distance is less than half, and at least 100 m better.

    Parameters
    ----------
    lon, lat : (n,) WGS-84, as converted from the declared datum
    declared : one of ``DATUMS``; an EPSG code is taken at its word

    Returns
    -------
    Its name, and the median metres under the declared datum and under it; None where the declared one fits
    """
    import shapely

    if declared not in DATUMS or not len(roads.edges) or not len(lon):
        return None
    step = max(1, len(lon) // SAMPLE)
    tree = shapely.STRtree(roads.edges.geometry.to_numpy())
    as_given = from_wgs84(lon[::step], lat[::step], declared)

    def median_m(datum: str) -> float:
        points = shapely.points(project(*to_wgs84(*as_given, datum), crs))
        return float(np.median(tree.query_nearest(points, return_distance=True, all_matches=False)[1]))

    here = median_m(declared)
    if here < BETTER_M:
        return None
    there, word = min((median_m(datum), datum) for datum in DATUMS if datum not in (declared, "cgcs2000"))
    return (word, here, there) if there < here / 2 and here - there >= BETTER_M else None
