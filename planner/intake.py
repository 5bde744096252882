"""A study area from an OpenStreetMap extract and whatever tables the bureau has; what is assumed is said."""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.area import projected_crs, read_area, write_area
from planner.errors import DataError, Fault
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, KIND_GRADES, STAGES, Roads, StudyArea
from planner.roads import components, from_ways
from planner.sources.osm import OsmExtract, read_osm

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# People of a settlement whose population OSM does not tell, by its place tag: assumed, and marked so.
PEOPLE = {
    "city": 50_000,
    "town": 5_000,
    "suburb": 2_000,
    "quarter": 1_000,
    "neighbourhood": 400,
    "village": 800,
    "hamlet": 120,
    "farm": 10,
    "isolated_dwelling": 10,
}
NEAR_M = 400.0
ROADS_AROUND_M = 3_000.0
FRAGMENT_M = 1_000.0
SEAT_STEP = 45
SPARE_SEATS = 1.15

# Names tell the kind where tags do not; the first that fits counts. Schools of none of the planner's grades: "".
KINDS_BY_NAME = (
    ("", r"大学|学院|职业|技校|高中|驾校|培训|党校|特殊教育"),
    ("", r"universit|vocational|berufs|driving|fahrschule|music school|musikschule|language school|dance|adult"),
    ("central_kindergarten", r"中心幼儿园"),
    ("kindergarten", r"幼儿园|幼教|托儿|kindergarten|nursery|pre-?school|préscolaire|maternelle|kita\b|spielgruppe"),
    ("kindergarten", r"guarder|escola bressol|jard[ií]n"),
    ("nine_year", r"九年|一贯|实验学校|nine.?year|primary and (junior|secondary)|combined school"),
    ("junior_middle", r"中学|初中|一中|二中|三中|middle school|secondary|high ?school|junior|oberschule|realschule"),
    ("junior_middle", r"sekundar|gymnasium|weiterführ|coll[eè]ge|lyc[ée]e|liceo|institut|segona ensenyan"),
    ("central_primary", r"中心小学|中心校|中心学校|central primary"),
    ("teaching_point", r"教学点"),
    ("village_primary", r"小学|完小|希望|primary|elementary|primarschule|volksschule|grundschule"),
    ("village_primary", r"[ée]cole|escola|escuela|primaire"),
)


