"""The paper for the hearing: its figures are the plan's, its text is text, and no sheet is missing."""

import dataclasses
import json
import re
import tomllib
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner.area import read_area, write_area
from planner.cli import app
from planner.errors import DataError
from planner.hearing import browser, hearing_pack, print_pdf, save_pack
from planner.hearing.facts import ending, seats, trips
from planner.hearing.pages import page
from planner.hearing.sheets import file_name
from planner.hearing.sketch import SIZES, Frame, scale_m
from planner.hearing.terms import norms, rules
from planner.indicators import moves
from planner.plan import optimise, score
from planner.privacy import BASE
from planner.public import public
from planner.scenario import parse_scenario, preset_names
from planner.travel import travel_times
from planner.wording import spoken
from tests import tiny as tiny_module
from tests.command import planner
from tests.pages import counts_in

ROOT = Path(__file__).parents[1]
HOSTILE = "<img src=x onerror=alert(1)>\"'{{ 7*7 }}{% raw %}</svg><script>alert(1)</script>"
SHEETS = ["county.html", "towns/01-A.html", "towns/02-B.html", "schools/01-S2.html"]


def sheet_text(pack, kind="school"):
    """What a sheet says, its marks taken off."""
    (sheet,) = [sheet for sheet in pack.sheets if sheet.kind == kind][:1]
    body = page(pack.plan, pack.language, [sheet]).split("<body>")[1]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_the_figures_of_a_sheet_are_those_of_the_tables(tiny):
    said = sheet_text(hearing_pack(tiny.plan, language="en", quick=True))
    # 20 pupils of S2: V2's ten walk 20 minutes more, V3's ten as far as before.
    assert "Two primary 10 0.0 0.0 on foot S1 中心小学" in said
    assert "20.0 1.5 on foot 三村 primary 10 20.0 1.5 on foot S3 九年制学校 20.0 1.5 on foot" in said
    assert "Pupils today: 20; seats: 30." in said
    assert "takes 10.0 minutes on average now and 20.0 in the plan, one way; 20.0 at the longest" in said
    assert re.search(r"S3 九年制学校 primary 10 50 20 50 30 20", said)  # seats and pupils before, after, free
    assert "With it kept, no plan keeps every rule: this is proven." in said


def test_everybody_who_moves_is_on_a_sheet(tiny):
    table = trips(tiny.plan)
    assert table["pupils"].sum() == moves(tiny.plan)["pupils"].sum() == 20
    assert seats(tiny.plan, table)["coming"].sum() == 20


def test_a_towns_sheet_says_why_its_schools_close_how_everybody_goes_and_by_which_norms(tiny):
    scenario = parse_scenario(tiny_module.SCENARIO.replace("unlimited", "cn-rural-2018"), "t.toml")
    plan = dataclasses.replace(tiny.plan, scenario=scenario)
    pack = hearing_pack(plan, language="en", quick=True, towns=["A", "B"])
    town_a, town_b = (
        unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(plan, "en", [sheet]).split("<body>")[1])))
        for sheet in pack.sheets[1:]
    )
    assert "Rule: in 甲镇 none may be open with a primary stage" in town_a  # also where no school's sheet is asked for
    assert (
        "01 Village `${x}` </script> · closing · pupils to move: 20 · With it kept, no plan keeps every rule" in town_a
    )
    assert "10 pupils, 0.0→20.0 min" in town_a
    assert "In a row: village, grades, pupils, minutes now → in the plan, km, way." in town_a  # columns repeat no heads
    assert "Two primary 10 0.0 →20.0 1.5 on foot" in town_a
    assert "国办发〔2018〕27号 · Value here: 30 min" in town_a
    assert "三村 primary 10 20.0 →20.0 1.5 on foot" in town_b
    assert "Why schools close" not in town_b
    assert "No school closes. Pupils who live here and change school: 10; who do not: 26." in town_b


