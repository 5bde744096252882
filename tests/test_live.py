"""planner new --place against a recorded server on 127.0.0.1: nothing else is asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

import planner as pl
from planner.errors import DataError

PLACE = [
    {
        "osm_type": "relation",
        "osm_id": 77,
        "name": "甲县",
        "display_name": "甲县, 陕西",
        "lat": "35.1",
        "lon": "108.3",
        "importance": 0.4,
        "class": "boundary",
        "type": "administrative",
        "addresstype": "county",
        "place_rank": 12,
        "boundingbox": ["35.05", "35.20", "108.25", "108.40"],
        "geojson": {
            "type": "Polygon",
            "coordinates": [[[108.25, 35.05], [108.4, 35.05], [108.4, 35.2], [108.25, 35.2], [108.25, 35.05]]],
        },
    }
]


def node(number, lon, lat, **tags):
    return {"type": "node", "id": number, "lat": lat, "lon": lon} | ({"tags": tags} if tags else {})


ELEMENTS = {
    "elements": [
        *(node(n, 108.30 + 0.01 * n, 35.10) for n in range(5)),
        node(10, 108.301, 35.101, place="village", name="甲村", population="900"),
        node(11, 108.331, 35.101, place="village", name="乙村", population="500"),
        node(20, 108.302, 35.10, amenity="school", name="甲村小学"),
        node(21, 108.332, 35.10, amenity="school", name="乙镇中心小学"),
        {"type": "way", "id": 30, "nodes": [0, 1, 2], "tags": {"highway": "tertiary"}},
        {"type": "way", "id": 31, "nodes": [2, 3, 4], "tags": {"highway": "unclassified", "oneway": "no"}},
    ]
}


class Recorded(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def answer(self):
        self.asked.append(self.path)
        body = PLACE if "search" in self.path else ELEMENTS
        if "status" in self.path:
            content = b"Connected as: 1\nRate limit: 0\n"
        else:
            content = json.dumps([] if "nowhere" in self.path else body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    import osmnx

    Recorded.asked = []
    service = ThreadingHTTPServer(("127.0.0.1", 0), Recorded)
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{service.server_port}"
    monkeypatch.setattr(osmnx.settings, "nominatim_url", f"{url}/")
    monkeypatch.setattr(osmnx.settings, "overpass_url", f"{url}/api")
    monkeypatch.setattr(osmnx.settings, "overpass_rate_limit", False)
    monkeypatch.setattr(osmnx.settings, "use_cache", False)
    monkeypatch.setattr("osmnx._nominatim.time.sleep", lambda _: None)
    yield Recorded
    service.shutdown()
    service.server_close()
    thread.join()


def test_a_place_by_its_name(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    area = pl.new_area(tmp_path / "a", place="甲县, 陕西")
    assert area.towns["name"].tolist() == ["甲县"]
    assert sorted(area.demand["name"]) == ["乙村", "甲村"]
    assert sorted(area.schools["kind"]) == ["central_primary", "village_primary"]
    assert area.roads.edges["length_m"].sum() == pytest.approx(3640, rel=0.01)
    times = pl.travel_times(area, pl.parse_scenario('title = "a"').travel)
    assert times.data["minutes"].notnull().all()
    assert any("search" in path for path in server.asked)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_place_that_is_not_found(server, tmp_path):
    with pytest.raises(DataError, match=r"--place nowhere: it could not be fetched"):
        pl.new_area(tmp_path / "a", place="nowhere")