def new_area(
    folder: str | Path,
    *,
    osm: str | Path | None = None,
    place: str | None = None,
    towns: str | Path | None = None,
    demand: str | Path | None = None,
    schools: str | Path | None = None,
    population: str | Path | None = None,
    datum: str = "wgs84",
    title: str = "",
) -> StudyArea:
    """Build a study-area folder with a runnable ``scenarios/default.toml``.

    Roads always come from OSM. Schools, settlements and towns come from the tables given, else from OSM; demand points
    may be clustered from a population raster. ``assumptions`` of the area lists what had to be assumed.

    Parameters
    ----------
    osm, place : an extract's file, or the name of a place to fetch (exactly one)
    towns, demand, schools : the bureau's own tables (CSV, XLSX, GeoPackage, GeoJSON, Shapefile, GeoParquet)
    population : raster of people
    datum : of the tables given

    Raises
    ------
    DataError : every fault of every input; nothing is written then
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError([Fault(str(folder), "it exists already", "Name a new folder, or remove it.")])
    if demand is not None and population is not None:
        raise DataError([Fault(str(population), "demand is given twice, as a table and a raster", "Give one.")])
    extract = _extract(osm, place)
    said: list[str] = list(extract.doubts)
    polygons, town_note = (None, "") if towns else town_polygons(extract)
    if town_note:
        said.append(town_note)
    lon, lat = _middle(extract, polygons)
    crs = projected_crs(np.array([lon]), np.array([lat]))
    with tempfile.TemporaryDirectory() as draft_name:
        draft = Path(draft_name) / (target.name or "area")
        draft.mkdir()
        files: dict[str, str] = {}
        datums: dict[str, str] = {}
        labels: dict[str, str] = {}
        for word, path in (("towns", towns), ("demand", demand), ("schools", schools)):
            if path is not None:
                files[word], datums[word] = _copy(Path(path), draft, word), datum
                labels[str(draft / files[word])] = str(path)
        outline = None
        if polygons is not None:
            outline = polygons.union_all()
            polygons.to_file(draft / "towns.geojson", driver="GeoJSON")
            files["towns"] = "towns.geojson"
        elif towns is not None:
            outline = _outline_of(draft, files, datums, towns)
        if demand is None:
            points = _demand_points(extract, population, outline, said)
            points.to_csv(draft / "demand.csv", index=False)
            files["demand"] = "demand.csv"
        if schools is None:
            listed = school_table(extract, outline, said)
            listed.to_csv(draft / "schools.csv", index=False)
            files["schools"] = "schools.csv"
        roads = _clip(from_ways(extract.ways, crs), crs, outline, said)
        roads.edges.to_parquet(draft / "roads.parquet")
        files["roads"] = "roads.parquet"
        document = {
            "title": title or place or target.name,
            "crs": crs,
            "data_date": extract.date,
            "attribution": ["© OpenStreetMap contributors, ODbL"],
            "assumptions": [],
            "files": files,
            "datum": datums,
        }
        import tomli_w

        (draft / "area.toml").write_text(tomli_w.dumps(document), "utf-8")
        try:
            area = read_area(draft)
        except DataError as error:  # named as the user named the files
            raise DataError(
                dataclasses.replace(fault, file=labels.get(fault.file, fault.file)) for fault in error.faults
            ) from None
    area = _kinds_that_are_needed(area, said) if schools is None else area
    area = _only_taught(area, said)
    area = _seats(area, said)
    area = dataclasses.replace(area, assumptions=(*area.assumptions, *said))
    write_area(area, target, scenarios={"default.toml": default_scenario(area)})
    return read_area(target)


def _extract(osm: str | Path | None, place: str | None) -> OsmExtract:
    if osm is not None:
        return read_osm(osm)
    from planner.sources.live import read_place

    return read_place(place or "")


def _copy(path: Path, draft: Path, word: str) -> str:
    """The user's file (and a shapefile's companions) under a plain name in the draft."""
    if not path.is_file():
        raise DataError([Fault(str(path), "there is no such file", "Check the path.")])
    for near in path.parent.glob(f"{_glob_safe(path.stem)}.*") if path.suffix.lower() == ".shp" else [path]:
        shutil.copy(near, draft / f"{word}{near.suffix.lower()}")
    return f"{word}{path.suffix.lower()}"


def _glob_safe(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _outline_of(draft: Path, files: dict[str, str], datums: dict[str, str], given: str | Path) -> Any:
    """The union of the towns' polygons, WGS-84."""
    import geopandas as gpd

    from planner.sources.datum import to_wgs84
    from planner.sources.files import read_table

    raw = read_table(draft / files["towns"])
    if raw.geometry is None:
        raise DataError([Fault(str(given), "it has no polygons", "Give towns as GeoPackage, GeoJSON or Shapefile.")])
    shapes = gpd.GeoSeries(raw.geometry, crs=raw.crs or "EPSG:4326").to_crs("EPSG:4326").make_valid()
    union = shapes.union_all()
    if datums["towns"] in ("gcj02", "bd09"):
        import shapely

        union = shapely.transform(union, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datums["towns"])))
    return union


def _middle(extract: OsmExtract, polygons: gpd.GeoDataFrame | None) -> tuple[float, float]:
    if polygons is not None:
        west, south, east, north = polygons.total_bounds
        return float(west + east) / 2, float(south + north) / 2
    lon, lat = np.median(extract.ways.lonlat, axis=0)
    return float(lon), float(lat)


# ---------------------------------------------------------------- towns


def town_polygons(extract: OsmExtract) -> tuple[gpd.GeoDataFrame | None, str]:
    """The deepest level of boundaries that holds nine in ten of the settlements, and a sentence about the choice.

    Boundaries beside the county that hang into the extract are left out where a larger boundary tells them apart.
    Returns None where OSM has none that would do: the area is then one town.
    """
    import geopandas as gpd

    bounds = extract.boundaries.copy()
    bounds["level"] = bounds["admin_level"].str.extract(r"^(\d+)$")[0].astype(float)
    bounds = bounds.dropna(subset="level").drop_duplicates("osm_id")
    bounds = bounds[bounds["name"] != ""] if (bounds["name"] != "").any() else bounds
    bounds.geometry = bounds.geometry.make_valid()
    settled = extract.places[extract.places["place"].isin(PEOPLE)]
    spots = settled if len(settled) else extract.schools
    none = (None, "OSM has no boundaries of towns here: the whole area counts as one town.")
    if bounds.empty or spots.empty:
        return none
    points = spots.geometry.to_numpy()
    whole = bounds.sort_values("level").iloc[:1] if (bounds["level"] == 1).any() else _container(bounds, points)
    inside = np.ones(len(points), dtype=bool)
    if whole is not None:
        inside = np.array(whole.union_all().covers(points))
        held = bounds.geometry.representative_point().within(whole.union_all())
        bounds = bounds[held & (bounds["level"] > whole["level"].iloc[0]) | bounds.index.isin(whole.index)]
    best = None
    for level in sorted(bounds["level"].unique()):
        here = bounds[bounds["level"] == level]
        covered = np.array(here.union_all().covers(points[inside]))
        if covered.mean() >= 0.9 and (len(here) > 1 or best is None):
            best = here
    if best is None:
        return none
    chosen = gpd.GeoDataFrame(
        {
            "town_id": best["osm_id"].to_numpy(),
            "name": best["name"].where(best["name"] != "", best["osm_id"]).to_numpy(),
        },
        geometry=best.geometry.to_numpy(),
        crs="EPSG:4326",
    )
    level = f"{best['level'].iloc[0]:g}"
    return chosen, f"Towns are OSM's boundaries of admin_level {level} ({len(chosen)})."


