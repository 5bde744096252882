"""Slopes: heights from rasters, and what they do to every mode's time, by hand on planes and on real tiles."""

import dataclasses
import shutil
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

import planner as pl
from planner.area import check_area, content_hash, read_area, write_area
from planner.area.network import LEVEL
from planner.errors import DataError
from planner.model import Roads
from planner.roads import from_lines, from_ways, paces, with_slope
from planner.roads.slope import climbing, cycling, tobler
from planner.scenario import Travel
from planner.sources.elevation import heights_m
from planner.sources.osm import read_osm
from planner.travel import mode_times
from planner.wording import remark
from tests import tiny as tiny_module
from tests.test_cases import CASES, case
from tests.test_roads import CRS
from tests.test_travel import minutes

X0, Y0 = 500_000.0, 3_870_000.0


def raster(path, height, size=200, cell=30.0, crs=CRS, dtype="float32", **options):
    """A GeoTIFF whose cells have the height of their centres; its middle is at X0, Y0."""
    left, top = X0 - size * cell / 2, Y0 + size * cell / 2
    x, y = np.meshgrid(left + (np.arange(size) + 0.5) * cell, top - (np.arange(size) + 0.5) * cell)
    shape = {"width": size, "height": size, "count": 1, "dtype": dtype}
    place = Affine(cell, 0, left, 0, -cell, top)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=place, **shape, **options) as file:
        file.write(height(x - X0, y - Y0).astype(dtype), 1)
    return path


def road(*xy, **tags):
    line = shapely.LineString(np.add(xy, (X0, Y0)))
    return from_lines(gpd.GeoDataFrame([{"highway": "residential"} | tags], geometry=[line], crs=CRS), CRS)


def plane(tmp_path, grade, **options):
    return raster(tmp_path / "plane.tif", lambda x, y: 500 + grade * x, **options)


def times_level(roads, path, mode, way="ahead"):
    return with_slope(roads, [path])[0].edges[f"slope_{mode}_{way}"].tolist()


@pytest.mark.parametrize("grade", [-0.2, -0.05, 0.0, 0.04, 0.12])
def test_every_mode_on_an_even_slope_by_hand(tmp_path, grade):
    roads, path = road((-1000, 0), (1000, 0)), plane(tmp_path, grade)
    for way, slope in (("ahead", np.array([grade])), ("back", np.array([-grade]))):
        assert times_level(roads, path, "walk", way) == pytest.approx(tobler(slope), rel=1e-4)
        assert times_level(roads, path, "bicycle", way) == pytest.approx(cycling(slope), rel=1e-4)
        ebike = np.minimum(climbing(slope, np.array([20.0]), 2.5), 1 / 0.3)
        assert times_level(roads, path, "ebike", way) == pytest.approx(ebike, rel=1e-4)
    sloped = with_slope(roads, [path])[0].edges
    assert sloped["steep_share"].tolist() == [1.0 if abs(grade) > 0.08 else 0.0]
    walk = paces(sloped, "walk", Travel())
    assert walk[0] / walk[1] == pytest.approx(tobler(np.array([grade])) / tobler(np.array([-grade])), rel=1e-4)
    assert 0.06 / paces(sloped, "bus", Travel())[0] == pytest.approx(20 if abs(grade) > 0.08 else 25)
    assert 0.06 / paces(sloped, "car", Travel())[0] == pytest.approx(30)


def test_toblers_speeds():
    """6 km/h at most, downhill at 5 %; 5.04 on the level (1993)."""
    assert 5.037 / tobler(np.array([-0.05, 0.0, 0.05])) == pytest.approx([6.0, 5.037, 4.228], abs=1e-3)


def test_a_bus_on_a_grade_keeps_what_its_motor_gives(tmp_path):
    trunk = road((-1000, 0), (1000, 0), highway="trunk")
    lifted = 8.5 / (9.81 * (0.075 + 0.01)) * 3.6
    sloped = with_slope(trunk, [plane(tmp_path, 0.075)])[0].edges
    ahead, back = paces(sloped, "bus", Travel())
    assert 0.06 / ahead == pytest.approx(lifted, rel=1e-3)
    assert 0.06 / back == pytest.approx(60)


