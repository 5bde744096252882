"""Plans over futures against trying everything, on drawn counties with every option of a scenario on and off."""

import hashlib
import itertools
import json
import math
import re
import shutil

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.model import BAND_GRADES
from planner.plan import optimise
from planner.plan.futures import come_true
from planner.report import save
from planner.scenario import parse_scenario
from planner.travel import travel_times
from planner.verify import verify
from tests import tiny as tiny_module

SITES = (("S1", "primary"), ("S2", "primary"), ("S3", "primary"), ("S3", "junior"))
BANDS = {"lower_primary": "primary", "upper_primary": "primary", "junior": "junior"}
COSTS = {"S1": 900.0, "S2": 300.0, "S3": 1500.0}
STEP, PRICE = 10, 20.0
WORDS = ("pupil_minutes", "annual_cost_cny", "capital_cost_cny", "schools_open", "excess_pupil_minutes")


def county(rng):
    """Four villages and three schools anywhere along the road; seats, pupils and enrolments drawn."""
    base = tiny_module.make_area()
    x = rng.permutation(np.arange(0, 4501, 50))[:7].astype(float)
    schools = base.schools.assign(
        seats_primary=np.where(rng.random(3) < 0.2, np.nan, rng.integers(0, 40, 3).astype(float)),
        seats_junior=[0.0, 0.0, 20.0],
        pupils_primary=rng.integers(5, 60, 3).astype(float),
        status=["existing", rng.choice(["existing", "candidate"]), "existing"],
    )
    schools["geometry"] = tiny_module.points(list(x[4:])).to_numpy()
    schools.loc[schools["status"] == "candidate", "seats_primary"] = 20.0  # what opens has seats that are known
    demand = base.demand.copy()
    demand["geometry"] = tiny_module.points(list(x[:4])).to_numpy()
    pupils = base.pupils.copy() * 0
    pupils["g1"] = rng.integers(1, 14, 4)
    pupils.loc["V1", "g4"] = int(rng.integers(0, 9))
    pupils.loc["V2", "g7"] = int(rng.integers(0, 6))
    return tiny_module.make_area(schools=schools, demand=demand, pupils=pupils)


def question(rng, over):
    """A scenario with every option drawn on or off."""

    def maybe(text, odds=0.35):
        return text if rng.random() < odds else ""

    priced = rng.random() < 0.6
    words = [word for word in WORDS if priced or word != "capital_cost_cny"]
    weigh = maybe("weights", 0.3)
    goals = rng.permutation(words)[: rng.integers(1, 4)].tolist()
    first = "weighted_cny" if weigh else goals[0]
    weights = ", ".join(f"{word} = {rng.integers(1, 5)}" for word in rng.permutation(words)[:3])
    text = f"""
title = "Drawn"
norms = "unlimited"
[travel]
modes = ["walk"]
[travel.max_minutes]
lower_primary = {rng.integers(20, 50)}
[rules]
may_close_below_pupils = {rng.choice([20, 40, 100])}
{maybe(f"min_pupils_per_school = {rng.integers(5, 20)}")}
{maybe('keep = ["S1"]', 0.2)}
{maybe('merge_into = { S3 = ["S1"], S1 = ["S2", "S3"] }')}
[[rules.per_town]]
kinds = ["village_primary", "teaching_point"]
stage = "primary"
open = {{ min = 0, max = {rng.integers(0, 2)} }}
[capacity]
expansion = {str(rng.random() < 0.7).lower()}
seat_step = {STEP}
max_added_seats_per_school = {rng.choice([STEP, 2 * STEP])}
{f"cost_per_seat_cny = {PRICE}" if priced else ""}
{maybe(f"max_pupils_per_school = {rng.integers(20, 60)}")}
[costs]
annual_cny_per_school = {{ central_primary = 900, village_primary = 300, nine_year = 1500 }}
annual_cny_per_pupil = 10
{maybe("max_annual_cny = 3000")}
{maybe(f"max_capital_cny = {rng.integers(100, 800)}") if priced else ""}
[assignment]
beyond_norm = "{rng.choice(["forbid", "as_today", "allow"])}"
{maybe("closest = true")}
{maybe("contiguous = true")}
[objective]
minimise = "{first}"
{f"weights_cny = {{ {weights} }}" if weigh else ""}
then = {json.dumps(goals[1:])}
over = "{over}"
[solver]
gap = 0.0
"""
    for name in ("one", "two"):
        factors = ", ".join(f"{band} = {rng.choice([0.0, 0.6, 1.0, 1.3, 2.0])}" for band in ("lower_primary", "junior"))
        text += f'[[futures]]\nname = "{name}"\nweight = {rng.integers(1, 4)}\nspeed = {rng.choice([0.6, 1.0, 1.5])}\n'
        text += f"pupils = {{ {factors} }}\n"
    return parse_scenario(text, "drawn.toml")


