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

/* Boxes of the square of the world: west, north, east, south. */

const EVERYWHERE = [-Infinity, -Infinity, Infinity, Infinity], NOWHERE = [Infinity, Infinity, -Infinity, -Infinity];

const joined = (one, other) => one.map((side, i) => Math[i < 2 ? "min" : "max"](side, other[i]));

/** So many pixels beside its place what is painted may still cover: half of the widest line, the largest dot. */
const REACHES = 12;

/** One of the lines as a path on the canvas; places nearer than a pixel to the one before are left out. */
function traceLine(pen, { xy, ends, boxes }, k, { scale, left, top, seen }) {
  const at = 4 * k;
  if (boxes[at] * scale - left > seen[2] || boxes[at + 2] * scale - left < seen[0]) return;
  if (boxes[at + 1] * scale - top > seen[3] || boxes[at + 3] * scale - top < seen[1]) return;
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

/** Pixels that a canvas covers beyond the map on every side, and those that are left of them when it is painted round
    the new middle, as soon as the map has been at rest for so many milliseconds. */
const [MARGIN, LEAST, REST] = [256, 128, 250];

const Sheet = L.Renderer.extend({
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
    clearTimeout(this._rest);
    this._container.remove();
    this._container = this._asked = this._bounds = null;
  },
  /** The map has moved: where the canvas covers it still, nothing need be painted before the next frame. */
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    clearTimeout(this._rest);
    const left = this._left();
    if (left < 0) this._recentre();
    else if (left < LEAST) this._rest = setTimeout(() => this._recentre(), REST);
  },
  _reset() {
    this._update();
  },
  _recentre() {
    const map = this._map, min = map.containerPointToLayerPoint([-MARGIN, -MARGIN]).round();
    this._bounds = new L.Bounds(min, min.add(map.getSize()).add([2 * MARGIN, 2 * MARGIN]));
    [this._zoom, this._corner, this._origin] = [map.getZoom(), map.layerPointToLatLng(min), map.getPixelOrigin()];
    L.DomUtil.setPosition(this._container, min);
    this.ask();
  },
  /** Pixels that the canvas covers beyond the map where they are fewest; below 0: it does not cover the map. */
  _left() {
    const map = this._map, corner = map.containerPointToLayerPoint([0, 0]);
    if (!this._bounds || this._zoom !== map.getZoom() || !this._origin.equals(map.getPixelOrigin())) return -1;
    const before = corner.subtract(this._bounds.min), after = this._bounds.max.subtract(corner).subtract(map.getSize());
    return Math.min(before.x, before.y, after.x, after.y);
  },
  /** While the map zooms what is painted is stretched. */
  _updateTransform(center, zoom) {
    const map = this._map, at = map._latLngToNewLayerPoint(this._corner, zoom, center);
    L.DomUtil.setTransform(this._container, at, map.getZoomScale(zoom, this._zoom));
  },
  _updatePaths() {},
  /** Paint anew before the next frame what lies in a box. */
  ask(box = EVERYWHERE) {
    if (!this._map) return;
    this._stale = joined(this._stale || NOWHERE, box);
    this._asked = this._asked || L.Util.requestAnimFrame(() => this._mend(this._stale));
  },
  /** Paint anew now. */
  _redraw() {
    this._mend(EVERYWHERE);
  },
  _mend(box) {
    L.Util.cancelAnimFrame(this._asked);
    this._asked = this._stale = null;
    const { min } = this._bounds, { x: wide, y: high } = this._bounds.getSize(), dots = L.Browser.retina ? 2 : 1;
    const pen = this._pen, corner = this._map.getPixelOrigin().add(min), scale = L.CRS.EPSG3857.scale(this._zoom);
    const pixels = box.map((side, i) => side * scale - (i % 2 ? corner.y : corner.x));
    const [west, north] = [0, 1].map((i) => Math.max(Math.floor(pixels[i]) - REACHES, 0));
    const [east, south] = [2, 3].map((i) => Math.min(Math.ceil(pixels[i]) + REACHES, i % 2 ? high : wide));
    if (west >= east || north >= south) return;
    if (east - west < wide || south - north < high) this._only(west, north, east - west, south - north);
    else this._afresh(wide, high, dots);
    const seen = [west - REACHES, north - REACHES, east + REACHES, south + REACHES];
    this._paint(pen, { scale, left: corner.x, top: corner.y, seen, dots, zoom: this._zoom });
    pen.restore();
  },
  /** A blank canvas. */
  _afresh(wide, high, dots) {
    Object.assign(this._container, { width: dots * wide, height: dots * high });
    Object.assign(this._container.style, { width: `${wide}px`, height: `${high}px` });
    Object.assign(this._pen, { lineCap: "round", lineJoin: "round" });
    this._pen.scale(dots, dots);
    this._pen.save();
  },
  /** Nothing but this part of the canvas, blank. */
  _only(west, north, wide, high) {
    this._pen.save();
    this._pen.beginPath();
    this._pen.rect(west, north, wide, high);
    this._pen.clip();
    this._pen.clearRect(west, north, wide, high);
  },
});