def test_seats_of_schools_in_other_towns_stand_on_a_towns_sheet(tiny):
    """S3 lies in town B: pupils of V2 in town A who go there find its seats on A's sheet."""
    rows = tiny.plan.assignment
    away = rows.assign(school_id=rows["school_id"].where(rows["demand_id"] != "V2", "S3"))
    pack = hearing_pack(dataclasses.replace(tiny.plan, assignment=away), quick=True, towns=["A"])
    (sheet,) = [sheet for sheet in pack.sheets if sheet.kind == "town"]
    found = [row for row in sheet.about["schools"] if row["town"]]
    assert [(row["id"], row["town"], row["seats_after"]) for row in found] == [("S3", "Town B", 50)]


def test_every_village_that_moves_is_in_a_row_however_many_there_are(tiny):
    """None is summed up with others: it may be the one whose parents come."""
    sheets = hearing_pack(tiny.plan, quick=True).sheets
    of_towns = [flow for sheet in sheets if sheet.kind == "town" for flow in sheet.about["flows"]]
    assert sorted(row["demand_id"] for flow in of_towns for row in flow["trips"]) == ["V2", "V3"]
    html = page(tiny.plan, "zh", sheets)
    assert html.count('<div class="running">') == len(sheets)  # every printed page says whose it is
    assert html.count("<footer>Tiny</footer>") == len(sheets)  # and every sheet whose data it shows


def test_in_full_a_sheet_says_what_would_keep_the_school(tiny):
    said = []
    pack = hearing_pack(tiny.plan, language="en", seconds=60, tell=said.append)
    assert said == ["1 of 1: S2"]
    text = sheet_text(pack)
    assert "Rule: in 甲镇 none may be open with a primary stage" in text
    assert "not even with 60 pupils in the villages it is nearest to" in text
    assert "{" not in text.replace("${x}", "")
    assert "撤并关闭" in sheet_text(hearing_pack(tiny.plan, quick=True))


def test_the_county_sheet_lists_every_school_that_ends_and_headers_show_the_bound(tiny):
    """Whichever sheets are asked for, the headline and the list agree."""
    whole, town = (hearing_pack(tiny.plan, language="en", quick=True, towns=some) for some in ((), ["B"]))
    listed = [[row["name"] for row in pack.sheets[0].about["ends"]] for pack in (whole, town)]
    assert listed[0] == listed[1] == [tiny.area.schools.at["S2", "name"]]
    assert "gap 0.00%. In all 440 pupil minutes: the least of any plan." in sheet_text(whole)
    html = page(tiny.plan, "en", town.sheets)
    assert 'href="#towns/02-B.html"' in html
    assert 'href="#schools/' not in html  # its sheet is not in this pack
    short = dataclasses.replace(tiny.plan, status="feasible", bound=400.0, gap=0.1)
    assert "no plan has less than 400 pupil minutes." in sheet_text(hearing_pack(short, language="en", quick=True))


def test_no_sheet_is_missing_and_only_those_asked_for_are_there(tiny):
    assert [sheet.file for sheet in hearing_pack(tiny.plan, quick=True).sheets] == SHEETS
    one = hearing_pack(tiny.plan, quick=True, schools=["S2"]).sheets
    assert [sheet.file for sheet in one] == ["county.html", "schools/01-S2.html"]
    with pytest.raises(DataError) as caught:
        hearing_pack(tiny.plan, schools=["S9", "S1"], towns=["Z"])
    for words in ("there is no town 'Z'", "there is no school 'S9'", "'S1' ends no stage in this plan"):
        assert words in str(caught.value)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_hostile_names_stay_text(tiny, language):
    names = {"schools": tiny.area.schools.assign(name=HOSTILE), "demand": tiny.area.demand.assign(name=HOSTILE)}
    towns = tiny.area.towns.assign(name=HOSTILE)
    area = dataclasses.replace(tiny.area, **names, towns=towns, title=HOSTILE, attribution=(HOSTILE,))
    today = dataclasses.replace(tiny.today, area=area)
    plan = dataclasses.replace(tiny.plan, area=area, today=today, title=HOSTILE, notes=(HOSTILE,))
    pack = hearing_pack(plan, language=language, quick=True)
    html = page(plan, language, pack.sheets)
    assert "<script" not in html
    assert "<img" not in html
    assert "{{ 7*7 }}" in html  # never a template
    assert html.count("</svg>") == html.count("<svg")
    assert "default-src 'none'" in unescape(html)
    assert not re.search(r"(https?:)?//[a-z]", html)