# ---------------------------------------------------------------- the oracle: rules said once more, one by one


class Block:
    """The present or a future, as plain lists: rows of villages' bands, and who may go where."""

    def __init__(self, area, times, scenario, present=None):
        minutes, frame = times.data["minutes"].to_series().to_dict(), area.schools
        self.scenario, self.rows = scenario, []
        self.of_today = [j for j, (school, _) in enumerate(SITES) if frame.at[school, "status"] != "candidate"]
        self.west_to_east = area.demand.geometry.x.sort_values(kind="stable").index.tolist()
        for band, stage in BANDS.items():
            pupils = area.pupils[list(BAND_GRADES[band])].sum(axis=1)
            for village in area.demand.index:
                count = int(pupils[village])
                trips = [minutes[band, village, school] if of == stage else math.nan for school, of in SITES]
                if count:
                    self.rows.append((village, band, count, trips))
        self.present = present or self

    def nearest(self, village, band):
        """The nearest school of today, of equals the earlier."""
        trips = next(r[3] for r in self.rows if r[:2] == (village, band))
        return min((j for j in self.of_today if not math.isnan(trips[j])), key=lambda j: (trips[j], j))

    def may_go(self, row):
        village, band, _, trips = row
        limit = self.scenario.travel.limit_minutes(band)
        if self.scenario.assignment.beyond_norm == "allow":
            limit = math.inf
        if self.scenario.assignment.beyond_norm == "as_today":
            limit = max(limit, trips[self.nearest(village, band)])
        return [j for j in range(4) if trips[j] <= limit + 1e-6]


def enrolled(area, j):
    """Pupils of a stage, as reported."""
    school, stage = SITES[j]
    return float(area.schools.at[school, f"pupils_{stage}"])


def may_end(area, scenario, j):
    school = SITES[j][0]
    if school in scenario.rules.keep:
        return False
    if area.schools.at[school, "status"] == "candidate" or school in scenario.rules.close:
        return True
    mine = [k for k in range(4) if SITES[k][0] == school]
    below = scenario.rules.may_close_below_pupils
    whole = sum(enrolled(area, k) for k in mine)
    return whole < below or (len(mine) > 1 and enrolled(area, j) < below)


def seats_of(area, j):
    school, stage = SITES[j]
    return float(area.schools.at[school, f"seats_{stage}"])


def keeps(block, is_open, pick, stays):
    """Whatever does not depend on the seats that are added."""
    scenario, ways = block.scenario, block.scenario.assignment
    pupils = dict.fromkeys(COSTS, 0)
    for (_, _, count, _), j in zip(block.rows, pick, strict=True):
        pupils[SITES[j][0]] += count
    for school, count in pupils.items():
        mine = [j for j in range(4) if SITES[j][0] == school]
        if count > scenario.capacity.max_pupils_per_school:
            return False
        free = any(is_open[j] for j in mine) and not any(j in stays for j in mine)
        if free and count < scenario.rules.min_pupils_per_school:
            return False
    for (village, band, _, _), j in zip(block.rows, pick, strict=True):
        today = block.present.nearest(village, band)
        into = scenario.rules.merge_into.get(SITES[today][0])
        if into is not None and not is_open[today] and SITES[j][0] not in into:
            return False
    if ways.contiguous:
        for stage in ("primary", "junior"):
            here = {r[0] for r in block.rows if BANDS[r[1]] == stage}
            order = [village for village in block.west_to_east if village in here]
            for j in range(4):
                mine = sorted(
                    {
                        order.index(r[0])
                        for r, s in zip(block.rows, pick, strict=True)
                        if s == j and BANDS[r[1]] == stage
                    }
                )
                if mine and mine != list(range(mine[0], mine[-1] + 1)):
                    return False
    running = sum(COSTS[s] for s in {SITES[j][0] for j in range(4) if is_open[j]})
    return running + 10 * sum(r[2] for r in block.rows) <= scenario.costs.max_annual_cny + 1e-6


