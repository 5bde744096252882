"""What a plan is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.model import Rooted, StudyArea, TravelTimes
from planner.scenario import Scenario
from planner.wording import Remark

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Plan:
    """The answer: an action per school and stage, who goes where, and how good it is proven to be.

    Parameters
    ----------
    area, scenario, times : what it was made from
    title : shown to people
    status : ``optimal`` (gap within the scenario's), ``feasible`` (a bound, a larger gap), ``scored`` (given)
    objective, bound, gap : of the scenario's first objective (its unit); gap relative; NaN for a scored plan
    seconds : solving time
    actions : columns ``school_id, stage, action, into, seats, seats_added, pupils``: one row per school and stage it
        teaches; ``into`` is "" unless merged; ``seats`` in all after the plan (0 where the stage ends, NaN unknown)
    assignment : columns ``demand_id, band, school_id, pupils, minutes, km, mode, reason``: one row per demand point
        and band with pupils (more where a band is split); ``school_id`` "" where there is none, ``reason`` then
        ``unreachable`` or ``no_seat``; minutes and km NaN then
    annual_cost_cny, capital_cost_cny : NaN where unknown
    today : the layout before, None for today's layout itself
    rooted : hashes and versions
    notes : what a reader must know (what was relaxed or unknown), in both languages or in the user's own words
    futures : of a plan made over futures, who goes where in each: the columns of ``assignment`` after ``future``, its
        name; else None
    """

    area: StudyArea
    scenario: Scenario
    times: TravelTimes
    title: str
    status: str
    actions: pd.DataFrame
    assignment: pd.DataFrame
    objective: float = float("nan")
    bound: float = float("nan")
    gap: float = float("nan")
    seconds: float = 0.0
    annual_cost_cny: float = float("nan")
    capital_cost_cny: float = float("nan")
    today: Plan | None = None
    rooted: Rooted = field(default_factory=Rooted)
    notes: tuple[Remark, ...] = ()
    futures: pd.DataFrame | None = None

    def save(self, folder: str | Path) -> Path:
        """Write the plan folder (plan.json, tables, workbook, GeoPackage, map); all of it or nothing."""
        from planner.draw import draw
        from planner.report import save

        return save(self, folder, draw(self.area, *([self.today] if self.today else []), self))

    def explore(self) -> Any:
        """The interactive map, as a notebook shows it."""
        from planner.draw import draw

        return draw(self.area, *([self.today] if self.today else []), self)
