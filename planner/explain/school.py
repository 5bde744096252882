"""One school explained: why it closes or stays, who moves, what the opposite costs, and what would flip it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.compare import compare
from planner.errors import InfeasibleError, ScenarioError
from planner.explain.bindings import Binding, bindings, eased, town_name
from planner.explain.fates import Fate, fate_of, moves_between, the_other_way, worths
from planner.explain.sentences import Amount, Label, Listed, Phrase, Sentence, Word, text
from planner.explain.thresholds import Flip, flips
from planner.optimise import Forced
from planner.plan import Plan, Question, ask, optimise

if TYPE_CHECKING:
    import pandas as pd

TOLD = ("mean_minutes", "annual_cost_cny", "capital_cost_cny")
"""Indicators that the sentences speak of; the table holds them all."""
MOST_MOVES = 6


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a parent may ask about one school.

    Parameters
    ----------
    school_id : the school
    actions : its rows of ``Plan.actions``
    moves : pupils whose nearest school today it is and who go elsewhere: columns as ``moves_between`` gives them
    other_way : the best plan in which the school has the opposite fate, None where there is none or none was found
    change : how much more the objective is then, in its unit: at least and at most; infinite where no plan is left
    other_moves : pupils whose school then differs from the plan's
    indicators : every indicator of the plan and of ``other_way``, as ``compare`` gives it; empty without one
    rules : names of the rules that bind (``planner.explain.bindings``)
    flips : where the decision flips
    sentences : all of it as text
    """

    school_id: str
    actions: pd.DataFrame
    moves: pd.DataFrame
    other_way: Plan | None
    change: tuple[float, float]
    other_moves: pd.DataFrame
    indicators: pd.DataFrame
    rules: tuple[str, ...]
    flips: tuple[Flip, ...]
    sentences: tuple[Sentence, ...]

    def text(self, language: str = "en") -> str:
        """Sentences one a line, in ``en`` or ``zh``."""
        return text(self.sentences, language)

    def __str__(self) -> str:
        return self.text()


def explain(plan: Plan, school_id: str, *, thresholds_s: float = 30.0) -> Explanation:
    """Why this school closes or stays, who moves, what the opposite would cost, proven, and what would flip it.

    Parameters
    ----------
    thresholds_s : seconds for each threshold; 0 leaves them out

    Raises
    ------
    DataError : the area has no such school

    >>> print(explain(tiny.plan, "S2"))
    S2 Village `${x}` </script>, village primary school in 甲镇: primary closing.
    It has 20 pupils today.
    10 pupils from Two go to S1 中心小学 ... instead: 0 minutes before, 20 minutes after, one way on average; ...
    10 pupils from 三村 go to S3 九年制学校 instead: 20 minutes before, 20 minutes after, one way on average; ...
    Rule: in 甲镇 at most 0 may be open with a primary stage (village primary school or teaching point).
    If one more were allowed there, it would be kept: the best plan would then have 200 pupil minutes less than without it.
    With it kept, no plan keeps every rule: this is proven.
    Pupils: not even with 60 pupils in the villages it is nearest to (today 20 pupils) would it be kept.
    Norm, Lower primary, grades 1–3: no stricter norm would keep it (today 30 minutes), ...
    ...
    """
    question = ask(plan.area, plan.times, plan.scenario)
    fate = fate_of(plan, question, school_id)
    actions = plan.actions[plan.actions["school_id"] == school_id].reset_index(drop=True)
    planned, other = worths(question, fate, heed=False)
    held = bindings(plan, question, fate)
    other_way, why = _other_way(plan, fate, other)
    moves = _moves_of(plan, question, fate)
    found = flips(question, fate, (planned, other), seconds=thresholds_s) if thresholds_s > 0 else []
    reference = planned.upper if math.isnan(plan.objective) else plan.objective
    change = _change(reference, other, other_way)
    if other_way is None:
        other_moves, indicators = moves_between(plan, plan), compare(plan=plan).iloc[:0]
    else:
        other_moves, indicators = moves_between(plan, other_way), compare(plan=plan, other=other_way)
    sentences = [
        *_about(plan, question, fate, actions),
        *_moved(plan, moves, "move"),
        *_held(question, fate, held),
        *_opposite(plan, fate, reference, change, other_way, why, held),
        *(_exchange(plan, other_way, fate) if other_way else ()),
        *(_moved_then(plan, other_moves) if other_way else ()),
        *_told(indicators),
        *(flip_sentence(question, fate, flip) for flip in found),
    ]
    rules = tuple(dict.fromkeys(binding.rule for binding in held))
    return Explanation(
        school_id, actions, moves, other_way, change, other_moves, indicators, rules, tuple(found), tuple(sentences)
    )


