"""The command line as people use it: exit codes, streams, JSON, messages, speed of the help."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from planner.area import write_area
from planner.commands.console import figure
from planner.errors import DataError, PlannerError
from planner.verify import verify
from tests import tiny as tiny_module
from tests.command import planner, process

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "tiny"
    return write_area(tiny_module.make_area(), folder, scenarios={"plan.toml": tiny_module.SCENARIO})


@pytest.fixture(scope="module")
def plan(county, tmp_path_factory):
    out = tmp_path_factory.mktemp("plans") / "tiny plan 一"
    done = process("run", county / "scenarios" / "plan.toml", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout), done.stderr


def test_run_writes_a_whole_plan_folder_and_one_json_document(plan):
    out, document, stderr = plan
    tables = "actions assignment bands kept moves schools scorecard towns villages"
    others = "manifest.json map.html plan.gpkg plan.json report.xlsx scenario.toml"
    expected = " ".join(sorted([*(f"{name}.csv" for name in tables.split()), *others.split()]))
    assert sorted(p.name for p in out.iterdir()) == expected.split()
    assert document["status"] == "optimal"
    assert document["objective"] == pytest.approx(440, abs=1e-3)  # metres to WGS-84 and back
    assert document["gap"] == 0
    assert document["verification"]["passed"]
    assert "Travel times" in stderr
    assert not [p for p in out.parent.iterdir() if p.name.startswith(".")]


def test_run_for_people_ends_with_the_file_to_open(county, tmp_path):
    done = planner("run", county / "scenarios" / "plan.toml", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip().splitlines()[-1] == f"Open {Path('out') / 'plan' / 'map.html'}"
    assert "平均单程时间" in done.stdout
    assert "gap 0.00%" in done.stdout


def test_an_infeasible_scenario_exits_1_and_writes_nothing(county, tmp_path):
    text = tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 5").replace("max = 0", "max = 1")
    (tmp_path / "far.toml").write_text(text, "utf-8")
    done = process("run", tmp_path / "far.toml", "--area", county, "--out", tmp_path / "out", "--json")
    assert done.returncode == 1
    assert "5 pupils have no open school within 5 minutes" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "absent.toml"], "absent.toml: there is no such file"),
        (["run", "alone.toml"], "it does not lie in the scenarios folder of a study area. Say which area with --area."),
        (["run", "wrong.toml"], "wrong.toml: titel is not a key here. Did you mean title?"),
        (["check", "absent"], "absent"),
        (["verify", "."], "it is no complete plan folder"),
        (["compare", "."], "it holds no scorecard.csv"),
        (["new", "x", "--osm", "absent.osm.pbf"], "absent.osm.pbf: there is no such file"),
        (["score", "{county}", "--actions", "absent.csv"], "absent.csv"),
        (["score", "{county}", "--actions", "wrong.csv"], "wrong.csv row 2, column school_id: there is no school 'S8'"),
        (["links", "."], "it is no complete plan folder"),
        (["links", "absent.toml"], "absent.toml: there is no such file"),
        (["links", "{county}", "--top", "0"], "top"),
        (["frobnicate"], "frobnicate"),
        (["new", "x"], "either --osm FILE or --place NAME"),
    ],
)
def test_bad_input_exits_2_with_a_message(words, said, county, tmp_path):
    (tmp_path / "wrong.toml").write_text('titel = "A"', "utf-8")
    (tmp_path / "alone.toml").write_text('title = "A"', "utf-8")
    (tmp_path / "wrong.csv").write_text("school_id,action\nS8,close\n", "utf-8")
    done = planner(*(w.format(county=county / "scenarios" / "plan.toml") for w in words), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alone.toml", "wrong.csv", "wrong.toml"]


def test_a_process_that_refuses_its_input_ends_without_a_traceback(tmp_path):
    (tmp_path / "wrong.toml").write_text('titel = "A"', "utf-8")
    done = process("run", "wrong.toml", cwd=tmp_path)
    assert done.returncode == 2
    said = "wrong.toml: title is missing. Add it.\nwrong.toml: titel is not a key here. Did you mean title?\n"
    assert done.stderr == said
    assert done.stdout == ""


def test_score_compare_and_verify(plan, county, tmp_path):
    out, _, _ = plan
    proposal = tmp_path / "proposal.csv"
    proposal.write_bytes("school_id,action,into\nS2,merge,S1\n".encode("gbk"))
    done = planner(
        "score", county / "scenarios" / "plan.toml", "--actions", proposal, "--out", tmp_path / "p", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "scored"
    side = planner("compare", out, tmp_path / "p", "--json")
    rows = {row["indicator"]: row for row in json.loads(side.stdout)}
    assert rows["mean_minutes"]["p"] == pytest.approx(440 / 66)
    assert rows["mean_minutes"]["today"] == pytest.approx(240 / 66)
    told = planner("compare", out, tmp_path / "p")
    assert told.returncode == 0
    assert "Mean trip, one way" in told.stdout
    checked = planner("verify", out)
    assert checked.returncode == 0, checked.stdout
    assert "ok   travel times of a sample" in checked.stdout


def test_links_of_a_scenario_and_of_a_plan_folder(county, tmp_path):
    """Doors that reach one road only, and S2 closed: V2's 10 pupils go to S1, V3's 12 to S3."""
    text = tiny_module.SCENARIO.replace('modes = ["walk"]', 'modes = ["walk"]\nmax_access_m = 100')
    (tmp_path / "near.toml").write_text(text, "utf-8")
    assert planner("run", tmp_path / "near.toml", "--area", county, "--out", tmp_path / "near").returncode == 0
    done = planner("links", tmp_path / "near", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["edge"], row["pupils"], row["pupils_lost"]) for row in rows] == [(2, 12, 12), (0, 10, 10)]
    assert rows[0]["extra_minutes_mean"] is None
    assert rows[0]["lon"] == pytest.approx(108.37, abs=0.01)
    told = planner("links", tmp_path / "near.toml", "--area", county, "--top", 1)
    assert told.returncode == 0, told.stderr
    assert "no way 无路" in told.stdout
    assert "unknown" not in told.stdout


def test_verify_finds_what_was_changed(plan, tmp_path):
    out, _, _ = plan
    bad = tmp_path / "bad"
    shutil.copytree(out, bad)
    rows = pd.read_csv(bad / "assignment.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    rows.loc[0, "minutes"] = "1"
    rows.loc[1, "pupils"] = "4"
    rows.to_csv(bad / "assignment.csv", index=False, encoding="utf-8-sig")
    document = json.loads((bad / "plan.json").read_text("utf-8"))
    area = (out / document["area"]["folder"]).resolve()
    done = planner("verify", bad, "--area", area, "--json")
    assert done.returncode == 1
    failed = {c["name"] for c in json.loads(done.stdout)["checks"] if c["failures"]}
    assert {"files are as written", "every pupil is in the plan", "travel times of a sample"} <= failed


def test_check_ranks_the_repairs_of_the_network():
    told = planner("check", ROOT / "data" / "xunyi")
    assert told.returncode == 0, told.stderr
    assert "Repairs of the network 路网修复: 1, 0 of them give pupils a way; all with --json" in told.stdout
    assert "108.623785, 35.318439" in told.stdout
    document = json.loads(planner("check", ROOT / "data" / "xunyi", "--json").stdout)
    (repair,) = document["repairs"]
    assert (repair["kind"], repair["metres"], repair["pupils"]) == ("island", 246.5, 0)
    assert repair["edges"] == [1024, 5]


@pytest.mark.parametrize("name", ["plan.json", "actions.csv", "assignment.csv", "scenario.toml"])
@pytest.mark.parametrize(
    "content", ["", "{}", "[1, 2]", "x,y\n1,2\n", "school_id,stage,action,into,seats\nS1,a,b,c,d\n"]
)
def test_verify_reads_rubbish_without_a_traceback(plan, county, name, content, tmp_path):
    out, _, _ = plan
    bad = tmp_path / "bad"
    shutil.copytree(out, bad)
    (bad / name).write_text(content, "utf-8")
    with pytest.raises(PlannerError):
        verify(bad, area=county)


@pytest.mark.parametrize(
    ("name", "was", "now", "said"),
    [
        ("actions.csv", "S2,", "S9,", "actions.csv row 3, column school_id: there is no school 'S9'"),
        ("actions.csv", ",primary,", ",prima,", "column stage: there is no stage 'prima'"),
        ("assignment.csv", ",junior,", ",college,", "column band: there is no band 'college'"),
        ("assignment.csv", "V1,", "V9,", "column demand_id: there is no demand point 'V9'"),
        ("plan.json", '"gap": 0.0', '"gap": "none"', 'plan.json: gap is "none"'),
        ("plan.json", '"notes"', '"note"', "plan.json: notes is missing"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "explain", "robust", "links"])
def test_a_plan_folder_changed_by_hand_is_refused_in_words(plan, county, command, name, was, now, said, tmp_path):
    out, _, _ = plan
    bad = tmp_path / "bad"
    shutil.copytree(out, bad)
    text = (bad / name).read_text("utf-8")
    assert was in text
    (bad / name).write_text(text.replace(was, now), "utf-8")
    done = planner(command, bad, "--area", county)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_plan_folder_that_was_moved_asks_where_the_area_is(plan, tmp_path):
    out, _, _ = plan
    shutil.copytree(out, tmp_path / "a" / "b" / "moved")
    with pytest.raises(DataError, match="its study area is no longer at"):
        verify(tmp_path / "a" / "b" / "moved")


def test_a_folder_that_is_no_plan_is_not_touched(county, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    done = planner("run", county / "scenarios" / "plan.toml", "--out", tmp_path / "mine")
    assert done.returncode == 2
    assert "it exists and is no plan folder" in done.stderr
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_hostile_names_stay_text(plan):
    out, _, _ = plan
    page = (out / "map.html").read_text("utf-8")
    assert "<img src=x" not in page
    rows = pd.read_csv(out / "actions.csv", encoding="utf-8-sig")
    assert rows["school_name"][0] == "中心小学 <img src=x onerror=alert(1)>"


def test_norms_lists_every_preset_with_its_source():
    done = planner("norms")
    assert "国办发〔2018〕27号" in done.stdout
    assert set(json.loads(planner("norms", "--json").stdout)) == {
        "cn-hebei",
        "cn-rural-2018",
        "cn-shaanxi",
        "england",
        "unlimited",
    }


def test_the_help_loads_nothing_heavy():
    """What keeps `planner --help` quick: no table, map, solver or geometry library is imported for it."""
    code = "import sys, planner, planner.cli; print([m for m in sys.modules if m in HEAVY])".replace(
        "HEAVY", "{'pandas','numpy','geopandas','shapely','folium','highspy','scipy','xarray','pydantic','osmnx'}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == "[]"
    assert process("--help").returncode == 0


def test_figures():
    assert figure(0.12345) == "0.1235"
    assert figure(1e6) == "1,000,000"


def test_isochrones_are_written_whole_in_either_format(county, tmp_path):
    question = county / "scenarios" / "plan.toml"
    done = planner("isochrones", question, "--minutes", "20,10", "--out", tmp_path / "land.geojson", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["isochrones"]
    assert [row["minutes"] for row in rows] == [10, 20]
    assert 0 < rows[0]["km2"] < rows[1]["km2"]
    land = gpd.read_file(tmp_path / "land.geojson")
    assert land.crs.to_epsg() == 4326
    assert land.is_valid.all()
    each = planner("isochrones", question, "--each", "--minutes", "10", "--out", tmp_path / "land.gpkg")
    assert each.returncode == 0, each.stderr
    assert gpd.read_file(tmp_path / "land.gpkg")["school_id"].tolist() == ["S1", "S2", "S3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["land.geojson", "land.gpkg"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--minutes", "5,ten"], "is no list of minutes"),
        (["--minutes", "nan"], "is no list of minutes"),
        (["--mode", "fly"], "'fly'"),
        (["--out", "land.txt"], "Name a .gpkg or .geojson file."),
    ],
)
def test_isochrones_that_cannot_be_made_say_why(words, said, county, tmp_path):
    done = planner("isochrones", county / "scenarios" / "plan.toml", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.glob("**/*.gpkg"))


def test_frontier_writes_plans_to_open(county, tmp_path):
    question = county / "scenarios" / "plan.toml"
    done = planner("frontier", question, "--between", "mean_minutes,schools_open", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == f"Open {Path('out') / 'plan-frontier' / 'frontier.html'}"
    assert "proven 已证明" in done.stdout
    assert verify(tmp_path / "out" / "plan-frontier" / "plans" / "01").passed
    wrong = planner("frontier", question, "--between", "mean_minutes,seats", cwd=tmp_path)
    assert (wrong.returncode, "'seats' is no indicator" in wrong.stderr) == (2, True)
    wrong = planner("frontier", question, "--limits", "3,x", cwd=tmp_path)
    assert (wrong.returncode, "no list of numbers" in wrong.stderr) == (2, True)


def test_alternatives_of_a_plan_folder_in_json(plan, tmp_path):
    done = planner("alternatives", plan[0], "--within", "1000", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["ended"] == "none"
    assert {row["school_id"]: row["fate"] for row in said["schools"]} == {"S1": "always", "S2": "never", "S3": "always"}


def test_robust_tables_a_plan_in_futures(plan, tmp_path):
    files = ("--out", tmp_path / "futures.csv", "--map", tmp_path / "futures.html")
    done = planner("robust", plan[0], "--roads", "1", *files)
    assert done.returncode == 0, done.stderr
    assert "学生增二成" in done.stdout
    table = pd.read_csv(tmp_path / "futures.csv", encoding="utf-8-sig")
    assert table["longest_minutes"].iloc[3] == pytest.approx(25, abs=1e-3)
    assert (tmp_path / "futures.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    wrong = planner("robust", tmp_path)
    assert (wrong.returncode, "no complete plan folder" in wrong.stderr) == (2, True)


def test_explain_one_school_and_all(plan):
    out, _, _ = plan
    done = planner("explain", out, "S2", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("S2 Village `${x}` </script>（甲镇，村小）：撤并关闭。")
    document = json.loads(planner("explain", out, "S1", "--json").stdout)
    assert document["rules"] == ["captive"]
    assert document["other_way"]["possible"] is False
    table = json.loads(planner("explain", out, "--all", "--json").stdout)
    assert [row["proof"] for row in table["schools"]] == ["impossible"] * 3
    assert "rules that bind" in planner("explain", out).stdout


def test_explain_refuses_what_is_not_there(plan, tmp_path):
    out, _, _ = plan
    assert "there is no school 'S9'" in planner("explain", out, "S9").stderr
    for words in (("S9",), ("S1", "--all"), ("S1", "--lang", "fr")):
        assert planner("explain", out, *words).returncode == 2
    nowhere = planner("explain", tmp_path, "S1")
    assert nowhere.returncode == 2
    assert "no complete plan folder" in nowhere.stderr
