"use strict";
/* What there is much of is painted: a sheet is one canvas on the map, and its painter draws on it from plain numbers,
   places on the square of the world (across and down, from 0 to 1), without an object of Leaflet's for each thing. */

const NORTHMOST = 85.0511287798;

/** How far down the square of the world a latitude lies (Web Mercator). */
function downOf(lat) {
  const sine = Math.sin((Math.min(Math.max(lat, -NORTHMOST), NORTHMOST) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

const acrossOf = (lng) => lng / 360 + 0.5;

/** Places [lat, lng] one after another; NaN where there is none. */
function placesOf(things) {
  const xy = new Float64Array(2 * things.length).fill(NaN);
  things.forEach(({ at }, i) => at && xy.set([acrossOf(at[1]), downOf(at[0])], 2 * i));
  return xy;
}

/** Lines as the page stores them (see decode), as ink: all their places, where each line ends, and the box of each. */
function inkOf(lines) {
  const xy = new Float64Array(lines.reduce((sum, { length }) => sum + length, 0)), ends = new Uint32Array(lines.length);
  let at = 0;
  lines.forEach((line, k) => {
    let lon = 0, lat = 0;
    for (let i = 0; i < line.length; i += 2) {
      lon += line[i];
      lat += line[i + 1];
      xy[at++] = acrossOf(lon / 1e5);
      xy[at++] = downOf(lat / 1e5);
    }
    ends[k] = at;
  });
  return boxed(xy, ends);
}

function boxed(xy, ends) {
  const boxes = new Float64Array(4 * ends.length);
  for (let k = 0, i = 0; k < ends.length; k++) {
    let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
    for (; i < ends[k]; i += 2) {
      west = Math.min(west, xy[i]);
      north = Math.min(north, xy[i + 1]);
      east = Math.max(east, xy[i]);
      south = Math.max(south, xy[i + 1]);
    }
    boxes.set([west, north, east, south], 4 * k);
  }
  return { xy, ends, boxes };
}

/** One of the lines as a path on the canvas; places nearer than a pixel to the one before are left out. */
function traceLine(pen, { xy, ends, boxes }, k, { scale, left, top, wide, high }) {
  const [west, north, east, south] = [0, 1, 2, 3].map((i) => boxes[4 * k + i] * scale - (i % 2 ? top : left));
  if (west > wide || east < 0 || north > high || south < 0) return;
  const end = ends[k];
  let i = k ? ends[k - 1] : 0, x = xy[i] * scale - left, y = xy[i + 1] * scale - top;
  pen.moveTo(x, y);
  for (i += 2; i < end; i += 2) {
    const across = xy[i] * scale - left, down = xy[i + 1] * scale - top;
    if (i < end - 2 && Math.abs(across - x) + Math.abs(down - y) < 1) continue;
    [x, y] = [across, down];
    pen.lineTo(x, y);
  }
}

/** Lines in one style: hairlines all at once, wider ones one by one, which takes the browser the least time. */
function paintLines(pen, ink, at, { color, weight, dashArray = "", opacity = 1 }) {
  const thin = weight * at.dots <= 1;
  Object.assign(pen, { strokeStyle: color, lineWidth: weight, globalAlpha: opacity });
  pen.setLineDash(dashArray.split(" ").filter(Boolean).map(Number));
  pen.beginPath();
  for (let k = 0; k < ink.ends.length; k++) {
    if (!thin) pen.beginPath();
    traceLine(pen, ink, k, at);
    if (!thin) pen.stroke();
  }
  if (thin) pen.stroke();
}

/** One area: its rings as ink. */
function paintArea(pen, ink, at, { color, weight, fillColor, fillOpacity }) {
  Object.assign(pen, { strokeStyle: color, lineWidth: weight, fillStyle: fillColor });
  pen.setLineDash([]);
  pen.beginPath();
  for (let k = 0; k < ink.ends.length; k++) {
    traceLine(pen, ink, k, at);
    pen.closePath();
  }
  pen.globalAlpha = fillOpacity;
  pen.fill("evenodd");
  pen.globalAlpha = 1;
  pen.stroke();
}

const Sheet = L.Renderer.extend({
  options: { padding: 0.3 },
  initialize(paint, options) {
    L.Renderer.prototype.initialize.call(this, options);
    this._paint = paint;
  },
  _initContainer() {
    this._container = el("canvas", {});
    this._pen = this._container.getContext("2d");
  },
  _destroyContainer() {
    L.Util.cancelAnimFrame(this._asked);
    this._container.remove();
    this._container = this._asked = null;
  },
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this.ask();
  },
  _updatePaths() {},
  /** Paint anew before the next frame. */
  ask() {
    if (this._map) this._asked = this._asked || L.Util.requestAnimFrame(this._redraw, this);
  },
  /** Paint anew now. */
  _redraw() {
    L.Util.cancelAnimFrame(this._asked);
    this._asked = null;
    const { min } = this._bounds, { x: wide, y: high } = this._bounds.getSize(), dots = L.Browser.retina ? 2 : 1;
    const canvas = this._container, pen = this._pen, corner = this._map.getPixelOrigin().add(min);
    Object.assign(canvas, { width: dots * wide, height: dots * high });
    Object.assign(canvas.style, { width: `${wide}px`, height: `${high}px` });
    Object.assign(pen, { lineCap: "round", lineJoin: "round" });
    pen.scale(dots, dots);
    const scale = L.CRS.EPSG3857.scale(this._zoom);
    this._paint(pen, { scale, left: corner.x, top: corner.y, wide, high, dots, zoom: this._zoom });
  },
});
