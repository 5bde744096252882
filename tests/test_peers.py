"""Distances and times beside those of other libraries on a real extract (docs/travel-checks.md)."""

import networkx as nx
import numpy as np
import pytest
from pyproj import Transformer
from scipy.spatial import cKDTree

from planner.roads import from_ways, strong_parts
from planner.roads.tags import features
from planner.scenario import Travel
from planner.sources.osm import WAY_TAGS, read_osm
from planner.sources.words import Words
from planner.travel.doors import at_nodes
from planner.travel.hierarchy import hierarchy_of
from planner.travel.network import Network, mode_network, off_road
from planner.travel.trips import trips
from tests.test_cases import case

CRS = "EPSG:32632"
MODES = ("walk", "bus")


@pytest.fixture(scope="module")
def roads():
    return from_ways(read_osm(case("liechtenstein")).ways, CRS)


def sample(roads, mode, origins, targets, among=True):
    """Junctions of the mode's largest strongly connected part."""
    usable = roads.edges[roads.edges[mode].to_numpy(dtype=bool)]
    used = np.isin(np.arange(len(roads.nodes)), usable[["from_node", "to_node"]].to_numpy())
    nodes = np.flatnonzero(used & (strong_parts(roads, mode) == 0) & among)
    picked = np.random.default_rng(0).choice(nodes, origins + targets, replace=False)
    return picked[:origins], picked[origins:]


def by_networkx(graph, origins, targets, weight):
    """(n_origin, n_target) by Dijkstra from each target on the reversed graph."""
    back, found = graph.reverse(copy=False), []
    for target in targets:
        reach = nx.single_source_dijkstra_path_length(back, target, weight=weight)
        found.append([reach.get(origin, np.inf) for origin in origins])
    return np.array(found).T


@pytest.mark.parametrize("swept", [True, False], ids=["hierarchy", "scipy"])
@pytest.mark.parametrize("mode", MODES)
def test_equal_to_networkx_on_the_same_graph(roads, mode, swept):
    """60 x 8 trips between junctions, minutes to 1e-6; parallel roads, islands and one-way streets as they are."""
    network = mode_network(roads, Travel(), mode)
    origins, targets = sample(roads, mode, 60, 8)
    hierarchy = hierarchy_of(roads) if swept else None
    ours = trips(network, at_nodes(origins), at_nodes(targets), off_road(Travel()), hierarchy)[0]
    graph = nx.MultiDiGraph()
    for tail, head, minutes in zip(network.tail.tolist(), network.head.tolist(), network.minutes.tolist(), strict=True):
        if np.isfinite(minutes):
            graph.add_edge(tail, head, t=minutes)
    theirs = by_networkx(graph, origins.tolist(), targets.tolist(), "t")
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def write_xml(extract, xml, mode):
    """The ways that we let a mode use, and their nodes, as OSM XML."""
    import osmium

    ways, tags = [], []
    for way in osmium.FileProcessor(str(extract), osmium.osm.WAY):
        if "highway" in way.tags:
            ways.append((way.id, [node.ref for node in way.nodes]))
            tags.append({key: way.tags.get(key, "") for key in WAY_TAGS})
    usable = features({key: Words.of([row[key] for row in tags]) for key in WAY_TAGS})[mode]
    kept = {way: refs for (way, refs), may in zip(ways, usable, strict=True) if may}
    nodes = {ref for refs in kept.values() for ref in refs}
    with osmium.SimpleWriter(str(xml)) as writer:
        for item in osmium.FileProcessor(str(extract)):
            if item.is_node() and item.id in nodes:
                writer.add_node(item)
            elif item.is_way() and item.id in kept:
                writer.add_way(item)


@pytest.mark.slow  # osmnx takes 5 to 10 s to read the extract for a mode
@pytest.mark.parametrize("mode", MODES)
def test_within_one_percent_of_osmnx_for_the_median_pair(roads, mode, tmp_path):
    """Metres between junctions that both have: one constant speed, the same ways, each library's own graph of them."""
    import osmnx

    write_xml(case("liechtenstein"), tmp_path / "roads.osm", mode)
    graph = osmnx.graph_from_xml(tmp_path / "roads.osm", bidirectional=mode == "walk", retain_all=True)
    names = np.array(list(graph.nodes))
    to_metres = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    lonlat = np.array([(node["x"], node["y"]) for _, node in graph.nodes(data=True)])
    away, at = cKDTree(np.column_stack(to_metres.transform(*lonlat.T))).query(roads.nodes[["x", "y"]].to_numpy())
    origins, targets = sample(roads, mode, 40, 12, among=away < 0.5)
    network = mode_network(roads, Travel(), mode)
    one_metre_a_minute = [np.where(np.isfinite(pace), 1.0, np.inf) for pace in (network.ahead, network.back)]
    network = Network(roads, *one_metre_a_minute, network.stops)
    ours = trips(network, at_nodes(origins), at_nodes(targets), off_road(Travel()))[0]
    theirs = by_networkx(graph, names[at[origins]].tolist(), names[at[targets]].tolist(), "length")
    ways = np.isfinite(theirs) & (theirs > 0)
    assert ways.mean() > 0.95
    error = np.abs(ours - theirs)[ways] / theirs[ways]
    assert np.median(error) < 0.01
    assert np.quantile(error, 0.9) < 0.01
