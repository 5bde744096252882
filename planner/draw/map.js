"use strict";
/* Draws a study area and its plans on a Leaflet map, and the panels beside it.
   Names come from data: they reach the page only through textContent, properties and SVG made node by node. */

const ON_MAP = ["schools", "merges", "others", "difference", "villages", "way", "lines", "flows"];
/* Sheets by their depth, and what is painted on them in turn; then the layers that are Leaflet's. */
const SHEETS = { land: [305, "catchments"], ground: [310, "roads", "towns"], plan: [420, "lines", "difference", "villages", "merges"] };
const PANES = { isochrones: 307, flows: 340, closed: 345, way: 425, labels: 650 };
const GROUPS = ["schools", "others", "towns", "isochrones", "flows", "closed", "way"];
const LAYERS = [...ON_MAP, "isochrones", "catchments", "towns", "closed", "roads", "tiles"];
const HIDDEN = ["others", "difference", "flows", "isochrones"];

function start(map) {
  drawPlan(map, planData);
}

function drawPlan(map, data) {
  const { schools, villages, bands, plans } = data;
  const opens = data.sides[0] === "planned" ? 0 : Math.max(plans.length - 1, 0); // a plan in futures: as it was made
  const state = { lang: data.lang, view: opens, band: 1, chosen: null, tilesLost: false };
  const shown = new Set(LAYERS.filter((name) => !HIDDEN.includes(name)));
  const layouts = makeLayouts(data, state), { views, view, ground, actionOf, limit } = layouts;
  const say = speaker(data.words, state), { t, n, nameOf } = say;
  const groups = Object.fromEntries(GROUPS.map((name) => [name, L.layerGroup()])), renderers = {};
  const asked = data.whatif && makeWhatIf(data, {
    say, questions: layouts.questions, choose, turnTo: turnToView, view: () => state.view, band: () => state.band, trips: (i) => views[i].list,
  });
  let pin = null, cameFrom = null, writeLabels = null;

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
      const paint = (pen, at) => layers.filter((layer) => shown.has(layer)).forEach((layer) => painted.painters[layer](pen, at));
      paneAt(name, depth);
      renderers[name] = new Sheet(paint, { pane: name }).addTo(map);
    }
    if (data.tiles) groups.tiles = makeTiles(map, data.tiles, { came: () => swipe.update(), failed: loseTiles });
    map.getPane("isochrones").style.opacity = ISOCHRONE_OPACITY;
    const named = data.towns.map((town) => ({ ...town, name: nameOf(town) }));
    writeLabels = labelTowns(map, groups.towns, named, painted.townInks, marks.spots);
    showLayers();
  }

  function showLayers() {
    Object.keys(groups).forEach((name) => (shown.has(name) ? map.addLayer(groups[name]) : map.removeLayer(groups[name])));
    repaint();
  }

  function loseTiles() {
    state.tilesLost = true;
    key.write();
  }

  /** A layer was put on or taken off. */
  function turnLayer(name) {
    if (name === "isochrones") drawLand();
    if (name === "flows") drawRoadUse();
    showLayers();
    swipe.update();
  }

  function repaint(names = Object.keys(SHEETS), boxes = {}) {
    names.forEach((name) => renderers[name].ask(boxes[name]));
  }

  function repaintNow() {
    Object.values(renderers).forEach((renderer) => renderer._map && renderer._redraw());
  }

  const still = (name, style) => ({ renderer: renderers[name], pane: name, interactive: false, ...style });

  /** ``boxes``: by sheet what of it looks otherwise than it does; of other sheets all. */
  function drawView(boxes) {
    drawLayers(boxes);
    swipe.write();
    drawChosen();
  }

  function drawLayers(boxes) {
    groups.closed.clearLayers();
    drawClosed(groups.closed, ground().closed, still);
    drawLand();
    drawRoadUse();
    marks.draw();
    drawChosenWay();
    repaint(["land", "plan"], boxes);
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
    drawChosenWay();
    swipe.update();
  }

  function drawChosenWay() {
    drawWay(groups.way, chosenTrips(), { schools, villages, flows: ground().flows }, still);
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

  /** What is said of a village's dot. */
  function dotText(row) {
    const said = shown.has("difference") ? changeTexts(say)[painted.changes()[row]] : classes.signText(row);
    return `${nameOf(villages[row])}${t("colon")}${said}`;
  }

  /* -- what is shown, and what is chosen -- */

  /** Show a layout: a plan, or what people try, which is the one after the last plan. */
  function turnToView(i) {
    const before = view();
    state.view = i;
    layouts.put(asked.plan());
    state.view = Math.min(i, views.length - 1);
    drawView(painted.boxesBetween(before, view()));
    asked.writeResult(state.view);
    const { list, row } = state.chosen || {};
    if (list === schools) announce(list, row);
    afterTheFrame(() => {
      controls.writeViews();
      writeBeside();
    });
  }

  function turn(i) {
    state.view = i;
    refresh();
  }

  function setBand(band) {
    state.band = band;
    $("band").value = band;
    refresh();
  }

  function isChosen(list, row) {
    return state.chosen !== null && state.chosen.list === list && state.chosen.row === row;
  }

  function choose(list, row) {
    if (!$("details").contains(document.activeElement)) cameFrom = document.activeElement;
    state.chosen = { list, row };
    if (pin) pin.remove();
    const icon = L.icon({ ...L.Icon.Default.prototype.options, ...data.pin });
    pin = list[row].at && L.marker(list[row].at, { icon, interactive: false, keyboard: false }).addTo(map);
    controls.show("card", true);
    keepInSight();
    if (list === schools && !actionOf(row)) turnTo(row);
    writeDetails();
    repaint(["land"]);
    drawChosen();
    key.write();
    announce(list, row);
    $("details").focus();
  }

  /** The chosen place stays on the map, whatever takes room from it. */
  function keepInSight() {
    const { list, row } = state.chosen || {};
    if (list && list[row].at) map.panInside(list[row].at, { padding: [40, 60], animate: false });
  }

  /** For who does not see the map. */
  function announce(list, row) {
    const here = list === schools ? details.stateText(actionOf(row)) : classes.signText(row);
    $("said").textContent = `${nameOf(list[row])}${t("colon")}${here}`;
  }

  /** Show a band that the school teaches. */
  function turnTo(row) {
    const band = bands.findIndex((some) => actionOf(row, some.stage));
    if (band < 0) return;
    setBand(band);
  }

  function forget() {
    state.chosen = null;
    if (pin) pin.remove();
    writeDetails();
    repaint(["land"]);
    drawChosen();
    key.write();
    $("said").textContent = "";
    if (cameFrom && cameFrom.isConnected) cameFrom.focus();
  }

  /** Close the chosen school, or reopen it. */
  function toggle() {
    if (asked && state.chosen && state.chosen.list === schools) asked.toggle(state.chosen.row);
  }

  /* -- what is written -- */

  function writeDetails() {
    $("details").hidden = !state.chosen;
    if (!state.chosen) return;
    const { list, row } = state.chosen, title = t("close");
    const shut = el("button", { type: "button", textContent: "×", onclick: forget, className: "shut", title, ariaLabel: title });
    const head = el("h2", { id: "details-name", textContent: nameOf(list[row]) });
    refill($("details"), [shut, head, ...details.of(state.chosen)]);
  }

  function refresh() {
    drawView();
    writeBeside();
  }

  function writePanels() {
    writeDetails();
    if (asked) asked.write(state.view);
    scores.write();
  }

  /** What stands around the map, but for the key and the card beside it; at first without what figures are set beside. */
  function write(first = false) {
    controls.write();
    listing.write();
    scores.writeFoot();
    if (asked) asked.writeResult(state.view, first ? [] : undefined);
  }

  function writeBeside() {
    writeLabels();
    key.write();
    writePanels();
  }

  /** Above the map on paper: the result, and the plan, what is proven of it, and the norm. */
  function paperLine() {
    const plan = view(), { band } = bands[state.band], norm = limit();
    const normText = norm === null ? t("norm.none") : t("norm", { n: n(norm) });
    const proof = state.view < plans.length ? scores.statusText(plan) : t(plans.length ? "whatif.rule" : "no_plan");
    return [$("headline").textContent, plan.title, proof, t(`band.${band}`), normText, scores.dateText()].filter(Boolean).join(" · ");
  }

  function listen() {
    controls.listen();
    $("band").addEventListener("change", (event) => setBand(Number(event.target.value)));
    $("language").addEventListener("click", () => {
      state.lang = state.lang === "zh" ? "en" : "zh";
      write();
      drawView();
      writeBeside();
    });
    $("show-swipe").addEventListener("click", () => {
      if (!state.view) state.view = views.length - 1;
      swipe.turn(!swipe.isOn());
      controls.write();
      refresh();
    });
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

  const page = { ...layouts, map, data, state, shown, groups, say, isChosen, choose, setBand, toggle, turn, asked };
  const classes = makeClasses(page), painted = makePainted({ ...page, classes }), marks = makeMarks(page);
  const key = makeKey({ ...page, classes, changes: painted.changes, chosenTrips, turn: turnLayer });
  const controls = makeControls(page), details = makeDetails(page), scores = makeScores(page);
  const listing = makeListing({ ...page, stateText: details.stateText });
  const swipe = makeSwipe({ map, state, say, repaintNow, whileShowing, viewName: controls.viewName });
  makePrintable({ map, showCounty: controls.showCounty, repaintNow, line: paperLine, tables: listing.paper });
  $("result").hidden = $("whatif").hidden = !asked;
  write(true);
  map.invalidateSize({ animate: false });
  controls.showCounty(); // in the room that the words leave
  makeLayers();
  drawView();
  writeLabels();
  later(writeBeside);
  listen();
  const at = (row) => villages[row].at, pick = (row) => choose(villages, row);
  listenToDots(map, painted.places.villages, painted.dots, { at, text: dotText, pick });
  new ResizeObserver(() => {
    map.invalidateSize({ animate: false, pan: false });
    if (!document.body.classList.contains("printing")) keepInSight();
  }).observe(map.getContainer());
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
}
