"use strict";
/* Circles and crosses of villages on a sheet, and what the pointer does there. */

const REACH = 4; // pixels beside a dot that still count as on it

/** Dots are { row, style }, the last on top; ``places`` as placesOf gives them. */
function paintDots(pen, { scale, left, top, seen }, places, dots) {
  const [west, north, east, south] = seen;
  pen.setLineDash([]);
  for (const { row, style } of dots) {
    const { radius: r, color, weight, fillColor, fillOpacity, cross } = style;
    const x = places[2 * row] * scale - left, y = places[2 * row + 1] * scale - top;
    if (!(x > west && x < east && y > north && y < south)) continue;
    pen.beginPath();
    if (cross) {
      pen.moveTo(x - r, y - r);
      pen.lineTo(x + r, y + r);
      pen.moveTo(x - r, y + r);
      pen.lineTo(x + r, y - r);
    } else pen.arc(x, y, r, 0, 2 * Math.PI);
    if (fillColor) {
      Object.assign(pen, { fillStyle: fillColor, globalAlpha: fillOpacity });
      pen.fill();
    }
    if (weight) {
      Object.assign(pen, { strokeStyle: color, lineWidth: weight, globalAlpha: 1 });
      pen.stroke();
    }
  }
}

/** The dot under a place on the map, that with the nearest middle; undefined where there is none. */
function dotAt(map, { x, y }, places, dots) {
  const scale = L.CRS.EPSG3857.scale(map.getZoom()), corner = map.getPixelBounds().min;
  let nearest = Infinity, found;
  for (const dot of dots) {
    const apart = Math.hypot(places[2 * dot.row] * scale - corner.x - x, places[2 * dot.row + 1] * scale - corner.y - y);
    if (apart < nearest && apart <= dot.style.radius + REACH) [nearest, found] = [apart, dot];
  }
  return found;
}

/** The dots that ``dots`` gives answer the pointer: their ``text`` is shown over them, and a click chooses one. */
function listenToDots(map, places, dots, { at, text, pick }) {
  const tip = L.tooltip();
  let over;

  function turnTo(dot) {
    if ((dot && dot.row) === (over && over.row)) return;
    over = dot;
    map.getContainer().style.cursor = dot ? "pointer" : "";
    if (!dot) return tip.remove();
    tip.setLatLng(at(dot.row)).setContent(el("span", { textContent: text(dot.row) }));
    map.openTooltip(tip);
  }

  const under = ({ containerPoint, originalEvent }) =>
    originalEvent.target.closest(".leaflet-marker-icon, .leaflet-control") ? undefined : dotAt(map, containerPoint, places, dots());
  map.on("mousemove", (event) => turnTo(under(event)));
  map.on("mouseout zoomstart", () => turnTo(undefined));
  map.on("click", (event) => {
    const dot = under(event);
    if (dot) pick(dot.row);
  });
}
