"""Real extracts and lists, whole way: new, check, run, verify (skipped by name where the files are absent)."""

from pathlib import Path

import numpy as np
import pytest
import shapely

import planner as pl
from planner.errors import DataError
from planner.sources.files import read_table

CASES = Path(__file__).parents[2] / "shared" / "cases"
OSM = {
    "liechtenstein": "liechtenstein/liechtenstein-2021-10-28.osm.pbf",
    "liechtenstein-2013": "liechtenstein/liechtenstein-2013-08-03.osm.bz2",
    "andorra": "andorra/andorra-2025-01-19.osm.pbf",
    "comoros_south": "comoros_south/nzwani.osm.pbf",
    "coxsbazar": "coxsbazar/bangladesh_osm_clip1_2020-02-11.osm.pbf",
    "huaihe": "huaihe/bengbu_bbox.osm.pbf",
}
TOWNS = {"liechtenstein": 11, "liechtenstein-2013": 11, "andorra": 7, "comoros_south": 1, "coxsbazar": 1, "huaihe": 7}


def case(name):
    file = CASES / OSM[name]
    if not file.exists():
        pytest.skip(f"shared/cases/{OSM[name]} is not here")
    return file


def official_list(folder):
    """Cox's Bazar's list as a user mends it: ids by row (116 stand as 0), everything primary; no row is dropped."""
    raw = read_table(CASES / "coxsbazar/education_cxb/education_cxb_lged.shp")
    import geopandas as gpd

    places = gpd.GeoSeries(raw.geometry, crs=raw.crs).to_crs("EPSG:4326")
    table = raw.frame[["SCH_NAME"]].rename(columns={"SCH_NAME": "name"})
    table.insert(0, "school_id", [f"L{row:04d}" for row in raw.rows])
    table = table.assign(kind="village_primary", lon=places.x.to_numpy(), lat=places.y.to_numpy())
    near_roads = table["lat"].between(21.0, 22.0)
    table[near_roads].to_csv(folder / "schools.csv", index=False)
    return folder / "schools.csv", int(near_roads.sum())


@pytest.mark.parametrize("name", OSM)
def test_the_whole_way(name, tmp_path):
    more = {"osm": case(name)}
    if name == "comoros_south":
        more["population"] = CASES / "comoros_south/worldpop_2020_UNadj_clip.tif"
    if name == "coxsbazar":
        more["schools"], listed = official_list(tmp_path)
    pl.new_area(tmp_path / name, **more)
    report = pl.check_area(tmp_path / name)
    assert report.faults == ()
    area = report.area
    assert len(area.towns) == TOWNS[name]
    assert any("1.1 %" in sentence for sentence in map(str, area.assumptions))
    if name == "coxsbazar":
        assert len(area.schools) == listed
    scenario = pl.read_scenario(tmp_path / name / "scenarios" / "default.toml")
    times = pl.travel_times(area, scenario.travel)
    plan = pl.optimise(area, times, scenario)
    assert plan.status == "optimal"
    assert plan.assignment["pupils"].sum() == area.pupils.to_numpy().sum()
    lost = plan.assignment[plan.assignment["reason"] != ""]
    assert lost["minutes"].isna().all()
    found = pl.verify(plan.save(tmp_path / "out"))
    assert found.passed, str(found)


def test_a_broken_network_names_its_islands(tmp_path):
    schools, _ = official_list(tmp_path) if case("coxsbazar") else (None, 0)
    area = pl.new_area(tmp_path / "cxb", osm=case("coxsbazar"), schools=schools)
    times = pl.travel_times(area, pl.parse_scenario('title = "a"').travel)
    assert len(times.off_network) > 10
    assert all(len(why) > 20 for why in times.off_network.values())
    lost = [place for place in times.off_network if place in area.schools.index]
    assert np.isnan(times.data["minutes"].sel(school=lost)).all()


def test_the_official_list_as_it_is_gives_every_fault_and_no_traceback(tmp_path):
    osm, raw = case("coxsbazar"), CASES / "coxsbazar/education_cxb/education_cxb_lged.shp"
    with pytest.raises(DataError) as caught:
        pl.new_area(tmp_path / "cxb", osm=osm, schools=raw)
    said = str(caught.value)
    assert "column kind is missing" in said
    assert "0 stands 116 times" in said
    assert not (tmp_path / "cxb").exists()


def test_towns_of_liechtenstein_are_its_municipalities(tmp_path):
    area = pl.new_area(tmp_path / "li", osm=case("liechtenstein"))
    assert set(area.towns["name"]) == {
        *("Balzers", "Eschen", "Gamprin", "Mauren", "Planken", "Ruggell"),
        *("Schaan", "Schellenberg", "Triesen", "Triesenberg", "Vaduz"),
    }
    assert area.towns.area.sum() / 1e6 == pytest.approx(160, abs=2)
    assert shapely.union_all(area.towns.geometry).buffer(3000).covers(area.demand.geometry).all()