def room(area, block, is_open, pick):
    """For each stage the seats it must have at least, and those from which on somebody is sent past a seat."""
    load = [sum(r[2] for r, s in zip(block.rows, pick, strict=True) if s == j) for j in range(4)]
    most = [math.inf] * 4
    if block.scenario.assignment.closest:
        for row, s in zip(block.rows, pick, strict=True):
            for j in block.may_go(row):
                if is_open[j] and row[3][j] < row[3][s] - 1e-6:
                    most[j] = min(most[j], load[j] + row[2])
    return load, most


def worth(area, block, word, is_open, pick):
    """An objective without the seats that are added."""
    scenario = block.scenario
    match word:
        case "pupil_minutes":
            return sum(r[2] * r[3][j] for r, j in zip(block.rows, pick, strict=True))
        case "excess_pupil_minutes":
            limit = scenario.travel.limit_minutes
            return sum(r[2] * max(r[3][j] - limit(r[1]), 0) for r, j in zip(block.rows, pick, strict=True))
        case "annual_cost_cny":
            return sum(COSTS[s] for s in {SITES[j][0] for j in range(4) if is_open[j]})
        case "capital_cost_cny":
            opened = [j for j in range(4) if is_open[j] and area.schools.at[SITES[j][0], "status"] == "candidate"]
            return PRICE * sum(np.nan_to_num(seats_of(area, j)) for j in opened)
        case "schools_open":
            return len({SITES[j][0] for j in range(4) if is_open[j]})
        case "weighted_cny":
            return sum(p * worth(area, block, w, is_open, pick) for w, p in scenario.objective.weights_cny.items())


def best(area, blocks):
    """The least of the objectives in turn, by trying everything; None where nothing keeps every rule."""
    scenario, found = blocks[0].scenario, None
    goal, capacity = scenario.objective, scenario.capacity
    words = (goal.minimise, *goal.then)
    weights = [future.weight for future in scenario.futures]
    stays = [j for j in range(4) if not may_end(area, scenario, j)]
    most = int(capacity.max_added_seats_per_school) // STEP if capacity.expansion else 0
    allowed = [[block.may_go(row) for row in block.rows] for block in blocks]
    for is_open in itertools.product([False, True], repeat=4):
        if any(not is_open[j] for j in stays) or int(is_open[1]) > scenario.rules.per_town[0].open.max:
            continue
        if any(is_open[j] and SITES[j][0] in scenario.rules.close for j in range(4)):
            continue
        each = [served(area, block, words, is_open, some, stays) for block, some in zip(blocks, allowed, strict=True)]
        if not all(len(values) for values, _, _ in each):
            continue
        have = np.array([math.inf if math.isnan(seats_of(area, j)) else seats_of(area, j) for j in range(4)])
        may_grow = [range(most + 1) if is_open[j] and np.isfinite(have[j]) else range(1) for j in range(4)]
        for steps in itertools.product(*may_grow):
            seats = have + STEP * np.array(steps)
            paid = PRICE * STEP * sum(steps)
            if worth(area, blocks[0], "capital_cost_cny", is_open, ()) + paid > scenario.costs.max_capital_cny:
                continue
            price = {"capital_cost_cny": 1.0, "weighted_cny": goal.weights_cny.get("capital_cost_cny", 0.0)}
            more = [paid * price.get(word, 0.0) for word in words]
            left = [
                {
                    tuple((v + more).round(6))
                    for v in values[((least <= seats) & ((seats < bears) | np.isinf(bears))).all(axis=1)]
                }
                for values, least, bears in each
            ]
            left = [[v for v in some if not any(o != v and all(np.less_equal(o, v)) for o in some)] for some in left]
            if not all(left):
                continue
            for values in itertools.product(*left[1:]):
                over = [
                    max(of) if goal.over == "worst" else float(np.average(of, weights=weights))
                    for of in zip(*values, strict=True)
                ]
                found = min(found or [math.inf], [round(float(v), 4) for v in over])
    return found


