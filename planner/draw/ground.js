"use strict";
/* What lies under the places: catchments, roads by class and zoom, towns with their names. */

const NEAR = 11; // from this zoom on lines are as wide as in the key, and paths are shown
const BORDER = { color: "#4d4d4d", weight: 1.6, dashArray: "7 4" };

function paintRoads(pen, at, inks) {
  const near = at.zoom >= NEAR;
  for (const rank of ["path", "local", "secondary", "main"]) {
    const style = ROADS[rank];
    if (near || rank !== "path") paintLines(pen, inks[rank], at, { ...style, weight: near ? style.weight : style.weight / 2 });
  }
}

function paintTowns(pen, at, inks) {
  const weight = at.zoom >= NEAR ? BORDER.weight : 1;
  for (const ink of inks) paintLines(pen, ink, at, { ...BORDER, weight });
}

/** Catchments { school, tint, ink }; the chosen school's is the last. */
function paintCatchments(pen, at, areas, isChosen) {
  for (const chosen of [false, true]) {
    for (const { school, tint, ink } of areas.filter((area) => isChosen(area.school) === chosen)) {
      const style = chosen ? CATCHMENT.chosen : CATCHMENT.other;
      paintArea(pen, ink, at, { ...style, fillColor: TINTS[tint] });
    }
  }
}

/** How far a town's name may move up or down from its place, and half of what is kept free around a school's sign. */
const [SHIFTS, CLEAR] = [[0, -10, 10, -20, 20], 8];

/** Names of towns where there is room for them, beside the signs at ``spots()``; ``group`` is the layer that holds them.
    What is returned writes them anew. */
function labelTowns(map, group, towns, inks, spots) {
  const labels = towns.map(({ name, at }, i) => {
    const icon = L.divIcon({ className: "town", iconSize: null, html: el("span", { textContent: name }) });
    const xs = inks[i].boxes.filter((_, k) => k % 2 === 0), wide = Math.max(...xs) - Math.min(...xs);
    const needs = [...name].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 14 : 8), 0);
    return { at, wide, needs, mark: L.marker(at, { icon, pane: "labels", interactive: false, keyboard: false }) };
  });
  function write() {
    const scale = L.CRS.EPSG3857.scale(map.getZoom()), seen = map.getBounds().pad(0.1);
    const signs = spots().map((spot) => map.project(spot));
    for (const { at, wide, needs, mark } of labels) {
      const room = wide * scale >= needs && seen.contains(at);
      if (room) mark.setLatLng(map.unproject(map.project(at).add([0, freest(map.project(at), needs / 2, signs)])));
      if (room !== group.hasLayer(mark)) room ? group.addLayer(mark) : group.removeLayer(mark);
    }
  }
  map.on("moveend", write);
  return write;
}

/** The shift by which a name, so wide to either side, lies on the fewest signs. */
function freest({ x, y }, half, signs) {
  const near = signs.filter((sign) => Math.abs(sign.x - x) < half + CLEAR);
  const under = SHIFTS.map((shift) => near.filter((sign) => Math.abs(sign.y - y - shift) < 2 * CLEAR).length);
  return SHIFTS[under.indexOf(Math.min(...under))];
}
