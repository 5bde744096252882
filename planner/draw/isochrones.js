"use strict";
/* The land by minutes to the nearest open school. A place on the road has so many minutes left: the land within them
   is a disc. Discs along a straight stretch are one shape, and the paint is their union. The longest time first. */

const ISOCHRONES = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
const ISOCHRONE_OPACITY = 0.65;
const METRES_ROUND_THE_EARTH = 40075016.7;

/* All of it is painted whenever any is: the edges of what is painted in parts differ by a shade. */
const ALL_OF_IT = [[-1e6, -1e6], [1e6, 1e6]];

const Land = L.Path.extend({
  initialize(stretches, options) {
    L.setOptions(this, options);
    this._stretches = stretches;
  },
  _project() {
    const zoom = this._map.getZoom();
    this._pxBounds = new L.Bounds(...ALL_OF_IT);
    this._shapes = this._stretches.map(([one, other, left, right]) => {
      const pixels = L.CRS.EPSG3857.scale(zoom) / METRES_ROUND_THE_EARTH / Math.cos((one[0] * Math.PI) / 180);
      const [a, b] = [one, other].map((place) => this._map.latLngToLayerPoint(place));
      return [a, b, left * pixels, right * pixels];
    });
  },
  _update() {
    this._updatePath();
  },
  _updatePath() {
    this._renderer._updateLand(this);
  },
});

L.Canvas.include({
  _updateLand(layer) {
    if (!this._drawing) return;
    const pen = this._ctx;
    pen.beginPath();
    for (const [a, b, r, s] of layer._shapes) {
      const apart = Math.hypot(b.x - a.x, b.y - a.y), turn = Math.atan2(b.y - a.y, b.x - a.x);
      const inside = apart <= Math.abs(r - s), lean = inside ? 0 : Math.acos((r - s) / apart);
      const [from, to, size] = inside && s > r ? [b, b, s] : [a, b, r];
      pen.moveTo(from.x + size * Math.cos(turn + lean), from.y + size * Math.sin(turn + lean));
      pen.arc(from.x, from.y, size, turn + lean, turn - lean + 2 * Math.PI);
      if (!inside) pen.arc(to.x, to.y, s, turn - lean, turn + lean);
      pen.closePath();
    }
    this._fillStroke(pen, layer);
  },
});

/** Straight stretches of a line of [lat, lng] between two shares of it: both places, and minutes there. */
function stretchesOf(line, from, to, begin, end) {
  const north = METRES_ROUND_THE_EARTH / 360, east = north * Math.cos((line[0][0] * Math.PI) / 180);
  const steps = line.slice(1).map(([lat, lng], i) => Math.hypot((lat - line[i][0]) * north, (lng - line[i][1]) * east));
  const whole = steps.reduce((sum, step) => sum + step, 0), found = [];
  let past = 0;
  steps.forEach((step, i) => {
    const low = Math.max(from * whole, past), high = Math.min(to * whole, past + step);
    if (step > 0 && low < high) {
      const at = (metres) => [0, 1].map((k) => line[i][k] + ((metres - past) / step) * (line[i + 1][k] - line[i][k]));
      const minutes = (metres) => begin + ((metres / whole - from) / (to - from)) * (end - begin);
      found.push([at(low), at(high), minutes(low), minutes(high)]);
    }
    past += step;
  });
  return found;
}

/** The part of a stretch that lies within the minutes, with metres of land that are left at its ends. */
function landOf([one, other, begin, end, most], limit, pace, within) {
  const minutes = Math.min(limit, most);
  if (Math.min(begin, end) > minutes) return null;
  const cut = (minutes - begin) / (end - begin);
  const middle = [0, 1].map((k) => one[k] + cut * (other[k] - one[k]));
  const left = (spent) => Math.min(Math.max(minutes - spent, 0) / pace, within);
  return [begin > minutes ? middle : one, end > minutes ? middle : other, left(begin), left(end)];
}

/** The stretches of a set, each with the most minutes that are of use there. */
function stretchesIn({ rides, most }, lines) {
  const stretches = [];
  for (let i = 0; i < rides.length; i += 5) {
    const line = decode(lines[rides[i]]), last = most.length ? most[i / 5] / 10 : Infinity;
    if (line.length < 2) continue;
    const [from, to] = [rides[i + 1], rides[i + 2]].map((share) => share / 1000);
    const [begin, end] = [rides[i + 3], rides[i + 4]].map((tenths) => tenths / 10);
    stretches.push(...stretchesOf(line, from, to, begin, end).map((stretch) => [...stretch, last]));
  }
  return stretches;
}

function drawIsochrones(found, plan, band, style, group) {
  const chosen = ((found.of[plan] || [])[band] || []).map((i) => found.sets[i]);
  const sets = chosen.map((set) => [stretchesIn(set, found.lines), set.within]);
  for (let i = found.minutes.length - 1; i >= 0; i--) {
    const within = ([stretches, metres]) => stretches.map((some) => landOf(some, found.minutes[i], found.pace, metres));
    const land = sets.flatMap(within).filter(Boolean);
    const pen = { stroke: false, fill: true, fillRule: "nonzero", fillColor: ISOCHRONES[i], fillOpacity: 1 };
    if (land.length) new Land(land, { ...style, ...pen }).addTo(group);
  }
}

function swatch(fill) {
  const pen = { x: -11, y: -6, width: 22, height: 12, fill, "fill-opacity": ISOCHRONE_OPACITY, stroke: "#777" };
  return drawing(26, 14, svg("rect", pen));
}
