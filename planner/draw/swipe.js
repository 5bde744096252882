"use strict";
/* Two layouts on one map, before to the left of a handle and after to its right. The left side is a picture of the
   map's canvases and signs, taken again whenever the map has moved; the right side is the map itself. */

function makeSwipe({ map, state, say, repaintNow, whileShowing, viewName }) {
  const { t } = say, pane = map.createPane("swipe"), ground = el("div", { className: "ground" });
  const handle = el("div", { className: "handle", tabIndex: 0, hidden: true }, el("span", {}), el("i", {}), el("span", {}));
  let on = false, share = 0.5, busy = false;
  pane.style.zIndex = 640;
  pane.style.pointerEvents = "none";
  pane.ariaHidden = "true";
  setAll(handle, { role: "slider", "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal" });
  map.getContainer().append(handle);
  L.DomEvent.disableClickPropagation(handle);

  /** Everything drawn now, lowest first, as copies that nobody can click on. */
  function picture() {
    repaintNow();
    const depth = (one) => Number(getComputedStyle(one).zIndex) || 0;
    const panes = Object.values(map.getPanes()).filter((one) => one !== pane && one.parentNode === map.getPane("mapPane"));
    return panes.sort((a, b) => depth(a) - depth(b)).flatMap((one) => {
      const canvases = [...one.querySelectorAll(":scope > canvas")].map(copyOf);
      canvases.forEach((canvas) => (canvas.style.opacity = getComputedStyle(one).opacity));
      const signs = ["markerPane", "tilePane"].some((name) => one === map.getPane(name)) ? [...one.children] : [];
      return [...canvases, ...signs.map(stillCopy)];
    });
  }

  function stillCopy(sign) {
    const copy = sign.cloneNode(true);
    ["tabindex", "role", "aria-label", "data-school", "title"].forEach((name) => copy.removeAttribute(name));
    copy.querySelectorAll(".leaflet-tile-loaded").forEach((tile) => (tile.style.opacity = 1)); // it may be fading in
    return copy;
  }

  function update() {
    if (!on || busy) return;
    busy = true;
    const copies = whileShowing(0, picture);
    pane.replaceChildren(ground, ...copies);
    pane.hidden = false;
    clip();
    busy = false;
  }

  function clip() {
    if (!on) return;
    const { x: wide, y: high } = map.getSize(), { x, y } = map.containerPointToLayerPoint([0, 0]), cut = x + share * wide;
    const corners = [[x, y], [cut, y], [cut, y + high], [x, y + high]];
    pane.style.clipPath = `polygon(${corners.map(([a, b]) => `${a}px ${b}px`).join()})`;
    ground.style.cssText = `left: ${x}px; top: ${y}px; width: ${wide}px; height: ${high}px`;
    handle.style.left = `${share * wide}px`;
    handle.ariaValueNow = String(Math.round(share * 100));
  }

  function move(to) {
    share = Math.min(Math.max(to, 0), 1);
    clip();
  }

  function write() {
    const [left, , right] = handle.children;
    left.textContent = on ? viewName(0) : "";
    right.textContent = on ? viewName(state.view) : "";
    handle.ariaLabel = t("swipe.handle", { left: viewName(0), right: viewName(state.view) });
  }

  function turn(open) {
    on = open;
    handle.hidden = pane.hidden = !on;
    $("show-swipe").ariaPressed = String(on);
    pane.replaceChildren();
    write();
    update();
  }

  handle.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: share - 0.05, ArrowRight: share + 0.05, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(to);
  });
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const { left, width } = map.getContainer().getBoundingClientRect();
    move((event.clientX - left) / width);
  });
  map.on("move", clip).on("moveend resize", update).on("zoomstart", () => (pane.hidden = true));
  return { turn, update, write, isOn: () => on };
}