def test_up_on_one_half_and_down_on_the_other(tmp_path):
    path = raster(tmp_path / "ridge.tif", lambda x, _: 500 - 0.05 * np.abs(x))
    roads = road((-1500, 0), (1500, 0))
    both = (tobler(np.array([0.05])) + tobler(np.array([-0.05]))) / 2
    assert times_level(roads, path, "walk") == pytest.approx(both, rel=0.02)
    assert times_level(roads, path, "walk") == pytest.approx(times_level(roads, path, "walk", "back"), rel=1e-6)
    turned = Roads(roads.edges.set_geometry(roads.edges.geometry.reverse()), roads.nodes)
    assert times_level(turned, path, "bicycle") == pytest.approx(times_level(roads, path, "bicycle", "back"))


def test_noise_is_smoothed_away(tmp_path):
    rng = np.random.default_rng(0)
    path = raster(tmp_path / "noise.tif", lambda x, _: 500 + rng.normal(0, 5, x.shape))
    sloped = with_slope(road((-2000, 7), (2000, 7)), [path])[0].edges
    assert sloped["steep_share"].tolist() == [0.0]
    assert sloped["slope_walk_ahead"].tolist() == pytest.approx([1.0], abs=0.02)


def test_bridges_and_tunnels_climb_evenly(tmp_path):
    path = raster(tmp_path / "valley.tif", lambda x, _: 500 - 100 * np.exp(-((x / 100) ** 2)))
    ends = (-900, 0), (900, 0)
    assert times_level(road(*ends), path, "walk")[0] > 1.05
    assert times_level(road(*ends, bridge="yes"), path, "walk") == [pytest.approx(1, abs=1e-4)]
    assert times_level(road(*ends, tunnel="yes"), path, "bus") == [1]


def test_voids_and_places_outside_are_unknown_and_level(tmp_path):
    def holed(x, y):
        return np.where(np.hypot(x, y) < 200, -32768, 500 + 0.1 * x)

    path = raster(tmp_path / "void.tif", holed)
    at = np.add([[-500, 0], [0, 0], [90_000, 0]], (X0, Y0))
    assert heights_m([path], *at.T, CRS) == pytest.approx([450, np.nan, np.nan], nan_ok=True, abs=0.5)
    sloped, unknown = with_slope(road((-1000, 0), (1000, 0)), [path])
    assert (sloped.edges["slope_walk_ahead"].tolist(), unknown) == ([1.0], 1.0)


def test_cutting_an_edge_of_known_slopes_changes_no_time(tmp_path):
    """Whoever cuts an edge in two gives both parts its columns: they are shares, not lengths."""
    roads = with_slope(road((-1000, 0), (0, 300), (1000, 0), highway="primary"), [plane(tmp_path, 0.09)])[0]
    places = roads.edges.geometry.iloc[0]
    halves = [shapely.ops.substring(places, *part, normalized=True) for part in ((0, 0.3), (0.3, 1))]
    cut = gpd.GeoDataFrame(roads.edges.iloc[[0, 0]].assign(from_node=[0, 2], to_node=[2, 1]), geometry=halves, crs=CRS)
    nodes = roads.nodes.reindex([0, 1, 2])
    nodes.loc[2] = halves[0].coords[-1]
    cut = Roads(cut.assign(length_m=cut.length).reset_index(drop=True), nodes)
    doors = gpd.GeoSeries(shapely.line_interpolate_point(places, [0.1, 0.6, 0.9], normalized=True), crs=CRS)
    base = tiny_module.make_area()
    parts = {
        "demand": base.demand.iloc[:3].set_geometry(doors.set_axis(base.demand.index[:3])),
        "schools": base.schools.set_geometry(doors.set_axis(base.schools.index)),
        "pupils": base.pupils.iloc[:3],
    }
    for mode in ("walk", "bicycle", "ebike", "bus"):
        areas = (tiny_module.make_area(roads=which, **parts) for which in (roads, cut))
        before, after = (mode_times(area, Travel(), mode).minutes for area in areas)
        np.testing.assert_allclose(after, before, atol=1e-9)
        assert before[0, 1] > before[1, 0] or mode == "bus"


