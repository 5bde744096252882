"""The scenario in words, and the norms in force with their documents."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planner.model import StudyArea
from planner.scenario import Range, Scenario, read_preset
from planner.wording import Amount, Either, Label, Listed, Phrase, Sentence, Word


@dataclass(frozen=True)
class Norm:
    """A published limit.

    Parameters
    ----------
    text : what the document says
    source : the document and its number
    value : what holds in this scenario, with its unit, None where the row is for reading only
    own : the scenario sets another value than the document
    on_hearings : it says when a school may not close against objections
    """

    text: Label
    source: Label
    value: Listed | Phrase | None
    own: bool
    on_hearings: bool


def norms(scenario: Scenario) -> list[Norm]:
    r"""The preset's rows, with what holds in this scenario.

    >>> from planner.scenario import parse_scenario
    >>> from planner.wording import spoken
    >>> first = norms(parse_scenario('title = "A"\nnorms = "cn-rural-2018"'))[0]
    >>> first.source.zh, spoken(first.value, "zh"), first.own
    ('国办发〔2018〕27号', '100人', False)
    """
    asked: Mapping[str, Any] = scenario.model_dump(mode="json")
    found = []
    for row in read_preset(scenario.norms)["norm"]:
        value, own = None, False
        if "key" in row:
            held: Any = asked
            for part in row["key"].split("."):
                held = held.get(part) if isinstance(held, Mapping) else None
            own = held != row["value"]
            value = _held(held, row["unit"])
        source = Label(row["source"], row.get("source_zh", row["source"]))
        found.append(Norm(Label(row["text"], row["text_zh"]), source, value, own, row["value"] == "hearing"))
    return found


def _held(held: Any, unit: str) -> Listed | Phrase:
    """A value of the scenario, as it is read out: ways of travel, or a number and its unit; None is no limit."""
    if isinstance(held, list):
        return Listed(tuple(Word(f"mode.{mode}") for mode in held))
    if held is None:
        return Phrase("hearing.none")
    return Phrase("hearing.value", {"n": f"{held:,g}", "unit": Word(f"unit.{unit}")})


def rules(scenario: Scenario, area: StudyArea) -> Iterator[Sentence]:
    """What the scenario asks for, a sentence each."""
    goal, asked = scenario.objective, scenario.rules
    yield Sentence("hearing.goal", {"objective": Phrase(goal.minimise)})
    if goal.then:
        yield Sentence("hearing.goal.then", {"objectives": Listed(tuple(Phrase(key) for key in goal.then))})
    if goal.over:
        names = Listed(tuple(future.name for future in scenario.futures), 6)
        yield Sentence(f"hearing.goal.{goal.over}", {"futures": names})
    for rule in asked.per_town:
        about = {"kinds": Either(tuple(Word(f"kind.{k}") for k in rule.kinds)), "stage": Word(f"stage.{rule.stage}")}
        yield Sentence("hearing.per_town", about | {"span": _span(rule.open)})
        for town, span in rule.except_towns.items():
            name = str(area.towns.at[town, "name"]) if town in area.towns.index else town
            yield Sentence("hearing.per_town.except", {"town": name, "span": _span(span)})
    if math.isfinite(asked.may_close_below_pupils):
        yield Sentence("hearing.below", {"pupils": Amount(asked.may_close_below_pupils, "pupils")})
    if asked.may_merge_kinds:
        yield Sentence("hearing.merge", {"kinds": Either(tuple(Word(f"kind.{k}") for k in asked.may_merge_kinds))})
    for key in ("keep", "close"):
        if ids := getattr(asked, key):
            yield Sentence(f"hearing.{key}", {"schools": Listed(tuple(_named(area, s) for s in ids), 12)})
    if asked.min_pupils_per_school > 0:
        yield Sentence("hearing.least", {"pupils": Amount(asked.min_pupils_per_school, "pupils")})
    for school, into in asked.merge_into.items():
        receiving = Either(tuple(_named(area, s) for s in into))
        yield Sentence("hearing.merge_into", {"school": _named(area, school), "into": receiving})
    yield from _seats(scenario)
    yield Sentence(f"hearing.unit.{scenario.assignment.unit}")
    yield Sentence(f"hearing.beyond.{scenario.assignment.beyond_norm}")
    for key in ("closest", "contiguous"):
        if getattr(scenario.assignment, key):
            yield Sentence(f"hearing.{key}")
    for key in ("max_annual_cny", "max_capital_cny"):
        if math.isfinite(most := getattr(scenario.costs, key)):
            yield Sentence(f"hearing.{key}", {"most": Amount(most, "capital_cost_cny")})
    yield from _travel(scenario)


def _seats(scenario: Scenario) -> Iterator[Sentence]:
    capacity = scenario.capacity
    if capacity.expansion:
        yield Sentence("hearing.expansion", {"step": f"{capacity.seat_step:,}"})
        if capacity.cost_per_seat_cny is not None:
            yield Sentence("hearing.seat_price", {"price": Amount(capacity.cost_per_seat_cny, "capital_cost_cny")})
    else:
        yield Sentence("hearing.no_expansion")


def _travel(scenario: Scenario) -> Iterator[Sentence]:
    travel = scenario.travel
    yield Sentence("hearing.modes", {"modes": Either(tuple(Word(f"mode.{mode}") for mode in travel.modes))})
    for band, modes in travel.modes_by_band.items():
        values = {"band": Word(f"band.{band}"), "modes": Either(tuple(Word(f"mode.{mode}") for mode in modes))}
        yield Sentence("hearing.modes.band", values)
    if math.isfinite(travel.walk_max_minutes):
        yield Sentence("hearing.walk", {"most": Amount(travel.walk_max_minutes, "minutes", 1)})
    if travel.winter:
        yield Sentence("hearing.winter")
    if travel.closed_edges or travel.closed_areas:
        yield Sentence("hearing.closed")


def _named(area: StudyArea, school: str) -> str:
    return f"{school} {area.schools.at[school, 'name']}" if school in area.schools.index else school


def _span(span: Range) -> Phrase | Amount:
    if span.max is None:
        return Phrase("span.from", {"min": Amount(span.min, "schools_open")})
    most = Amount(span.max, "schools_open")
    return most if span.min == span.max else Phrase("span", {"min": span.min, "max": most})