def _other_way(plan: Plan, fate: Fate, other: Forced) -> tuple[Plan | None, tuple[str, ...]]:
    """The best plan with the opposite fate; without one, why not."""
    try:
        return optimise(plan.area, plan.times, the_other_way(plan.scenario, fate)), ()
    except InfeasibleError as error:
        return None, error.reasons if other.impossible else ()
    except ScenarioError as error:
        return None, tuple(str(error).splitlines())


def _change(reference: float, other: Forced, other_way: Plan | None) -> tuple[float, float]:
    """By how much the objective rises at least and at most."""
    lower, upper = other.lower, other.upper
    if other_way is not None:
        lower, upper = max(lower, other_way.bound), min(upper, other_way.objective)
    return min(lower, upper) - reference, upper - reference


def _moves_of(plan: Plan, question: Question, fate: Fate) -> pd.DataFrame:
    """Of all who move between today and the plan, those whose school it is today."""
    moves = moves_between(plan.today or plan, plan)
    return moves[moves["from_school"] == fate.school_id].reset_index(drop=True)


# ---------------------------------------------------------------- sentences


def named(plan: Plan, school_id: str) -> str:
    """A school as sentences name it."""
    return f"{school_id} {plan.area.schools.at[school_id, 'name']}"


def _about(plan: Plan, question: Question, fate: Fate, actions: pd.DataFrame) -> list[Sentence]:
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
        found.append(Sentence("enrolled", {"pupils": Amount(float(question.enrolled[own].sum()), "pupils")}))
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


def _moved(plan: Plan, moves: pd.DataFrame, key: str) -> list[Sentence]:
    """Where the school's pupils go, the most first."""
    found = []
    groups = sorted(moves.groupby("to_school", sort=False), key=lambda pair: -pair[1]["pupils"].sum())
    for school, part in groups[:MOST_MOVES]:
        values = _trip(plan, part) | {"school": named(plan, str(school)) if school else ""}
        found.append(Sentence(key if school else f"{key}.lost", values))
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


def _held(question: Question, fate: Fate, held: list[Binding]) -> list[Sentence]:
    """The rules that bind, and whether the decision would be another one without a town's rule."""
    found: list[Sentence] = []
    for binding in held:
        found.append(binding.sentence)
        if binding.town_rule < 0:
            continue
        scenario = eased(question.scenario, binding)
        planned, other = worths(ask(question.area, question.times, scenario), fate)
        key = "eased.close" if fate.stays else "eased.keep"
        if other.upper < planned.lower - 1e-6 * max(1.0, abs(other.upper)):
            if math.isfinite(planned.lower):
                less = Amount(planned.lower - other.upper, scenario.objective.minimise)
                found.append(Sentence(key, {"less": less}))
        elif other.lower > planned.upper or other.impossible or planned.exact:
            found.append(Sentence(f"{key}.not"))
    return found or [Sentence("rule.none")]


