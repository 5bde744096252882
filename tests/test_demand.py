"""Totals are spread in whole numbers and preserved exactly (conventions 2.1, 2.2)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.demand import GRADE_SHARE, largest_remainder, long_to_wide, pupils_from_population, spread_totals
from planner.model import GRADES

WEIGHTS = st.lists(st.floats(0, 1e9), min_size=1, max_size=40)


@given(st.integers(0, 10**9), WEIGHTS)
def test_the_sum_is_kept_and_no_share_is_off_by_one(total, weights):
    w = np.array(weights)
    if not w.any():
        w[0] = 1.0
    made = largest_remainder(total, w)
    assert made.dtype == np.int64
    assert made.sum() == total
    assert (made >= 0).all()
    assert (np.abs(made - total * (w / w.sum())) <= 1 + 1e-6 * total).all()
    assert (made[w == 0] == 0).all()


def test_ties_go_to_the_earlier_row_and_nan_counts_as_nobody():
    assert largest_remainder(3, np.array([1.0, 1.0])).tolist() == [2, 1]
    assert largest_remainder(3, np.array([np.nan, 1.0, 1.0])).tolist() == [0, 2, 1]
    assert largest_remainder(0, np.array([0.0, np.nan])).tolist() == [0, 0]
    assert largest_remainder(0, np.array([])).tolist() == []


@pytest.mark.parametrize(
    ("total", "weights"), [(1, [0.0]), (1, []), (-1, [1.0]), (1, [-1.0]), (1, [np.inf]), (1, [np.nan])]
)
def test_what_cannot_be_spread(total, weights):
    with pytest.raises(ValueError, match=r"total|spread"):
        largest_remainder(total, np.array(weights))


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.floats(1, 1e5)), min_size=3, max_size=30),
    st.lists(st.integers(0, 5000), min_size=36, max_size=36),
)
def test_totals_of_towns_are_kept_by_town_and_grade(villages, numbers):
    demand = pd.DataFrame(villages, columns=["town_id", "population"])
    demand.index = pd.Index([f"V{i}" for i in range(len(demand))], name="demand_id")
    totals = pd.DataFrame(np.reshape(numbers, (3, 12)), index=list("ABC"), columns=list(GRADES))
    totals = totals.loc[sorted(set(demand["town_id"]))]
    made = spread_totals(totals, demand)
    assert made.index.equals(demand.index)
    assert (made.groupby(demand["town_id"]).sum() == totals).all(axis=None)


def test_a_total_of_the_county_and_totals_that_reach_nobody():
    demand = pd.DataFrame({"town_id": ["A", "B"], "population": [30.0, 10.0]}, index=["V1", "V2"])
    county = pd.DataFrame(4, index=[""], columns=list(GRADES))
    assert spread_totals(county, demand)["g1"].tolist() == [3, 1]
    with pytest.raises(ValueError, match="C, k1: 4 cannot be spread: every weight is 0 or unknown"):
        spread_totals(county.set_axis(["C"]), demand)
    with pytest.raises(ValueError, match="a total of the county stands beside totals of towns"):
        spread_totals(pd.concat([county, county.set_axis(["A"])]), demand)


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=50))
def test_the_county_is_rounded_once(people):
    made = pupils_from_population(pd.Series(people))
    for grade in GRADES:
        assert (
            made[grade].sum() == round(sum(people) * GRADE_SHARE[grade])
            or abs(made[grade].sum() - sum(people) * GRADE_SHARE[grade]) <= 0.5 + 1e-6
        )
    assert made.dtypes.eq("int64").all()


def test_long_to_wide_adds_and_keeps_order():
    long = pd.DataFrame({"demand_id": ["V2", "V1", "V2"], "grade": ["g1", "k1", "g1"], "pupils": [4, 2, 3]})
    wide = long_to_wide(long)
    assert wide.index.tolist() == ["V2", "V1"]
    assert wide.columns.tolist() == list(GRADES)
    assert wide.loc["V2", "g1"] == 7
    assert wide.to_numpy().sum() == 9


def test_whole_shares_that_floats_just_miss_stay_whole():
    """13 x 6/13 is a little less than 6 in floats: every row is then rounded up, those without weight are not."""
    assert largest_remainder(13, np.array([6.0, 3.0, 1.0, 0.0, 3.0, 0.0])).tolist() == [6, 3, 1, 0, 3, 0]
