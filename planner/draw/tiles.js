"use strict";
/* Tiles of a web map below everything else, on pages that were made with them; what does not come is left blank. */

/** The layer, with whose it is in a corner while it is shown; ``came`` is told whenever all that is in sight is there,
    ``failed`` once that a tile did not come. */
function makeTiles(map, { layers, credit, deepest }, { came, failed }) {
  const group = L.layerGroup(), corner = L.control({ position: "bottomright" });
  let told = false;
  corner.onAdd = () => el("div", { className: "credit", textContent: credit });
  for (const address of layers) {
    const layer = L.tileLayer(address, { minZoom: 1, maxNativeZoom: deepest, maxZoom: 24 }).addTo(group);
    layer.on("load", came);
    layer.on("tileerror", () => {
      if (!told) failed();
      told = true;
    });
  }
  return group.on("add", () => corner.addTo(map)).on("remove", () => corner.remove());
}
