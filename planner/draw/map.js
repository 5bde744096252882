"use strict";
/* Draws a study area and its plans on a Leaflet map, and the panels beside it.
   Names come from data: they reach the page only through textContent, properties and SVG made node by node. */

const ON_MAP = ["schools", "merges", "others", "difference", "villages", "way", "lines", "flows"];
/* Sheets by their depth, and what is painted on them in turn; then the layers that are Leaflet's. */
const SHEETS = { land: [305, "catchments"], ground: [310, "roads", "towns"], plan: [420, "lines", "difference", "villages", "merges"] };
const PANES = { isochrones: 307, flows: 340, closed: 345, way: 425, labels: 650 };
const GROUPS = ["schools", "others", "towns", "isochrones", "flows", "closed", "way"];
const LAYERS = [...ON_MAP, "isochrones", "catchments", "towns", "closed", "roads"];
const HIDDEN = ["others", "difference", "flows", "isochrones"];
const EITHER = ["villages", "difference"];
const OF_PLANS = ["flows", "isochrones", "catchments"]; // what people try has none of its own
const BUTTONS = 4;
const SIGNS = ["unreachable", "no_seat"];
const PANELS = ["key", "card"];
const NO_PLAN = { actions: [], trips: [], catchments: {}, title: "", ground: 0, layout: null };

function start(map) {
  drawPlan(map, planData);
}

