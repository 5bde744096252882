"""Drawn counties, every option on and off: whatever is found passes the independent check, and nothing is idle."""

import dataclasses
from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import InfeasibleError
from planner.model import GRADES, KIND_GRADES, Roads
from planner.plan import optimise
from planner.report import save
from planner.scenario import parse_scenario
from planner.travel import travel_times
from planner.verify import verify
from tests import tiny

KINDS = ("central_primary", "village_primary", "teaching_point", "nine_year", "junior_middle")
OBJECTIVES = ("pupil_minutes", "annual_cost_cny", "capital_cost_cny", "schools_open")


def county(rng):
    """Twelve villages along one road, six schools among them, one town."""
    base, n, m = tiny.make_area(), 12, 6
    x = np.cumsum(rng.integers(200, 2000, n)).astype(float)
    home = rng.choice(n, m, replace=False)
    kinds = np.append("nine_year", rng.choice(KINDS, m - 1))
    primary = rng.integers(60, 400, m).astype(float)
    schools = base.schools.iloc[[0] * m].set_geometry(tiny.points(list(x[home])).to_numpy(), crs=tiny.CRS)
    schools = schools.set_index(pd.Index([f"S{i}" for i in range(m)], name="school_id")).assign(
        kind=kinds,
        status=np.append("existing", np.where(rng.random(m - 1) < 0.25, "candidate", "existing")),
        grades=[KIND_GRADES[kind] for kind in kinds],
        seats_primary=primary,
        seats_junior=rng.integers(100, 300, m).astype(float),
        pupils_primary=np.where(rng.random(m) < 0.5, np.nan, rng.integers(0, 150, m)),
        pupils_junior=np.nan,
        annual_cost_cny=rng.integers(100, 900, m).astype(float),
    )
    demand = base.demand.iloc[[0] * n].set_geometry(tiny.points(list(x)).to_numpy(), crs=tiny.CRS)
    demand = demand.set_index(pd.Index([f"V{i}" for i in range(n)], name="demand_id"))
    pupils = pd.DataFrame(0, index=demand.index, columns=list(GRADES), dtype="int64")
    pupils[list(GRADES[3:])] = rng.integers(0, 12, (n, len(GRADES) - 3))
    edges = base.roads.edges.iloc[[0] * (n - 1)].reset_index(drop=True)
    edges = edges.assign(from_node=range(n - 1), to_node=range(1, n), length_m=np.diff(x))
    ends = zip(x[:-1] + tiny.X0, x[1:] + tiny.X0, strict=True)
    edges.geometry = gpd.GeoSeries([shapely.LineString([(a, tiny.Y0), (b, tiny.Y0)]) for a, b in ends], crs=tiny.CRS)
    roads = Roads(edges, pd.DataFrame({"x": x + tiny.X0, "y": tiny.Y0}))
    towns = base.towns.iloc[:1].copy()
    towns.geometry = [shapely.box(tiny.X0 - 500, tiny.Y0 - 1000, tiny.X0 + 90_000, tiny.Y0 + 1000)]
    return dataclasses.replace(base, schools=schools, demand=demand, pupils=pupils, towns=towns, roads=roads)


def question(rng, more=""):
    first, then = rng.permutation(OBJECTIVES)[:2]
    goals = (
        ""
        if "objective" in more
        else f'''
        objective.minimise = "{first}"
        objective.then = {f'["{then}"]' if rng.random() < 0.6 else "[]"}'''
    )
    return parse_scenario(
        f"""
        title = "Drawn"
        travel.max_minutes.lower_primary = {rng.integers(10, 90)}
        rules.may_close_below_pupils = {rng.choice([50, 200, 1000])}
        rules.may_merge_kinds = {'["nine_year"]' if rng.random() < 0.5 else "[]"}
        rules.may_gain = {{ S1 = ["junior", "primary"] }}
        capacity.expansion = {"true" if rng.random() < 0.6 else "false"}
        capacity.cost_per_seat_cny = 100
        capacity.max_added_seats_per_school = 200
        costs.annual_cny_per_pupil = 3
        costs.bus_cny_per_pupil_km = 0.05
        assignment.unit = "{"village" if "contiguous = true" in more else rng.choice(["village", "pupil"])}"
        assignment.beyond_norm = "{rng.choice(["forbid", "as_today", "allow"])}"
        {goals}
        {more}
        solver.gap = {rng.choice([0.0, 0.01, 0.1])}
        [[rules.per_town]]
        kinds = ["village_primary", "teaching_point"]
        stage = "primary"
        open = {{ min = 0, max = {rng.integers(1, 4)} }}
        """,
        "drawn.toml",
    )


@pytest.mark.slow
@pytest.mark.usefixtures("tables_alone")
def test_every_drawn_plan_passes_the_independent_check(tmp_path):
    from planner.area import read_area, write_area

    seen = Counter()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        folder = tmp_path / f"a{seed}"
        write_area(county(rng), folder)
        area, scenario = read_area(folder), question(rng)
        try:
            plan = optimise(area, travel_times(area, scenario.travel), scenario)
        except InfeasibleError:
            seen["infeasible"] += 1
            continue
        opened = plan.actions[(plan.actions["action"] == "open") & (plan.actions["pupils"] == 0)]
        assert opened.empty, seed
        checked = verify(save(plan, tmp_path / f"p{seed}"))
        assert checked.passed, f"seed {seed}: {checked}"
        seen["split" if scenario.assignment.unit == "pupil" else "whole"] += 1
    assert min(seen[kind] for kind in ("infeasible", "split", "whole")) > 0


def conditions(rng):
    """Some of what may be asked beside."""
    lines = {
        "closest": "assignment.closest = true",
        "contiguous": "assignment.contiguous = true",
        "min": f"rules.min_pupils_per_school = {rng.integers(20, 120)}",
        "max": f"capacity.max_pupils_per_school = {rng.integers(200, 600)}",
        "merge": f'rules.merge_into = {{ S1 = ["S0", "S{rng.integers(2, 6)}"], S2 = ["S0"] }}',
        "annual": f"costs.max_annual_cny = {rng.integers(20_000, 120_000)}",
        "capital": f"costs.max_capital_cny = {rng.integers(0, 9000)}",
        "weighted": 'objective.minimise = "weighted_cny"\nobjective.weights_cny = '
        f"{{ pupil_minutes = 0.5, annual_cost_cny = 1, excess_pupil_minutes = {rng.integers(1, 5)} }}",
        "three": 'objective.minimise = "excess_pupil_minutes"\nobjective.then = ["schools_open", "pupil_minutes"]',
    }
    kept = [name for name in lines if rng.random() < 0.35]
    if "weighted" in kept and "three" in kept:
        kept.remove("three")
    return kept, "\n".join(lines[name] for name in kept)


@pytest.mark.slow
@pytest.mark.usefixtures("tables_alone")
def test_every_condition_is_kept_and_checked(tmp_path):
    from planner.area import read_area, write_area

    seen = Counter()
    for seed in range(100, 130):
        rng = np.random.default_rng(seed)
        kept, lines = conditions(rng)
        folder = tmp_path / f"a{seed}"
        write_area(county(rng), folder)
        area, scenario = read_area(folder), question(rng, lines)
        try:
            plan = optimise(area, travel_times(area, scenario.travel), scenario)
        except InfeasibleError:
            seen["infeasible"] += 1
            continue
        checked = verify(save(plan, tmp_path / f"p{seed}"))
        assert checked.passed, f"seed {seed} {kept}: {checked}"
        seen.update(kept)
    assert len(seen) == 10, seen
