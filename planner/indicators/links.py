"""How much hangs on single roads."""

from __future__ import annotations

from planner.indicators.registry import indicator
from planner.plan import Plan, cut_off


@indicator("Most pupils cut off by one closed road", "单条道路中断时无路可达的学生（最多）", "pupils", "lower")
def critical_link_pupils(plan: Plan) -> float:
    """The most pupils who would have no road to their school if one road failed, by any mode; conventions 5.14.

    ``travel.criticality`` names the roads, and who would have a longer way.

    >>> critical_link_pupils(tiny.plan)  # from every door two roads are within 2 km
    0.0
    """
    return float(cut_off(plan).max()) if len(cut_off(plan)) else 0.0
