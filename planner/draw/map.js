"use strict";
/* Draws a study area and its plans on a Leaflet map, and the panels beside it.
   Names come from data: they reach the page only through textContent, properties and SVG made node by node. */

const CLASS_COLOURS = ["#2166ac", "#67a9cf", "#f4a582", "#b2182b"];
const TINTS = ["#f3e3b3", "#d5e8d4", "#e3d5e8", "#d4e3ee", "#efd9d0", "#e6e6d0"];
const ROADS = {
  main: { color: "#6b6b6b", weight: 3 },
  secondary: { color: "#8a8a8a", weight: 2 },
  local: { color: "#ababab", weight: 1.1 },
  path: { color: "#bdbdbd", weight: 1, dashArray: "3 3" },
};
const STATES = {
  keep: { fill: "#2166ac", stroke: "#123a63", width: 1.2, mark: "" },
  expand: { fill: "#2166ac", stroke: "#111", width: 2.4, mark: "M0,-1V1M-1,0H1" },
  open: { fill: "#67a9cf", stroke: "#111", width: 2.4, mark: "M-1,.6L0,-.7L1,.6" },
  convert: { fill: "#f4a582", stroke: "#2166ac", width: 2.4, mark: "M-1,0H1", dark: true },
  merge: { fill: "#f4a582", stroke: "#b2182b", width: 1.8, mark: "M-1,0H1M.1,-.9L1,0L.1,.9", dark: true },
  close: { fill: "#b2182b", stroke: "#5f0c16", width: 1.2, mark: "M-.8,-.8L.8,.8M-.8,.8L.8,-.8" },
  none: { fill: "#fff", stroke: "#444", width: 1.4, dash: "3 2", mark: "" },
};
/* kind -> corners, turn (of a full circle), size beside a circle's, how deep the corners of a star are cut */
const SHAPES = {
  kindergarten: [40, 0, 0.92, 1],
  central_kindergarten: [6, 0, 1.05, 1],
  teaching_point: [3, 0.75, 1.25, 1],
  village_primary: [4, 0.125, 1.15, 1],
  central_primary: [4, 0, 1.3, 1],
  junior_middle: [5, 0.75, 1.15, 1],
  nine_year: [5, 0.75, 1.4, 0.52],
};
const LAYERS = ["schools", "merges", "others", "villages", "lines", "catchments", "towns", "roads"];
const SIGNS = ["unreachable", "no_seat"];
const NO_PLAN = { actions: [], trips: [], catchments: {}, notes: [], title: "" };

const Cross = L.CircleMarker.extend({
  _updatePath() {
    this._renderer._updateCross(this);
  },
});
L.Canvas.include({
  _updateCross(layer) {
    if (!this._drawing || layer._empty()) return;
    const { x, y } = layer._point, r = layer._radius, pen = this._ctx;
    pen.beginPath();
    pen.moveTo(x - r, y - r);
    pen.lineTo(x + r, y + r);
    pen.moveTo(x - r, y + r);
    pen.lineTo(x + r, y - r);
    this._fillStroke(pen, layer);
  },
});

/* ---- nodes ---- */

const $ = (id) => document.getElementById(id);