def _container(bounds: gpd.GeoDataFrame, points: np.ndarray) -> gpd.GeoDataFrame | None:
    """The boundary that holds most settlements (the deepest of equals); None where none holds three in ten."""
    share = np.array([np.mean(shape.covers(points)) for shape in bounds.geometry])
    order = np.lexsort((-bounds["level"].to_numpy(), -share))
    return bounds.iloc[[order[0]]] if share[order[0]] >= 0.3 else None


# ---------------------------------------------------------------- demand


def _demand_points(extract: OsmExtract, raster: str | Path | None, outline: Any, said: list[str]) -> pd.DataFrame:
    if raster is None:
        return settlement_table(extract, outline, said)
    from planner.sources.rasters import cluster_population

    points = cluster_population(raster, boundary=outline)
    said.append(f"Demand points are {len(points)} clusters of the population raster {Path(raster).name}.")
    table = points.drop(columns="geometry").assign(lon=points.geometry.x, lat=points.geometry.y)
    table.insert(0, "demand_id", [f"P{i + 1:04d}" for i in range(len(table))])
    table.insert(1, "name", _nearest_names(extract, points))
    columns = ["demand_id", "name", "lon", "lat", "population", "assumed"]
    made: pd.DataFrame = table.assign(assumed="")[columns]
    return made


def _nearest_names(extract: OsmExtract, points: gpd.GeoDataFrame) -> list[str]:
    """The nearest named settlement of every point: a cluster has no name of its own."""
    import shapely

    named = extract.places[extract.places["place"].isin(PEOPLE) & (extract.places["name"] != "")]
    if named.empty:
        return [""] * len(points)
    at = shapely.STRtree(named.geometry.to_numpy()).nearest(points.geometry.to_numpy())
    return [f"{name}附近" if not str(name).isascii() else f"near {name}" for name in named["name"].to_numpy()[at]]


def settlement_table(extract: OsmExtract, outline: Any, said: list[str]) -> pd.DataFrame:
    """Settlements of OSM inside the outline as demand points; a population that is not known is assumed by kind.

    Raises
    ------
    DataError : there is no settlement
    """
    import pandas as pd

    places = extract.places[extract.places["place"].isin(PEOPLE)].reset_index(drop=True)
    if outline is not None and len(places):
        places = places[np.array(outline.covers(places.geometry.to_numpy()))].reset_index(drop=True)
    if places.empty:
        fix = "Give the villages with --demand, or a raster with --population."
        raise DataError([Fault("--osm", "it holds no settlement inside the towns", fix)])
    known = places["population"].str.replace(r"[,\s ]", "", regex=True)
    people = pd.to_numeric(known.where(known.str.fullmatch(r"\d+(\.\d+)?")), errors="coerce")
    places = places.assign(people=people)
    places = _without_doubles(places, said)
    blank = places["people"].isna()
    _say_if_one_is_half(places, said)
    if blank.any():
        listed = ", ".join(f"{kind} {n:,}" for kind, n in PEOPLE.items() if (places["place"][blank] == kind).any())
        said.append(
            f"Population is not in OSM for {blank.sum()} of {len(places)} settlements: assumed by kind "
            f"({listed} people)."
        )
    return pd.DataFrame(
        {
            "demand_id": places["osm_id"],
            "name": places["name"].where(places["name"] != "", places["osm_id"]),
            "lon": places.geometry.x,
            "lat": places.geometry.y,
            "population": places["people"].fillna(places["place"].map(PEOPLE)),
            "assumed": np.where(blank, "population", ""),
        }
    )


