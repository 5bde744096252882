"""What an explanation says, part by part, as sentences in no language yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from planner.explain.bindings import Binding, eased, town_name
from planner.explain.fates import ENDING, Fate
from planner.explain.thresholds import Flip, norms_priced, unordered
from planner.explain.worths import worths
from planner.optimise.forced import noise
from planner.plan import Plan, Question
from planner.wording import Amount, Either, Label, Listed, Phrase, Sentence, Word

if TYPE_CHECKING:
    import pandas as pd

TOLD = ("mean_minutes", "annual_cost_cny", "capital_cost_cny")
"""Indicators that the sentences speak of; the table holds them all."""
MOST_MOVES = 6


def named(plan: Plan, school_id: str) -> str:
    """A school as sentences name it."""
    return f"{school_id} {plan.area.schools.at[school_id, 'name']}"


def about(plan: Plan, question: Question, fate: Fate, actions: pd.DataFrame) -> list[Sentence]:
    """What becomes of the school, and whom it serves."""
    school = plan.area.schools.loc[fate.school_id]
    parts = []
    for stage, action, into in actions[["stage", "action", "into"]].itertuples(index=False):
        state = Word("state.merge_into", {"n": named(plan, into)}) if into else Word(f"state.{action}")
        parts.append(Phrase("stage", {"stage": Word(f"stage.{stage}"), "state": state}) if len(actions) > 1 else state)
    about = {
        "school": named(plan, fate.school_id),
        "kind": Word(f"kind.{school['kind']}"),
        "town": town_name(question, str(school["town_id"])),
        "fate": Listed(tuple(parts)),
    }
    found = [Sentence("fate", about)]
    own = [j for j in {*fate.planned[0], *fate.planned[1]} if question.exists[j]]
    if own:
        near = question.rows["pupils"].to_numpy()[np.isin(question.nearest_today, own)].sum()
        pupils = {"pupils": Amount(float(question.enrolled[own].sum()), "pupils"), "near": Amount(int(near), "pupils")}
        found.append(Sentence("enrolled", pupils))
    rows = plan.assignment[plan.assignment["school_id"] == fate.school_id]
    if len(rows) and rows["pupils"].sum() > 0:
        found.append(
            Sentence(
                "serves",
                {
                    "pupils": Amount(int(rows["pupils"].sum()), "pupils"),
                    "mean": _minutes(np.average(rows["minutes"], weights=rows["pupils"])),
                    "longest": _minutes(rows["minutes"].max()),
                },
            )
        )
    return found


def _minutes(value: float) -> Amount:
    return Amount(float(value), "minutes", 1)


def moved(plan: Plan, moves: pd.DataFrame) -> list[Sentence]:
    """Where the school's pupils go, the most first."""
    found = []
    groups = sorted(moves.groupby("to_school", sort=False), key=lambda pair: -pair[1]["pupils"].sum())
    for school, part in groups[:MOST_MOVES]:
        values = _trip(plan, part) | {"school": named(plan, str(school)) if school else ""}
        found.append(Sentence("move" if school else "move.lost", values))
    if rest := sum(int(part["pupils"].sum()) for _, part in groups[MOST_MOVES:]):
        found.append(Sentence("move.rest", {"pupils": Amount(rest, "pupils")}))
    return found


def _trip(plan: Plan, part: pd.DataFrame) -> dict[str, object]:
    """Who, and how long before and after."""
    villages = part.groupby("demand_id", sort=False)["pupils"].sum().sort_values(ascending=False, kind="stable")
    return {
        "pupils": Amount(int(part["pupils"].sum()), "pupils"),
        "villages": Listed(tuple(str(plan.area.demand.at[v, "name"]) for v in villages.index), 4),
        "before": _minutes(np.average(part["minutes_before"], weights=part["pupils"])),
        "after": _minutes(np.average(part["minutes_after"], weights=part["pupils"])),
        "longest": _minutes(part["minutes_after"].max()),
    }


def binding(question: Question, fate: Fate, held: list[Binding]) -> list[Sentence]:
    """The rules that bind, and whether the decision would be another one with the towns' rules eased."""
    if not held:
        return [Sentence("rule.none")]
    found = [binding.sentence for binding in held]
    scenario = eased(question.scenario, held)
    if scenario == question.scenario:
        return found
    planned, other = worths(question, fate, eased=scenario)
    several = sum(binding.town_rule >= 0 for binding in held) > 1
    key = f"eased.{'close' if fate.stays else 'keep'}{'.each' if several else ''}"
    if other.upper < planned.lower - noise(planned.upper) and planned.exact and not planned.impossible:
        found.append(Sentence(key, {"less": Amount(planned.upper - other.upper, scenario.objective.minimise)}))
    elif other.lower >= planned.upper - noise(planned.upper):
        found.append(Sentence(f"{key}.not"))
    return found


