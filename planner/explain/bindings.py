"""Which rules hold a school's fate: each is read off the question and the plan, without solving anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.explain.fates import ENDING, Fate
from planner.plan import Plan, Question
from planner.scenario import Range, Scenario, TownRule
from planner.wording import Amount, Either, Listed, Sentence, Word


@dataclass(frozen=True)
class Binding:
    """A rule that stands in the way of the other fate.

    Parameters
    ----------
    rule : ``keep``, ``close``, ``too_large``, ``captive``, ``town_min``, ``town_max``
    sentence : what it says
    town, town_rule : of ``town_min`` and ``town_max``: the town's id and the row of ``rules.per_town``
    """

    rule: str
    sentence: Sentence
    town: str = ""
    town_rule: int = -1


def bindings(plan: Plan, question: Question, fate: Fate) -> list[Binding]:
    """Rules that forbid the other fate, or that the plan keeps to the last school.

    >>> from planner.explain.fates import fate_of
    >>> [b.rule for b in bindings(tiny.plan, tiny.question, fate_of(tiny.plan, tiny.question, "S2"))]
    ['town_max']
    """
    found = _against_closing(question, fate) if fate.stays else _against_keeping(question, fate)
    return [*found, *_towns(plan, question, fate)]


def _against_keeping(question: Question, fate: Fate) -> Iterator[Binding]:
    if fate.school_id in question.scenario.rules.close:
        yield Binding("close", Sentence("rule.close"))


def _against_closing(question: Question, fate: Fate) -> Iterator[Binding]:
    rules, sites = question.scenario.rules, question.sites
    own = list(fate.planned[0])
    if fate.school_id in rules.keep:
        yield Binding("keep", Sentence("rule.keep"))
    elif not question.may_end[own].all():
        values = {
            "pupils": Amount(float(question.enrolled[own].sum()), "pupils"),
            "limit": Amount(rules.may_close_below_pupils, "pupils"),
            "kind": Word(f"kind.{sites['kind'].iloc[own[0]]}"),
        }
        yield Binding("too_large", Sentence("rule.too_large", values))
    captive = only_here(question, own)
    if captive.any():
        rows = question.rows[captive]
        villages = list(dict.fromkeys(rows["demand_id"]))
        values = {
            "pupils": Amount(int(rows["pupils"].sum()), "pupils"),
            "villages": Listed(tuple(str(question.area.demand.at[v, "name"]) for v in villages), 3),
        }
        yield Binding("captive", Sentence("rule.captive", values))


def only_here(question: Question, sites: list[int]) -> np.ndarray:
    """(n_row,) may go to these sites and to no other that could be open: none that must close, or of which none may."""
    places = question.sites
    shut = places["school_id"].isin(question.scenario.rules.close).to_numpy(copy=True)
    for rule in question.scenario.rules.per_town:
        none = [t for t in question.area.towns.index if rule.except_towns.get(str(t), rule.open).max == 0]
        of_kind = places["kind"].isin(rule.kinds) & (places["stage"] == rule.stage)
        shut |= (of_kind & places["town_id"].isin(none)).to_numpy()
    elsewhere = ~shut
    elsewhere[sites] = False
    allowed = question.allowed
    here = allowed[:, sites].any(axis=1)
    return np.asarray(here & ~allowed[:, elsewhere].any(axis=1))


def _towns(plan: Plan, question: Question, fate: Fate) -> Iterator[Binding]:
    sites, schools = question.sites, question.area.schools
    ended = plan.actions["action"].isin(ENDING)
    goes_on = set(zip(plan.actions["school_id"][~ended], plan.actions["stage"][~ended], strict=True))
    is_open = np.array([pair in goes_on for pair in zip(sites["school_id"], sites["stage"], strict=True)], dtype=bool)
    mine = np.zeros(len(sites), dtype=bool)
    mine[list(fate.other[1] if fate.stays else fate.planned[1])] = True  # the sites whose fate is asked about
    for number, rule in enumerate(question.scenario.rules.per_town):
        members = (sites["kind"].isin(rule.kinds) & (sites["stage"] == rule.stage)).to_numpy()
        for town in dict.fromkeys(sites["town_id"][members & mine]):
            span = rule.except_towns.get(str(town), rule.open)
            here = members & (sites["town_id"] == town).to_numpy()
            count = int((here & is_open).sum())
            limit = span.min if fate.stays else span.max
            if limit is None or (count > limit if fate.stays else count < limit):
                continue
            others = [f"{s} {schools.at[s, 'name']}" for s in sites["school_id"][here & is_open & ~mine]]
            values: dict[str, Any] = {
                "n": limit,
                "kinds": Either(tuple(Word(f"kind.{kind}") for kind in rule.kinds)),
                "stage": Word(f"stage.{rule.stage}"),
                "town": town_name(question, str(town)),
                "others": Listed(tuple(others)),
            }
            name = "town_min" if fate.stays else "town_max"
            alone = "" if others else ".none" if limit == 0 else ".alone"
            yield Binding(name, Sentence(f"rule.{name}{alone}", values), str(town), number)


def town_name(question: Question, town: str) -> str:
    """The town's name; its id where it has none."""
    towns = question.area.towns
    return str(towns.at[town, "name"]) if town in towns.index else town


def eased(scenario: Scenario, held: Sequence[Binding]) -> Scenario:
    """The scenario with one school more (or fewer) allowed by each of the towns' rules among ``held``."""
    for binding in held:
        if binding.town_rule >= 0:
            scenario = _eased(scenario, binding)
    return scenario


def _eased(scenario: Scenario, binding: Binding) -> Scenario:
    """One rule eased, by an exception for the town."""
    rules = scenario.rules
    rule = rules.per_town[binding.town_rule]
    span = rule.except_towns.get(binding.town, rule.open)
    if binding.rule == "town_max":
        more = Range(min=span.min, max=(span.max or 0) + 1)
    else:
        more = Range(min=span.min - 1, max=span.max)
    excepted = {**rule.except_towns, binding.town: more}
    changed: TownRule = rule.model_copy(update={"except_towns": excepted})
    per_town = tuple(changed if k == binding.town_rule else r for k, r in enumerate(rules.per_town))
    return scenario.model_copy(update={"rules": rules.model_copy(update={"per_town": per_town})})
