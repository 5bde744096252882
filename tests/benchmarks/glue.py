"""From an OSM extract to a map with the usual libraries, as one would glue them together in an afternoon.

python -m tests.benchmarks.glue ROADS.osm FEATURES.osm MAP.html (``tests.benchmarks.whole`` runs it). osmnx loads roads,
schools and settlements, networkx finds the minutes, on foot or by bus; spopt with CBC finds how few schools reach the
settlements within the norm, then which of that number have the least travel; Folium draws it. No grades, no seats,
no today beside it, no check.
"""

import sys
from typing import Any

import numpy as np

WALK_KMH, WALK_MAX, NORM = 4.5, 45, 60
PEOPLE = {"town": 5000, "village": 800, "hamlet": 120, "neighbourhood": 400, "isolated_dwelling": 10}


def load(roads: str, features: str) -> tuple[Any, Any, Any]:
    """The road graph with minutes, the schools, and the settlements with people."""
    import osmnx as ox
    import pandas as pd

    graph = ox.add_edge_travel_times(ox.add_edge_speeds(ox.graph_from_xml(roads), fallback=30))
    for _, _, data in graph.edges(data=True):
        data["walk"] = data["length"] / WALK_KMH * 0.06
        data["bus"] = data["travel_time"] / 60
    found = ox.features_from_xml(features, tags={"amenity": ["school", "kindergarten"], "place": list(PEOPLE)})
    found["geometry"] = found.geometry.representative_point()
    schools = found[found["amenity"].isin(["school", "kindergarten"])]
    villages = found[found["place"].isin(list(PEOPLE)) & ~found.index.isin(schools.index)]
    people = pd.to_numeric(villages["population"], errors="coerce").fillna(villages["place"].map(PEOPLE))
    return graph, schools, villages.assign(people=people)


def minutes(graph: Any, schools: Any, villages: Any) -> np.ndarray:
    """Minutes (n_village, n_school); infinite without a way."""
    import networkx as nx
    import osmnx as ox

    at = {
        name: ox.nearest_nodes(graph, places.geometry.x.to_numpy(), places.geometry.y.to_numpy())
        for name, places in (("schools", schools), ("villages", villages))
    }
    reverse = graph.reverse(copy=False)
    best = np.full((len(villages), len(schools)), np.inf)
    for column, node in enumerate(at["schools"]):
        walk = nx.single_source_dijkstra_path_length(reverse, node, weight="walk")
        bus = nx.single_source_dijkstra_path_length(reverse, node, weight="bus")
        for row, home in enumerate(at["villages"]):
            on_foot = walk.get(home, np.inf)
            best[row, column] = min(on_foot if on_foot <= WALK_MAX else np.inf, bus.get(home, np.inf) + 5)
    return best


def choose(cost: np.ndarray, people: np.ndarray) -> tuple[list[int], list[int]]:
    """The fewest schools within the norm of all, with the least travel; (schools, school of every village)."""
    import pulp
    from spopt.locate import LSCP, PMedian

    solver = pulp.PULP_CBC_CMD(msg=False)
    cover = LSCP.from_cost_matrix(cost, NORM).solve(solver)
    count = sum(1 for served in cover.fac2cli if served)
    median = PMedian.from_cost_matrix(cost, people, p_facilities=count).solve(solver)
    return [s for s, served in enumerate(median.fac2cli) if served], [site[0] for site in median.cli2fac]


def draw(graph: Any, plans: list[Any], path: str) -> None:
    """Roads, villages, and schools kept and closed."""
    import folium
    import osmnx as ox

    edges = ox.graph_to_gdfs(graph, nodes=False)[["geometry", "highway"]].reset_index(drop=True)
    edges["highway"] = edges["highway"].astype(str)
    middle = edges.geometry.union_all().centroid
    page = folium.Map(location=[middle.y, middle.x], zoom_start=11, tiles=None)
    folium.GeoJson(edges, style_function=lambda _: {"color": "#888", "weight": 1}, tooltip=None).add_to(page)
    for schools, villages, kept, serves in plans:
        for point, people, school in zip(villages.geometry, villages["people"], serves, strict=True):
            to = schools.geometry.iloc[school]
            folium.PolyLine([(point.y, point.x), (to.y, to.x)], weight=1).add_to(page)
            folium.CircleMarker((point.y, point.x), radius=4, popup=f"{people:,.0f} people").add_to(page)
        for number, (name, point) in enumerate(zip(schools["name"], schools.geometry, strict=True)):
            colour = "green" if number in kept else "red"
            folium.Marker((point.y, point.x), popup=str(name), icon=folium.Icon(color=colour)).add_to(page)
    page.save(path)


def main() -> None:
    """Roads and features in, a page out."""
    roads, features, path = sys.argv[1:]
    graph, schools, villages = load(roads, features)
    plans = []
    for kind in ("kindergarten", "school"):
        some = schools[schools["amenity"] == kind]
        cost = minutes(graph, some, villages)
        reached = cost.min(axis=1) <= NORM
        kept, serves = choose(cost[reached], villages["people"].to_numpy()[reached])
        plans.append((some, villages[reached], kept, serves))
        print(f"{kind}: {len(kept)} of {len(some)} kept for {reached.sum()} of {len(villages)} settlements")
    draw(graph, plans, path)


if __name__ == "__main__":
    main()
