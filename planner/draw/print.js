"use strict";
/* On paper: the whole county on page one, then tables; afterwards the screen is as it was. */

function makePrintable({ map, showCounty, repaintNow, line, tables }) {
  let kept = null, copies = [];

  window.addEventListener("beforeprint", () => {
    kept = [map.getCenter(), map.getZoom()];
    $("paper-line").textContent = line();
    $("paper").replaceChildren(...tables());
    document.body.classList.add("printing");
    map.invalidateSize({ animate: false, pan: false });
    showCounty();
    repaintNow();
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
