"""Why a school ends: proven in full, read off the table of all schools, or that it cannot be said."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from planner.explain import explain, explain_all
from planner.explain.bindings import bindings
from planner.explain.fates import fate_of
from planner.explain.school import Explanation
from planner.explain.telling import done_to
from planner.explain.worths import question_of
from planner.optimise.forced import noise
from planner.plan import Plan
from planner.wording import Amount, Sentence

MOST_BULLETS = 3


@dataclass(frozen=True)
class Why:
    """What the sheet of a school says beside its figures.

    Parameters
    ----------
    reasons : which rules bind, and whether it would stay with them eased
    opposite : the best plan that keeps it, and how well that is proven
    flips : what would have to be true to keep it
    """

    reasons: tuple[Sentence, ...]
    opposite: tuple[Sentence, ...]
    flips: tuple[Sentence, ...]


def reasons_of(
    plan: Plan,
    schools: Sequence[str],
    *,
    quick: bool,
    seconds: float,
    tell: Callable[[str], object],
    public: bool = False,
) -> dict[str, Why]:
    """Why each of these schools ends.

    Parameters
    ----------
    quick : from one table of all schools, without what would flip it; so are plans over futures
    seconds : for each threshold of each school
    tell : is told which school is being looked at
    public : from the table, and without any figure of which pupils could be told

    >>> why = reasons_of(tiny.plan, ["S2"], quick=True, seconds=0, tell=print)["S2"]
    >>> [sentence.key for sentence in why.reasons + why.opposite + why.flips]
    ['rule.town_max.none', 'other.never', 'hearing.flips.quick']
    """
    over = bool(plan.scenario.objective.over)
    if over and plan.futures is None:  # a proposal, scored for the present
        return {school: Why((), (), (Sentence("hearing.futures"),)) for school in schools}
    if quick or public or over:
        return _from_table(plan, schools, public=public)
    found = {}
    for number, school in enumerate(schools, 1):
        tell(f"{number} of {len(schools)}: {school}")
        found[school] = _in_full(explain(plan, school, thresholds_s=seconds, in_turn=False))
    return found


def _in_full(why: Explanation) -> Why:
    """An explanation, sorted into the parts of the sheet."""

    def those(*starts: str) -> tuple[Sentence, ...]:
        return tuple(sentence for sentence in why.sentences if sentence.key.startswith(starts))

    moved = those("other.move")
    heads = [sentence for sentence in moved if sentence.key != "other.move"]
    bullets = [sentence for sentence in moved if sentence.key == "other.move"][:MOST_BULLETS]
    opposite = (
        *those("other.best", "other.never", "other.unknown", "other.waived", "reason", "proof.", "exchange."),
        *heads,
        *bullets,
    )
    return Why(those("rule.", "eased."), opposite, those("flip."))


def _from_table(plan: Plan, schools: Sequence[str], *, public: bool) -> dict[str, Why]:
    """One relaxation for all of them.

    What binds a school that ends speaks of schools alone, not of pupils: a public edition may say it.
    """
    table: Any = explain_all(plan).set_index("school_id")
    question, unit, over = question_of(plan), plan.scenario.objective.minimise, plan.scenario.objective.over
    found = {}
    for school in schools:
        fate = fate_of(plan, question, school)
        held, done = bindings(plan, question, fate), {"done": done_to(question, fate)}
        low, high = float(table.at[school, "at_least"]), float(table.at[school, "at_most"])
        if table.at[school, "proof"] == "impossible":
            said = Sentence("other.never", done)
        elif math.isinf(high):
            said = Sentence("other.unknown", done)
        elif public:
            said = Sentence("hearing.more.public" if low > noise(plan.objective) else "hearing.more.public.open")
        elif table.at[school, "proof"] == "exact":
            said = Sentence("hearing.more", {"more": Amount(high, unit)})
        else:
            said = Sentence("hearing.more.between", {"low": Amount(max(low, 0), unit), "high": Amount(high, unit)})
        rules = tuple(binding.sentence for binding in held) or (Sentence("rule.none"),)
        flips = "hearing.flips.public" if public else "flip.unasked.futures" if over else "hearing.flips.quick"
        found[school] = Why(rules, (said,), (Sentence(flips),))
    return found
