"""A plan put to the test: its schools as they are, in futures that may come, and with single roads closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.indicators import INDICATORS
from planner.plan import Plan
from planner.plan.futures import come_true
from planner.plan.given import placed, today_of
from planner.plan.question import Question, ask
from planner.privacy import BASE, public_area
from planner.scenario import Future
from planner.travel import criticality, travel_times
from planner.wording import remark

if TYPE_CHECKING:
    import pandas as pd

USUAL = (
    Future(name="as planned 规划情形"),
    Future(name="pupils -20 % 学生减二成", pupils=0.8),
    Future(name="pupils +20 % 学生增二成", pupils=1.2),
    Future(name="speeds -20 % 车速慢二成", speed=0.8),
    Future(name="speeds +20 % 车速快二成", speed=1.2),
)
"""Looked at for every plan: low, middle and high enrolment, slower and quicker ways."""

SHOWN = (
    "mean_minutes",
    "longest_minutes",
    "within_norm_percent",
    "beyond_norm_pupils",
    "unreachable_pupils",
    "without_seat_pupils",
    "seats_used_percent",
    "annual_cost_cny",
)
"""The indicators that futures change."""


@dataclass(frozen=True, eq=False)
class Robustness:
    """A plan in futures.

    Parameters
    ----------
    plan : as it was made
    futures : what was looked at: the usual ones, those of the scenario, and roads closed one by one
    plans : the same open schools and seats in each
    """

    plan: Plan
    futures: tuple[Future, ...]
    plans: tuple[Plan, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row per future: ``future``, ``pupils`` and the indicators of ``SHOWN``."""
        import pandas as pd

        rows = [
            {"future": future.name, "pupils": int(plan.assignment["pupils"].sum())}
            | {key: INDICATORS[key](plan) for key in SHOWN}
            for future, plan in zip(self.futures, self.plans, strict=True)
        ]
        return pd.DataFrame(rows)


def robustness(
    plan: Plan, futures: Sequence[Future] = USUAL, *, roads: int = 5, tell: Callable[[str], object] = str
) -> Robustness:
    """A plan's indicators in futures: its open schools and seats stay, pupils go where it then suits them best.

    As planned it is the plan itself, with whatever its scenario asked for. In other futures pupils are assigned as
    ``score`` does it: within norms and seats where all can be kept, else everybody to the quickest open school, and who
    is beyond a norm or without a seat is counted.

    Parameters
    ----------
    futures : looked at beside those of the plan's scenario
    roads : how many of the roads that hurt most when closed (``travel.criticality``) are closed, one by one
    tell : is told which future is being looked at

    >>> robustness(tiny.plan, roads=0).table[["future", "pupils"]].values.tolist()[1]
    ['pupils -20 % 学生减二成', 53]
    """
    looked_at = (*futures, *plan.scenario.futures, *_roads_closed(plan, roads))
    made = []
    for future in looked_at:
        tell(future.name)
        made.append(plan if future == USUAL[0] else in_future(plan, future))
    return Robustness(plan, looked_at, tuple(made))


def in_future(plan: Plan, future: Future) -> Plan:
    """The plan's open schools and seats in a future, and today's layout there.

    Pupils of a public edition are counted in fives there, too, from its own counts: no future tells more than it does.
    """
    area, scenario = come_true(plan.area, plan.scenario, future)
    if area.public:
        area = dataclasses.replace(area, pupils=public_area(area).pupils)
    same_ways = scenario.travel == plan.scenario.travel
    times = plan.times if same_ways else travel_times(area, scenario.travel, cache=False)
    question = ask(area, times, scenario)
    is_open, added = open_in(question, plan)
    made = placed(question, is_open, added, title=f"{plan.title}: {future.name}", today=today_of(question))
    if not area.public:
        return made
    return dataclasses.replace(made, notes=(remark("note.public_future", base=BASE), *made.notes))


def open_in(question: Question, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) whether the plan has it open, and the seats it has there beside the site's own."""
    after = plan.actions[~plan.actions["action"].isin(("close", "merge", "convert", "none"))]
    seats = after.set_index(["school_id", "stage"])["seats"]
    here = question.sites.set_index(["school_id", "stage"]).index
    is_open = here.isin(seats.index)
    added = seats.reindex(here).to_numpy(dtype=float) - question.sites["seats"].to_numpy(dtype=float)
    return is_open, np.maximum(np.nan_to_num(added), 0.0)


def _roads_closed(plan: Plan, roads: int) -> list[Future]:
    """A future for each of the roads that hurt most."""
    if roads == 0:
        return []
    worst = criticality(plan.area, plan.scenario.travel, plan.assignment, roads)
    names = [f"{edge} {name}".strip() for edge, name in zip(worst["edge"], worst["name"], strict=True)]
    return [
        Future(name=f"road {name} closed 道路中断", closed_edges=(int(edge),))
        for name, edge in zip(names, worst["edge"], strict=True)
    ]
