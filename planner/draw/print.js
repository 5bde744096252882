"use strict";
/* On paper: the whole county on page one, then tables; afterwards the screen is as it was. */

function makePrintable({ map, showCounty, line, tables }) {
  let kept = null;

  window.addEventListener("beforeprint", () => {
    kept = [map.getCenter(), map.getZoom()];
    $("paper-line").textContent = line();
    $("paper").replaceChildren(...tables());
    document.body.classList.add("printing");
    map.invalidateSize({ animate: false, pan: false });
    showCounty();
  });

  window.addEventListener("afterprint", () => {
    document.body.classList.remove("printing");
    $("paper").replaceChildren();
    map.invalidateSize({ animate: false, pan: false });
    map.setView(...kept, { animate: false });
  });
}