# --- files


def hgt(path, height, size=1201):
    """An SRTM tile: rows from the north, big-endian, heights at the corners of a grid over one degree."""
    south, west = int(path.name[1:3]), int(path.name[4:7])
    lon, lat = np.meshgrid(west + np.linspace(0, 1, size), south + np.linspace(1, 0, size))
    path.write_bytes(height(lon, lat).astype(">i2").tobytes())
    return path


def test_srtm_tiles_plain_and_zipped(tmp_path):
    tiles = [hgt(tmp_path / f"N35E{e}.hgt", lambda lon, lat: 1000 * (lon - 107) + 200 * (lat - 35)) for e in (107, 108)]
    zipped = tmp_path / "N35E108.hgt.zip"
    with zipfile.ZipFile(zipped, "w") as file:
        file.write(tiles[1], "N35E108.hgt")
    tiles[1].unlink()
    lon, lat = np.array([107.3, 107.99, 108.0, 108.7, 109.5]), np.array([35.2, 35.5, 35.5, 35.9, 35.5])
    x, y = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(lon, lat)
    found = heights_m([tiles[0], zipped], x, y, CRS)
    assert found == pytest.approx([340, 1090, 1100, 1880, np.nan], nan_ok=True, abs=2)


def spoilt_raster(tmp_path, kind):
    if kind == "absent":
        return tmp_path / "N01E001.hgt"
    path = tmp_path / ("heights.tif" if kind != "renamed" else "tile.hgt")
    if kind == "without a system":
        return raster(path, lambda x, _: x, crs=None)
    if kind == "renamed":
        return shutil.move(hgt(tmp_path / "N35E108.hgt", lambda lon, _: 0 * lon), path)
    path.write_bytes(b"rubbish")
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("absent", "there is no such file. Check the path."),
        ("rubbish", "not a raster that can be read"),
        ("renamed", "not a raster that can be read"),
        ("without a system", "the raster says no coordinate system. Save it with its CRS"),
    ],
)
def test_rasters_that_cannot_be_read_are_faults(tmp_path, kind, said):
    with pytest.raises(DataError) as caught:
        heights_m([spoilt_raster(tmp_path, kind)], np.array([X0]), np.array([Y0]), CRS)
    assert said in str(caught.value)


@pytest.fixture
def folder(tmp_path, tiny):
    return write_area(tiny.area, tmp_path / "tiny")


def sloping(folder, name="heights.tif", **shift):
    """A plane over the tiny county, 6 % up towards the east."""
    east = tiny_module.X0 - X0
    return raster(folder / name, lambda x, y: 500 + 0.06 * (x - east), size=1200, cell=90.0, **shift)


def name_it(folder, text):
    file = folder / "area.toml"
    file.write_text(file.read_text("utf-8").replace("[files]", f"[files]\nelevation = {text}"), "utf-8")
    return folder