def _say_if_one_is_half(places: gpd.GeoDataFrame, said: list[str]) -> None:
    people = places["people"].fillna(places["place"].map(PEOPLE))
    first = people.idxmax()
    if len(places) > 1 and people[first] > people.sum() / 2:
        said.append(
            f"{places['name'][first]} alone counts {people[first]:,.0f} of {people.sum():,.0f} people: check that this "
            "is the town's own figure and not that of all its district."
        )


def _without_doubles(places: gpd.GeoDataFrame, said: list[str]) -> gpd.GeoDataFrame:
    """One row for a settlement that OSM has as a node and as a polygon: the one that tells its population."""
    metres = places.geometry.to_crs(places.estimate_utm_crs())
    order = places["people"].isna().to_numpy().argsort(kind="stable")
    kept: dict[str, list[Any]] = {}
    keep = np.ones(len(places), dtype=bool)
    for row in order:
        name = places["name"].iloc[row]
        if name and any(metres.iloc[row].distance(other) < NEAR_M for other in kept.get(name, [])):
            keep[row] = False
        kept.setdefault(name, []).append(metres.iloc[row])
    if not keep.all():
        said.append(f"{(~keep).sum()} settlements stand twice in OSM under one name within {NEAR_M:g} m: taken once.")
    return places[keep].reset_index(drop=True)


# ---------------------------------------------------------------- schools


def kind_of(tags: pd.Series | dict[str, str]) -> str | None:
    """The kind that a school's tags and name tell: "" is none of the planner's, None is not told.

    >>> kind_of({"name": "王家塬小学"}), kind_of({"amenity": "kindergarten"}), kind_of({"name": "School 7"})
    ('village_primary', 'kindergarten', None)
    """
    name = " ".join(str(tags.get(key, "")) for key in ("name", "name:zh", "name:en")).lower()
    levels = set(re.findall(r"\d", f"{tags.get('isced:level', '')} {tags.get('school:level', '')}"))
    grades = re.findall(r"\d+", str(tags.get("grades", "")))
    by_name = next((kind for kind, pattern in KINDS_BY_NAME if re.search(pattern, name)), None)
    if tags.get("amenity") == "kindergarten":
        return "central_kindergarten" if by_name == "central_kindergarten" else "kindergarten"
    if levels & set("012345678"):
        if "1" in levels and "2" in levels:
            return "nine_year"
        if "1" in levels:
            return by_name if by_name in ("central_primary", "teaching_point") else "village_primary"
        return "junior_middle" if "2" in levels else "kindergarten" if "0" in levels else ""
    if grades:
        low, high = int(grades[0]), int(grades[-1])
        return (
            "nine_year"
            if low <= 6 < high
            else "junior_middle"
            if 6 < low <= 9
            else ""
            if low > 9
            else "village_primary"
        )
    return by_name


def school_table(extract: OsmExtract, outline: Any, said: list[str]) -> pd.DataFrame:
    """Schools of OSM inside the outline; those of no kind are left out, those not told stay blank for now.

    Raises
    ------
    DataError : there is no school
    """
    import pandas as pd

    found = extract.schools.drop_duplicates("osm_id").reset_index(drop=True)
    if outline is not None and len(found):
        found = found[np.array(outline.covers(found.geometry.to_numpy()))].reset_index(drop=True)
    kinds = [kind_of(row) for _, row in found.iterrows()]
    other = np.array([kind == "" for kind in kinds], dtype=bool)
    if other.any():
        names = ", ".join(n for n in found["name"][other][:5] if n)
        said.append(f"{other.sum()} schools are of other kinds by tag or name and left out: {names}.")
    found, kinds = found[~other].reset_index(drop=True), [kind for kind in kinds if kind != ""]
    if found.empty:
        raise DataError([Fault("--osm", "it holds no school inside the towns", "Give the schools with --schools.")])
    told = np.array([kind is not None for kind in kinds], dtype=bool)
    capacity = pd.to_numeric(found["capacity"], errors="coerce")
    return pd.DataFrame(
        {
            "school_id": found["osm_id"],
            "name": found["name"].where(found["name"] != "", found["osm_id"]),
            "kind": [kind or "village_primary" for kind in kinds],
            "lon": found.geometry.x,
            "lat": found.geometry.y,
            "seats": capacity.where(capacity > 0),
            "assumed": np.where(told, "", "kind"),
        }
    )


