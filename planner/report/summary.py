"""What ``plan.json`` holds: the plan in figures, and what it was made from."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from planner.area import layer_sha256
from planner.compare import scorecard
from planner.plan import Plan
from planner.wording import plain


def number(value: float) -> float | None:
    """A number for JSON: unknown and infinite are null."""
    return float(value) if math.isfinite(value) else None


def summary(plan: Plan, target: Path | None = None) -> dict[str, Any]:
    """What ``plan.json`` holds; ``target`` is where the folder will stand.

    >>> summary(tiny.plan)["gap"]
    0.0
    """
    area, travel = plan.area, plan.scenario.travel
    folder = None
    if area.folder is not None and target is not None:
        try:
            folder = Path(os.path.relpath(area.folder.resolve(), target.resolve())).as_posix()
        except ValueError:  # another drive
            folder = area.folder.resolve().as_posix()
    card = scorecard(plan)
    return {
        "title": plan.title,
        "status": plan.status,
        "public": area.public,
        "objective": number(plan.objective),
        "objective_unit": plan.scenario.objective.minimise,
        "bound": number(plan.bound),
        "gap": number(plan.gap),
        "seconds": round(plan.seconds, 3),
        "annual_cost_cny": number(plan.annual_cost_cny),
        "capital_cost_cny": number(plan.capital_cost_cny),
        "notes": [plain(note) for note in plan.notes],
        "area": {"title": area.title, "folder": folder, "synthetic": area.synthetic, "sha256": plan.rooted.area_sha256},
        "scenario": {"title": plan.scenario.title, "sha256": plan.rooted.scenario_sha256},
        "layers": {travel.closed_areas: layer_sha256(area.folder, travel.closed_areas)} if travel.closed_areas else {},
        "off_network": dict(plan.times.off_network),
        "scorecard": {
            key: {"today": number(today), "plan": number(value), "unit": unit}
            for key, today, value, unit in zip(
                card["indicator"], card["today"], card["plan"], card["unit"], strict=True
            )
        },
        "versions": dict(plan.rooted.versions),
    }
