"""Whatever the product says of an area or a plan, it says in both languages."""

import ast
import dataclasses
import re
import string
import tomllib
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import planner as pl
from planner.hearing import hearing_pack
from planner.hearing.pages import page
from planner.plan import alternatives, frontier
from planner.privacy import said_of_public
from planner.scenario import parse_scenario
from planner.wording import ROOMS, Label, plain, remark_of
from tests.tiny import SCENARIO

HOME = Path(__file__).parents[1] / "planner"
WORDS = re.compile(r"[A-Za-z']{2,}(?: [A-Za-z']{2,}){2,}")
"""Three English words in a row."""
HAN = re.compile("[\u4e00-\u9fff]")
ALIKE = ("fate", "stage", "places", "then", "stop")
"""Phrases that are words in English alone."""


def rows():
    for room in ROOMS:
        for section, of in tomllib.loads((HOME / room / "sentences.toml").read_text("utf-8")).items():
            yield from ((room, section, key, row) for key, row in of.items())


ROWS = [*rows()]


def holes(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_no_two_rooms_have_a_sentence_of_one_name():
    keys = [(section, key) for _, section, key, _ in ROWS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("section", "key", "row"), [row[1:] for row in ROWS], ids=[f"{r[0]}-{r[2]}" for r in ROWS])
def test_every_sentence_says_the_same_in_both_languages(section, key, row):
    assert row["en"]
    assert row["zh"]
    assert holes(row["en"]) == holes(row["zh"])
    assert section != "sentences" or row["zh"] != row["en"]
    assert not WORDS.search(row["zh"])
    has_words = re.search("[A-Za-z]", re.sub(r"\{.*?\}", "", row["en"]))
    assert HAN.search(row["zh"]) or not has_words or key in ALIKE


# --- the code


def bare(node):
    """Text written in the code, but for what is inside a call (a sentence's key)."""
    if isinstance(node, ast.Call):
        return False
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return True
    return any(bare(child) for child in ast.iter_child_nodes(node))


def remarks(tree):
    """What is given as a note or an assumption."""
    lists = ("said", "known", "assumptions", "notes")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (k.value for k in node.keywords if k.arg in ("notes", "assumptions", "doubts"))
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "extend"):
                of = node.func.value
                name = of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")
                yield from node.args if name in lists else ()
        if isinstance(node, ast.AugAssign) and getattr(node.target, "id", "") in lists:
            yield node.value


@pytest.mark.parametrize("room", ["area", "intake", "travel", "plan", "public.py", "privacy.py", "robust.py"])
def test_no_note_is_written_in_one_language(room):
    files = [*(HOME / room).glob("*.py")] or [HOME / room]
    found = [(file, value) for file in files for value in remarks(ast.parse(file.read_text("utf-8")))]
    assert [f"{file.name}:{value.lineno}" for file, value in found if bare(value)] == []


def test_text_in_the_code_would_be_found():
    tree = ast.parse('found.append("a")\nknown += (f"b",)\nPlan(notes=(*notes(q), "c"))\nsaid.append(remark("key"))')
    assert [bare(value) for value in remarks(tree)].count(True) == 2
    assert bare(next(iter(remarks(ast.parse('known += ("b",)')))))


# --- what is said


def every_note(tiny):
    """Plans of every kind, with everything a plan can have to say."""
    lost = dataclasses.replace(tiny.area, schools=tiny.area.schools.assign(seats_primary=np.nan))
    plans = [pl.optimise(lost, tiny.times, tiny.scenario)]
    two = parse_scenario(SCENARIO + '[objective]\nminimise = "schools_open"\nthen = ["annual_cost_cny"]\n')
    plans.append(pl.optimise(tiny.area, tiny.times, two))
    plans += [p.plan for p in frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open")).points]
    plans += alternatives(tiny.area, tiny.times, tiny.scenario).plans
    return [note for plan in plans for note in plan.notes]


def test_every_note_of_a_plan_is_in_both_languages(tiny):
    found = every_note(tiny)
    assert len({str(note) for note in found}) >= 4
    for note in found:
        assert isinstance(note, Label)
        assert re.search("[一-鿿]", note.zh)
        assert not WORDS.search(note.zh)


def test_a_remark_comes_back_from_a_file():
    for said in (said_of_public(), "In my own words."):
        assert remark_of(plain(said)) == said


def test_a_chinese_page_has_no_english_sentence(tiny):
    """Names are the user's own: here they are Chinese."""
    name = {"schools": "某某小学", "demand": "某村", "towns": "某镇"}
    tables = {what: getattr(tiny.area, what).assign(name=said) for what, said in name.items()}
    assumed = (remark_of({"en": "Roads are taken as level here.", "zh": "道路按平坦计算。"}),)
    area = dataclasses.replace(tiny.area, **tables, title="某县", assumptions=assumed, attribution=())
    scenario = tiny.scenario.model_copy(update={"title": "某方案"})
    plan = pl.optimise(area, tiny.times, scenario)
    pack = hearing_pack(dataclasses.replace(plan, notes=(*plan.notes, *every_note(tiny))), seconds=0.2)
    shown = re.sub(r"<style>.*?</style>", "", page(pack.plan, "zh", pack.sheets), flags=re.S)
    text = unescape(re.sub("<[^>]*>", "\n", shown))
    assert "道路按平坦计算。" in text
    assert WORDS.findall(text) == []
    assert "Roads are taken as level here." in unescape(page(pack.plan, "en", pack.sheets))
