"use strict";
/* What stands around the map: names of controls, the layouts to choose from, zoom, the two panels, the search. */

const BUTTONS = 4;
const PANELS = ["key", "card"];

function makeControls({ map, data, state, views, say, choose, turn }) {
  const { schools, villages, bands, plans } = data, { t, nameOf } = say;
  const wide = window.matchMedia("(min-width: 900px)");
  let zoom = null, fit = null;

  function viewName(i) {
    if (plans.length && i === plans.length) return t("whatif");
    if (plans.length < 2) return plans.length ? plans[0].title : t("no_plan");
    if (data.sides[0] === "first_plan") return plans[i].title;
    return i === 0 ? t(data.sides[0]) : plans.length === 2 ? t(data.sides[1]) : plans[i].title;
  }

  function write() {
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
    writeZoom();
  }

  function writeViews() {
    const legend = $("views").querySelector("legend"), names = views.map((_, i) => viewName(i));
    $("views").replaceChildren(legend, ...(names.length > BUTTONS ? [viewSlider(t("views"), names, state, turn)] : names.map(viewButton)));
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
    const home = el("button", { type: "button", textContent: "⌂", onclick: showCounty, id: "fit", title, ariaLabel: title });
    fit.onAdd = () => el("div", { className: "leaflet-bar" }, home);
    fit.addTo(map);
  }

  function showCounty() {
    if (data.bounds) map.fitBounds(data.bounds, { padding: [12, 12], animate: false });
    else map.setView([0, 0], 2);
  }

  /** Open or shut a panel; where there is no room for two, the other one shuts. */
  function show(panel, open) {
    const other = panel === "key" ? "card" : "key";
    if (open && !wide.matches && !$(other).hidden) turnPanel(other, false);
    turnPanel(panel, open);
    map.invalidateSize({ animate: false });
  }

  function turnPanel(panel, open) {
    $(panel).hidden = !open;
    $(`show-${panel}`).ariaExpanded = String(open);
  }

  function listenToSearch() {
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
  }

  function listen() {
    listenToSearch();
    wide.addEventListener("change", () => wide.matches || $("card").hidden || turnPanel("key", false)); // one at a time
    for (const panel of PANELS) $(`show-${panel}`).addEventListener("click", () => show(panel, $(panel).hidden));
  }

  PANELS.forEach((panel) => turnPanel(panel, wide.matches));
  return { write, writeViews, viewName, showCounty, show, listen };
}