def _opposite(
    plan: Plan,
    fate: Fate,
    reference: float,
    change: tuple[float, float],
    other_way: Plan | None,
    why: tuple[str, ...],
    held: list[Binding],
) -> list[Sentence]:
    key = "other.closed" if fate.stays else "other.kept"
    lower, upper = change
    if math.isinf(upper):
        if math.isinf(lower) and lower > 0:
            return [Sentence(f"{key}.never"), *(Sentence("reason", {"reason": reason}) for reason in why[:3])]
        return [Sentence(f"{key}.unknown")]
    unit = plan.scenario.objective.minimise
    even = abs(upper) <= 1e-7 * max(1.0, abs(reference))
    values = {
        "total": Amount(reference + upper, unit),
        "now": Amount(reference, unit),
        "more": Amount(abs(upper), unit),
        "percent": f"{upper / abs(reference):+.2%}" if reference else "-",
    }
    found = [Sentence(f"{key}.same" if even else f"{key}.less" if upper < 0 else key, values)]
    if any(binding.rule in ("keep", "close", "too_large") for binding in held):
        found.append(Sentence("other.waived"))
    gap = (upper - lower) / max(abs(reference + upper), 1e-9)
    if gap <= 1e-7:
        found.append(Sentence("proof.exact"))
    else:
        found.append(Sentence("proof.gap", {"bound": Amount(reference + lower, unit), "gap": f"{gap:.2%}"}))
    return found


def _exchange(plan: Plan, other: Plan, fate: Fate) -> list[Sentence]:
    """Other schools whose fate differs between the two plans."""
    going = [_going_on(p) for p in (plan, other)]
    found = []
    for key, schools in (("close", going[0] - going[1]), ("keep", going[1] - going[0])):
        names = tuple(named(plan, s) for s in plan.area.schools.index if s in schools and s != fate.school_id)
        if names:
            found.append(Sentence(f"exchange.{key}", {"schools": Listed(names)}))
    return found


def _going_on(plan: Plan) -> set[str]:
    ends = plan.actions["action"].isin(("close", "merge", "convert", "none"))
    return set(plan.actions["school_id"][~ends])


def _moved_then(plan: Plan, moves: pd.DataFrame) -> list[Sentence]:
    """Who would go elsewhere than in the plan, the most first."""
    if moves.empty:
        return [Sentence("other.moves.none")]
    found = [Sentence("other.moves", {"pupils": Amount(int(moves["pupils"].sum()), "pupils")})]
    groups = sorted(
        moves.groupby(["from_school", "to_school"], sort=False), key=lambda pair: -pair[1]["pupils"].sum()
    )
    for (before, after), part in groups[:MOST_MOVES]:
        ends = {"from": named(plan, before) if before else "-", "to": named(plan, after) if after else "-"}
        found.append(Sentence("other.move", _trip(plan, part) | ends))
    if rest := sum(int(part["pupils"].sum()) for _, part in groups[MOST_MOVES:]):
        found.append(Sentence("move.rest", {"pupils": Amount(rest, "pupils")}))
    return found


def _told(indicators: pd.DataFrame) -> list[Sentence]:
    """The few indicators that a hearing asks for first, where they change."""
    found = []
    for key in TOLD:
        if key not in indicators.index:
            continue
        row = indicators.loc[key]
        if abs(row["other"] - row["plan"]) > 1e-9 * max(1.0, abs(row["plan"])):
            digits = 2 if abs(row["plan"]) < 1000 else 0
            values = {
                "label": Label(row["label_en"], row["label_zh"]),
                "other": f"{row['other']:,.{digits}f}",
                "now": f"{row['plan']:,.{digits}f}",
                "unit": Word(f"unit.{row['unit']}"),
            }
            found.append(Sentence("indicator", values))
    return found


def flip_sentence(question: Question, fate: Fate, flip: Flip) -> Sentence:
    """A threshold as a sentence."""
    unit, digits = {"pupils": ("pupils", 0), "norm": ("minutes", 2)}.get(
        flip.what, (question.scenario.objective.minimise, 0)
    )
    values: dict[str, object] = {
        name: Amount(getattr(flip, name), unit, digits) for name in ("now", "at", "last")
    }
    if flip.what == "norm":
        values["band"] = Word(f"band.{flip.band}")
        if math.isinf(flip.now):
            values["now"] = Phrase("none")
    values["objective"] = Phrase(question.scenario.objective.minimise)
    return Sentence(f"flip.{flip.what}.{'close' if fate.stays else 'keep'}.{flip.status}", values)
