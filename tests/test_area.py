"""A study-area folder: there and back, and the whole message of whatever can be wrong in it."""

import dataclasses
import json
import shutil
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import tomli_w
from geopandas.testing import assert_geodataframe_equal

from planner.area import check_area, content_hash, projected_crs, read_area, write_area
from planner.area.manifest import Findings
from planner.area.network import LEVEL
from planner.area.places import Source, check_far, project
from planner.errors import DataError, describe
from planner.model import GRADES
from planner.sources.datum import from_wgs84
from planner.tables import RawTable, check_table, read_schema
from planner.wording import remark
from tests import tiny as tiny_module

ROOT = Path(__file__).parents[1]
IDS = {"schools.csv": "school_id", "demand.csv": "demand_id"}


@pytest.fixture
def folder(tmp_path, tiny):
    return write_area(tiny.area, tmp_path / "tiny", scenarios={"default.toml": 'title = "A"\n'})


def edit(folder, file, *cells, drop=()):
    """Set cells, each (id, column, value); an id of None is every row."""
    frame = pd.read_csv(folder / file, dtype=str, keep_default_na=False).set_index(IDS[file])
    for row, column, value in cells:
        frame.loc[slice(None) if row is None else row, column] = value
    frame.drop(columns=list(drop), errors="ignore").to_csv(folder / file)


def declare(folder, **changes):
    """Change keys of area.toml; a section is changed key by key, None takes a key out."""
    manifest = tomllib.loads((folder / "area.toml").read_text("utf-8"))
    for key, value in changes.items():
        whole = {**manifest.get(key, {}), **value} if isinstance(value, dict) else value
        manifest[key] = {k: v for k, v in whole.items() if v is not None} if isinstance(value, dict) else whole
    text = tomli_w.dumps({key: value for key, value in manifest.items() if value is not None})
    (folder / "area.toml").write_text(text, "utf-8")


def undraw(folder, *columns):
    declare(folder, files={"towns": None}, datum={"towns": None})
    for file in IDS:
        edit(folder, file, *((None, column, "") for column in columns))


def said(folder):
    report = check_area(folder)
    assert report.area is None
    return describe(report.faults).replace(f"{folder}/", "").replace(str(folder), folder.name)


def doubts(folder):
    report = check_area(folder)
    assert report.faults == ()
    return [str(doubt).replace(f"{folder}/", "") for doubt in report.doubts]


def test_an_area_is_read_back_as_it_was_written(folder, tiny):
    area, given = read_area(folder), tiny.area
    for name in ("schools", "demand", "towns"):
        left, right = getattr(area, name), getattr(given, name)
        assert left.crs == right.crs
        assert left.geometry.hausdorff_distance(right.geometry).max() < 1e-3
        left, right = (pd.DataFrame(frame.drop(columns="geometry")) for frame in (left, right))
        pd.testing.assert_frame_equal(left, right, check_dtype=False, check_index_type=False)
    pd.testing.assert_frame_equal(area.pupils, given.pupils, check_index_type=False)
    assert_geodataframe_equal(area.roads.edges, given.roads.edges, check_dtype=False)
    pd.testing.assert_frame_equal(area.roads.nodes, given.roads.nodes)
    same = ("title", "crs", "synthetic", "attribution", "area_id", "data_date")
    assert [getattr(area, name) for name in same] == [getattr(given, name) for name in same]
    assert area.assumptions == (*given.assumptions, remark(LEVEL))
    assert area.folder == folder
    assert area.content_hash == content_hash(folder)
    assert (folder / "scenarios" / "default.toml").read_text("utf-8") == 'title = "A"\n'


def test_writing_twice_gives_the_same_bytes(folder, tmp_path):
    again = write_area(read_area(folder), tmp_path / "again")
    assert content_hash(again) == content_hash(folder)
    for file in ("schools.csv", "demand.csv", "area.toml"):
        assert (again / file).read_bytes() == (folder / file).read_bytes()


