"use strict";
/* Draws a study area and its plans on a Leaflet map, and the panels beside it.
   Names come from data: they reach the page only through textContent, properties and SVG made node by node. */

const ON_MAP = ["schools", "merges", "others", "villages", "way", "lines", "flows"];
const LAYERS = [...ON_MAP, "isochrones", "catchments", "towns", "closed", "roads"];
const HIDDEN = ["others", "flows", "isochrones"];
const SIGNS = ["unreachable", "no_seat"];
const PANELS = ["key", "card"];
const NO_PLAN = { actions: [], trips: [], catchments: {}, notes: [], title: "" };

function drawPlan(map, data) {
  const { schools, villages, bands, plans } = data;
  const wide = window.matchMedia("(min-width: 900px)").matches;
  const state = { lang: data.lang, view: Math.max(plans.length - 1, 0), band: 1, chosen: null };
  const shown = new Set(LAYERS.filter((name) => !HIDDEN.includes(name)));
  const views = (plans.length ? plans : [NO_PLAN]).map(indexPlan);
  const say = speaker(data.words, state), { t, n, withUnit, percent, nameOf } = say;
  const groups = {}, renderers = {};
  let pin = null, zoom = null, fit = null;

  /* -- plans by school and by village -- */

  function indexPlan(plan) {
    const action = schools.map(() => ({})), serves = schools.map(() => bands.map(() => []));
    const trips = villages.map(() => bands.map(() => []));
    plan.actions.forEach((row) => (action[row.school][row.stage] = row));
    for (const [village, band, school, pupils, minutes, km, mode, reason] of plan.trips) {
      const trip = { village, band, school, pupils, minutes, km, mode, reason };
      trips[village][band].push(trip);
      if (school >= 0) serves[school][band].push(trip);
    }
    return { ...plan, action, serves, trips };
  }

  const view = () => views[state.view];
  const stage = () => bands[state.band].stage;

  function actionOf(school, name = stage(), plan = view()) {
    if (plans.length) return plan.action[school][name];
    const today = schools[school].stages[name];
    return today && { ...today, added: 0, action: schools[school].candidate ? "none" : "keep" };
  }

  /* -- classes of minutes: half the norm, the norm, half as much again -- */

  function breaks() {
    const norm = data.limits[bands[state.band].band];
    return norm === null ? [15, 30, 60] : [norm / 2, norm, norm * 1.5];
  }

  function classOf(minutes) {
    const found = breaks().findIndex((limit) => minutes <= limit + 1e-6);
    return found < 0 ? 3 : found;
  }

  function minutesText(from, to) {
    return from ? t("minutes.from_to", { from: n(from), to: n(to) }) : t("minutes.to", { to: n(to) });
  }

  const beyond = (index) => data.limits[bands[state.band].band] !== null && index > 1;

  function classText(index) {
    const [low, mid, high] = breaks().map((limit) => n(limit, 1));
    return [t("minutes.to", { to: low }), t("minutes.from_to", { from: low, to: mid }),
      t("minutes.from_to", { from: mid, to: high }), t("minutes.over", { from: high })][index];
  }

  /** Class 0..3 of a village's longest trip, the reason when pupils have no school, "" without pupils. */
  function signOf(village) {
    const trips = view().trips[village][state.band];
    if (!trips.length) return "";
    const lost = trips.find((trip) => trip.school < 0 || trip.minutes === null);
    if (lost) return lost.reason || "unreachable";
    return classOf(Math.max(...trips.map((trip) => trip.minutes)));
  }

  /* -- layers -- */

  function makePanes() {
    const ground = { catchments: 305, isochrones: 307, roads: 310, towns: 320 };
    const order = { ...ground, flows: 340, closed: 345, lines: 350, way: 360, villages: 420, merges: 430, labels: 650 };
    for (const [name, depth] of Object.entries(order)) {
      const pane = map.createPane(name);
      pane.style.zIndex = depth;
      if (name !== "villages") pane.style.pointerEvents = "none";
      renderers[name] = L.canvas({ pane: name, padding: 0.3, tolerance: 4 });
    }
    map.getPane("isochrones").style.opacity = ISOCHRONE_OPACITY;
    LAYERS.forEach((name) => (groups[name] = L.layerGroup()));
    showLayers();
  }

  function showLayers() {
    LAYERS.forEach((name) => (shown.has(name) ? map.addLayer(groups[name]) : map.removeLayer(groups[name])));
  }

  const still = (name, style) => ({ renderer: renderers[name], pane: name, interactive: false, ...style });

  function drawGround() {
    for (const rank of ["path", "local", "secondary", "main"]) {
      L.polyline(data.roads.lines[rank].map(decode), still("roads", ROADS[rank])).addTo(groups.roads);
    }
    drawClosed(groups.closed, data.closed, still);
    for (const town of data.towns) {
      const border = { color: "#4d4d4d", weight: 1.6, dashArray: "7 4", fill: false };
      L.polygon(decodeArea(town.rings), still("towns", border)).addTo(groups.towns);
      const icon = L.divIcon({ className: "town", iconSize: null, html: el("span", { textContent: nameOf(town) }) });
      L.marker(town.at, { icon, pane: "labels", interactive: false, keyboard: false }).addTo(groups.towns);
    }
  }

  function drawView() {
    ["catchments", "lines", "villages", "merges", "schools", "others"].forEach((name) => groups[name].clearLayers());
    drawLand();
    drawCatchments();
    drawLines();
    drawFlows(groups.flows, data.flows, state.view, still);
    villages.forEach(drawVillage);
    schools.forEach(drawSchool);
    drawMerges();
    drawChosen();
  }

  /** The way of a chosen village, and the key that may now speak of it. */
  function drawChosen() {
    drawWay(groups.way, chosenTrips(), data, still);
    writeKey();
  }

  function chosenTrips() {
    const { list, row } = state.chosen || {};
    return list === villages ? view().trips[row][state.band] : [];
  }

  /** Only when it is looked at: a county's land takes the browser a moment. */
  function drawLand() {
    groups.isochrones.clearLayers();
    if (!shown.has("isochrones")) return;
    drawIsochrones(data.isochrones, state.view, state.band, still("isochrones", {}), groups.isochrones);
  }

  const isChosen = (list, row) => state.chosen !== null && state.chosen.list === list && state.chosen.row === row;

  function drawCatchments() {
    for (const { school, tint, rings } of view().catchments[stage()] || []) {
      const chosen = isChosen(schools, school);
      const style = { ...(chosen ? CATCHMENT.chosen : CATCHMENT.other), fillColor: TINTS[tint] };
      L.polygon(decodeArea(rings), still("catchments", style)).addTo(groups.catchments);
    }
  }

  function drawLines() {
    const lines = CLASS_COLOURS.map(() => []);
    for (const trips of view().trips) {
      for (const { village, school, minutes } of trips[state.band]) {
        if (school < 0 || !villages[village].at || !schools[school].at) continue;
        lines[classOf(minutes)].push([villages[village].at, schools[school].at]);
      }
    }
    lines.forEach((some, i) => {
      const style = { color: CLASS_COLOURS[i], weight: beyond(i) ? 1.8 : 1.1, opacity: 0.75 };
      L.polyline(some, still("lines", style)).addTo(groups.lines);
    });
  }

  function drawVillage(village, row) {
    if (!village.at) return;
    const sign = signOf(row), make = sign === "unreachable" ? Cross : L.CircleMarker;
    const style = villageStyle(sign, beyond(sign), village.pupils[state.band]);
    new make(village.at, { renderer: renderers.villages, pane: "villages", ...style })
      .bindTooltip(() => el("span", { textContent: `${nameOf(village)}: ${signText(sign, row)}` }))
      .on("click", () => choose(villages, row))
      .addTo(groups.villages);
  }

  function signText(sign, row) {
    if (sign === "") return plans.length ? t("no_pupils") : withUnit(villages[row].pupils[state.band], "pupils");
    if (SIGNS.includes(sign)) return t(`reason.${sign}`);
    return withUnit(Math.max(...view().trips[row][state.band].map((trip) => trip.minutes)), "min");
  }

  const small = () => (map.getSize().x < 500 ? 0.72 : 1);

  function drawSchool(school, row) {
    if (!school.at) return;
    const here = actionOf(row);
    const action = here ? here.action : "keep";
    const radius = here ? small() * schoolRadius(here.pupils) : 4;
    const className = here ? "school" : "school other";
    const icon = L.divIcon({ className, iconSize: null, html: symbol(school.kind, action, radius) });
    const text = `${nameOf(school)}, ${t(`kind.${school.kind}`)}${here ? `: ${t(`state.${action}`)}` : ""}`;
    const pick = () => choose(schools, row);
    L.marker(school.at, { icon, riseOnHover: true, zIndexOffset: here ? 0 : -1000 })
      .bindTooltip(() => el("span", { textContent: text }))
      .on("click", pick)
      .on("keypress", (event) => event.originalEvent.key === "Enter" && pick())
      .on("add", (event) => setAll(event.target.getElement(), { "aria-label": text, "data-school": school.id }))
      .addTo(here ? groups.schools : groups.others);
  }

  function drawMerges() {
    for (const { school, stage: name, into } of view().actions) {
      if (into === null || name !== stage() || !schools[school].at || !schools[into].at) continue;
      const ends = [schools[school].at, schools[into].at];
      L.polyline(ends, still("merges", { color: "#fff", weight: 6, opacity: 0.8 })).addTo(groups.merges);
      L.polyline(ends, still("merges", MERGE)).addTo(groups.merges);
    }
  }

  /* -- key: a checkbox for each layer, and under it what its signs mean and how many there are -- */

  function writeKey() {
    const signs = countBy(villages.map((v, row) => [signOf(row), v.pupils[state.band]]));
    const present = schools.map((school, row) => [actionOf(row), school]).filter(([here]) => here);
    const states = countBy(present.map(([here]) => [here.action, 1]));
    const kinds = countBy(present.map(([, school]) => [school.kind, 1]));
    const norm = data.limits[bands[state.band].band];
    const among = (table, found) => Object.keys(table).filter((key) => found.has(key));
    const note = (text) => el("li", { className: "note", textContent: text });
    const villageItem = (sign, text) => {
      const mark = sign === "unreachable" ? cross() : dot(villageStyle(sign, beyond(sign)));
      return item(mark, text, sign === "" ? "" : withUnit(signs.get(sign) || 0, "pupils"));
    };
    const schoolItem = (kind, action, text, count) => item(symbol(kind, action, 7), text, withUnit(count, "schools"));
    const within = (i) => (norm === null ? "" : ` · ${t(beyond(i) ? "norm.beyond" : "norm.within")}`);
    const ranks = Object.keys(ROADS).filter((rank) => data.roads.lines[rank].length);
    const items = {
      schools: [
        ...among(STATES, states).map((s) => schoolItem("kindergarten", s, t(`state.${s}`), states.get(s))),
        ...among(SHAPES, kinds).map((k) => schoolItem(k, "any", t(`kind.${k}`), kinds.get(k))),
        note(t("size")),
        ...[100, 1000].map((size) => item(symbol("any", "any", schoolRadius(size)), withUnit(size, "pupils"))),
      ],
      merges: [item(stroke(MERGE), t("merges.line"))],
      villages: !plans.length ? [] : [
        note(norm === null ? t("norm.none") : t("norm", { n: n(norm) })),
        ...CLASS_COLOURS.map((_, i) => villageItem(i, classText(i) + within(i))),
        ...SIGNS.filter((s) => signs.has(s)).map((s) => villageItem(s, t(`reason.${s}`))),
        villageItem("", t("no_pupils")),
      ],
      flows: plans.length ? flowKey(data.flows, state.view, say, item, note) : [],
      isochrones: [
        note(t(data.isochrones.dropped ? "isochrones.dropped" : "isochrones.note")),
        ...data.isochrones.minutes.map((to, i, all) => item(swatch(ISOCHRONES[i]), minutesText(all[i - 1], to))),
      ],
      way: wayKey(data.flows, say, item, note),
      closed: [item(stroke(...CLOSED), t("closed.note"))],
      roads: [
        ...ranks.map((rank) => item(stroke(ROADS[rank]), t(`roads.${rank}`))),
        ...data.roads.dropped.map((rank) => note(`${t("roads.dropped")}: ${t(`roads.${rank}`)}`)),
      ],
    };
    const bare = !plans.length, merged = view().actions.some((row) => row.into !== null && row.stage === stage());
    const blank = { isochrones: bare, catchments: bare, towns: !data.towns.length, closed: !data.closed.length };
    const empty = { merges: !merged, way: !chosenTrips().length, lines: bare, flows: bare, ...blank };
    const written = LAYERS.filter((name) => !empty[name]);
    $("key").replaceChildren(...written.map((name) => layerSection(name, items[name] || [])));
  }

  const item = (mark, text, count = "") => el("li", {}, mark, el("span", {}, text), el("b", {}, count));

  function layerSection(name, items) {
    const box = el("input", { type: "checkbox", checked: shown.has(name), id: `layer-${name}` });
    box.addEventListener("change", () => {
      box.checked ? shown.add(name) : shown.delete(name);
      if (name === "isochrones") drawLand();
      showLayers();
    });
    const head = el("h2", {}, el("label", {}, box, ` ${t(`layer.${name}`)}`));
    return el("section", {}, head, ...(items.length ? [el("ul", {}, ...items)] : []));
  }

  /* -- details -- */

  function choose(list, row) {
    state.chosen = { list, row };
    if (pin) pin.remove();
    const icon = L.icon({ ...L.Icon.Default.prototype.options, ...data.pin });
    pin = list[row].at && L.marker(list[row].at, { icon, interactive: false, keyboard: false }).addTo(map);
    show("card", true);
    if (list === schools && !actionOf(row)) turnTo(row);
    writeDetails();
    redrawCatchments();
    drawChosen();
    $("details").focus();
  }

  /** Show a band that the school teaches. */
  function turnTo(row) {
    const band = bands.findIndex((some) => actionOf(row, some.stage));
    if (band < 0) return;
    state.band = band;
    $("band").value = band;
    drawView();
  }

  function redrawCatchments() {
    groups.catchments.clearLayers();
    drawCatchments();
  }

  function forget() {
    state.chosen = null;
    if (pin) pin.remove();
    writeDetails();
    redrawCatchments();
    drawChosen();
  }

  function writeDetails() {
    $("details").hidden = !state.chosen;
    if (!state.chosen) return;
    const { list, row } = state.chosen;
    const shut = button("×", forget, { className: "shut", title: t("close"), ariaLabel: t("close") });
    const head = el("h2", { textContent: nameOf(list[row]) });
    $("details").replaceChildren(shut, head, ...(list === schools ? schoolDetails(row) : villageDetails(row)));
  }

  function button(text, onclick, options = {}) {
    return el("button", { type: "button", textContent: text, onclick, ...options });
  }

  function schoolDetails(row) {
    const school = schools[row], last = views[views.length - 1];
    const about = [t(`kind.${school.kind}`), school.town, school.id].filter(Boolean).join(" · ");
    const stages = [...new Set([...Object.keys(school.stages), ...Object.keys(last.action[row])])];
    const served = view().serves[row][state.band];
    const pupils = (here) => (here ? withUnit(here.pupils, "pupils") : "–");
    const two = plans.length > 1;
    const rows = stages.map((name) => {
      const first = actionOf(row, name, views[0]), here = actionOf(row, name, last);
      return [t(`stage.${name}`), stateText(here), seatsText(here), ...(two ? [pupils(first)] : []), pupils(here)];
    });
    const heads = two ? ["pupils.before", "pupils.after"] : [plans.length ? "pupils" : "enrolled"];
    const assumed = school.assumed.map((column) => t(`column.${column}`)).join(", ");
    const note = (text) => el("p", { className: "note", textContent: text });
    const head = `${t("served")} · ${t(`band.${bands[state.band].band}`)} · ${withUnit(served.length, "villages")}`;
    const villagesServed = el("ul", { className: "served" }, ...served.map(servedVillage));
    const list = served.length ? villagesServed : note(t("served.none"));
    return [
      el("p", { className: "kind", textContent: about }),
      table(["stage", "action", "seats", ...heads].map((key) => t(key)), rows),
      ...(assumed ? [note(`${t("assumed")}: ${assumed}`)] : []),
      ...(plans.length ? [el("h3", { textContent: head }), list] : []),
    ];
  }

  function stateText(here) {
    if (!here) return "–";
    const merged = here.into !== null && here.into !== undefined;
    return merged ? t("state.merge_into", { n: nameOf(schools[here.into]) }) : t(`state.${here.action}`);
  }

  function seatsText(here) {
    if (!here) return "–";
    return withUnit(here.seats, "seats") + (here.added ? ` (+${n(here.added)})` : "");
  }

  function servedVillage({ village, pupils, minutes }) {
    const name = button(nameOf(villages[village]), () => choose(villages, village));
    return el("li", {}, name, ` ${withUnit(pupils, "pupils")}, ${withUnit(minutes, "min")}`);
  }

  function villageDetails(row) {
    const village = villages[row];
    const population = `${t("population")} ${n(village.population)}`;
    const about = [t("village"), village.town, village.id, population].filter(Boolean).join(" · ");
    const sides = plans.length > 1 ? [views[0], views[views.length - 1]] : views;
    const heads = plans.length > 1 ? ["before", "after"] : ["trip"];
    const rows = bands.map(({ band }, i) => [
      el("span", {}, t(`band.${band}`), el("small", { textContent: withUnit(village.pupils[i], "pupils") })),
      ...sides.map((plan) => el("span", {}, ...plan.trips[row][i].map(tripText))),
    ]);
    return [el("p", { className: "kind", textContent: about }), table(["pupils", ...heads].map((key) => t(key)), rows)];
  }

  function tripText({ school, minutes, km, mode, reason, pupils }, _, all) {
    if (school < 0) return el("span", { className: "bad", textContent: t(`reason.${reason || "unreachable"}`) });
    const share = all.length > 1 ? `${withUnit(pupils, "pupils")}, ` : "";
    const way = `${share}${withUnit(minutes, "min")}, ${withUnit(km, "km")}${mode ? `, ${t(`mode.${mode}`)}` : ""}`;
    return el("span", {}, nameOf(schools[school]), el("small", { textContent: way }));
  }

  /* -- scorecard and what a reader must know -- */

  function statusText(plan) {
    if (plan.status === "optimal") return t("status.optimal", { n: percent(plan.gap || 0) });
    if (plan.status === "feasible" && plan.gap !== null) return t("status.feasible", { n: percent(plan.gap) });
    if (plan.status === "feasible") return t("status.feasible_unbounded");
    return t("status.scored");
  }

  function writeScores() {
    const plan = plans[plans.length - 1];
    if (!plan) return $("scores").replaceChildren(el("p", { textContent: t("no_plan") }));
    const both = data.scorecard.some((row) => row.today !== null);
    const head = ["indicator", ...(both ? ["today", "plan", "change"] : ["plan"])].map((key) => t(key));
    $("scores").replaceChildren(
      el("h2", { textContent: t("scorecard") }),
      el("p", { className: "title", textContent: plan.title }),
      el("p", { className: `status ${plan.status}`, textContent: statusText(plan) }),
      table(head, data.scorecard.map((row) => scoreRow(row, both))),
    );
  }

  function scoreRow(row, both) {
    const money = row.unit.startsWith("CNY") && Math.max(Math.abs(row.today), Math.abs(row.plan)) >= 1e6;
    const scale = money ? (state.lang === "zh" ? 1e4 : 1e6) : 1;
    const [today, plan] = [row.today, row.plan].map((value) => (value === null ? null : value / scale));
    const digits = (size) => (row.unit === "" ? 3 : size >= 1000 ? 0 : size >= 10 ? 1 : 2);
    const say = (value) => n(value, digits(Math.abs(value)));
    const unit = row.unit ? t(`unit.${row.unit}${money ? ".big" : ""}`) : "";
    const label = el("span", {}, row[`label_${state.lang}`], el("small", { textContent: unit }));
    if (!both) return [label, say(plan)];
    const known = today !== null && plan !== null, more = plan - today;
    const sign = known ? `${more > 0 ? "+" : more < 0 ? "−" : "±"}${say(Math.abs(more))}` : "";
    const word = el("small", { textContent: row.change ? t(row.change) : "" });
    return [label, say(today), say(plan), el("span", { className: row.change }, sign, word)];
  }

  function writeAbout() {
    const { synthetic, dataDate, attribution, assumptions } = data.area;
    const items = (lines) => el("ul", {}, ...lines.map((line) => el("li", { textContent: line })));
    const list = (key, lines) => (lines.length ? [el("h3", { textContent: t(key) }), items(lines)] : []);
    const notes = [...new Set(plans.flatMap((plan) => plan.notes))];
    const head = el("h2", { textContent: t("about") });
    $("about").replaceChildren(head, ...list("notes", notes), ...list("assumptions", assumptions));
    const date = `${t("data_date")} ${dataDate || t("unknown")}`;
    const said = [synthetic ? t("synthetic.long") : "", date, ...attribution, `Leaflet ${L.version}`];
    $("foot").textContent = said.filter(Boolean).join(" · ");
    $("synthetic").hidden = !synthetic;
    $("public").hidden = !data.area.public;
  }

  /* -- controls -- */

  function viewName(i) {
    if (plans.length < 2) return plans.length ? plans[0].title : t("no_plan");
    return i === 0 ? t("before") : i === plans.length - 1 ? t("after") : plans[i].title;
  }

  function writeControls() {
    document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
    document.querySelectorAll("[data-word]").forEach((node) => (node.textContent = t(node.dataset.word)));
    document.querySelectorAll("[data-label]").forEach((node) => (node.ariaLabel = t(node.dataset.label)));
    document.querySelectorAll("[data-hint]").forEach((node) => (node.placeholder = t(node.dataset.hint)));
    $("title").textContent = data.area.title;
    $("language").textContent = t("other_language");
    const legend = $("views").querySelector("legend");
    $("views").replaceChildren(legend, ...views.map(viewButton));
    $("band").replaceChildren(...bands.map(({ band }, i) => el("option", { value: i }, t(`band.${band}`))));
    $("band").value = state.band;
    map.getContainer().ariaLabel = data.area.title;
    writeZoom();
  }

  function viewButton(plan, i) {
    const turn = () => {
      state.view = i;
      refresh();
    };
    const radio = el("input", { type: "radio", name: "view", checked: i === state.view, onchange: turn });
    return el("label", { title: plan.title }, radio, el("span", { textContent: viewName(i) }));
  }

  function writeZoom() {
    [zoom, fit].forEach((control) => control && control.remove());
    const position = "topright", title = t("zoom.fit");
    zoom = L.control.zoom({ position, zoomInTitle: t("zoom.in"), zoomOutTitle: t("zoom.out") }).addTo(map);
    fit = L.control({ position });
    const home = button("⌂", showCounty, { id: "fit", title, ariaLabel: title });
    fit.onAdd = () => el("div", { className: "leaflet-bar" }, home);
    fit.addTo(map);
  }

  function showCounty() {
    if (data.bounds) map.fitBounds(data.bounds, { padding: [12, 12], animate: false });
    else map.setView([0, 0], 2);
  }

  function show(panel, open) {
    const other = panel === "key" ? "card" : "key";
    if (open && !wide && !$(other).hidden) show(other, false);
    $(panel).hidden = !open;
    $(`show-${panel}`).ariaExpanded = String(open);
    map.invalidateSize({ animate: false });
  }

  function refresh() {
    drawView();
    writeDetails();
  }

  function write() {
    writeControls();
    writeScores();
    writeAbout();
    refresh();
  }

  function listen() {
    const found = new Map();
    for (const list of [schools, villages]) {
      list.forEach((thing, row) => found.set(`${nameOf(thing)} · ${thing.id}`, [list, row]));
    }
    $("places").replaceChildren(...[...found.keys()].map((value) => el("option", { value })));
    $("search").addEventListener("input", (event) => {
      const [list, row] = found.get(event.target.value) || [];
      if (!list) return;
      choose(list, row);
      if (list[row].at) map.setView(list[row].at, Math.max(map.getZoom(), 13), { animate: false });
    });
    $("band").addEventListener("change", (event) => {
      state.band = Number(event.target.value);
      refresh();
    });
    $("language").addEventListener("click", () => {
      state.lang = state.lang === "zh" ? "en" : "zh";
      write();
    });
    for (const panel of PANELS) $(`show-${panel}`).addEventListener("click", () => show(panel, $(panel).hidden));
    document.addEventListener("keydown", (event) => event.key === "Escape" && state.chosen && forget());
  }

  PANELS.forEach((panel) => show(panel, wide));
  showCounty();
  makePanes();
  drawGround();
  listen();
  write();
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
}