def test_an_area_with_heights_is_read_sloped_written_again_and_hashed_with_them(folder, tmp_path):
    level = read_area(folder)
    assert level.assumptions == (remark(LEVEL),)
    assert any(sentence.startswith("Heights:") for sentence in check_area(folder).missing)
    sloping(folder)
    area = read_area(name_it(folder, '"heights.tif"'))
    assert area.assumptions == ()
    assert not any(sentence.startswith("Heights:") for sentence in check_area(folder).missing)
    up, down = minutes(area)[0, 1], minutes(area)[1, 0]
    assert (up, down) == pytest.approx((20 * np.exp(3.5 * 0.06), 20 * np.exp(-3.5 * 0.04)), rel=1e-3)
    again = read_area(write_area(area, tmp_path / "again"))
    assert (tmp_path / "again" / "heights.tif").is_file()
    assert again.assumptions == ()
    np.testing.assert_allclose(minutes(again), minutes(area))
    before = content_hash(folder)
    raster(folder / "heights.tif", lambda x, _: 0 * x, size=1200, cell=90.0)
    assert content_hash(folder) != before
    np.testing.assert_allclose(minutes(read_area(folder)), minutes(level))  # not out of the cache


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"absent.tif"', "absent.tif: there is no such file. Check the path."),
        ('"../heights.tif"', "files.elevation: ../heights.tif is outside the folder."),
        ('"heights.csv"', "files.elevation: heights.csv is no height raster by its name. Give .hgt, .hgt.zip, .tif"),
        ("3", "files.elevation is not a file or a list of files."),
        ("[3]", "files.elevation is not a file or a list of files."),
        ('"far.tif"', "far.tif: it has no height for any road. Give the tile that covers the area."),
    ],
)
def test_faults_of_files_elevation(folder, text, said):
    raster(folder / "far.tif", lambda x, _: x, size=10)
    with pytest.raises(DataError) as caught:
        read_area(name_it(folder, text))
    assert said in str(caught.value)


def test_part_of_the_roads_without_heights_is_said(folder):
    left = tiny_module.X0 - X0
    raster(folder / "half.tif", lambda x, y: np.where(x < left + 2000, 0 * x, -1), size=1200, cell=90.0, nodata=-1)
    (sentence,) = read_area(name_it(folder, '["half.tif"]')).assumptions
    assert str(sentence).startswith("Heights are unknown for 66.7% of the length of the roads")


# --- real tiles


@pytest.fixture(scope="module")
def andorra(tmp_path_factory):
    tile = CASES / "andorra/N42E001.hgt.zip"
    if not tile.exists():
        pytest.skip("shared/cases/andorra/N42E001.hgt.zip is not here")
    return pl.new_area(tmp_path_factory.mktemp("ad") / "andorra", osm=case("andorra"), elevation=[tile])


def test_andorra_up_is_slower_than_down(andorra):
    """Walks there and back differ, and the valley roads are as steep as they are built."""
    edges = andorra.roads.edges
    assert not any("No height raster" in sentence for sentence in map(str, andorra.assumptions))
    primary = edges[edges["road_class"] == "primary"]
    assert np.average(primary["steep_share"], weights=primary["length_m"]) < 0.3
    some = andorra.demand.index[::8]
    andorra = dataclasses.replace(andorra, demand=andorra.demand.loc[some], pupils=andorra.pupils.loc[some])
    slopes = [column for column in edges if column.startswith("slope_") or column == "steep_share"]
    turned = {c: c.replace("ahead", "x").replace("back", "ahead").replace("x", "back") for c in slopes}

    def times(mode, changed):
        roads = Roads(changed, andorra.roads.nodes)
        return mode_times(dataclasses.replace(andorra, roads=roads), Travel(), mode).minutes

    level = edges.drop(columns=slopes)
    walk, bus, level_walk, level_bus = (times(m, e) for e in (edges, level) for m in ("walk", "bus"))
    assert 1.05 < np.nanmedian(walk / level_walk) < 1.3
    assert np.nanmax(np.abs(walk - times("walk", edges.rename(columns=turned)))) > 10
    assert np.nanmedian(bus / level_bus) > 1.1
    assert (bus >= level_bus - 1e-9)[~np.isnan(bus)].all()


def test_two_islands_two_tiles():
    tiles = [CASES / f"comoros_south/S13E04{n}.SRTMGL1.hgt.zip" for n in (3, 4)]
    if not all(tile.exists() for tile in tiles):
        pytest.skip("shared/cases/comoros_south/S13E043.SRTMGL1.hgt.zip is not here")
    for island in (case("comoros_south"), case("comoros_south").with_name("mwali.osm.pbf")):
        sloped, unknown = with_slope(from_ways(read_osm(island).ways, "EPSG:32738"), tiles)
        assert unknown < 0.01
        assert 1.1 < sloped.edges["slope_walk_ahead"].quantile(0.9) < 3
