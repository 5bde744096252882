import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.draw.pack import from_text, pack, to_text, unpack
from planner.draw.words import asset

WHOLE = st.integers(-(2**40), 2**40)
DECIMAL = st.integers(-(10**7), 10**7).map(lambda n: n / 100)
LEAVES = st.none() | st.booleans() | WHOLE | DECIMAL | st.floats(allow_nan=False, allow_infinity=False) | st.text()
LONG = st.one_of(
    *(
        st.lists(kind, max_size=30)
        for kind in (WHOLE, DECIMAL, st.none() | DECIMAL, st.sampled_from(["a", "</script>"]))
    ),
    st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=20),
    st.lists(
        st.fixed_dictionaries({"id": st.text(), "n": st.none() | WHOLE, "at": st.tuples(DECIMAL, WHOLE).map(list)})
    ),
    st.lists(st.tuples(WHOLE, st.text(), st.none() | DECIMAL).map(list), min_size=8, max_size=12),
)
DATA = st.recursive(
    LEAVES | LONG, lambda inside: st.lists(inside) | st.dictionaries(st.text().filter(lambda key: key != "#"), inside)
)


@given(DATA)
def test_what_was_packed_comes_back(data):
    assert unpack(pack(data)) == data
    assert from_text(to_text(data)) == data


def drawn(seed):
    rng = random.Random(seed)
    n = rng.choice([3, 8, 40])
    return {
        "steps": [[rng.randint(-(10**7), 10**7), 5, *(rng.randint(-9, 9) for _ in range(i % 20))] for i in range(n)],
        "gaps": [rng.choice([None, 0, 0.1, 65.5, -3, 1234.5]) for _ in range(n)],
        "large": [rng.randint(-(2**31) + 1, 2**31 - 1) for _ in range(n)],
        "floats": [rng.random() for _ in range(n)],
        "words": [rng.choice(["", "旬邑", "</script><b>"]) for _ in range(n)],
        "records": [{"id": str(i), "at": [35.1 + i / 1e5, 108.0], "more": {"x": None}, "none": []} for i in range(n)],
        "rows": [[i, "walk" if i % 2 else "", None if i % 3 else i / 100, [i]] for i in range(n)],
        "flags": [bool(i % 2) for i in range(n)],
    }


@pytest.mark.browser
def test_the_page_reads_what_python_packed(browser):
    read = """async (text) =>
      JSON.stringify(await readData({ text }), (_, value) => (ArrayBuffer.isView(value) ? [...value] : value))"""
    page = browser.new_page()
    page.add_script_tag(content=asset("pack.js"))
    for seed in range(20):
        data = drawn(seed)
        assert json.loads(page.evaluate(read, to_text(data))) == data
    page.close()
