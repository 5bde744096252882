"""A file imports only from rungs above it (docs/conventions.md; DESIGN: the rooms)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "planner"
LADDER = (
    "errors",
    "wording",
    "remembered",
    "beside",
    "compiled",
    "model",
    "tables",
    "scenario",
    "sources",
    "demand",
    "roads",
    "area",
    "privacy",
    "travel",
    "optimise",
    "plan",
    "verify",
    "indicators",
    "compare",
    "public",
    "robust",
    "draw",
    "explain",
    "report",
    "folders",
    "hearing",
    "intake",
    "commands",
    "cli",
    "__main__",
    "__init__",
)
FACADE = {("plan", "report"), ("plan", "draw")}
"""Methods that only hand over: ``plan.save()`` (docs/decisions/0002)."""


def rung(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "planner":
            parts = node.module.split(".")[1:]
            found |= {parts[0]} if parts else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("planner.")}
    return found


FILES = sorted(p for p in ROOT.rglob("*.py") if "default_area" not in p.parts)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_only_go_up(path):
    here = rung(path)
    assert here in LADDER
    for other in imported(path) - {here}:
        assert other in LADDER, f"{path.name} imports {other}, which is no rung"
        allowed = LADDER.index(other) < LADDER.index(here) or (here, other) in FACADE
        assert allowed, f"{here} imports {other}, which is below it"


def test_only_draw_imports_folium():
    for path in FILES:
        if rung(path) != "draw":
            assert "folium" not in path.read_text("utf-8").replace('"folium"', ""), path
