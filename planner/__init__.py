"""The school-layout planner: which village schools may close, which must stay, and who travels how far.

The names below are loaded when they are first used, so that ``import planner`` is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.area import check_area, read_area, write_area
    from planner.compare import compare
    from planner.draw import draw
    from planner.errors import DataError, InfeasibleError, PlannerError, ScenarioError
    from planner.explain import explain, explain_all, read_plan
    from planner.intake import new_area
    from planner.plan import Plan, alternatives, catchments, current_plan, frontier, optimise, score
    from planner.public import public
    from planner.robust import robustness
    from planner.scenario import parse_scenario, read_scenario
    from planner.travel import criticality, flows, isochrones, path, paths, travel_times
    from planner.verify import verify

_HOME = {
    "DataError": "errors",
    "InfeasibleError": "errors",
    "Plan": "plan",
    "PlannerError": "errors",
    "ScenarioError": "errors",
    "alternatives": "plan",
    "catchments": "plan",
    "check_area": "area",
    "compare": "compare",
    "criticality": "travel",
    "current_plan": "plan",
    "draw": "draw",
    "explain": "explain",
    "explain_all": "explain",
    "flows": "travel",
    "frontier": "plan",
    "isochrones": "travel",
    "new_area": "intake",
    "optimise": "plan",
    "parse_scenario": "scenario",
    "path": "travel",
    "paths": "travel",
    "public": "public",
    "read_area": "area",
    "read_plan": "explain",
    "read_scenario": "scenario",
    "robustness": "robust",
    "score": "plan",
    "travel_times": "travel",
    "verify": "verify",
    "write_area": "area",
}

__all__ = [
    "DataError",
    "InfeasibleError",
    "Plan",
    "PlannerError",
    "ScenarioError",
    "alternatives",
    "catchments",
    "check_area",
    "compare",
    "criticality",
    "current_plan",
    "draw",
    "explain",
    "explain_all",
    "flows",
    "frontier",
    "isochrones",
    "new_area",
    "optimise",
    "parse_scenario",
    "path",
    "paths",
    "public",
    "read_area",
    "read_plan",
    "read_scenario",
    "robustness",
    "score",
    "travel_times",
    "verify",
    "write_area",
]


class _Late:
    """A name that is loaded when it is first read, and that a module of the same name does not replace.

    Importing ``planner.optimise`` would otherwise bind the module where people expect the function.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, module: ModuleType, owner: type) -> Any:
        return getattr(import_module(f"planner.{_HOME[self.name]}"), self.name)

    def __set__(self, module: ModuleType, value: Any) -> None:
        """The import system's own binding of a module is passed over."""


_Facade = type("_Facade", (ModuleType,), {name: _Late(name) for name in _HOME})
sys.modules[__name__].__class__ = _Facade


def __dir__() -> list[str]:
    return sorted(__all__)
