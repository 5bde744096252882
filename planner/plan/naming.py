"""How messages name towns, villages, schools and rules of a question."""

from __future__ import annotations

import math

import numpy as np

from planner.plan.question import Question
from planner.scenario import TownRule
from planner.wording import Either, Label, Listed, Phrase, Word, spoken


def town_name(question: Question, town: str) -> str:
    """The town's name; its id where it has none."""
    towns = question.area.towns
    return str(towns.at[town, "name"]) if town in towns.index else town


def villages(question: Question, rows: np.ndarray, most: int = 5) -> Listed:
    """The villages of some rows with their pupils, the first ``most`` by name."""
    pupils = question.rows.iloc[rows].groupby("demand_id", sort=False)["pupils"].sum()
    named = question.area.demand["name"]
    return Listed(tuple(f"{d} {named[d]} ({n})" for d, n in pupils.items()), most)


def schools(question: Question, sites: np.ndarray) -> Listed:
    """Sites with their seats, the first five by name."""
    part = question.sites.iloc[sites]
    return Listed(
        tuple(
            f"{s} {n} ({seats:g})" for s, n, seats in zip(part["school_id"], part["name"], part["seats"], strict=True)
        )
    )


def school(question: Question, site: int) -> str:
    """The id and the name of a site's school."""
    return f"{question.sites['school_id'].iloc[site]} {question.sites['name'].iloc[site]}"


def band(word: str) -> Label:
    """A band, in English by its word."""
    return _by_word(word.replace("_", " "), f"band.{word}")


def stage(word: str) -> Label:
    """A stage, in English by its word."""
    return _by_word(word, f"stage.{word}")


def _by_word(word: str, key: str) -> Label:
    return Label(word, spoken(Word(key), "zh"))


def kinds(rule: TownRule) -> Either:
    """The kinds a rule speaks of, in English by the words of the scenario."""
    return Either(tuple(_by_word(kind, f"kind.{kind}") for kind in rule.kinds))


def places(question: Question, rows: np.ndarray) -> Phrase:
    """Towns and bands of some rows."""
    part = question.rows.iloc[rows]
    towns = [town_name(question, str(t)) for t in dict.fromkeys(part["town_id"])]
    bands = [band(str(word)) for word in dict.fromkeys(part["band"])]
    return Phrase("places", {"towns": Listed(tuple(towns), 3), "bands": Listed(tuple(bands))})


def of_rule(question: Question, town: str, rule: TownRule) -> dict[str, object]:
    """What sentences about a town's rule say of it."""
    span = rule.except_towns.get(town, rule.open)
    name = town_name(question, town)
    return {"town": name, "kinds": kinds(rule), "stage": stage(rule.stage), "min": span.min, "max": span.max}


def proof_of(proven: bool, gap: float) -> Phrase:
    """How well a figure is proven, in words.

    >>> from planner.wording import spoken
    >>> spoken(proof_of(False, 0.0123), "zh"), spoken(proof_of(False, float("nan")), "en")
    ('差距1.23%', 'not proven')
    """
    if proven:
        return Phrase("proof.proven")
    return Phrase("proof.gap", {"gap": f"{gap:.2%}"}) if math.isfinite(gap) else Phrase("proof.none")