def test_ids_make_no_paths():
    assert file_name("schools", "01", "../../S2<") == "schools/01-S2.html"
    assert file_name("schools", "02", "村小") == "schools/02.html"


def test_a_pack_is_written_whole_or_not_at_all(tiny, tmp_path, monkeypatch):
    pack = hearing_pack(tiny.plan, quick=True)
    folder = save_pack(pack, tmp_path / "pack")
    written = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*"))
    assert written == sorted([*SHEETS, "hearing.html", "hearing.json"])
    assert [s["file"] for s in json.loads((folder / "hearing.json").read_text("utf-8"))["sheets"]] == SHEETS
    save_pack(pack, folder)  # an older pack is replaced
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x")
    with pytest.raises(DataError, match="is no hearing folder"):
        save_pack(pack, tmp_path / "mine")
    monkeypatch.setattr("planner.hearing.pack.print_pdf", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_pack(pack, tmp_path / "new", program="x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "pack"]


def test_every_word_that_a_page_asks_for_is_there():
    table = tomllib.loads((ROOT / "planner" / "hearing" / "sentences.toml").read_text("utf-8"))
    asked = "".join(p.read_text("utf-8") for p in (ROOT / "planner" / "hearing").glob("*.html"))
    for key in re.findall(r'say\("([\w.]+)"[,)]', asked):
        assert f"hearing.{key}" in table["phrases"], key


def test_a_plan_for_futures_says_what_cannot_be_said(tiny):
    over = tiny_module.SCENARIO + '[objective]\nover = "worst"\n[[futures]]\nname = "fewer"\npupils = 0.5\n'
    plan = dataclasses.replace(tiny.plan, scenario=parse_scenario(over, "t.toml"))
    said = sheet_text(hearing_pack(plan, language="en"))
    assert "cannot be proven" in said
    assert "Two primary 10" in said  # the facts stand all the same


def test_a_plan_that_was_scored_has_its_sheets(tiny):
    proposed = tiny.plan.actions[["school_id", "stage", "action"]]
    plan = score(tiny.area, tiny.times, tiny.scenario, proposed)
    said = sheet_text(hearing_pack(plan, language="en", quick=True), "county")
    assert "Not proven" in said


def test_a_plan_that_closes_nothing_has_town_sheets_alone(tiny):
    scenario = parse_scenario(tiny_module.SCENARIO.replace("max = 0", "max = 1"), "t.toml")
    plan = optimise(tiny.area, tiny.times, scenario)
    assert ending(plan) == []
    kinds = [sheet.kind for sheet in hearing_pack(plan).sheets]
    assert kinds == ["county", "town", "town"]
    assert page(plan, "zh", hearing_pack(plan).sheets)


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_preset_and_rule_can_be_read_out(tiny, name, language):
    scenario = parse_scenario(f'title = "A"\nnorms = "{name}"\n[travel]\nwinter = true\n[rules]\nkeep = ["S1"]')
    assert all(sentence.text(language) for sentence in rules(scenario, tiny.area))
    foreign = {"zh": "[a-z]", "en": "[一-鿿]"}[language]
    for norm in norms(scenario):
        assert all(spoken(part, language) for part in (norm.text, norm.source))
        assert norm.value is None or not re.search(foreign, spoken(norm.value, language))


def test_a_scenarios_own_value_is_told_from_the_documents():
    text = 'title = "A"\nnorms = "cn-rural-2018"\n[travel.max_minutes]\nlower_primary = 40'
    (own,) = [norm for norm in norms(parse_scenario(text)) if norm.own]
    assert (spoken(own.value, "zh"), own.source.zh) == ("40分钟", "国办发〔2018〕27号")


def test_the_scale_bar_is_true():
    import numpy as np

    frame = Frame(np.array([[0.0, 0.0], [10_000.0, 0.0]]))
    left, right = frame.at(0, 0), frame.at(scale_m(frame), 0)
    assert 0 < right[0] - left[0] <= SIZES["school"][0] / 4
    assert (right[0] - left[0]) * frame.m_per_unit == pytest.approx(scale_m(frame), rel=0.01)


def test_without_a_browser_the_message_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PLANNER_CHROMIUM", "")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="no Chromium, Chrome or Edge found"):
        browser()
    monkeypatch.setenv("PLANNER_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(DataError, match="cannot be run"):
        browser()


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


@pytest.mark.browser
@pytest.mark.slow
def test_no_sheet_of_xunyi_is_longer_than_two_pages(pages, tmp_path):
    """The county's by the program that prints packs, the others in a browser that is open already: as many pages."""
    import planner as pl

    paper = pages.lend()

    def printed(sheet):
        paper.goto(sheet.as_uri())
        return pages_of(paper.pdf(prefer_css_page_size=True))

    folder = ROOT / "data" / "xunyi"
    scenario, area = pl.read_scenario(folder / "scenarios" / "county-2023.toml"), pl.read_area(folder)
    plan = pl.optimise(area, pl.travel_times(area, scenario.travel), scenario)
    most = max(ending(plan), key=lambda s: (trips(plan)["from_school"] == s).sum())
    pack = hearing_pack(plan, schools=[most, ending(plan)[0]], towns=["610429101", "610429102"], seconds=0.5)
    crowded = ("", "T02")  # the county's; in the town six schools close, and 41 rows of villages move
    for language, sheets in {"zh": pack.sheets, "en": [s for s in pack.sheets if s.number in crowded]}.items():
        written = save_pack(dataclasses.replace(pack, language=language), tmp_path / language)
        for sheet in sheets:
            assert 1 <= printed(written / sheet.file) <= 2, (language, sheet.file)
    county = written / pack.sheets[0].file
    assert pages_of(print_pdf(county, tmp_path / "one.pdf").read_bytes()) == printed(county)
    pages.take_back(paper)


def test_the_command_writes_the_pack_of_a_saved_plan(tmp_path):
    area = read_area(write_area(tiny_module.make_area(), tmp_path / "county"))
    scenario = parse_scenario(tiny_module.SCENARIO, "tiny.toml")
    plan = optimise(area, travel_times(area, scenario.travel), scenario).save(tmp_path / "plan")
    done = planner("report", plan, "--quick", "--lang", "en", "--out", tmp_path / "pack")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"Open {tmp_path / 'pack' / 'hearing.html'}"
    assert all((tmp_path / "pack" / name).is_file() for name in SHEETS)
    with (plan / "actions.csv").open("a") as file:
        file.write("\n")
    done = planner("report", plan, "--quick", "--out", tmp_path / "changed")
    assert done.returncode == 2
    assert "actions.csv has been changed since the plan was written" in done.stderr
    assert not (tmp_path / "changed").exists()


def test_the_command_writes_a_public_pack_of_the_full_plan_alone(tmp_path):
    area = read_area(write_area(tiny_module.make_area(), tmp_path / "county"))
    scenario = parse_scenario(tiny_module.SCENARIO, "tiny.toml")
    plan = optimise(area, travel_times(area, scenario.travel), scenario)
    words = ["report", str(plan.save(tmp_path / "plan")), "--public"]
    assert CliRunner().invoke(app, words).exit_code == 0  # beside the plan, by a name of its own
    assert json.loads((tmp_path / "plan-hearing-public" / "hearing.json").read_text("utf-8"))["public"] is True
    for more in ([], ["--public"]):
        done = CliRunner().invoke(app, ["report", str(public(plan).save(tmp_path / "rounded")), *more])
        assert isinstance(done.exception, DataError)
        assert "planner report makes a public paper of it with --public" in str(done.exception)


def test_what_the_command_cannot_do_ends_with_code_2(tmp_path):
    done = planner("report", tmp_path / "absent")
    assert done.returncode == 2
    assert "it is no complete plan folder" in done.stderr
    done = planner("report", tmp_path, "--lang", "fr")
    assert done.returncode == 2
    assert "neither en nor zh" in done.stderr


# ---------------------------------------------------------------- the public edition


@pytest.fixture(scope="module")
def uneven():
    """A plan of the tiny county with counts of which hardly any is a multiple of five."""
    area = tiny_module.make_area()
    some = {"g1": [11, 6, 7, 13], "g4": [9, 4, 3, 12], "g7": [0, 0, 2, 4]}
    schools = area.schools.assign(
        pupils_primary=[23.0, 18.0, 21.0], seats_primary=[101.0, 32.0, 53.0], seats_junior=[0.0, 0.0, 31.0]
    )
    area = dataclasses.replace(area, pupils=area.pupils.assign(**some), schools=schools)
    scenario = parse_scenario(tiny_module.SCENARIO, "tiny.toml")
    return optimise(area, tiny_module.make_times(), scenario)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_file_of_a_public_pack_tells_a_true_count(uneven, language, tmp_path):
    mark = {"zh": "公开版：人数取整到5", "en": "public edition: counts rounded to 5"}[language]
    full = save_pack(hearing_pack(uneven, language=language, seconds=60), tmp_path / "full")
    pack = save_pack(hearing_pack(uneven, language=language, seconds=60, public=True), tmp_path / "public")
    for name in ("hearing.html", *SHEETS):
        page_of = {folder: (folder / name).read_text("utf-8") for folder in (full, pack)}
        found = {folder: counts_in(text) for folder, text in page_of.items()}
        assert sum(count % BASE != 0 for count in found[full]) > 3, name  # so that what is looked for would be found
        assert len(found[pack]) > 10
        assert [count for count in found[pack] if count % BASE] == [], name
        assert page_of[pack].count(mark) == page_of[pack].count("<article")
        assert mark not in page_of[full]
        assert re.search(r"\d(?: pupil minute|人·分钟)", page_of[full])
        assert not re.search(r"\d(?: pupil minute|人·分钟)", page_of[pack])  # a sum over few pupils tells of them
    said = json.loads((pack / "hearing.json").read_text("utf-8"))
    assert said.pop("public") is True
    assert set(said) == {"plan", "language", "sheets", "scenario_sha256", "area_sha256", "versions"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_public_sheet_says_why_and_what_it_leaves_out(uneven, language):
    said = sheet_text(hearing_pack(uneven, language=language, public=True))
    rule = {"zh": "规则：甲镇不得开办", "en": "Rule: in 甲镇 none may be open with a primary stage"}[language]
    proof = {"zh": "没有任何方案能满足全部规则", "en": "no plan keeps every rule"}[language]
    left = {"zh": "在公开版中从略", "en": "is left out of the public edition"}[language]
    assert all(words in said for words in (rule, proof, left))


def test_a_cost_is_said_without_its_figure(uneven):
    """A village primary may stay in every town: S1 closes for its costs alone, and could be kept at a price."""
    text = tiny_module.SCENARIO.replace("max = 0", "max = 1") + '[objective]\nminimise = "annual_cost_cny"\n'
    plan = optimise(uneven.area, uneven.times, parse_scenario(text, "cheap.toml"))
    assert ending(plan) == ["S1"]
    full, public = (sheet_text(hearing_pack(plan, language="en", quick=True, public=yes)) for yes in (False, True))
    assert "the best plan would have CNY 600 a year more" in full  # S1's 900 for S2's 300
    assert "the best plan would be worse than this one: this is proven" in public
    assert "CNY 600" not in public


def test_a_public_plan_is_refused_in_words(uneven):
    with pytest.raises(DataError, match=r"why a school ends cannot be proven of it.*--public"):
        hearing_pack(public(uneven))