function el(tag, options, ...children) {
  const node = Object.assign(document.createElement(tag), options);
  node.append(...children);
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function drawing(width, height, ...children) {
  const box = `${-width / 2} ${-height / 2} ${width} ${height}`;
  return svg("svg", { width, height, viewBox: box, "aria-hidden": "true" }, ...children);
}

function outline([corners, turn, size, cut], radius) {
  const steps = cut < 1 ? 2 * corners : corners;
  const points = Array.from({ length: steps }, (_, i) => {
    const angle = 2 * Math.PI * (turn + i / steps), r = radius * size * (cut < 1 && i % 2 ? cut : 1);
    return `${(r * Math.cos(angle)).toFixed(2)},${(r * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${points.join("L")}Z`;
}

function symbol(kind, state, radius) {
  const { fill, stroke, width, dash, mark, dark } = STATES[state] || STATES.keep;
  const d = outline(SHAPES[kind] || SHAPES.kindergarten, radius), size = 2 * (radius * 1.4 + 3), g = radius * 0.45;
  const parts = [
    svg("path", { d, fill: "none", stroke: "#fff", "stroke-width": width + 3, "stroke-linejoin": "round" }),
    svg("path", { d, fill, stroke, "stroke-width": width, "stroke-dasharray": dash || "none" }),
  ];
  const pen = { d: mark, transform: `scale(${g})`, fill: "none", stroke: dark ? "#222" : "#fff", "stroke-width": 2 / g };
  return drawing(size, size, ...parts, ...(mark ? [svg("path", pen)] : []));
}

function dot(style) {
  return drawing(20, 16, svg("circle", { r: style.radius, fill: style.fillColor, stroke: style.color || "none", "stroke-width": style.weight || 0 }));
}

function stroke(style) {
  const pen = { d: "M-13,0H13", stroke: style.color, "stroke-width": style.weight, "stroke-dasharray": style.dashArray || "none" };
  return drawing(26, 12, svg("path", pen));
}

/* ---- lines as the page stores them: whole numbers, first the place and then steps ---- */

function decode(numbers) {
  const line = [];
  let lon = 0, lat = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    lon += numbers[i];
    lat += numbers[i + 1];
    line.push([lat / 1e5, lon / 1e5]);
  }
  return line;
}

const decodeArea = (polygons) => polygons.map((rings) => rings.map(decode));

/* ---- the page ---- */

function drawPlan(map, data) {
  const { schools, villages, bands, plans } = data;
  const wide = window.matchMedia("(min-width: 900px)").matches;
  const state = { lang: data.lang, view: Math.max(plans.length - 1, 0), band: 1, chosen: null };
  const shown = new Set(LAYERS.filter((name) => name !== "others"));
  const views = (plans.length ? plans : [NO_PLAN]).map(indexPlan);
  const groups = {}, renderers = {};
  let pin = null, zoom = null, fit = null;

  /* -- words and numbers -- */

  function t(key, values = {}) {
    const text = (data.words[key] || {})[state.lang] || key;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function n(value, digits = Math.abs(value) >= 100 ? 0 : 1) {
    if (value === null || value === undefined) return t("unknown");
    return value.toLocaleString(state.lang === "zh" ? "zh-CN" : "en", { maximumFractionDigits: digits });
  }

  const withUnit = (value, unit) => (value === null || value === undefined ? t("unknown") : `${n(value)} ${t(`unit.${unit}`)}`);
  const percent = (value) => `${n(value * 100, 2)} %`;
  const nameOf = (thing) => thing.name || t("without_name");

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
    return today && { action: schools[school].candidate ? "none" : "keep", seats: today.seats, added: 0, pupils: today.pupils };
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
    const lost = trips.find((trip) => trip.school < 0);
    if (lost) return lost.reason || "unreachable";
    return classOf(Math.max(...trips.map((trip) => trip.minutes)));
  }

  function villageStyle(sign, pupils = 25) {
    const radius = Math.min(3 + Math.sqrt(pupils) * 0.35, 7);
    if (sign === "") return { radius: 1.8, stroke: false, fillColor: "#777", fillOpacity: 0.8 };
    if (sign === "no_seat") return { radius: radius + 1, color: "#111", weight: 2, fillColor: "#fff", fillOpacity: 1 };
    if (sign === "unreachable") return { radius: radius + 0.5, color: "#111", weight: 2.5, fill: false };
    const far = beyond(sign);
    return { radius: radius + (far ? 1.2 : 0), color: far ? "#222" : "#fff", weight: far ? 1.6 : 0.8, fillColor: CLASS_COLOURS[sign], fillOpacity: 0.95 };
  }

  /* -- layers -- */

  function makePanes() {
    const order = { catchments: 305, roads: 310, towns: 320, lines: 350, villages: 420, merges: 430, labels: 440 };
    for (const [name, depth] of Object.entries(order)) {
      const pane = map.createPane(name);
      pane.style.zIndex = depth;
      if (name !== "villages") pane.style.pointerEvents = "none";
      renderers[name] = L.canvas({ pane: name, padding: 0.3, tolerance: 4 });
    }
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
    for (const town of data.towns) {
      L.polygon(decodeArea(town.rings), still("towns", { color: "#4d4d4d", weight: 1.6, dashArray: "7 4", fill: false })).addTo(groups.towns);
      const icon = L.divIcon({ className: "town", iconSize: null, html: el("span", { textContent: nameOf(town) }) });
      L.marker(town.at, { icon, pane: "labels", interactive: false, keyboard: false }).addTo(groups.towns);
    }
  }

  function drawView() {
    ["catchments", "lines", "villages", "merges", "schools", "others"].forEach((name) => groups[name].clearLayers());
    drawCatchments();
    drawLines();
    villages.forEach(drawVillage);
    schools.forEach(drawSchool);
    drawMerges();
    writeKey();
  }

  function drawCatchments() {
    for (const { school, tint, rings } of view().catchments[stage()] || []) {
      const chosen = state.chosen && state.chosen.list === schools && state.chosen.row === school;
      const style = { color: chosen ? "#111" : "#8c6d31", weight: chosen ? 3 : 1, fillColor: TINTS[tint], fillOpacity: chosen ? 0.9 : 0.55 };
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
      L.polyline(some, still("lines", { color: CLASS_COLOURS[i], weight: beyond(i) ? 1.8 : 1.1, opacity: 0.75 })).addTo(groups.lines);
    });
  }

  function drawVillage(village, row) {
    if (!village.at) return;
    const sign = signOf(row), make = sign === "unreachable" ? Cross : L.CircleMarker;
    new make(village.at, { renderer: renderers.villages, pane: "villages", ...villageStyle(sign, village.pupils[state.band]) })
      .bindTooltip(() => el("span", { textContent: `${nameOf(village)}: ${signText(sign, row)}` }))
      .on("click", () => choose(villages, row))
      .addTo(groups.villages);
  }

  function signText(sign, row) {
    if (sign === "") return plans.length ? t("no_pupils") : withUnit(villages[row].pupils[state.band], "pupils");
    if (SIGNS.includes(sign)) return t(`reason.${sign}`);
    return withUnit(Math.max(...view().trips[row][state.band].map((trip) => trip.minutes)), "min");
  }

  function drawSchool(school, row) {
    if (!school.at) return;
    const here = actionOf(row);
    const action = here ? here.action : "keep";
    const radius = here ? Math.min(7 + Math.sqrt(here.pupils || 0) * 0.28, 18) : 4;
    const icon = L.divIcon({ className: `school${here ? "" : " other"}`, iconSize: null, html: symbol(school.kind, action, radius) });
    const text = `${nameOf(school)}, ${t(`kind.${school.kind}`)}${here ? `: ${t(`state.${action}`)}` : ""}`;
    const pane = here ? {} : { zIndexOffset: -1000 };
    L.marker(school.at, { icon, alt: text, riseOnHover: true, ...pane })
      .bindTooltip(() => el("span", { textContent: text }))
      .on("click", () => choose(schools, row))
      .on("add", (event) => Object.assign(event.target.getElement(), { ariaLabel: text }).setAttribute("data-school", school.id))
      .addTo(here ? groups.schools : groups.others);
  }

  function drawMerges() {
    for (const { school, stage: name, into } of view().actions) {
      if (into === null || name !== stage() || !schools[school].at || !schools[into].at) continue;
      const ends = [schools[school].at, schools[into].at];
      L.polyline(ends, still("merges", { color: "#fff", weight: 6, opacity: 0.8 })).addTo(groups.merges);
      L.polyline(ends, still("merges", { color: "#b2182b", weight: 3, dashArray: "8 5" })).addTo(groups.merges);
    }
  }

  /* -- key: a checkbox for each layer, and under it what its signs mean and how many there are -- */

  function writeKey() {
    const counts = (values) => values.reduce((sum, [key, more]) => sum.set(key, (sum.get(key) || 0) + more), new Map());
    const signs = counts(villages.map((v, row) => [signOf(row), v.pupils[state.band]]));
    const present = schools.map((_, row) => actionOf(row)).map((a, row) => [a, schools[row]]).filter(([a]) => a);
    const states = counts(present.map(([a]) => [a.action, 1])), kinds = counts(present.map(([, s]) => [s.kind, 1]));
    const norm = data.limits[bands[state.band].band];
    const grey = (kind) => { const mark = symbol(kind, "keep", 7); mark.classList.add("grey"); return mark; };
    const items = {
      schools: [
        ...Object.keys(STATES).filter((s) => states.has(s)).map((s) => item(symbol("kindergarten", s, 7), t(`state.${s}`), withUnit(states.get(s), "schools"))),
        ...Object.keys(SHAPES).filter((k) => kinds.has(k)).map((k) => item(grey(k), t(`kind.${k}`), withUnit(kinds.get(k), "schools"))),
        el("li", { className: "note", textContent: t("size") }),
      ],
      merges: [item(stroke({ color: "#b2182b", weight: 3, dashArray: "8 5" }), t("layer.merges"), "")],
      villages: plans.length ? [
        el("li", { className: "note", textContent: norm === null ? t("norm.none") : t("norm", { n: n(norm) }) }),
        ...CLASS_COLOURS.map((_, i) => item(dot(villageStyle(i)), classText(i) + (norm === null ? "" : ` · ${t(beyond(i) ? "norm.beyond" : "norm.within")}`), withUnit(signs.get(i) || 0, "pupils"))),
        ...SIGNS.filter((s) => signs.has(s)).map((s) => item(s === "no_seat" ? dot(villageStyle(s)) : cross(), t(`reason.${s}`), withUnit(signs.get(s), "pupils"))),
        item(dot(villageStyle("")), t("no_pupils"), ""),
      ] : [],
      roads: [
        ...Object.keys(ROADS).filter((rank) => data.roads.lines[rank].length).map((rank) => item(stroke(ROADS[rank]), t(`roads.${rank}`), "")),
        ...data.roads.dropped.map((rank) => el("li", { className: "note", textContent: `${t("roads.dropped")}: ${t(`roads.${rank}`)}` })),
      ],
    };
    const empty = { merges: !view().actions.some((a) => a.into !== null && a.stage === stage()), towns: !data.towns.length };
    for (const name of ["lines", "catchments"]) empty[name] = !plans.length;
    $("key").replaceChildren(...LAYERS.filter((name) => !empty[name]).map((name) => layerSection(name, items[name] || [])));
  }

  const cross = () => drawing(20, 16, svg("path", { d: "M-5,-5L5,5M-5,5L5,-5", stroke: "#111", "stroke-width": 2.5 }));
  const item = (mark, text, count) => el("li", {}, mark, el("span", { textContent: text }), el("b", { textContent: count }));

  function layerSection(name, items) {
    const box = el("input", { type: "checkbox", checked: shown.has(name), id: `layer-${name}` });
    box.addEventListener("change", () => {
      box.checked ? shown.add(name) : shown.delete(name);
      showLayers();
    });
    return el("section", {}, el("h2", {}, el("label", {}, box, ` ${t(`layer.${name}`)}`)), ...(items.length ? [el("ul", {}, ...items)] : []));
  }

  /* -- details -- */

  function choose(list, row, open = true) {
    state.chosen = { list, row };
    if (pin) pin.remove();
    pin = list[row].at && L.marker(list[row].at, { icon: L.icon({ ...L.Icon.Default.prototype.options, ...data.pin }), interactive: false, keyboard: false }).addTo(map);
    if (open) show("card", true);
    writeDetails();
    if (list === schools) redrawCatchments();
    if (open) $("details").focus();
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
  }

  function writeDetails() {
    $("details").hidden = !state.chosen;
    if (!state.chosen) return;
    const { list, row } = state.chosen;
    const shut = el("button", { type: "button", className: "shut", textContent: "×", title: t("close"), ariaLabel: t("close"), onclick: forget });
    const head = el("h2", { textContent: nameOf(list[row]) });
    $("details").replaceChildren(shut, head, ...(list === schools ? schoolDetails(row) : villageDetails(row)));
  }

  function table(head, rows) {
    const cells = (tag, row) => row.map((cell) => el(tag, {}, cell));
    return el("table", {}, el("thead", {}, el("tr", {}, ...cells("th", head))), el("tbody", {}, ...rows.map((row) => el("tr", {}, ...cells("td", row)))));
  }

  function schoolDetails(row) {
    const school = schools[row], last = views[views.length - 1];
    const about = [t(`kind.${school.kind}`), school.town, school.id].filter(Boolean).join(" · ");
    const stages = [...new Set([...Object.keys(school.stages), ...Object.keys(last.action[row])])];
    const served = view().serves[row][state.band];
    const count = (value) => withUnit(value, "pupils");
    const rows = stages.map((name) => {
      const [first, here] = [views[0], last].map((plan) => actionOf(row, name, plan));
      const into = here && here.into !== null && here.into !== undefined ? t("state.merge_into", { n: nameOf(schools[here.into]) }) : "";
      const added = here && here.added ? ` (+${n(here.added)})` : "";
      return [t(`stage.${name}`), here ? into || t(`state.${here.action}`) : "–", here ? withUnit(here.seats, "seats") + added : "–",
        first ? count(first.pupils) : "–", here ? count(here.pupils) : "–"];
    });
    const heads = plans.length ? ["pupils.before", "pupils.after"] : ["enrolled", "enrolled"];
    return [
      el("p", { className: "kind", textContent: about }),
      table(["stage", "action", "seats", ...heads].map((key) => t(key)), rows),
      ...(school.assumed.length ? [el("p", { className: "note", textContent: `${t("assumed")}: ${school.assumed.join(", ")}` })] : []),
      ...(plans.length ? [el("h3", { textContent: `${t("served")} · ${t(`band.${bands[state.band].band}`)} · ${n(served.length)} ${t("villages")}` })] : []),
      served.length ? el("ul", { className: "served" }, ...served.map(servedVillage)) : el("p", { className: "note", textContent: plans.length ? t("served.none") : "" }),
    ];
  }

  function servedVillage({ village, pupils, minutes }) {
    const button = el("button", { type: "button", textContent: nameOf(villages[village]), onclick: () => choose(villages, village) });
    return el("li", {}, button, ` ${withUnit(pupils, "pupils")}, ${withUnit(minutes, "min")}`);
  }

  function villageDetails(row) {
    const village = villages[row];
    const about = [t("village"), village.town, village.id, `${t("population")} ${n(village.population)}`].filter(Boolean).join(" · ");
    const sides = plans.length > 1 ? [views[0], views[views.length - 1]] : plans.length ? [views[0]] : [];
    const heads = plans.length > 1 ? ["before", "after"] : plans.length ? ["trip"] : [];
    const rows = bands.map(({ band }, i) => [
      el("span", {}, t(`band.${band}`), el("small", { textContent: withUnit(village.pupils[i], "pupils") })),
      ...sides.map((plan) => el("span", {}, ...plan.trips[row][i].map(tripText))),
    ]);
    return [el("p", { className: "kind", textContent: about }), table([t("pupils"), ...heads.map((key) => t(key))], rows)];
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
    if (plan.status === "feasible") return plan.gap === null ? t("status.feasible_unbounded") : t("status.feasible", { n: percent(plan.gap) });
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
    const scale = money ? (state.lang === "zh" ? 1e4 : 1e6) : 1, digits = row.unit === "" ? 3 : undefined;
    const [today, plan] = [row.today, row.plan].map((value) => (value === null ? null : value / scale));
    const unit = row.unit ? t(`unit.${row.unit}${money ? ".big" : ""}`) : "";
    const label = el("span", {}, row[`label_${state.lang}`], el("small", { textContent: unit }));
    if (!both) return [label, n(plan, digits)];
    const difference = today === null || plan === null ? null : plan - today;
    const sign = difference === null ? "" : `${difference > 0 ? "+" : difference < 0 ? "−" : "±"}${n(Math.abs(difference), digits)}`;
    return [label, n(today, digits), n(plan, digits), el("span", { className: row.change }, sign, el("small", { textContent: row.change ? t(row.change) : "" }))];
  }

  function writeAbout() {
    const { synthetic, dataDate, attribution, assumptions } = data.area;
    const list = (key, lines) => (lines.length ? [el("h3", { textContent: t(key) }), el("ul", {}, ...lines.map((line) => el("li", { textContent: line })))] : []);
    const notes = [...new Set(plans.flatMap((plan) => plan.notes))];
    $("about").replaceChildren(el("h2", { textContent: t("about") }), ...list("notes", notes), ...list("assumptions", assumptions));
    const said = [synthetic ? t("synthetic.long") : "", `${t("data_date")} ${dataDate || t("unknown")}`, ...attribution, "Leaflet 1.9.3"];
    $("foot").textContent = said.filter(Boolean).join(" · ");
    $("synthetic").hidden = !synthetic;
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
    $("views").replaceChildren(legend, ...views.map((plan, i) => {
      const radio = el("input", { type: "radio", name: "view", checked: i === state.view, onchange: () => { state.view = i; refresh(); } });
      return el("label", { title: plan.title }, radio, el("span", { textContent: viewName(i) }));
    }));
    $("band").replaceChildren(...bands.map(({ band }, i) => el("option", { value: i, selected: i === state.band, textContent: t(`band.${band}`) })));
    map.getContainer().ariaLabel = data.area.title;
    [zoom, fit].forEach((control) => control && control.remove());
    zoom = L.control.zoom({ position: "topright", zoomInTitle: t("zoom.in"), zoomOutTitle: t("zoom.out") }).addTo(map);
    fit = L.control({ position: "topright" });
    fit.onAdd = () => el("div", { className: "leaflet-bar" }, el("button", { type: "button", id: "fit", textContent: "⌂", title: t("zoom.fit"), ariaLabel: t("zoom.fit"), onclick: showCounty }));
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
    for (const list of [schools, villages]) list.forEach((thing, row) => found.set(`${thing.name} · ${thing.id}`, [list, row]));
    $("places").replaceChildren(...[...found.keys()].map((value) => el("option", { value })));
    $("search").addEventListener("input", (event) => {
      const [list, row] = found.get(event.target.value) || [];
      if (!list) return;
      choose(list, row);
      if (list[row].at) map.setView(list[row].at, Math.max(map.getZoom(), 13), { animate: false });
    });
    $("band").addEventListener("change", (event) => { state.band = Number(event.target.value); refresh(); });
    $("language").addEventListener("click", () => { state.lang = state.lang === "zh" ? "en" : "zh"; write(); });
    for (const panel of ["key", "card"]) $(`show-${panel}`).addEventListener("click", () => show(panel, $(panel).hidden));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && state.chosen) forget(); });
  }

  for (const panel of ["key", "card"]) show(panel, wide);
  showCounty();
  makePanes();
  drawGround();
  listen();
  write();
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
}
