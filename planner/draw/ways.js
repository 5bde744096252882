"use strict";
/* The way of a chosen village to its school: solid where it is ridden, dotted where it is walked. */

const WAY = { color: "#111", weight: 3.5 };
const WALKED = { ...WAY, dashArray: "1 7" };
const CASING = { color: "#fff", weight: 8, opacity: 0.9 };
const CLOSED = [{ color: "#111", weight: 7 }, { color: "#ffd400", weight: 4, dashArray: "7 9" }];

/** The part of a line of [lat, lng] between two shares of its length. */
function partOf(line, from, to) {
  const pieces = stretchesOf(line, from, to, 0, 0);
  return pieces.length ? [pieces[0][0], ...pieces.map(([, end]) => end)] : [];
}

/** Ways as ways.py writes them, each in full: village, school, begin, end, runs walked first and last, and the runs. */
const waysOf = oncePer(({ ends, kept, runs }) => {
  let before = [];
  return ends.map((six, i) => {
    before = [...runs[i], ...(kept[i] ? before.slice(-kept[i]) : [])];
    return [...six, ...before];
  });
});

/** Walked and ridden parts of a way, in order of travel; straight where it uses no road. */
function wayParts(trip, flows, from, to) {
  const isIts = ([village, school]) => village === trip.village && school === trip.school;
  const found = flows.ways[trip.mode] && waysOf(flows.ways[trip.mode]).find(isIts);
  if (!found) return [[true, [from, to]]];
  const [, , begin, end, first, last, ...runs] = found;
  const lines = runs.map((run, i) => {
    const line = decode(flows.lines[Math.abs(run) - 1]);
    if (run < 0) line.reverse();
    return partOf(line, i ? 0 : begin / 1000, i < runs.length - 1 ? 1 : end / 1000);
  });
  const [before, riding, after] = [[0, first], [first, runs.length - last], [runs.length - last]].map((cut) =>
    lines.slice(...cut).flat(),
  );
  if (!riding.length) return [[true, [from, ...before, ...after, to]]];
  const [on, off] = [riding[0], riding[riding.length - 1]];
  return [[true, [from, ...before, on]], [false, riding], [true, [off, ...after, to]]];
}

function drawWay(group, trips, { schools, villages, flows }, still) {
  group.clearLayers();
  for (const trip of trips) {
    if (trip.school < 0 || !trip.mode || !villages[trip.village].at || !schools[trip.school].at || flows.dropped) continue;
    const parts = wayParts(trip, flows, villages[trip.village].at, schools[trip.school].at);
    for (const [, line] of parts) L.polyline(line, still("way", CASING)).addTo(group);
    for (const [walked, line] of parts) L.polyline(line, still("way", walked ? WALKED : WAY)).addTo(group);
  }
}

function wayKey({ dropped }, trips, { t }, item, note) {
  if (dropped) return [note(t("way.dropped"))];
  if (trips.some(({ school, mode }) => school >= 0 && !mode)) return [note(t("way.of_plans"))];
  return [item(stroke(WAY), t("way.ridden")), item(stroke(WALKED), t("way.walked"))];
}

function drawClosed(group, lines, still) {
  if (!lines.length) return;
  for (const style of CLOSED) {
    L.polyline(lines.map(decode), still("closed", { ...style, lineCap: "butt" })).addTo(group);
  }
}
