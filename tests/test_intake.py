"""planner new on a small extract whose every tag is known, with and without the bureau's tables."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import planner as pl
from planner.errors import DataError
from planner.intake import kind_of, town_polygons
from planner.model import GRADES
from planner.sources.osm import read_osm
from tests.test_slope import hgt

HOSTILE = "&lt;img src=x onerror=alert(1)&gt;村"


def node(number, lon, lat, **tags):
    inner = "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<node id="{number}" lon="{lon}" lat="{lat}" version="1">{inner}</node>'


def way(number, nodes, **tags):
    inner = "".join(f'<nd ref="{n}"/>' for n in nodes)
    inner += "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{number}" version="1" timestamp="2024-02-03T00:00:00Z">{inner}</way>'


@pytest.fixture
def extract(tmp_path):
    """A grid of 4 x 3 junctions 1.8 km apart near Xunyi; two towns; an island; a settlement that no road is near."""
    spots = {10 * i + j: (108.30 + 0.02 * i, 35.10 + 0.02 * j) for i in range(4) for j in range(3)}
    parts = [node(n + 1, lon, lat) for n, (lon, lat) in spots.items()]
    names = ["甲", "乙", "丙", "丁", HOSTILE, "己"]
    for k, n in enumerate([0, 1, 10, 20, 21, 30]):
        lon, lat = spots[n]
        people = {"population": 1000 + k} if k != 5 else {}
        parts.append(node(100 + k, lon + 0.001, lat + 0.001, place="village", name=names[k], **people))
    parts.append(node(150, 108.301, 35.101, place="hamlet", name="甲"))  # 甲 once more
    parts.append(node(151, 108.29, 35.20, place="hamlet", name="山上", population="90"))
    parts.append(node(152, 108.30, 35.10, place="county", name="县", population="250000"))
    parts.append(node(200, 108.301, 35.10, amenity="school", name="甲村小学"))
    parts.append(node(201, 108.341, 35.10, amenity="school", name="丁镇中心小学", capacity="300"))
    parts.append(node(202, 108.341, 35.12, amenity="school", name="丁镇初级中学"))
    parts.append(node(203, 108.361, 35.10, amenity="school", name="职业高中"))
    parts.append(node(204, 108.321, 35.10, amenity="school"))
    parts += [way(1 + i, [10 * i + j + 1 for j in range(3)], highway="tertiary") for i in range(4)]
    parts += [way(10 + j, [10 * i + j + 1 for i in range(4)], highway="unclassified") for j in range(3)]
    parts += [node(60, 108.31, 35.15), node(61, 108.311, 35.15), way(20, [60, 61], highway="track")]
    for t, (west, east) in enumerate([(108.28, 108.33), (108.33, 108.38)]):
        corners = [(west, 35.08), (east, 35.08), (east, 35.22), (west, 35.22)]
        parts += [node(300 + 10 * t + c, *corner) for c, corner in enumerate(corners)]
        ring = [300 + 10 * t + c for c in (0, 1, 2, 3, 0)]
        parts.append(way(30 + t, ring, boundary="administrative", admin_level="8", name=["西镇", "东镇"][t]))
    nodes = [p for p in parts if p.startswith("<node")]
    ways = [p for p in parts if p.startswith("<way")]
    file = tmp_path / "county.osm"
    file.write_text('<osm version="0.6">' + "".join([*nodes, *ways]) + "</osm>", "utf-8")
    return file


def test_an_area_from_osm_alone(extract, tmp_path):
    area = pl.new_area(tmp_path / "a", osm=extract, title="县")
    assert area.crs == "EPSG:4545"
    assert area.towns["name"].tolist() == ["西镇", "东镇"]
    assert area.demand["name"].tolist() == ["甲", "乙", "丙", "丁", "<img src=x onerror=alert(1)>村", "己", "山上"]
    assert area.demand["population"].tolist() == [1000, 1001, 1002, 1003, 1004, 800, 90]
    assert area.schools["kind"].to_dict() == {
        "n200": "village_primary",
        "n201": "central_primary",
        "n202": "junior_middle",
        "n204": "village_primary",
    }
    assert area.schools.loc["n204", "assumed"].split()[0] == "kind"
    assert area.data_date == "2024-02-03"
    said = " ".join(map(str, area.assumptions))
    assert "Kindergarten is taught by no school" in said
    assert "职业高中" in said
    assert "stand twice" in said
    assert "1 fragments of road" in said
    assert area.pupils[list(GRADES[:3])].to_numpy().sum() == 0
    assert pl.check_area(tmp_path / "a").faults == ()


def test_what_is_returned_is_what_the_folder_reads_as(extract, tmp_path):
    tiles = [hgt(tmp_path / f"N35E{east}.hgt", lambda lon, lat: 5000 * (lon - 107)) for east in (107, 108)]
    made = pl.new_area(tmp_path / "a", osm=extract, elevation=tiles)
    read = pl.read_area(tmp_path / "a")
    for table in ("schools", "demand", "towns"):
        assert_geodataframe_equal(getattr(made, table), getattr(read, table))
    assert_geodataframe_equal(made.roads.edges, read.roads.edges)
    pd.testing.assert_frame_equal(made.roads.nodes, read.roads.nodes)
    pd.testing.assert_frame_equal(made.pupils, read.pupils)
    assert (made.assumptions, made.content_hash) == (read.assumptions, read.content_hash)


def test_what_another_process_handed_over_makes_the_same_area(extract, tmp_path):
    handed = []

    def elsewhere(work):
        handed.append(work())
        return iter([handed[-1]]).__next__

    made = [tmp_path / name / "county" for name in ("alone", "beside")]
    for folder, beside in zip(made, ({}, {"beside": elsewhere}), strict=True):
        pl.new_area(folder, osm=extract, **beside)
    alone, beside = ({p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()} for folder in made)
    assert alone == beside
    assert [len(held) > 0 for held in handed] == [True, True]  # the extract, and the minutes by bus


def test_the_default_scenario_runs_and_verifies(extract, tmp_path):
    pl.new_area(tmp_path / "a", osm=extract)
    area = pl.read_area(tmp_path / "a")
    scenario = pl.read_scenario(tmp_path / "a" / "scenarios" / "default.toml")
    plan = pl.optimise(area, pl.travel_times(area, scenario.travel), scenario)
    assert plan.assignment["pupils"].sum() == area.pupils.to_numpy().sum()
    assert plan.assignment.loc[plan.assignment["reason"] == "unreachable", "demand_id"].unique().tolist() == ["n151"]
    found = pl.verify(plan.save(tmp_path / "out"))
    assert found.passed, str(found)
    assert "onerror=alert(1)>" not in (tmp_path / "out" / "map.html").read_text("utf-8")


def test_the_bureaus_own_tables_come_first(extract, tmp_path):
    (tmp_path / "学校.csv").write_bytes(
        "学校标识码,学校名称,办学类型,经度,纬度,小学学位\n0611,东小学,村小,108.3411,35.1,120\n".encode("gbk")
    )
    pd.DataFrame(
        {"村代码": ["v1"], "村名": ["东村"], "经度": [108.345], "纬度": [35.1], **{f"g{i}": [i] for i in range(1, 10)}}
    ).to_excel(tmp_path / "villages.xlsx", index=False)
    gpd.GeoDataFrame(
        {"乡镇代码": ["1"], "name": ["全镇"]}, geometry=[shapely.box(108.2, 35.0, 108.5, 35.3)], crs="EPSG:4326"
    ).to_file(tmp_path / "towns.gpkg")
    area = pl.new_area(
        tmp_path / "a",
        osm=extract,
        schools=tmp_path / "学校.csv",
        demand=tmp_path / "villages.xlsx",
        towns=tmp_path / "towns.gpkg",
    )
    assert area.schools.index.tolist() == ["0611"]
    assert area.schools.loc["0611", "seats_primary"] == 120
    assert area.demand["name"].tolist() == ["东村"]
    assert area.pupils.loc["v1", ["g1", "g6"]].tolist() == [1, 6]
    assert any(
        "Junior, grades 7–9 is taught by no school: its 24 pupils" in sentence
        for sentence in map(str, area.assumptions)
    )
    assert area.towns["name"].tolist() == ["全镇"]


def test_faults_of_a_table_name_the_users_own_file_and_nothing_is_written(extract, tmp_path):
    (tmp_path / "s.csv").write_text("school_id,name,kind,lon,lat\nA,a,palace,108.3,35.1\nA,b,village_primary,0,0\n")
    with pytest.raises(DataError) as caught:
        pl.new_area(tmp_path / "a", osm=extract, schools=tmp_path / "s.csv")
    said = str(caught.value)
    assert f"{tmp_path / 's.csv'} row 2, column kind" in said
    assert "A stands 2 times" in said
    assert not (tmp_path / "a").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["county.osm", "s.csv"]


def test_a_folder_that_exists_is_not_touched(extract, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").write_text("x")
    with pytest.raises(DataError, match="it exists already"):
        pl.new_area(tmp_path / "a", osm=extract)


def test_an_extract_without_settlements_or_schools_says_what_to_give(tmp_path):
    file = tmp_path / "roads.osm"
    file.write_text(
        '<osm version="0.6">' + node(1, 108, 35) + node(2, 108.01, 35) + way(1, [1, 2], highway="tertiary") + "</osm>"
    )
    with pytest.raises(DataError, match="it holds no settlement"):
        pl.new_area(tmp_path / "a", osm=file)
    (tmp_path / "v.csv").write_text("demand_id,name,lon,lat,g1\nv,v,108,35,3\n")
    with pytest.raises(DataError, match="it holds no school"):
        pl.new_area(tmp_path / "a", osm=file, demand=tmp_path / "v.csv")


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"name": "王家塬教学点"}, "teaching_point"),
        ({"name": "城关镇中心小学"}, "central_primary"),
        ({"name": "第二中学"}, "junior_middle"),
        ({"name": "九年一贯制学校"}, "nine_year"),
        ({"name": "县职业高中"}, ""),
        ({"name": "镇中心幼儿园", "amenity": "kindergarten"}, "central_kindergarten"),
        ({"name": "School", "isced:level": "1;2"}, "nine_year"),
        ({"name": "School", "isced:level": "2;3"}, "junior_middle"),
        ({"name": "School", "isced:level": "3"}, ""),
        ({"name": "School", "grades": "1-9"}, "nine_year"),
        ({"name": "School", "grades": "1-6"}, "village_primary"),
        ({"name": "School", "grades": "10-12"}, ""),
        ({"name": "Primarschule Balzers"}, "village_primary"),
        ({"name": "Escola Andorrana de primera ensenyança"}, "village_primary"),
        ({"name": "Haus"}, None),
    ],
)
def test_kinds_from_tags_and_names(tags, kind):
    assert kind_of(tags) == kind


def test_no_boundaries_is_one_town(extract, tmp_path):
    text = extract.read_text("utf-8").replace("administrative", "forest")
    extract.write_text(text, "utf-8")
    polygons, said = town_polygons(read_osm(extract))
    assert polygons is None
    assert "one town" in str(said)
    assert len(pl.new_area(tmp_path / "a", osm=extract).towns) == 1


def test_heights_come_along_and_are_named(extract, tmp_path):
    tiles = [hgt(tmp_path / f"N35E{east}.hgt", lambda lon, lat: 5000 * (lon - 107)) for east in (107, 108)]
    area = pl.new_area(tmp_path / "a", osm=extract, elevation=tiles)
    assert sorted(path.name for path in (tmp_path / "a").glob("*.hgt")) == ["N35E107.hgt", "N35E108.hgt"]
    assert not any("No height raster" in sentence for sentence in map(str, area.assumptions))
    lines = area.roads.edges.geometry
    east = (lines.get_coordinates().groupby(level=0)["x"].agg(lambda x: x.iloc[-1] - x.iloc[0]) > 1000).to_numpy()
    up, down = (area.roads.edges.loc[east, f"slope_walk_{way}"].mean() for way in ("ahead", "back"))
    assert up > 1.1 > 1 > down
    level = pl.new_area(tmp_path / "b", osm=extract)
    assert any("No height raster" in said.en and "高程" in said.zh for said in level.assumptions)
    assert "slope_walk_ahead" not in level.roads.edges


def test_heights_that_cannot_be_taken(extract, tmp_path):
    (tmp_path / "heights.csv").write_text("1")
    tile = hgt(tmp_path / "N35E108.hgt", lambda lon, _: 0 * lon)
    far = hgt(tmp_path / "N10E010.hgt", lambda lon, _: 0 * lon)
    for given, said in (
        (tmp_path / "N35E107.hgt", f"{tmp_path}/N35E107.hgt: there is no such file"),
        (tmp_path / "heights.csv", f"{tmp_path}/heights.csv: it is no height raster by its name. Give .hgt"),
        ([tile, tile], f"{tile}: it is given twice. Give every tile once."),
        (far, "N10E010.hgt: it has no height for any road. Give the tile that covers the area."),
    ):
        with pytest.raises(DataError) as caught:
            pl.new_area(tmp_path / "a", osm=extract, elevation=given)
        assert said in str(caught.value)
        assert not (tmp_path / "a").exists()
