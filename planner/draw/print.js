"use strict";
/* On paper: the whole county on page one, then tables; afterwards the screen is as it was. */

/** A canvas as a new one: Chromium prints those that Leaflet draws on as blank. */
function copyOf(canvas) {
  const { width, height, className } = canvas, copy = el("canvas", { width, height, className });
  copy.style.cssText = canvas.style.cssText;
  if (width && height) copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}

function makePrintable({ map, showCounty, line, tables }) {
  let kept = null, copies = [];

  window.addEventListener("beforeprint", () => {
    kept = [map.getCenter(), map.getZoom()];
    $("paper-line").textContent = line();
    $("paper").replaceChildren(...tables());
    document.body.classList.add("printing");
    map.invalidateSize({ animate: false, pan: false });
    showCounty();
    copies = [...map.getContainer().querySelectorAll("canvas")].map((canvas) => [canvas, copyOf(canvas)]);
    copies.forEach(([canvas, copy]) => canvas.replaceWith(copy));
  });

  window.addEventListener("afterprint", () => {
    copies.forEach(([canvas, copy]) => copy.replaceWith(canvas));
    document.body.classList.remove("printing");
    $("paper").replaceChildren();
    map.invalidateSize({ animate: false, pan: false });
    map.setView(...kept, { animate: false });
  });
}
