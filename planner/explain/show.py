"""Explanations as the command line prints them: one JSON document, or a table in one language."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from planner.explain.school import Explanation
from planner.plan import Plan
from planner.wording import LANGUAGES, Phrase, Word, spoken

if TYPE_CHECKING:
    import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: unknown and infinite numbers are null."""
    return [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def document(plan: Plan, why: Explanation) -> dict[str, Any]:
    """One school's explanation as a JSON document.

    >>> from planner.explain import explain
    >>> document(tiny.plan, explain(tiny.plan, "S2", thresholds_s=0))["rules"]
    ['town_max']
    """
    school = plan.area.schools.loc[why.school_id]
    other = why.other_way
    at_least, at_most = why.change
    return {
        "school_id": why.school_id,
        "name": str(school["name"]),
        "kind": str(school["kind"]),
        "town_id": str(school["town_id"]),
        "actions": records(why.actions),
        "text": {language: [s.text(language) for s in why.sentences] for language in LANGUAGES},
        "rules": list(why.rules),
        "moves": records(why.moves),
        "objective_unit": plan.scenario.objective.minimise,
        "other_way": {
            "possible": not (math.isinf(at_least) and at_least > 0),
            "at_least": _plain(at_least),
            "at_most": _plain(at_most),
            "status": None if other is None else other.status,
            "objective": None if other is None else _plain(other.objective),
            "bound": None if other is None else _plain(other.bound),
            "gap": None if other is None else _plain(other.gap),
            "actions": [] if other is None else records(other.actions),
            "moves": records(why.other_moves),
            "indicators": records(why.indicators.reset_index()),
        },
        "flips": [{key: _plain(value) for key, value in vars(flip).items()} for flip in why.flips],
    }


def table_of(plan: Plan, table: pd.DataFrame, language: str) -> tuple[str, pd.DataFrame]:
    """A title, and ``explain_all``'s table in the words of one language."""

    def say(key: str) -> str:
        return spoken(Phrase(key), language)

    def phrases(text: str, joint: str) -> str:
        return spoken(Phrase("comma"), language).join(say(f"{joint}.{word}") for word in text.split("; ") if word)

    shown = table[["school_id", "name", "town"]].copy()
    shown["fate"] = [
        spoken(Phrase("comma"), language).join(spoken(Word(f"state.{a}"), language) for a in fate.split("; "))
        for fate in table["fate"]
    ]
    shown["opposite"] = [say(f"opposite.{word}") for word in table["opposite"]]
    shown["cost"] = [_cost(low, high) for low, high in zip(table["at_least"], table["at_most"], strict=True)]
    shown["proof"] = [say(f"proof.{word}") for word in table["proof"]]
    shown["pupils"] = ["" if math.isnan(n) else f"{n:,.0f}" for n in table["pupils"]]
    shown["rules"] = [phrases(rules, "rule") for rules in table["rules"]]
    shown.columns = [say(f"column.{name}") for name in shown.columns]
    return spoken(Phrase("table", {"unit": Phrase(f"unit.{plan.scenario.objective.minimise}")}), language), shown


def _cost(low: float, high: float) -> str:
    """How much more at least and at most."""
    if low == math.inf:
        return ""
    if math.isinf(high):
        return "?" if math.isinf(low) else f"{low:+,.0f} ..."
    return f"{high:+,.0f}" if f"{low:,.0f}" == f"{high:,.0f}" else f"{low:+,.0f} ... {high:+,.0f}"


def _plain(value: Any) -> Any:
    """A value for JSON."""
    if isinstance(value, bool | str) or value is None:
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and not isinstance(value, float) else number
