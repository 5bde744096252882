"""A population raster becomes demand points, and nobody is lost."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

from planner.errors import DataError
from planner.sources.rasters import cluster_population

RASTER = Path(__file__).parents[2] / "shared" / "cases" / "comoros_south" / "worldpop_2020_UNadj_clip.tif"

DEGREES = Affine(0.001, 0, 108.0, 0, -0.001, 35.1)


def write(path, values, crs="EPSG:4326", transform=DEGREES, nodata=-99999.0):
    values = np.asarray(values, dtype=np.float32)
    options = {"height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32", "nodata": nodata}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **options) as file:
            file.write(values, 1)
    return path


@pytest.fixture
def raster(tmp_path):
    values = np.random.default_rng(1).gamma(0.5, 20, (60, 80))
    values[:20] = 0
    values[0, 0], values[1, 1] = -99999, -5
    return write(tmp_path / "a.tif", values), values[values > 0].sum()


def test_the_total_is_kept_and_points_stand_where_people_live(raster):
    path, total = raster
    points = cluster_population(path)
    assert points.crs == "EPSG:4326"
    assert points["population"].sum() == pytest.approx(total, rel=1e-6)
    assert len(points) == pytest.approx(total / 500, rel=0.1)
    assert points.geometry.y.max() < 35.08
    assert points.equals(cluster_population(path))


def test_at_most_as_many_points_as_asked_or_as_cells(raster):
    path, total = raster
    assert len(cluster_population(path, max_points=7)) <= 7
    fine = cluster_population(path, people_per_point=0.001, max_points=100_000)
    coarse = cluster_population(path, cell_m=1000.0, people_per_point=0.001)
    assert fine["population"].sum() == pytest.approx(coarse["population"].sum()) == pytest.approx(total)
    assert len(coarse) < len(fine)


def test_a_boundary_and_a_projected_raster(tmp_path):
    path = write(tmp_path / "a.tif", np.full((10, 10), 3.0), "EPSG:4545", Affine(100, 0, 530_000, 0, -100, 3_880_000))
    whole = cluster_population(path)
    assert whole["population"].sum() == pytest.approx(300)
    west, south, east, north = (108.328, 35.04, 108.3335, 35.06)
    half = cluster_population(path, shapely.box(west, south, east, north), people_per_point=1)
    assert 0 < half["population"].sum() < 300
    assert half.geometry.x.max() <= east


def said(path, *args, **options):
    with pytest.raises(DataError) as caught:
        cluster_population(path, *args, **options)
    return str(caught.value).replace(str(path), path.name)


def test_rasters_that_cannot_serve(tmp_path, raster):
    path, _ = raster
    fix = "Give a raster of people per cell that covers the area."
    assert said(path, shapely.box(0, 0, 1, 1)) == f"a.tif: nobody lives inside the boundary. {fix}"
    assert said(write(tmp_path / "b.tif", np.zeros((2, 2)))) == f"b.tif: nobody lives in the raster. {fix}"
    assert said(write(tmp_path / "c.tif", np.ones((2, 2)), crs=None)) == (
        "c.tif: the raster says no coordinate system. Save it with its CRS."
    )
    assert (
        said(path, max_cells=10)
        == "a.tif: 4800 cells are more than 10. Clip the raster to the area, or give its towns."
    )
    assert said(tmp_path / "no.tif") == "no.tif: there is no such file. Give a GeoTIFF of people per cell."
    (tmp_path / "d.tif").write_text("x")
    assert said(tmp_path / "d.tif").startswith("d.tif: not a raster that can be read")


def test_the_comoros():
    if not RASTER.exists():
        pytest.skip("../shared/cases/comoros_south is not here")
    points = cluster_population(RASTER)
    assert points["population"].sum() == pytest.approx(420_170, abs=1)
    assert 700 <= len(points) <= 900
