"""The manifest: what a folder's files hash to, what they were made from; verify holds the folder to it."""

import hashlib
import json
import shutil

import pytest

from planner import report
from planner.area import read_area
from planner.draw import draw
from planner.errors import DataError
from planner.plan import current_plan
from planner.scenario import read_scenario
from planner.travel import travel_times
from planner.verify.checks import files
from planner.verify.folder import read_folder


@pytest.fixture(scope="module")
def area():
    return read_area("data/xunyi")


@pytest.fixture(scope="module")
def saved(area, tmp_path_factory):
    scenario = read_scenario("data/xunyi/scenarios/county-2023.toml")
    plan = current_plan(area, travel_times(area, scenario.travel), scenario)
    return report.save(plan, tmp_path_factory.mktemp("manifest") / "plan")


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "plan")


def read(folder):
    return json.loads((folder / "manifest.json").read_text("utf-8"))


@pytest.fixture
def failures(folder, area):
    return lambda: files(read_folder(folder, area)).failures


def test_every_file_but_itself_is_in_it(folder):
    found = read(folder)["files"]
    assert set(found) == {path.name for path in folder.iterdir()} - {"manifest.json"}
    for name, digest in found.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_every_input_is_in_it(folder, area):
    said = read(folder)["inputs"]["area"]
    assert set(said["files"]) == {"area.toml", "schools.csv", "demand.csv", "towns.geojson", "roads.parquet"}
    assert said["sha256"] == area.content_hash
    assert read(folder)["inputs"]["scenario"]["sha256"]
    assert {"school-layout-planner", "python", "numpy", "highspy"} <= set(read(folder)["versions"])
    assert read(folder)["command"] == ""  # no command was typed


def test_the_code_is_in_it_as_well_as_its_version(folder, monkeypatch, tmp_path):
    """Two working copies of one version differ; where the code lies does not matter."""
    from planner.report import manifest

    found = read(folder)["code_sha256"]
    copy = shutil.copytree("planner", tmp_path / "planner", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(manifest, "__file__", str(copy / "report" / "manifest.py"))
    assert manifest.code_sha256.__wrapped__() == found
    with (copy / "demand.py").open("a") as file:
        file.write("# changed\n")
    assert manifest.code_sha256.__wrapped__() != found


def test_a_folder_as_it_was_written_holds(failures):
    assert failures() == ()


@pytest.mark.parametrize("name", ["report.xlsx", "plan.gpkg", "moves.csv", "actions.csv", "plan.json"])
def test_a_changed_file_is_told(folder, failures, name):
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    assert failures() == (f"{name} has been changed since the plan was written",)


def test_a_missing_file_is_told_and_another_one_does_not_matter(folder, failures):
    (folder / "report.xlsx").unlink()
    (folder / "notes.txt").write_text("mine", "utf-8")
    assert failures() == ("report.xlsx is missing",)


@pytest.mark.parametrize("text", ["[]", "{", '{"files": 1}'])
def test_a_manifest_that_is_none_is_a_fault(folder, area, text):
    (folder / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"plan folder|manifest\.json"):
        read_folder(folder, area)


def test_two_folders_of_a_plan_differ_in_the_time_alone(tiny, tmp_path):
    one, other = (
        read(report.save(tiny.plan, tmp_path / name / "p", draw(tiny.area, tiny.today, tiny.plan))) for name in "ab"
    )
    assert one | {"written_utc": ""} == other | {"written_utc": ""}