def test_an_existing_folder_is_not_written_over(folder, tiny, tmp_path):
    before = content_hash(folder)
    with pytest.raises(DataError) as caught:
        write_area(tiny.area, folder)
    assert str(caught.value) == f"{folder}: the folder is not empty. Name a new folder, or move this one away."
    assert content_hash(folder) == before
    (tmp_path / "empty").mkdir()
    write_area(tiny.area, tmp_path / "empty", notes=["Seats were assumed."])
    assert read_area(tmp_path / "empty").assumptions == ("Seats were assumed.", remark(LEVEL))


def test_a_write_that_fails_leaves_nothing_behind(tiny, tmp_path):
    broken = dataclasses.replace(tiny.area, demand=tiny.area.demand.drop(columns="population"))
    with pytest.raises(KeyError):
        write_area(broken, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_the_hash_tells_every_file(folder):
    seen = {content_hash(folder)}
    for file in ("schools.csv", "demand.csv", "towns.geojson", "roads.parquet", "area.toml"):
        with (folder / file).open("ab") as open_file:
            open_file.write(b"\n")
        seen.add(content_hash(folder))
    assert len(seen) == 6


def test_xunyi():
    report = check_area(ROOT / "data" / "xunyi")
    assert report.faults == ()
    assert [sentence.split(":")[0] for sentence in report.missing] == ["Heights"]
    assert [str(doubt) for doubt in report.doubts] == [
        "roads: the network is in 2 parts; the largest holds 99.5% of its length. "
        "Join the others where a road is missing from the data."  # a forest track that meets no road
    ]
    assert report.area is not None
    assert (len(report.area.schools), len(report.area.demand), len(report.area.towns)) == (99, 482, 10)


# --- what can be wrong: one spoilt folder a rule, the whole message


def spoil_manifest(text):
    def spoil(folder):
        (folder / "area.toml").write_text(text, "utf-8")

    return spoil


def polygon(folder, change):
    content = json.loads((folder / "towns.geojson").read_text("utf-8"))
    change(content["features"])
    (folder / "towns.geojson").write_text(json.dumps(content), "utf-8")


def road(folder, **columns):
    edges = gpd.read_parquet(folder / "roads.parquet")
    absent = [name for name, value in columns.items() if value is None]
    edges.assign(**columns).drop(columns=absent).to_parquet(folder / "roads.parquet")


def swap(folder):
    frame = pd.read_csv(folder / "schools.csv", dtype=str, keep_default_na=False)
    frame = frame.rename(columns={"lon": "lat", "lat": "lon"})
    frame.to_csv(folder / "schools.csv", index=False)


def pupils_file(text):
    def spoil(folder):
        edit(folder, "demand.csv", drop=GRADES)
        (folder / "pupils.csv").write_text(text, "utf-8")
        declare(folder, files={"pupils": "pupils.csv"})

    return spoil


def totals_file(text):
    def spoil(folder):
        edit(folder, "demand.csv", drop=GRADES)
        (folder / "totals.csv").write_text(text, "utf-8")
        declare(folder, files={"totals": "totals.csv"})

    return spoil


SPOILT = {
    "no folder": (shutil.rmtree, "tiny: there is no such folder. Give the folder of a study area."),
    "no manifest": (
        lambda f: (f / "area.toml").unlink(),
        "area.toml: there is no such file. Make it, or the whole folder with planner new.",
    ),
    "no TOML": (spoil_manifest("title = "), "area.toml: not TOML: Invalid value (at end of document). Mend that line."),
    "nothing in it": (
        spoil_manifest(""),
        "area.toml: files.schools is missing. Name the file in the section [files].\n"
        "area.toml: files.demand is missing. Name the file in the section [files].\n"
        "area.toml: files.roads is missing. Name the file in the section [files].\n"
        "area.toml: title is missing. Add it.",
    ),
    "unknown keys": (
        lambda f: declare(f, tilte="A", files={"skools": "a.csv"}, datum={"demand": "wgs-84"}),
        "area.toml: tilte is not a key here. Did you mean title?\n"
        "area.toml: files.skools is not a key here. Did you mean files.schools?\n"
        "area.toml: datum.demand: wgs-84 is no datum. Did you mean wgs84?",
    ),
    "wrong types": (
        lambda f: declare(f, title=3, synthetic="yes", attribution=[1], crs="EPSG:4326"),
        "area.toml: title is not text. Write text.\n"
        "area.toml: synthetic is not true or false. Write true or false.\n"
        "area.toml: attribution is not a list of texts. Write a list of texts.\n"
        "area.toml: crs: EPSG:4326 is no projected system in metres. Write one like EPSG:4545, or"
        " leave it out.",
    ),
    "file outside": (
        lambda f: declare(f, files={"schools": "../schools.csv"}),
        "area.toml: files.schools: ../schools.csv is outside the folder. Copy the file into the "
        "folder and name it there.",
    ),
    "files absent": (
        lambda f: [(f / n).unlink() for n in ("schools.csv", "demand.csv", "roads.parquet")],
        "schools.csv: there is no such file. Correct the path.\n"
        "demand.csv: there is no such file. Correct the path.\n"
        "roads.parquet: there is no such file. Correct files.roads in area.toml.",
    ),
    "zero": (
        lambda f: edit(f, "schools.csv", ("S1", "lon", "0"), ("S1", "lat", "0.0")),
        "schools.csv row 2, column lon: 0, 0 is a place in the Gulf of Guinea. Enter the place.",
    ),
    "blank place": (
        lambda f: edit(f, "schools.csv", ("S1", "lon", "")),
        "schools.csv row 2, column lon: lon is blank. Enter the place.",
    ),
    "no places": (
        lambda f: edit(f, "demand.csv", drop=["lon", "lat"]),
        "demand.csv: columns lon and lat are missing. Add them, headed lon, 经度 and lat, 纬度; or give shapes.",
    ),
    "far": (
        lambda f: edit(f, "demand.csv", ("V2", "lon", "107.9"), ("V3", "lon", "107.8")),
        "demand.csv row 3: the place is 39 km outside the towns. Correct the place, or the datum "
        "in area.toml. 2 rows: 3, 4.",
    ),
    "swapped": (
        swap,
        "schools.csv row 2, column lat: 108.329 is no latitude: lon and lat are swapped. Swap the"
        " two columns. 3 rows: 2, 3, 4.",
    ),
    "unknown town": (
        lambda f: edit(f, "schools.csv", ("S1", "town_id", "town b"), ("S2", "town_id", "xyz")),
        "schools.csv row 2, column town_id: town b is no town. Did you mean Town B?\n"
        "schools.csv row 3, column town_id: xyz is no town. Enter a town of the towns file, or "
        "leave blank.",
    ),
    "faults of many files": (
        lambda f: (
            edit(f, "schools.csv", ("S1", "kind", ""), ("S2", "beds", "-1")),
            edit(f, "demand.csv", ("V1", "g1", "-1"), ("V2", "g1", "1.5"), ("V3", "town_id", "C")),
        ),
        "schools.csv row 2, column kind: kind is blank. Enter it.\n"
        "schools.csv row 3, column beds: -1 is below 0. Enter beds, or leave blank if unknown.\n"
        "demand.csv row 2, column g1: -1 is below 0. Enter pupils, or leave blank if unknown.\n"
        "demand.csv row 3, column g1: 1.5 is not a whole number. Enter whole pupils.\n"
        "demand.csv row 4, column town_id: C is no town. Enter a town of the towns file, or leave"
        " blank.",
    ),
    "same id": (
        lambda f: (f / "demand.csv").write_text((f / "demand.csv").read_text("utf-8").replace("V2,", "V1,"), "utf-8"),
        "demand.csv row 2, column demand_id: V1 stands 2 times. Give each row its own id. 2 rows: 2, 3.",
    ),
    "no pupils at all": (
        lambda f: edit(f, "demand.csv", (None, "population", ""), drop=GRADES),
        "demand.csv: neither pupils nor population are known. Add grade columns (k1..g9), a "
        "pupils file, totals or population.",
    ),
    "pupils twice": (
        lambda f: (pupils_file("demand_id,g1\nV1,3\n")(f), totals_file("town_id,g1\nA,3\n")(f)),
        "pupils.csv: pupils are given a second time in totals.csv. Keep one of them in area.toml,"
        " or drop the grade columns of the demand table.",
    ),
    "pupils of nobody": (
        pupils_file("demand_id,grade,pupils\nV1,1,3\nV9,1,3\nV1,g1,4\nV2,1-3,2\n"),
        "pupils.csv row 3, column demand_id: V9 is no demand point. Add it to the demand table, "
        "or drop the row.\n"
        "pupils.csv row 5, column grade: a row needs one grade. Enter one like g3.\n"
        "pupils.csv row 2, column demand_id: V1 stands more than once with the same grade. Keep "
        "one row. 2 rows: 2, 4.",
    ),
    "pupils without grades": (
        pupils_file("demand_id,name\nV1,a\n"),
        "pupils.csv: columns of pupils are missing. Add grade and pupils, or a column a grade (k1..g9).",
    ),
    "totals of no town": (
        totals_file("town_id,g1\nA,3\nTown C,3\nA,4\n"),
        "totals.csv row 3, column town_id: Town C is no town. Did you mean Town B?\n"
        "totals.csv row 2, column town_id: A stands twice. Keep one row a town. 2 rows: 2, 4.",
    ),
    "totals that reach nobody": (
        lambda f: (totals_file("town_id,g1\nA,3\nB,2\n")(f), edit(f, "demand.csv", (None, "town_id", "A"))),
        "totals.csv: B, g1: 2 cannot be spread: every weight is 0 or unknown. Correct the totals,"
        " or the town's villages and their population.",
    ),
    "towns twice": (
        lambda f: polygon(f, lambda t: t[1]["properties"].update(town_id="A")),
        "towns.geojson row 1, column town_id: A stands 2 times. Give each row its own id. 2 rows: 1, 2.",
    ),
    "towns as points": (
        lambda f: polygon(f, lambda t: t[0].update(geometry={"type": "Point", "coordinates": [108, 35]})),
        "towns.geojson row 1: Point is no polygon. Draw the town's border as a polygon.",
    ),
    "towns beyond the earth": (
        lambda f: polygon(f, lambda t: t[1]["geometry"]["coordinates"][0][1].__setitem__(1, 1e300)),
        "towns.geojson row 2: the border leaves what EPSG:4545 can show. "
        "Correct the border, or the datum in area.toml.",
    ),
    "towns that do not close": (
        lambda f: polygon(f, lambda t: t[0]["geometry"]["coordinates"][0].pop()),
        "towns.geojson: not a .geojson file that can be read. Export it again from the GIS, in UTF-8.",
    ),
    "towns without shapes": (
        lambda f: ((f / "towns.csv").write_text("town_id\nA\nB\n"), declare(f, files={"towns": "towns.csv"})),
        "towns.csv: there are no shapes in it. Give polygons, as GeoJSON or GeoPackage.",
    ),
    "roads without columns": (
        lambda f: road(f, surface=None, length_m=None),
        "roads.parquet: column surface is missing. Make it with planner new, or give plain lines.\n"
        "roads.parquet: column length_m is missing. Make it with planner new, or give plain "
        "lines.",
    ),
    "roads of wrong values": (
        lambda f: road(f, oneway=[0, 2, 3], walk="yes", length_m=[1.0, np.nan, 5.0]),
        "roads.parquet: column walk holds other than true and false. Make it with planner new, or"
        " give plain lines.\n"
        "roads.parquet row 2, column oneway: 2 is no oneway. Make it with planner new, or give "
        "plain lines. 2 rows: 2, 3.\n"
        "roads.parquet row 2, column length_m: nan is no length_m. Make it with planner new, or "
        "give plain lines.",
    ),
    "roads that are points": (
        lambda f: (
            gpd.GeoSeries([shapely.Point(108.3, 35.0)], crs="EPSG:4326").to_file(f / "roads.geojson"),
            declare(f, files={"roads": "roads.geojson"}),
        ),
        "roads.geojson: there is no road in it. Give lines that pupils or buses may use.",
    ),
    "roads that are a table": (
        lambda f: (edit(f, "schools.csv"), declare(f, files={"roads": "schools.csv"})),
        "schools.csv: this is no file of lines. Give one of .gpkg, .geojson, .json, .shp, .parquet.",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_the_whole_message_of_every_spoilt_folder(folder, name):
    spoil, message = SPOILT[name]
    spoil(folder)
    assert said(folder) == message


def test_read_area_raises_what_check_area_finds(folder):
    edit(folder, "schools.csv", ("S1", "kind", ""))
    with pytest.raises(DataError) as caught:
        read_area(folder)
    assert caught.value.faults == check_area(folder).faults


# --- what should be looked at

DOUBTED = {
    "unknown seats": (
        lambda f: edit(f, "schools.csv", ("S2", "seats_primary", ""), ("S3", "seats_junior", "")),
        "schools.csv row 3: seats are unknown and set no limit. Enter them if they are known. 2 rows: 3, 4.",
    ),
    "no pupils": (
        lambda f: edit(f, "demand.csv", *(("V3", g, "0") for g in GRADES)),
        "demand.csv row 4: no pupils live here. Nothing to do if that is right.",
    ),
    "blank pupils": (
        lambda f: edit(f, "demand.csv", ("V3", "g2", "")),
        "demand.csv row 4: a blank number of pupils is read as 0. Enter 0 where there is none.",
    ),
    "more pupils than people": (
        lambda f: edit(f, "demand.csv", ("V1", "population", "10")),
        "demand.csv row 2, column population: 20 pupils are more than 10 people. Correct one of them.",
    ),
    "same names": (
        lambda f: edit(f, "demand.csv", ("V2", "name", "东村")),
        "demand.csv row 2, column name: 东村 stands 2 times in one town. Drop one if they are the same. 2 rows: 2, 3.",
    ),
    "same places": (
        lambda f: edit(
            f, "schools.csv", *((s, c, v) for s in ("S1", "S2") for c, v in (("lon", "108.33"), ("lat", "35.05")))
        ),
        "schools.csv row 2: S1 and S2 lie within 10 m of each other. Drop one if they are the same. 2 rows: 2, 3.",
    ),
    "towns that cross themselves": (
        lambda f: polygon(
            f,
            lambda t: t[0]["geometry"].update(
                coordinates=[[[108.3, 35.0], [108.4, 35.1], [108.4, 35.0], [108.3, 35.1], [108.3, 35.0]]]
            ),
        ),
        "towns.geojson row 1: the border crosses itself and was mended. Look at it.",
    ),
    "totals that leave out a town": (
        totals_file("town_id,g1\n甲镇,6\n"),
        "totals.csv: no total for B: no pupils there. Add a row for it.\n"
        "demand.csv row 4: no pupils live here. Nothing to do if that is right. 2 rows: 4, 5.",
    ),
}


@pytest.mark.parametrize("name", DOUBTED)
def test_doubts(folder, name):
    before = doubts(folder)
    spoil, message = DOUBTED[name]
    spoil(folder)
    assert "\n".join(d for d in doubts(folder) if d not in before) == message


def test_another_datum_fits_better(folder):
    frame = pd.read_csv(folder / "schools.csv", dtype=str, keep_default_na=False)
    lon, lat = from_wgs84(frame["lon"].astype(float).to_numpy(), frame["lat"].astype(float).to_numpy(), "bd09")
    frame.assign(lon=lon, lat=lat).to_csv(folder / "schools.csv", index=False)
    found = [text for text in doubts(folder) if "under bd09" in text]
    assert len(found) == 1
    assert found[0].endswith("Declare datum bd09 in area.toml if that is what they are in.")
    declare(folder, datum={"schools": "bd09"})
    assert not [text for text in doubts(folder) if "under" in text]


# --- what may be left out, or given in another way


def test_towns_round_the_points_that_name_them(folder):
    undraw(folder)
    area = read_area(folder)
    assert area.towns.index.tolist() == ["A", "B"]
    assert all(
        shapely.contains(area.towns.geometry[t], p)
        for t, p in zip(area.demand["town_id"], area.demand.geometry, strict=True)
    )
    assert "Town polygons were not given: towns are drawn round their points." in map(str, area.assumptions)
    assert check_area(folder).missing[0].startswith("Town polygons:")


def test_one_town_for_the_county(folder):
    undraw(folder, "town_id")
    area = read_area(folder)
    assert area.towns.index.tolist() == ["county"]
    assert set(area.schools["town_id"]) | set(area.demand["town_id"]) == {"county"}


def test_towns_by_name_and_by_place(folder):
    edit(folder, "schools.csv", ("S1", "town_id", "甲镇"), ("S2", "town_id", ""), ("S3", "town_id", ""))
    assert read_area(folder).schools["town_id"].tolist() == ["A", "A", "B"]


def test_pupils_from_a_long_and_a_wide_file(folder, tiny):
    pupils = tiny.area.pupils
    wide = pupils.to_csv()
    long = pupils.reset_index().melt("demand_id", var_name="年级", value_name="人数").to_csv(index=False)
    for text in (wide, long):
        pupils_file(text)(folder)
        pd.testing.assert_frame_equal(read_area(folder).pupils, pupils, check_index_type=False)


def test_pupils_from_totals(folder):
    totals_file("乡镇,一年级\n甲镇,7\nB,9\n合计,16\n")(folder)
    assert read_area(folder).pupils["g1"].tolist() == [5, 2, 3, 6]


def test_pupils_from_population_alone_are_marked(folder):
    edit(folder, "demand.csv", drop=GRADES)
    area = read_area(folder)
    assert area.pupils["g1"].sum() == round(0.011 * 1290)
    assert set(area.demand["assumed"]) == {"pupils"}
    assert str(area.assumptions[-1]) == "Pupils were not given: 1.1 % of the population is taken for every grade."


def test_seats_of_the_whole_school(folder):
    stages = ("kindergarten", "primary", "junior")
    cells = [(None, f"seats_{stage}", "") for stage in stages] + [("S1", "seats", "90"), ("S3", "seats", "100")]
    edit(folder, "schools.csv", *cells)
    schools = read_area(folder).schools
    assert schools.loc["S1", [f"seats_{s}" for s in stages]].tolist() == [0, 90, 0]
    assert schools.loc["S3", [f"seats_{s}" for s in stages]].tolist() == [0, 67, 33]
    assert np.isnan(schools.loc["S2", "seats_primary"])
    assert schools["assumed"].tolist() == ["", "", "seats_primary seats_junior"]


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "cgcs2000", "EPSG:4545", "EPSG:32649"])
def test_any_datum(folder, tiny, datum):
    frame = pd.read_csv(folder / "schools.csv", dtype=str, keep_default_na=False)
    x, y = from_wgs84(frame["lon"].astype(float).to_numpy(), frame["lat"].astype(float).to_numpy(), datum)
    names = ("x", "y") if datum.startswith("EPSG") else ("lon", "lat")
    frame = frame.drop(columns=["lon", "lat"]).assign(**dict(zip(names, (x, y), strict=True)))
    frame.to_csv(folder / "schools.csv", index=False)
    declare(folder, datum={"schools": datum})
    assert read_area(folder).schools.geometry.distance(tiny.area.schools.geometry).max() < 1e-3


def test_two_sheets_of_one_workbook(folder, tiny):
    with pd.ExcelWriter(folder / "all.xlsx") as book:
        for name, file in (("学校", "schools.csv"), ("村庄", "demand.csv")):
            pd.read_csv(folder / file).to_excel(book, sheet_name=name, index=False)
    files = {"schools": "all.xlsx", "demand": "all.xlsx"}
    declare(folder, files=files, sheets={"schools": "学校", "demand": "村庄"})
    area = read_area(folder)
    pd.testing.assert_frame_equal(area.pupils, tiny.area.pupils, check_index_type=False)
    assert area.schools.index.tolist() == ["S1", "S2", "S3"]


def test_swapped_places_that_could_be_places():
    town = gpd.GeoDataFrame(
        {"name": ["Vaduz"]}, geometry=[shapely.box(9.4, 47.0, 9.7, 47.3)], index=pd.Index(["A"]), crs="EPSG:4326"
    ).to_crs("EPSG:32632")
    frame = pd.DataFrame({"school_id": ["S1", "S2", "S3"]})
    raw = RawTable("schools.csv", frame, np.array([2, 3, 4]))
    checked = check_table(raw, read_schema("schools"))
    lon, lat = np.array([9.5, 47.1, 12.0]), np.array([47.1, 9.5, 47.1])
    found = Findings()
    check_far(Source(raw, checked, "wgs84", lon, lat), project(lon, lat, "EPSG:32632"), town, found)
    assert [str(fault) for fault in found.faults] == [
        "schools.csv row 3, column lon: lon and lat are swapped. Swap the two columns.",
        "schools.csv row 4: the place is 175 km outside the towns. Correct the place, or the datum in area.toml.",
    ]


def test_tables_of_shapes_in_any_system(folder, tiny):
    tiny.area.demand.join(tiny.area.pupils).reset_index().to_crs("EPSG:32649").to_file(folder / "demand.gpkg")
    declare(folder, files={"demand": "demand.gpkg"}, crs=None)
    area = read_area(folder)
    assert area.crs == "EPSG:4545"
    assert area.demand.geometry.distance(tiny.area.demand.geometry).max() < 1e-3


def test_roads_as_plain_lines(folder, tiny):
    lines = tiny.area.roads.edges[["name", "geometry"]].assign(highway="residential")
    lines.to_crs("EPSG:4326").to_file(folder / "roads.geojson")
    declare(folder, files={"roads": "roads.geojson"})
    roads = read_area(folder).roads
    assert roads.edges["length_m"].sum() == pytest.approx(4500, abs=0.1)


@pytest.mark.parametrize(
    ("lon", "lat", "crs"),
    [
        (75.0, 39.0, "EPSG:4534"),
        (108.3, 35.1, "EPSG:4545"),
        (131.0, 46.0, "EPSG:4553"),
        (92.1, 21.8, "EPSG:32646"),
        (1.5, 42.5, "EPSG:32631"),
        (44.4, -12.2, "EPSG:32738"),
        (179.99, -17.0, "EPSG:32760"),
    ],
)
def test_the_projected_system_of_a_place(lon, lat, crs):
    assert projected_crs(np.array([lon]), np.array([lat])) == crs


def test_a_village_on_an_island_or_far_from_any_road_is_named(tiny, tmp_path):
    import dataclasses

    import pandas as pd
    import shapely

    from planner.area import write_area
    from planner.model import Roads

    roads, x0, y0 = tiny.area.roads, tiny_module.X0, tiny_module.Y0
    lane = roads.edges.iloc[[0]].assign(from_node=4, to_node=5, length_m=100.0)
    lane.geometry = [shapely.LineString([(x0, y0 + 2700), (x0 + 100, y0 + 2700)])]
    nodes = pd.concat([roads.nodes, pd.DataFrame({"x": [x0, x0 + 100], "y": [y0 + 2700] * 2})], ignore_index=True)
    more = Roads(pd.concat([roads.edges, lane], ignore_index=True), nodes)
    places = tiny.area.demand.geometry.copy()
    places.iloc[0], places.iloc[3] = shapely.Point(x0, y0 + 2690), shapely.Point(x0 + 4500, y0 - 2500)
    area = dataclasses.replace(tiny.area, roads=more, demand=tiny.area.demand.set_geometry(places))
    said = " ".join(map(str, check_area(write_area(area, tmp_path / "a")).doubts))
    assert "the network is in 2 parts; the largest holds 97.8% of its length" in said
    assert "every road within 2,000 m is an island that no way leads to the rest from: V1 东村." in said
    assert "the nearest road is more than 2,000 m away: V4 Four." in said