def opposite(
    plan: Plan,
    question: Question,
    fate: Fate,
    reference: float,
    change: tuple[float, float],
    why: tuple[Sentence, ...],
    held: list[Binding],
) -> list[Sentence]:
    """What the best plan with the opposite fate is worth, and how well that is proven."""
    done, (lower, upper) = {"done": done_to(question, fate)}, change
    if math.isinf(upper):
        if math.isinf(lower) and lower > 0:
            said = () if held else why[:3]  # the rules were named already
            return [Sentence("other.never", done), *(Sentence("reason", {"reason": reason}) for reason in said)]
        return [Sentence("other.unknown", done)]
    unit = plan.scenario.objective.minimise
    even = abs(upper) <= 1e-7 * max(1.0, abs(reference))
    values = {
        # Listeners subtract: the sum is that of the two figures as they are said.
        "total": Amount(round(reference) + round(upper), unit),
        "now": Amount(reference, unit),
        "more": Amount(abs(upper), unit),
        "percent": f"{upper / abs(reference):+.2%}" if reference else "-",
    }
    key = "other.best.same" if even else "other.best.less" if upper < 0 else "other.best"
    found = [Sentence(key, values | done)]
    if unit == "pupil_minutes":
        found.append(Sentence("meant.pupil_minutes"))
    if over := plan.scenario.objective.over:
        names = Listed(tuple(future.name for future in plan.scenario.futures))
        found.append(Sentence(f"meant.{over}", {"futures": names}))
    if any(binding.rule in ("keep", "close", "too_large") for binding in held):
        found.append(Sentence("other.waived"))
    gap = (upper - lower) / max(abs(reference + upper), 1e-9)
    if gap <= 1e-7:
        found.append(Sentence("proof.exact"))
    else:
        found.append(Sentence("proof.gap", {"bound": Amount(reference + lower, unit), "gap": f"{gap:.2%}"}))
    return found


def done_to(question: Question, fate: Fate) -> Phrase:
    """What the other fate is to the school: kept or closed; of a candidate, opened or left unopened."""
    exists = question.exists[list({*fate.planned[0], *fate.planned[1]})].any()
    return Phrase(f"done.{('close' if exists else 'leave') if fate.stays else 'keep' if exists else 'open'}")


def exchange(plan: Plan, other: Plan, fate: Fate) -> list[Sentence]:
    """Other schools whose fate differs between the two plans."""
    going = [_going_on(p) for p in (plan, other)]
    found = []
    for key, schools in (("close", going[0] - going[1]), ("keep", going[1] - going[0])):
        names = tuple(named(plan, s) for s in plan.area.schools.index if s in schools and s != fate.school_id)
        if names:
            found.append(Sentence(f"exchange.{key}", {"schools": Listed(names)}))
    return found


def _going_on(plan: Plan) -> set[str]:
    ends = plan.actions["action"].isin(ENDING)
    return set(plan.actions["school_id"][~ends])


def moved_then(plan: Plan, moves: pd.DataFrame) -> list[Sentence]:
    """Who would go elsewhere than in the plan, the most first."""
    if moves.empty:
        return [Sentence("other.moves.none")]
    found = [Sentence("other.moves", {"pupils": Amount(int(moves["pupils"].sum()), "pupils")})]
    groups = sorted(moves.groupby(["from_school", "to_school"], sort=False), key=lambda pair: -pair[1]["pupils"].sum())
    for (before, after), part in groups[:MOST_MOVES]:
        ends = {"from": named(plan, str(before)) if before else "-", "to": named(plan, str(after)) if after else "-"}
        found.append(Sentence("other.move", _trip(plan, part) | ends))
    if rest := sum(int(part["pupils"].sum()) for _, part in groups[MOST_MOVES:]):
        found.append(Sentence("move.rest", {"pupils": Amount(rest, "pupils")}))
    return found


def told(indicators: pd.DataFrame) -> list[Sentence]:
    """The few indicators that a hearing asks for first, where they change."""
    found = []
    for key in TOLD:
        if key not in indicators.index:
            continue
        row = indicators.loc[key]
        if abs(row["other"] - row["plan"]) > 1e-9 * max(1.0, abs(row["plan"])):
            digits = 2 if abs(row["plan"]) < 1000 else 0
            values = {
                "label": Label(str(row["label_en"]), str(row["label_zh"])),
                "other": f"{row['other']:,.{digits}f}",
                "now": f"{row['plan']:,.{digits}f}",
                "unit": Word(f"unit.{row['unit']}"),
            }
            found.append(Sentence("indicator", values))
    return found


def flipping(question: Question, fate: Fate, found: Sequence[Flip]) -> list[Sentence]:
    """The thresholds, the norms that flip nothing in one sentence, and which were not looked for, and why."""
    scenario = question.scenario
    idle = [flip for flip in found if flip.what == "norm" and flip.status == "never"]
    said = [_flip(question, fate, flip) for flip in found if flip not in idle]
    if idle:
        bands = Either(tuple(Word(f"short.{flip.band}") for flip in idle))
        values = {"bands": bands, "done": done_to(question, fate)}
        said.append(Sentence(f"flip.norm.{'close' if fate.stays else 'keep'}.never", values))
    if scenario.objective.over:
        said.append(Sentence("flip.unasked.futures"))
    elif keys := unordered(scenario):
        said.append(Sentence("flip.unasked", {"keys": Either(tuple(keys))}))
    elif norms_priced(scenario):
        said.append(Sentence("flip.unasked.norm"))
    return said


def _flip(question: Question, fate: Fate, flip: Flip) -> Sentence:
    """A threshold as a sentence."""
    objective = question.scenario.objective.minimise
    unit, digits = {"pupils": ("pupils", 0), "norm": ("minutes", 2)}.get(flip.what, (objective, 0))
    values: dict[str, object] = {name: Amount(getattr(flip, name), unit, digits) for name in ("now", "at", "last")}
    values |= {"objective": Phrase(objective), "done": done_to(question, fate)}
    if flip.what == "norm":
        values["band"] = Word(f"band.{flip.band}")
    status = "none" if (flip.what, flip.status, flip.at) == ("pupils", "flips", 0) else flip.status
    if not math.isnan(flip.enrolled):
        status, values["enrolled"] = "large", Amount(flip.enrolled, "pupils", 0)
    return Sentence(f"flip.{flip.what}.{'close' if fate.stays else 'keep'}.{status}", values)
