"use strict";
/* Minutes that villages gain or lose between two layouts: purple is a shorter way, orange a longer one. */

const CHANGES = [
  { color: "#5e3c99", radius: 6 },
  { color: "#b2abd2", radius: 4.5 },
  { color: "#f7f7f7", radius: 3 },
  { color: "#fdb863", radius: 4.5 },
  { color: "#e66101", radius: 6 },
];

/** The class of a change: ten minutes or more, two to ten, less than two, either way. */
function changeClass(minutes) {
  const size = Math.abs(minutes) + 1e-6, steps = size >= 10 ? 2 : size >= 2 ? 1 : 0;
  return 2 + Math.sign(minutes) * steps;
}

/** Per village its class, "unknown" where a layout has no way, or null without pupils. */
function changesOf(first, other, band, villages, bands) {
  const [was, is] = [first, other].map(({ list }) => minutesBy(list, villages, bands));
  return Array.from({ length: villages }, (_, row) => {
    const [before, after] = [was, is].map((minutes) => minutes[row * bands + band]);
    if (Number.isNaN(before) && Number.isNaN(after)) return null;
    return Number.isFinite(before) && Number.isFinite(after) ? changeClass(after - before) : "unknown";
  });
}

function changeStyle(change) {
  if (change === "unknown") return { radius: 4.5, color: "#111", weight: 1.5, fillColor: "#fff", fillOpacity: 0.6 };
  const { color: fillColor, radius } = CHANGES[change], strong = Math.abs(change - 2) === 2;
  return { radius, color: strong ? "#111" : "#555", weight: strong ? 1.4 : 0.8, fillColor, fillOpacity: 1 };
}

/** Rows of villages with pupils, great changes last and so on top. */
function changedRows(changes) {
  const size = (row) => (changes[row] === "unknown" ? 0 : Math.abs(changes[row] - 2));
  const rows = changes.map((_, row) => row).filter((row) => changes[row] !== null);
  return rows.sort((a, b) => size(a) - size(b));
}

function changeTexts({ t }) {
  const words = [t("difference.shorter.much"), t("difference.shorter"), t("difference.same")];
  return { ...[...words, t("difference.longer"), t("difference.longer.much")], unknown: t("difference.unknown") };
}

function differenceKey(changes, villages, band, say, item, note) {
  const pupils = countBy(changes.map((change, row) => [change, villages[row].pupils[band]])), texts = changeTexts(say);
  const shown = [...CHANGES.keys(), ...(pupils.has("unknown") ? ["unknown"] : [])];
  const line = (change) => item(dot(changeStyle(change)), texts[change], say.withUnit(pupils.get(change) || 0, "pupils"));
  return [note(say.t("difference.note")), ...shown.map(line)];
}