function drawPlan(map, data) {
  const { schools, villages, bands, plans } = data;
  const wide = window.matchMedia("(min-width: 900px)").matches;
  const state = { lang: data.lang, view: Math.max(plans.length - 1, 0), band: 1, chosen: null };
  const shown = new Set(LAYERS.filter((name) => !HIDDEN.includes(name)));
  const questions = plans.length ? questionsOf(data) : [noQuestion(data)];
  const views = (plans.length ? plans : [NO_PLAN]).map(indexPlan);
  const say = speaker(data.words, state), { t, n, withUnit, nameOf } = say;
  const groups = {}, renderers = {}, marks = [];
  const places = { villages: placesOf(villages), schools: placesOf(schools) };
  const townInks = data.towns.map(({ rings }) => inkOf(rings.flat()));
  const roadInks = Object.fromEntries(Object.keys(ROADS).map((rank) => [rank, inkOf(data.roads.lines[rank])]));
  let pin = null, zoom = null, fit = null, cameFrom = null;
  const asked = data.whatif && makeWhatIf(data, {
    say, questions, choose, turnTo: turnToView, view: () => state.view, band: () => state.band, trips: (i) => views[i].list,
  });

  /* -- plans by school and by village -- */

  /** A layout and the plan that it is, or is made from; actions and trips by school and by village when they are asked for. */
  function indexPlan(plan, from) {
    const made = grown(plan, { from, question: questions[from] });
    const byRow = (table, trips, row) => {
      trips.forEach((trip) => table[trip[row]][trip.band].push(trip));
      return table;
    };
    return withParts(made, [
      ["list", () => plan.trips],
      ["action", () => {
        const action = schools.map(() => ({}));
        plan.actions.forEach((row) => (action[row.school][row.stage] = row));
        return action;
      }],
      ["trips", () => byRow(villages.map(() => bands.map(() => [])), made.list, "village")],
      ["serves", () => byRow(schools.map(() => bands.map(() => [])), made.list.filter(({ school }) => school >= 0), "school")],
    ]);
  }

  /** Show a layout: a plan, or what people try, which is the one after the last plan. */
  function turnToView(i) {
    state.view = i;
    const tried = asked.plan();
    views.length = plans.length;
    if (tried) {
      const { actions, list, from } = tried, { ground } = plans[from];
      views.push(indexPlan({ ...NO_PLAN, ground, actions, trips: list }, from));
    }
    state.view = Math.min(i, views.length - 1);
    drawView();
    asked.writeResult(state.view);
    afterTheFrame(() => {
      writeViews();
      writeKey();
      writePanels();
    });
  }

  /** The order in which the keyboard goes through the schools. */
  const place = ({ town, id }) => `${town}\n${id}`;
  const byTown = schools.map((_, row) => row).sort((a, b) => (place(schools[a]) < place(schools[b]) ? -1 : 1));
  const view = () => views[state.view];
  const isTried = () => plans.length > 0 && state.view === plans.length;
  /** The layout that is set beside the first: the one shown; of two the second also where the first is shown. */
  const compared = () => views[state.view || (plans.length === 2 ? 1 : 0)];
  const ground = () => data.grounds[view().ground];
  const limit = () => view().question.limits[bands[state.band].band];
  const pupilsOf = (row) => view().question.villages[row].pupils[state.band];
  const stage = () => bands[state.band].stage;

  function actionOf(school, name = stage(), plan = view()) {
    if (plans.length) return plan.action[school][name];
    const today = schools[school].stages[name];
    return today && { ...today, added: 0, action: schools[school].candidate ? "none" : "keep" };
  }

  /* -- classes of minutes: half the norm, the norm, half as much again -- */

  const breaks = remembering(() => [limit()], () => {
    const norm = limit();
    return norm === null ? [15, 30, 60] : [norm / 2, norm, norm * 1.5];
  });

  function classOf(minutes) {
    const found = breaks().findIndex((limit) => minutes <= limit + 1e-6);
    return found < 0 ? 3 : found;
  }

  function minutesText(from, to) {
    return from ? t("minutes.from_to", { from: n(from), to: n(to) }) : t("minutes.to", { to: n(to) });
  }

  const beyond = (index) => limit() !== null && index > 1;

  function classText(index) {
    const [low, mid, high] = breaks().map((limit) => n(limit, 1));
    return [t("minutes.to", { to: low }), t("minutes.from_to", { from: low, to: mid }),
      t("minutes.from_to", { from: mid, to: high }), t("minutes.over", { from: high })][index];
  }

  /** By village the class 0..3 of its longest trip, the reason when pupils have no school, "" without pupils. */
  const signs = remembering(() => [view(), state.band], () => {
    const found = villages.map(() => "");
    for (const { village, band, school, minutes, reason } of view().list) {
      const before = found[village];
      if (band !== state.band || (before !== "" && !Number.isInteger(before))) continue;
      found[village] = school < 0 || minutes === null ? reason || "unreachable" : Math.max(before || 0, classOf(minutes));
    }
    return found;
  });

  const signOf = (row) => signs()[row];

  /* -- what is painted -- */

  const areas = remembering(() => [view(), stage()], () =>
    (view().catchments[stage()] || []).map((area) => ({ ...area, ink: inkOf(area.rings.flat()) })));

  /** Lines from villages to their schools, by class. */
  const tripInks = remembering(() => [view(), state.band], () => {
    const ends = CLASS_COLOURS.map(() => []);
    for (const { village, band, school, minutes } of view().list) {
      if (band !== state.band || school < 0 || !villages[village].at || !schools[school].at) continue;
      ends[classOf(minutes)].push(...places.villages.subarray(2 * village, 2 * village + 2), ...places.schools.subarray(2 * school, 2 * school + 2));
    }
    return ends.map((xy) => boxed(Float64Array.from(xy), Uint32Array.from({ length: xy.length / 4 }, (_, i) => 4 * i + 4)));
  });

  /** The villages, those with the longest ways on top. */
  const villageDots = remembering(() => [signs()], () => {
    const depth = (sign) => (sign === "" ? -1 : Number.isInteger(sign) ? sign : CLASS_COLOURS.length);
    const rows = villages.map((_, row) => row).filter((row) => villages[row].at);
    const dots = rows.map((row) => ({ row, style: villageStyle(signOf(row), beyond(signOf(row)), pupilsOf(row)) }));
    return dots.sort((one, other) => depth(signOf(one.row)) - depth(signOf(other.row)));
  });

  const changes = remembering(() => [views[0], compared(), state.band], () =>
    changesOf(views[0], compared(), state.band, villages.length, bands.length));

  const changeDots = remembering(() => [changes()], () => {
    const rows = plans.length < 2 ? [] : changedRows(changes()).filter((row) => villages[row].at);
    return rows.map((row) => ({ row, style: changeStyle(changes()[row]) }));
  });

  const merges = remembering(() => [view(), stage()], () => {
    const here = view().actions.filter(({ into, stage: name }) => into !== null && name === stage());
    const ends = here.map(({ school, into }) => [school, into]).filter((rows) => rows.every((row) => schools[row].at));
    const xy = ends.flatMap((rows) => rows.flatMap((row) => [...places.schools.subarray(2 * row, 2 * row + 2)]));
    return boxed(Float64Array.from(xy), Uint32Array.from(ends, (_, i) => 4 * i + 4));
  });

  const painters = {
    catchments: (pen, at) => paintCatchments(pen, at, areas(), (row) => isChosen(schools, row)),
    roads: (pen, at) => paintRoads(pen, at, roadInks),
    towns: (pen, at) => paintTowns(pen, at, townInks),
    lines: (pen, at) => tripInks().forEach((ink, i) =>
      paintLines(pen, ink, at, { color: CLASS_COLOURS[i], weight: beyond(i) ? 1.8 : 1, opacity: 0.75 })),
    difference: (pen, at) => paintDots(pen, at, places.villages, changeDots()),
    villages: (pen, at) => paintDots(pen, at, places.villages, villageDots()),
    merges: (pen, at) => [{ color: "#fff", weight: 6, opacity: 0.8 }, MERGE].forEach((style) => paintLines(pen, merges(), at, style)),
  };

  /* -- layers -- */

  function makeLayers() {
    const paneAt = (name, depth) => {
      const pane = map.createPane(name);
      Object.assign(pane.style, { zIndex: depth, pointerEvents: "none" });
    };
    for (const [name, depth] of Object.entries(PANES)) {
      paneAt(name, depth);
      renderers[name] = L.canvas({ pane: name, padding: 0.3 });
    }
    for (const [name, [depth, ...layers]] of Object.entries(SHEETS)) {
      const paint = (pen, at) => layers.filter((layer) => shown.has(layer)).forEach((layer) => painters[layer](pen, at));
      paneAt(name, depth);
      renderers[name] = new Sheet(paint, { pane: name }).addTo(map);
    }
    map.getPane("isochrones").style.opacity = ISOCHRONE_OPACITY;
    GROUPS.forEach((name) => (groups[name] = L.layerGroup()));
    labelTowns(map, groups.towns, data.towns.map((town) => ({ ...town, name: nameOf(town) })), townInks);
    showLayers();
  }

  function showLayers() {
    GROUPS.forEach((name) => (shown.has(name) ? map.addLayer(groups[name]) : map.removeLayer(groups[name])));
    repaint();
  }

  function repaint(names = Object.keys(SHEETS)) {
    names.forEach((name) => renderers[name].ask());
  }

  function repaintNow() {
    Object.values(renderers).forEach((renderer) => renderer._map && renderer._redraw());
  }

  const still = (name, style) => ({ renderer: renderers[name], pane: name, interactive: false, ...style });

  function drawView() {
    drawLayers();
    swipe.write();
    drawChosen();
  }

  function drawLayers() {
    groups.closed.clearLayers();
    drawClosed(groups.closed, ground().closed, still);
    drawLand();
    drawRoadUse();
    byTown.forEach((row) => drawSchool(schools[row], row));
    drawWay(groups.way, chosenTrips(), { schools, villages, flows: ground().flows }, still);
    repaint(["land", "plan"]);
  }

  /** What ``task`` finds while another layout is on the map. */
  function whileShowing(i, task) {
    const kept = state.view;
    state.view = i;
    drawLayers();
    const found = task();
    state.view = kept;
    drawLayers();
    return found;
  }

  /** The way of a chosen village. */
  function drawChosen() {
    drawWay(groups.way, chosenTrips(), { schools, villages, flows: ground().flows }, still);
    swipe.update();
  }

  function chosenTrips() {
    const { list, row } = state.chosen || {};
    return list === villages ? view().trips[row][state.band].map(details.detailed) : [];
  }

  /* Land and the use of roads are drawn only when they are looked at: they take the browser a moment. */

  function drawLand() {
    groups.isochrones.clearLayers();
    if (!shown.has("isochrones")) return;
    drawIsochrones(ground().isochrones, view().layout, state.band, still("isochrones", {}), groups.isochrones);
  }

  function drawRoadUse() {
    groups.flows.clearLayers();
    if (shown.has("flows")) drawFlows(groups.flows, ground().flows, view().layout, still);
  }

  const isChosen = (list, row) => state.chosen !== null && state.chosen.list === list && state.chosen.row === row;

  /** The dots that are shown, and what is said of one. */
  const dotsShown = () => (shown.has("difference") ? changeDots() : shown.has("villages") ? villageDots() : []);
  const dotText = (row) =>
    `${nameOf(villages[row])}: ${shown.has("difference") ? changeTexts(say)[changes()[row]] : signText(signOf(row), row)}`;

  function signText(sign, row) {
    if (sign === "") return plans.length ? t("no_pupils") : withUnit(pupilsOf(row), "pupils");
    if (SIGNS.includes(sign)) return t(`reason.${sign}`);
    return withUnit(Math.max(...view().trips[row][state.band].map((trip) => trip.minutes)), "min");
  }

  const small = () => (map.getSize().x < 500 ? 0.72 : 1);

  /** A school's sign is an element, for keyboard and screen reader; it is made anew where it looks different. */
  function drawSchool(school, row) {
    if (!school.at) return;
    const here = actionOf(row), over = here ? overSeats(here) : 0;
    const action = here ? here.action : "keep";
    const radius = here ? small() * schoolRadius(here.pupils) : 4;
    const more = here ? `: ${t(`state.${action}`)}${over ? `, ${overText(here)}` : ""}` : "";
    const text = `${nameOf(school)}, ${t(`kind.${school.kind}`)}${more}`;
    const look = `${text} ${radius} ${action} ${Boolean(here)}`, old = marks[row];
    if (old && old.look === look) return;
    if (old) old.group.removeLayer(old.mark);
    const sign = symbol(school.kind, action, radius);
    if (over) sign.append(overMark(radius));
    const icon = L.divIcon({ className: here ? "school" : "school other", iconSize: null, html: sign });
    const pick = () => choose(schools, row), group = here ? groups.schools : groups.others;
    const mark = L.marker(school.at, { icon, riseOnHover: true, zIndexOffset: here ? 0 : -1000 })
      .bindTooltip(() => el("span", { textContent: text }))
      .on("click", pick)
      .on("keypress", ({ originalEvent: { key } }) => ["Enter", " "].includes(key) && (isChosen(schools, row) ? toggle() : pick()))
      .on("add", (event) => setAll(event.target.getElement(), { "aria-label": text, "data-school": school.id }))
      .addTo(group);
    marks[row] = { mark, look, group };
  }

  const overText = ({ pupils, seats }) => t("over", { pupils: withUnit(pupils, "pupils"), seats: withUnit(seats, "seats") });

  /* -- key: a checkbox for each layer, and under it what its signs mean and how many there are -- */

  function writeKey() {
    const signs = countBy(villages.map((_, row) => [signOf(row), pupilsOf(row)]));
    const present = schools.map((school, row) => [actionOf(row), school]).filter(([here]) => here);
    const states = countBy(present.map(([here]) => [here.action, 1]));
    const kinds = countBy(present.map(([, school]) => [school.kind, 1]));
    const norm = limit(), two = plans.length > 1, { isochrones, flows, closed } = ground();
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
        ...(present.some(([here]) => overSeats(here)) ? [item(drawing(20, 16, overMark(0)), t("over.key"))] : []),
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
      difference: two ? differenceKey(changes(), view().question.villages, state.band, say, item, note) : [],
      flows: plans.length && !isTried() ? flowKey(flows, view().layout, say, item, note) : [],
      isochrones: [
        note(t(isochrones.dropped ? "isochrones.dropped" : "isochrones.note")),
        ...isochrones.minutes.map((to, i, all) => item(swatch(ISOCHRONES[i]), minutesText(all[i - 1], to))),
      ],
      way: wayKey(flows, chosenTrips(), say, item, note),
      closed: [item(stroke(...CLOSED), t("closed.note"))],
      roads: [
        ...ranks.map((rank) => item(stroke(ROADS[rank]), t(`roads.${rank}`))),
        ...data.roads.dropped.map((rank) => note(`${t("roads.dropped")}: ${t(`roads.${rank}`)}`)),
      ],
    };
    if (isTried()) OF_PLANS.forEach((name) => (items[name] = [note(t("whatif.hidden"))]));
    const bare = !plans.length, merged = view().actions.some((row) => row.into !== null && row.stage === stage());
    const blank = { isochrones: bare, catchments: bare, towns: !data.towns.length, closed: !closed.length };
    const some = { difference: !two, merges: !merged, way: !chosenTrips().length };
    const empty = { ...some, lines: bare, flows: bare, ...blank };
    const written = LAYERS.filter((name) => !empty[name]);
    $("key").replaceChildren(...written.map((name) => layerSection(name, items[name] || [])));
  }

  const item = (mark, text, count = "") => el("li", {}, mark, el("span", {}, text), el("b", {}, count));

  function leave(name) {
    shown.delete(name);
    if ($(`layer-${name}`)) $(`layer-${name}`).checked = false;
  }

  function layerSection(name, items) {
    const disabled = isTried() && OF_PLANS.includes(name);
    const box = el("input", { type: "checkbox", checked: shown.has(name), id: `layer-${name}`, disabled });
    box.addEventListener("change", () => {
      box.checked ? shown.add(name) : shown.delete(name);
      if (box.checked && EITHER.includes(name)) leave(EITHER.find((other) => other !== name));
      if (name === "isochrones") drawLand();
      if (name === "flows") drawRoadUse();
      showLayers();
      swipe.update();
    });
    const head = el("h2", {}, el("label", {}, box, ` ${t(`layer.${name}`)}`));
    return el("section", {}, head, ...(items.length ? [el("ul", {}, ...items)] : []));
  }

  /* -- details -- */

  function choose(list, row) {
    if (!$("details").contains(document.activeElement)) cameFrom = document.activeElement;
    state.chosen = { list, row };
    if (pin) pin.remove();
    const icon = L.icon({ ...L.Icon.Default.prototype.options, ...data.pin });
    pin = list[row].at && L.marker(list[row].at, { icon, interactive: false, keyboard: false }).addTo(map);
    show("card", true);
    if (list === schools && !actionOf(row)) turnTo(row);
    writeDetails();
    repaint(["land"]);
    drawChosen();
    writeKey();
    announce(list, row);
    $("details").focus();
  }

  /** For who does not see the map. */
  function announce(list, row) {
    const here = list === schools ? details.stateText(actionOf(row)) : signText(signOf(row), row);
    $("said").textContent = `${nameOf(list[row])}: ${here}`;
  }

  /** Show a band that the school teaches. */
  function turnTo(row) {
    const band = bands.findIndex((some) => actionOf(row, some.stage));
    if (band < 0) return;
    setBand(band);
  }

  function setBand(band) {
    state.band = band;
    $("band").value = band;
    refresh();
  }

  function forget() {
    state.chosen = null;
    if (pin) pin.remove();
    writeDetails();
    repaint(["land"]);
    drawChosen();
    writeKey();
    $("said").textContent = "";
    if (cameFrom && cameFrom.isConnected) cameFrom.focus();
  }

  function writeDetails() {
    $("details").hidden = !state.chosen;
    if (!state.chosen) return;
    const { list, row } = state.chosen;
    const shut = button("×", forget, { className: "shut", title: t("close"), ariaLabel: t("close") });
    const head = el("h2", { id: "details-name", textContent: nameOf(list[row]) });
    refill($("details"), [shut, head, ...details.of(state.chosen)]);
  }

  function button(text, onclick, options = {}) {
    return el("button", { type: "button", textContent: text, onclick, ...options });
  }

  /* -- controls -- */

  function viewName(i) {
    if (plans.length && i === plans.length) return t("whatif");
    if (plans.length < 2) return plans.length ? plans[0].title : t("no_plan");
    return i === 0 ? t("before") : plans.length === 2 ? t("after") : plans[i].title;
  }

  function writeControls() {
    document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
    document.querySelectorAll("[data-word]").forEach((node) => (node.textContent = t(node.dataset.word)));
    document.querySelectorAll("[data-label]").forEach((node) => (node.ariaLabel = t(node.dataset.label)));
    document.querySelectorAll("[data-hint]").forEach((node) => (node.placeholder = t(node.dataset.hint)));
    $("title").textContent = data.area.title;
    $("language").textContent = t("other_language");
    writeViews();
    $("show-swipe").hidden = plans.length < 2;
    $("band").replaceChildren(...bands.map(({ band }, i) => el("option", { value: i }, t(`band.${band}`))));
    $("band").value = state.band;
    setAll(map.getContainer(), { role: "main", "aria-label": data.area.title });
    listing.write();
    writeZoom();
  }

  function writeViews() {
    const legend = $("views").querySelector("legend"), names = views.map((_, i) => viewName(i));
    $("views").replaceChildren(legend, ...(names.length > BUTTONS ? [viewSlider(names, state, turn)] : names.map(viewButton)));
  }

  function turn(i) {
    state.view = i;
    refresh();
  }

  function viewButton(name, i) {
    const radio = el("input", { type: "radio", name: "view", checked: i === state.view, onchange: () => turn(i) });
    return el("label", { title: views[i].title }, radio, el("span", { textContent: name }));
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
    if (open && !wide && !$(other).hidden) turnPanel(other, false);
    turnPanel(panel, open);
    map.invalidateSize({ animate: false });
  }

  function turnPanel(panel, open) {
    $(panel).hidden = !open;
    $(`show-${panel}`).ariaExpanded = String(open);
  }

  function refresh() {
    drawView();
    writeKey();
    writePanels();
  }

  function writePanels() {
    writeDetails();
    if (asked) asked.write(state.view);
    scores.write();
  }

  /** What stands around the map, but for the card beside it. */
  function write() {
    writeControls();
    scores.writeFoot();
    writeKey();
    if (asked) asked.writeResult(state.view);
  }

  function listen() {
    const found = new Map();
    const listPlaces = later(() => {
      for (const list of [schools, villages]) {
        list.forEach((thing, row) => found.set(`${nameOf(thing)} · ${thing.id}`, [list, row]));
      }
      $("places").replaceChildren(...[...found.keys()].map((value) => el("option", { value })));
    });
    $("search").addEventListener("input", (event) => {
      listPlaces();
      const [list, row] = found.get(event.target.value) || [];
      if (!list) return;
      choose(list, row);
      if (list[row].at) map.setView(list[row].at, Math.max(map.getZoom(), 13), { animate: false });
    });
    $("band").addEventListener("change", (event) => {
      setBand(Number(event.target.value));
    });
    $("language").addEventListener("click", () => {
      state.lang = state.lang === "zh" ? "en" : "zh";
      write();
      writePanels();
      drawView();
    });
    $("show-swipe").addEventListener("click", () => {
      if (!state.view) state.view = views.length - 1;
      swipe.turn(!swipe.isOn());
      writeControls();
      refresh();
    });
    for (const panel of PANELS) $(`show-${panel}`).addEventListener("click", () => show(panel, $(panel).hidden));
    document.addEventListener("keydown", onKey);
  }

  function onKey(event) {
    if (event.key === "Escape" && state.chosen && !$("tables").open) return forget();
    if (!asked || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "radio") return;
    const undo = event.ctrlKey || event.metaKey;
    if (event.key === "x" && !undo && !event.altKey) toggle();
    if (undo && event.key === "z") asked.step(-1);
    if (undo && event.key === "y") asked.step(1);
  }

  /** Close the chosen school, or reopen it. */
  function toggle() {
    if (asked && state.chosen && state.chosen.list === schools) asked.toggle(state.chosen.row);
  }

  /** Above the map on paper: the result, and the plan, what is proven of it, and the norm. */
  function paperLine() {
    const plan = view(), { band } = bands[state.band], norm = limit();
    const normText = norm === null ? t("norm.none") : t("norm", { n: n(norm) });
    const date = `${t("data_date")} ${data.area.dataDate || t("unknown")}`;
    const proof = state.view < plans.length ? scores.statusText(plan) : t(plans.length ? "whatif.rule" : "no_plan");
    return [$("headline").textContent, plan.title, proof, t(`band.${band}`), normText, date].filter(Boolean).join(" · ");
  }

  const page = { map, data, state, views, say, view, compared, actionOf, choose, setBand, asked };
  const details = makeDetails(page), scores = makeScores(page);
  const listing = makeListing({ ...page, stateText: details.stateText }), swipe = makeSwipe({ map, state, say, repaintNow, whileShowing, viewName });
  makePrintable({ map, showCounty, repaintNow, line: paperLine, tables: listing.paper });
  $("result").hidden = $("whatif").hidden = !asked;
  PANELS.forEach((panel) => turnPanel(panel, wide));
  write();
  map.invalidateSize({ animate: false });
  showCounty(); // in the room that the words leave
  makeLayers();
  drawView();
  later(writePanels);
  listen();
  const at = (row) => villages[row].at, pick = (row) => choose(villages, row);
  listenToDots(map, places.villages, dotsShown, { at, text: dotText, pick });
  new ResizeObserver(() => map.invalidateSize({ animate: false, pan: false })).observe(map.getContainer());
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
}
