"use strict";
/* The key: a checkbox for each layer, and under it what its signs mean and how many there are. */

const EITHER = ["villages", "difference"];
const OF_PLANS = ["flows", "isochrones", "catchments"]; // what people try has none of its own

/** ``turn``: is told which layer was put on or taken off; ``shown`` holds those that are on. */
function makeKey({ data, state, shown, say, view, isTried, ground, limit, pupilsOf, stage, actionOf, classes, changes, chosenTrips, turn }) {
  const { schools, villages, plans } = data, { t, n, withUnit } = say, { signOf, beyond, classText } = classes;
  const item = (mark, text, count = "") => el("li", {}, mark, el("span", {}, text), el("b", {}, count));
  const note = (text) => el("li", { className: "note", textContent: text });

  function minutesText(from, to) {
    return from ? t("minutes.from_to", { from: n(from), to: n(to) }) : t("minutes.to", { to: n(to) });
  }

  function schoolItems() {
    const present = schools.map((school, row) => [actionOf(row), school]).filter(([here]) => here);
    const states = countBy(present.map(([here]) => [here.action, 1]));
    const kinds = countBy(present.map(([, school]) => [school.kind, 1]));
    const among = (table, found) => Object.keys(table).filter((key) => found.has(key));
    const line = (kind, action, text, count) => item(symbol(kind, action, 7), text, withUnit(count, "schools"));
    return [
      ...among(STATES, states).map((s) => line("kindergarten", s, t(`state.${s}`), states.get(s))),
      ...among(SHAPES, kinds).map((k) => line(k, "any", t(`kind.${k}`), kinds.get(k))),
      ...(present.some(([here]) => overSeats(here)) ? [item(drawing(20, 16, overMark(0)), t("over.key"))] : []),
      note(t("size")),
      ...[100, 1000].map((size) => item(symbol("any", "any", schoolRadius(size)), withUnit(size, "pupils"))),
    ];
  }

  function villageItems() {
    const signs = countBy(villages.map((_, row) => [signOf(row), pupilsOf(row)])), norm = limit();
    const line = (sign, text) => {
      const mark = sign === "unreachable" ? cross() : dot(villageStyle(sign, beyond(sign)));
      return item(mark, text, sign === "" ? "" : withUnit(signs.get(sign) || 0, "pupils"));
    };
    const within = (i) => (norm === null ? "" : ` · ${t(beyond(i) ? "norm.beyond" : "norm.within")}`);
    return [
      note(norm === null ? t("norm.none") : t("norm", { n: n(norm) })),
      ...CLASS_COLOURS.map((_, i) => line(i, classText(i) + within(i))),
      ...SIGNS.filter((s) => signs.has(s)).map((s) => line(s, t(`reason.${s}`))),
      line("", t("no_pupils")),
    ];
  }

  function landItems({ dropped, minutes }) {
    const lines = minutes.map((to, i) => item(swatch(ISOCHRONES[i]), minutesText(minutes[i - 1], to)));
    return [note(t(dropped ? "isochrones.dropped" : "isochrones.note")), ...lines];
  }

  function roadItems() {
    const ranks = Object.keys(ROADS).filter((rank) => data.roads.lines[rank].length);
    const dropped = data.roads.dropped.map((rank) => note(`${t("roads.dropped")}${t("colon")}${t(`roads.${rank}`)}`));
    return [...ranks.map((rank) => item(stroke(ROADS[rank]), t(`roads.${rank}`))), ...dropped];
  }

  function write() {
    const two = plans.length > 1, bare = !plans.length, { isochrones, flows, closed } = ground(), trips = chosenTrips();
    const merged = view().actions.some((row) => row.into !== null && row.stage === stage());
    const items = {
      schools: schoolItems(),
      merges: [item(stroke(MERGE), t("merges.line"))],
      villages: bare ? [] : villageItems(),
      difference: two ? differenceKey(changes(), view().question.villages, state.band, say, item, note) : [],
      flows: bare || isTried() ? [] : flowKey(flows, view().layout, say, item, note),
      isochrones: landItems(isochrones),
      way: wayKey(flows, trips, say, item, note),
      closed: [item(stroke(...CLOSED), t("closed.note"))],
      roads: roadItems(),
      tiles: [note(t(state.tilesLost ? "tiles.lost" : "tiles.note"))],
    };
    if (isTried()) OF_PLANS.forEach((name) => (items[name] = [note(t("whatif.hidden"))]));
    const unused = { isochrones: bare, catchments: bare, lines: bare, flows: bare, difference: !two, merges: !merged };
    const blank = { towns: !data.towns.length, closed: !closed.length, way: !trips.length, tiles: !data.tiles };
    const written = LAYERS.filter((name) => !{ ...unused, ...blank }[name]);
    $("key").replaceChildren(...written.map((name) => layerSection(name, items[name] || [])));
  }

  function layerSection(name, items) {
    const disabled = isTried() && OF_PLANS.includes(name);
    const box = el("input", { type: "checkbox", checked: shown.has(name), id: `layer-${name}`, disabled });
    box.addEventListener("change", () => {
      box.checked ? shown.add(name) : shown.delete(name);
      if (box.checked && EITHER.includes(name)) leave(EITHER.find((other) => other !== name));
      turn(name);
    });
    const head = el("h2", {}, el("label", {}, box, ` ${t(`layer.${name}`)}`));
    return el("section", {}, head, ...(items.length ? [el("ul", {}, ...items)] : []));
  }

  function leave(name) {
    shown.delete(name);
    if ($(`layer-${name}`)) $(`layer-${name}`).checked = false;
  }

  return { write };
}
