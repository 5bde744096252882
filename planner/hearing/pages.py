"""Sheets laid out as HTML: every text escaped, no script, nothing asked of any host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from planner.hearing.sheets import Sheet
from planner.hearing.sketch import SIZES, sketch
from planner.model import BAND_STAGE
from planner.optimise.forced import noise
from planner.plan import Plan
from planner.privacy import partly_assumed
from planner.wording import Amount, Phrase, Word, spoken

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def _asset(name: str) -> str:
    return (resources.files("planner.hearing") / name).read_text("utf-8").replace("\r\n", "\n")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(plan: Plan, language: str, sheets: Sequence[Sheet]) -> str:
    """One HTML file with these sheets, each on paper of its own; with contents where there are several.

    >>> from planner.hearing import hearing_pack
    >>> sheets = hearing_pack(tiny.plan, quick=True).sheets
    >>> text = page(tiny.plan, "zh", sheets[-1:])
    >>> "<script" in text, "Village `${x}` &lt;/script&gt;" in text
    (False, True)
    """

    def say(key: str, **values: Any) -> str:
        return spoken(Phrase(f"hearing.{key}", values), language)

    def word(key: str, **values: Any) -> str:
        return spoken(Word(key, values), language)

    def told(value: Any) -> str:
        return spoken(value, language)

    def drawn(sheet: Sheet) -> Markup:
        words = {key: say(key) for key in ("north", "km", "m")}
        said = say("map", name=sheet.name)
        return sketch(plan.area, sheet.marks, sheet.ways, said=said, words=words, size=SIZES[sheet.kind])

    template = _environment().get_template("pack.html")
    return template.render(
        plan=plan,
        area=plan.area,
        sheets=sheets,
        language=language,
        policy=POLICY,
        style=Markup(_asset("pack.css")),  # noqa: S704 - our own file
        say=say,
        word=word,
        told=told,
        drawn=drawn,
        figure=lambda value, digits=0: figure(value, digits, say("unknown")),
        score=lambda value: score(value, say("unknown")),
        pupils=lambda count: Amount(count, "pupils"),
        bands=lambda names: bands(names, language),
        joined=lambda sentences: joined([told(sentence) for sentence in sentences], language),
        status=_status(plan, language),
        hashes=[h[:8] for h in (plan.rooted.scenario_sha256, plan.rooted.area_sha256) if h],
        assumed=partly_assumed(plan.area),
    )


def figure(value: float | None, digits: int = 0, unknown: str = "?") -> str:
    """A number as people read it.

    >>> figure(1234.56), figure(2.25, 1), figure(float("nan")), figure(12.0, 1)
    ('1,235', '2.2', '?', '12.0')
    """
    return unknown if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def score(value: float | str, unknown: str = "?") -> str:
    """A figure of a scorecard as people read it: fractions where there are any; a dash stays one.

    >>> score(9.114), score(100.0), score(48411.97), score(float("nan")), score("–")
    ('9.11', '100', '48,412', '?', '–')
    """
    if isinstance(value, str):
        return value
    whole = not math.isfinite(value) or value == round(value) or abs(value) >= 1000
    return figure(value, 0 if whole else 2, unknown)


def joined(sentences: Sequence[str], language: str) -> str:
    """Sentences one after the other; Chinese ones without a space between.

    >>> joined(["甲。", "", "乙。"], "zh"), joined(["A.", "B."], "en")
    ('甲。乙。', 'A. B.')
    """
    return ("" if language == "zh" else " ").join(filter(None, sentences))


def bands(names: Sequence[str], language: str) -> str:
    """Bands in few words: a stage where all its bands are there.

    >>> bands(("lower_primary", "upper_primary", "junior"), "zh")
    '小学、初中'
    """
    parts: list[Any] = []
    for stage in dict.fromkeys(BAND_STAGE[name] for name in names):
        mine = [name for name in names if BAND_STAGE[name] == stage]
        whole = len(mine) == sum(1 for other in BAND_STAGE.values() if other == stage)
        parts += [Word(f"stage.{stage}")] if whole else [Phrase(f"hearing.{name}") for name in mine]
    return spoken(Phrase("comma"), language).join(spoken(part, language) for part in parts)


def _status(plan: Plan, language: str) -> str:
    """How good it is proven to be, with the bound where it may be known."""
    if plan.status in ("optimal", "feasible") and math.isfinite(plan.gap):
        said = spoken(Word(f"status.{plan.status}", {"n": f"{plan.gap:.2%}"}), language)
        return joined([said, _bound(plan, language)], language)
    return spoken(Word("status.feasible_unbounded" if plan.status == "feasible" else "status.scored"), language)


def _bound(plan: Plan, language: str) -> str:
    """What the plan is worth, and what no plan can be worth less than; "" in a public edition, which has no bound."""
    if not (math.isfinite(plan.bound) and math.isfinite(plan.objective)):
        return ""
    unit = plan.scenario.objective.minimise
    values = {"value": Amount(plan.objective, unit), "bound": Amount(plan.bound, unit)}
    key = "hearing.proof.exact" if plan.bound >= plan.objective - noise(plan.objective) else "hearing.proof"
    return spoken(Phrase(key, values), language)
