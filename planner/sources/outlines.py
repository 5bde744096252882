"""The outlines of an OSM extract's areas: closed ways, and relations of ways."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from planner.sources.arrow import texts
from planner.sources.opl import nodes_of

FEW_WAYS_BYTES = 5_000_000
MEMBER_WAY = re.compile(r"[M,]w(\d+)@")


def outlines_of(things: Any, file: Path, places: Any) -> dict[str, list[Any]]:
    """The lines round every area, by its id; None for a line that the extract holds a part of.

    An area with a line of which the extract holds nothing is left out.

    Parameters
    ----------
    things : as in ``Tagged``
    places : of all nodes, by their numbers
    """
    import shapely

    columns = (things[column].to_pylist() for column in ("osm_id", "body", "type", "area"))
    rows = list(zip(*columns, strict=True))
    members = {
        osm_id: dict.fromkeys(int(way) for way in MEMBER_WAY.findall(body))
        for osm_id, body, kind, _ in rows
        if osm_id.startswith("r") and kind in ("boundary", "multipolygon")
    }
    lines = _lines(file, {way for parts in members.values() for way in parts}, places) if members else {}
    whole = {area: parts for area, parts in members.items() if parts and parts.keys() <= lines.keys()}
    held = {area: [lines[way] for way in parts] for area, parts in whole.items()}
    single = [(osm_id, body) for osm_id, body, _, area in rows if osm_id.startswith("w") and area != "no"]
    first, vertex, lonlat = nodes_of(texts(body for _, body in single))
    for (osm_id, _), a, b in zip(single, first[:-1], first[1:], strict=True):
        if b - a > 3 and vertex[a] == vertex[b - 1]:
            held[osm_id] = [shapely.LineString(lonlat[a:b]) if np.isfinite(lonlat[a:b]).all() else None]
    return held


def _lines(file: Path, wanted: set[int], places: Any) -> dict[int, Any]:
    """The ways with some numbers, by these."""
    import osmium

    lines = {}

    class Reader:
        def way(self, way: Any) -> None:
            if way.id in wanted:
                lines[way.id] = _line(way, places)

    # The filter takes 4 MB for every 33 million numbers that are in use: longer than to look at a small file's ways.
    filters = [osmium.filter.IdFilter(wanted)] if file.stat().st_size > FEW_WAYS_BYTES else []
    with osmium.io.Reader(str(file), osmium.osm.WAY) as reader:
        osmium.apply(reader, *filters, Reader())
    return lines


def _line(way: Any, places: Any) -> Any:
    import shapely

    try:
        nodes = [places.get(node.ref) for node in way.nodes]
    except KeyError:
        return None
    return shapely.LineString([(node.lon, node.lat) for node in nodes]) if len(nodes) > 1 else None


def area_of(lines: list[Any]) -> Any:
    """The area that lines enclose, rings inside rings being holes; None where they do not close."""
    import shapely

    if any(line is None for line in lines):
        return None
    drawn = shapely.multilinestrings(lines)
    _, cuts, dangles, crossed = shapely.polygonize_full([drawn])
    area = shapely.build_area(drawn)
    whole = shapely.is_empty([cuts, dangles, crossed]).all() and not area.is_empty and area.is_valid
    return area if whole else None
