"""``planner map``: saved plans drawn again, run in this process."""

import json

import pytest
import typer

from planner.commands.pictures import draw_map
from planner.draw.tiles import KEY
from planner.errors import DataError
from tests import tiny as tiny_module
from tests.test_draw import data_of

SECRET = "0123456789abcdef0123456789abcdef"


class Page:
    """A page that was written, as ``data_of`` reads one."""

    def __init__(self, path):
        self.html = path.read_text("utf-8")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two plans of one area, and one of another."""
    from planner.area import read_area, write_area
    from planner.plan import optimise, score
    from planner.scenario import parse_scenario
    from planner.travel import travel_times

    base, folders = tmp_path_factory.mktemp("saved"), []
    for name, title in (("one", "Tiny 小县"), ("two", "Other")):
        made = tiny_module.make_area()
        made.schools["name"] = made.schools["name"] + title
        area = read_area(write_area(made, base / name))
        scenario = parse_scenario(tiny_module.SCENARIO)
        times = travel_times(area, scenario.travel, cache=False)
        best = optimise(area, times, scenario)
        folders.append(best.save(base / f"{name}-best"))
        folders.append(score(area, times, scenario, best.actions).save(base / f"{name}-again"))
    return folders


def test_plans_of_one_area_on_one_page(saved, tmp_path, capsys):
    draw_map(saved[:2], language="en", out=tmp_path / "a" / "map.html", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["file"] == str(tmp_path / "a" / "map.html")
    data = data_of(Page(tmp_path / "a" / "map.html"))
    assert len(data["plans"]) == 3
    assert [plan["title"] for plan in data["plans"][1:]] == said["plans"]
    assert (data["lang"], data["tiles"], data["area"]["public"]) == ("en", None, False)
    assert data["whatif"]["of"] == [0, 0, 0]


def test_the_public_edition_is_of_fives(saved, tmp_path):
    draw_map(saved[:1], out=tmp_path / "map.html", public=True)
    data = data_of(Page(tmp_path / "map.html"))
    assert data["area"]["public"]
    assert {count % 5 for village in data["villages"] for count in village["pupils"]} == {0}


def test_plans_of_other_areas_are_refused(saved, tmp_path):
    with pytest.raises(DataError, match="its area is not that of") as error:
        draw_map([saved[0], saved[2], saved[3]], out=tmp_path / "map.html")
    assert len(error.value.faults) == 2
    assert not (tmp_path / "map.html").exists()


def test_tiles_are_asked_for_by_name_and_the_key_is_never_said(saved, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(KEY, SECRET)
    draw_map(saved[:1], tiles="tianditu", out=tmp_path / "map.html")
    assert SECRET in data_of(Page(tmp_path / "map.html"))["tiles"]["layers"][0]
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    monkeypatch.delenv(KEY)
    with pytest.raises(DataError, match=KEY):
        draw_map(saved[:1], tiles="tianditu", out=tmp_path / "other.html")


def test_what_cannot_be_written_or_spoken_is_said(saved, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="it cannot be written"):
        draw_map(saved[:1], out=tmp_path / "file" / "map.html")
    with pytest.raises(typer.BadParameter, match="neither en nor zh"):
        draw_map(saved[:1], language="fr")