def served(area, block, words, is_open, allowed, stays):
    """Every way to serve a block: its values, and the seats of every stage that it needs and that it bears."""
    found = []
    for pick in itertools.product(*([j for j in some if is_open[j]] for some in allowed)):
        if keeps(block, is_open, pick, stays):
            least, most = room(area, block, is_open, pick)
            found.append(([worth(area, block, word, is_open, pick) for word in words], least, most))
    values, least, most = zip(*found, strict=True) if found else ([], [], [])
    return np.array(values), np.array(least), np.array(most)


def drawn(seed, over):
    rng = np.random.default_rng(seed)
    area = county(rng)
    scenario = question(rng, over)
    times = travel_times(area, scenario.travel)
    return area, times, scenario, blocks_of(area, times, scenario)


def blocks_of(area, times, scenario):
    blocks = [Block(area, times, scenario)]
    for future in scenario.futures:
        then, asked = come_true(area, scenario, future)
        blocks.append(Block(then, travel_times(then, asked.travel), asked, blocks[0]))
    return blocks


@pytest.mark.parametrize("over", ["worst", "average"])
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.usefixtures("tables_alone")
def test_equal_to_trying_everything(over, seed, tmp_path):
    area, times, scenario, blocks = drawn(seed, over)
    expected = best(area, blocks)
    if expected is None:
        with pytest.raises(InfeasibleError):
            optimise(area, times, scenario)
        return
    plan = optimise(area, times, scenario)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(expected[0], abs=1e-3, rel=1e-5)
    assert plan.bound == pytest.approx(expected[0], abs=1e-3, rel=1e-5)
    said = [note.en for note in plan.notes if note.en.startswith(("Second objective", "Third objective"))]
    for note, value in zip(said, expected[1:], strict=True):
        amount = re.search(r": ([\d,.]+) .*\(proven\)", note)[1]
        assert float(amount.replace(",", "")) == pytest.approx(value, abs=0.51)
    found = verify(save(plan, tmp_path / "plan"), area=area)
    assert found.passed, str(found)


@pytest.mark.usefixtures("tables_alone")
def test_a_changed_plan_over_futures_is_found(tmp_path):
    """Who goes where in a future, the objective, or the file gone: each with hashes made anew, as a forger would."""
    area, times, scenario, _ = drawn(0, "worst")
    whole = save(optimise(area, times, scenario), tmp_path / "plan")

    def forged(name, change):
        folder = shutil.copytree(whole, tmp_path / name)
        change(folder)
        listed = json.loads((folder / "manifest.json").read_text("utf-8"))
        listed["files"] = {
            f: hashlib.sha256((folder / f).read_bytes()).hexdigest() for f in listed["files"] if (folder / f).exists()
        }
        (folder / "manifest.json").write_text(json.dumps(listed), "utf-8")
        return "\n".join(failure for check in verify(folder, area=area).checks for failure in check.failures)

    def cheaper(folder):
        plan = json.loads((folder / "plan.json").read_text("utf-8"))
        (folder / "plan.json").write_text(json.dumps(plan | {"objective": 0.0, "bound": 0.0, "gap": 0.0}), "utf-8")

    def fewer(folder):
        lines = (folder / "futures.csv").read_text("utf-8-sig").splitlines()
        (folder / "futures.csv").write_text("\n".join(lines[:-1]) + "\n", "utf-8")

    assert verify(whole, area=area).passed
    assert "objective 0.00 in plan.json, 1.00 (worst) from the tables: one 1.00, two 1.00" in forged("a", cheaper)
    assert "every pupil is in the plan" in forged("b", fewer)
    assert "0 pupils in the plan" in forged("c", lambda folder: (folder / "futures.csv").unlink())