def _kinds_that_are_needed(area: StudyArea, said: list[str]) -> StudyArea:
    """Schools whose kind nothing tells: primary, or nine-year where no other school teaches a junior stage."""
    schools = area.schools.copy()
    open_kind = schools["assumed"].str.split().map(lambda words: "kind" in words)
    if not open_kind.any():
        return area
    taught = schools.loc[~open_kind, "grades"].map(lambda grades: "g7" in grades).any()
    kind = "village_primary" if taught else "nine_year"
    schools.loc[open_kind, "kind"] = kind
    schools["grades"] = [
        KIND_GRADES[kind] if unsure else grades for unsure, grades in zip(open_kind, schools["grades"], strict=True)
    ]
    said.append(f"The kind of {open_kind.sum()} of {len(schools)} schools is not in OSM: taken as {kind}.")
    return dataclasses.replace(area, schools=schools)


def _only_taught(area: StudyArea, said: list[str]) -> StudyArea:
    """Pupils of bands that no school of the area teaches are left out, and it is said how many."""
    pupils = area.pupils.copy()
    for band in BANDS:
        grades = list(BAND_GRADES[band])
        count = int(pupils[grades].to_numpy().sum())
        if count and not any(set(grades) <= set(taught) for taught in area.schools["grades"]):
            pupils[grades] = 0
            said.append(f"No school teaches {band.replace('_', ' ')}: its {count:,} pupils are left out of this area.")
    return dataclasses.replace(area, pupils=pupils)


def _seats(area: StudyArea, said: list[str]) -> StudyArea:
    """Seats that are not known, from the pupils whose nearest school of the stage it is (in a straight line)."""
    from scipy.spatial import cKDTree

    schools, filled = area.schools.copy(), 0
    unknown_rows = np.zeros(len(schools), dtype=bool)
    where = area.demand.geometry.get_coordinates().to_numpy()
    for stage in STAGES:
        bands = [band for band in BANDS if BAND_STAGE[band] == stage]
        teaches = schools["grades"].map(
            lambda taught, bands=bands: any(set(BAND_GRADES[b]) <= set(taught) for b in bands)
        )
        rows = np.flatnonzero(teaches & (schools["status"] != "candidate")).tolist()
        column = schools.columns.get_loc(f"seats_{stage}")
        blank = [r for r in rows if np.isnan(schools.iloc[r, column])]
        if not blank:
            continue
        near = cKDTree(schools.geometry.iloc[rows].get_coordinates().to_numpy()).query(where)[1]
        grades = [grade for band in bands for grade in BAND_GRADES[band]]
        count = np.bincount(near, weights=area.pupils[grades].sum(axis=1).to_numpy(), minlength=len(rows))
        for row in blank:
            pupils = count[rows.index(row)]
            schools.iloc[row, column] = max(np.ceil(pupils * SPARE_SEATS / SEAT_STEP), 1) * SEAT_STEP
            words = f"{schools['assumed'].iloc[row]} seats_{stage}".split()
            schools.iloc[row, schools.columns.get_loc("assumed")] = " ".join(dict.fromkeys(words))
            unknown_rows[row] = True
            filled += 1
    if filled:
        said.append(
            f"Seats of {unknown_rows.sum()} schools are not known: set from the pupils nearest to each, with "
            f"{SPARE_SEATS - 1:.0%} to spare, in classes of {SEAT_STEP}."
        )
    return dataclasses.replace(area, schools=schools)


# ---------------------------------------------------------------- roads


def _clip(roads: Roads, crs: str, outline: Any, said: list[str]) -> Roads:
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
        said.append(
            f"{len(np.unique(part[scrap]))} fragments of road that join no other and are under "
            f"{FRAGMENT_M / 1000:g} km each ({near.edges['length_m'][scrap].sum() / 1000:.1f} km in all) are left out."
        )
    return _take(near, ~scrap)


def _take(roads: Roads, keep: np.ndarray) -> Roads:
    edges = roads.edges[keep].reset_index(drop=True)
    ends = edges[["from_node", "to_node"]].to_numpy()
    nodes, renumbered = np.unique(ends, return_inverse=True)
    edges[["from_node", "to_node"]] = renumbered.reshape(-1, 2)
    return Roads(edges, roads.nodes.iloc[nodes].reset_index(drop=True))


# ---------------------------------------------------------------- scenario


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
    places = area.demand.geometry.to_crs("EPSG:4326")
    return float(places.x.median()), float(places.y.median())


def _toml_text(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
