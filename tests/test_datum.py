"""Coordinate systems: published points, and a way back that is tighter than 0.1 mm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.sources.datum import DATUMS, from_wgs84, is_datum, to_wgs84

METRES_PER_DEGREE = 111_320.0
PLACES = st.tuples(st.floats(73.5, 135.0), st.floats(18.0, 53.5))


def moved(place, function, datum):
    lon, lat = function(np.array([place[0]]), np.array([place[1]]), datum)
    return float(lon[0]), float(lat[0])


def test_published_points():
    # Shanghai, from the test cases of the eviltransform library; Beijing, from Baidu's own converter.
    assert moved((121.5272106, 31.1774276), from_wgs84, "gcj02") == pytest.approx((121.531541859215, 31.17530398364597))
    beijing = moved((116.404, 39.915), to_wgs84, "gcj02")
    assert moved(beijing, from_wgs84, "bd09") == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@given(PLACES, st.sampled_from(DATUMS))
def test_there_and_back_within_a_tenth_of_a_millimetre(place, datum):
    back = moved(moved(place, from_wgs84, datum), to_wgs84, datum)
    assert np.hypot(back[0] - place[0], back[1] - place[1]) * METRES_PER_DEGREE < 1e-4
    there = moved(moved(place, to_wgs84, datum), from_wgs84, datum)
    assert np.hypot(there[0] - place[0], there[1] - place[1]) * METRES_PER_DEGREE < 1e-4


@pytest.mark.parametrize(("datum", "metres"), [("gcj02", 445), ("bd09", 1200)])
def test_how_far_off_xunyi_lies(datum, metres):
    lon, lat = moved((108.33, 35.11), from_wgs84, datum)
    east = (lon - 108.33) * METRES_PER_DEGREE * np.cos(np.radians(35.11))
    assert np.hypot(east, (lat - 35.11) * METRES_PER_DEGREE) == pytest.approx(metres, rel=0.1)


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_outside_china_nothing_moves(datum):
    for function in (to_wgs84, from_wgs84):
        assert moved((9.52, 47.14), function, datum) == (9.52, 47.14)


def test_epsg_codes():
    x, y = moved((108.33, 35.11), from_wgs84, "EPSG:4545")
    assert (x, y) == pytest.approx((530_080, 3_886_850), abs=1000)
    assert moved((x, y), to_wgs84, "EPSG:4545") == pytest.approx((108.33, 35.11), abs=1e-9)


def test_words_that_are_no_datum():
    assert not is_datum("EPSG:999999")
    with pytest.raises(ValueError, match="'wgs-84' is none of wgs84, cgcs2000, gcj02, bd09 or EPSG:n"):
        to_wgs84(np.zeros(1), np.zeros(1), "wgs-84")
