"use strict";
/* The result in one sentence, in cards, and as a histogram of minutes, each beside what it is compared with. */

const CARDS = [
  ...["changing_pupils", "mean_minutes", "p90_minutes", "longest_minutes"],
  ...["beyond_norm_pupils", "without_seat_pupils", "schools_open"],
];
const CLASSES = 12;
const CHART = { width: 340, height: 118, left: 34, bottom: 20, top: 14 };

/** "25 schools close; 1,214 pupils change school; longest lower-primary trip 29 min (norm 30)". */
function headline({ t, n, withUnit }, { closed, merged, opened }, moved, lost, band, longest, norm) {
  const counted = (key, count, unit) => t(count === 1 ? `${key}.one` : key, { n: withUnit(count, unit) });
  const trip = { band: t(`short.${band}`), n: n(longest, 1), norm: norm === null ? "" : n(norm, 1) };
  return [
    closed ? counted("headline.close", closed, "schools") : t("headline.none"),
    ...(merged ? [counted("headline.merge", merged, "schools")] : []),
    ...(opened ? [counted("headline.open", opened, "schools")] : []),
    counted("headline.move", moved, "pupils"),
    ...(lost ? [counted("headline.lost", lost, "pupils")] : []),
    ...(longest === null ? [] : [t(norm === null ? "headline.trip" : "headline.trip_norm", trip)]),
  ].join(t("headline.and"));
}

/** A figure of the register, and how much it is more than that of some other layouts: [[word, layout], ...]. */
function card(say, { indicator: key, unit, direction, of_trips: ofTrips }, layout, others) {
  const digits = unit === "min" ? 1 : 0, value = (layout.told || layout.scores)[key];
  const shown = value === null ? "–" : say.n(value, digits), word = value === 1 && unit !== "min" ? `${unit}.one` : unit;
  const said = others.filter(([name]) => key !== "changing_pupils" || name !== "today"); // today nobody does
  const lines = said.map(([name, other]) => {
    // Like is set beside like: exact figures, or those of minutes in whole tenths, which what-ifs have.
    const [now, then] = layout.told && other.told ? [layout.told, other.told] : [layout.scores, other.scores];
    const lost = ofTrips && layout.scores.without_trip_pupils > other.scores.without_trip_pupils;
    return changeLine(say, say.t(name), now[key], then[key], digits, !direction, lost);
  });
  const counted = el("b", {}, shown, el("small", { textContent: ` ${say.t(`unit.${word}`)}` }));
  const node = el("li", {}, el("span", { textContent: say.t(`card.${key}`) }), counted, ...lines);
  node.dataset.card = key;
  return node;
}

/** ``lost``: less is no better, for more pupils than before have no trip at all. */
function changeLine({ n, t }, word, value, other, digits, neutral, lost) {
  const known = value !== null && other !== null;
  const more = known ? Math.round((value - other) * 10 ** digits) / 10 ** digits : 0;
  const sign = more > 0 ? "+" : more < 0 ? "−" : "±";
  const no = lost && more < 0, className = neutral || no || !more ? "" : more < 0 ? "better" : "worse";
  const figure = el("span", { className, textContent: known ? `${sign}${n(Math.abs(more), digits)}` : "–" });
  return el("small", {}, `${word} `, figure, no ? ` (${t("incomparable.short")})` : "");
}

/** Pupils by minutes: outlines before, filled after; the norm is a line, and what lies beyond it is red. */
function minutesChart(say, before, after, width, norm, words) {
  const { left, bottom, top } = CHART, wide = CHART.width - left - 6, high = CHART.height - bottom - top;
  const most = Math.max(1, ...before, ...after), step = wide / CLASSES;
  const x = (minutes) => left + (Math.min(minutes / width, CLASSES) * wide) / CLASSES;
  const y = (pupils) => top + high - (pupils / most) * high;
  const bar = (pupils, i, from, share, pen) =>
    svg("rect", { x: x(i * width) + from * step, y: y(pupils), width: share * step, height: (pupils / most) * high, ...pen });
  const label = (text, at, level, anchor) => {
    const node = svg("text", { x: at, y: level, "text-anchor": anchor, class: "tick" });
    node.textContent = text;
    return node;
  };
  const far = (i) => norm !== null && i * width >= norm - 1e-6;
  const parts = [
    svg("path", { d: `M${left},${top + high}H${left + wide}`, stroke: "#9aa5b1" }),
    label(say.n(most, 0), left - 4, top + 8, "end"),
    label("0", left - 4, top + high, "end"),
    ...after.map((pupils, i) => bar(pupils, i, 0.12, 0.76, { fill: CLASS_COLOURS[far(i) ? 3 : 1] })),
    ...before.map((pupils, i) => bar(pupils, i, 0.12, 0.76, { fill: "none", stroke: "#333", "stroke-width": 1 })),
    ...after.flatMap((_, i) => (i % 2 ? [] : [label(say.n(i * width), x(i * width), top + high + 13, "middle")])),
  ];
  if (norm !== null && norm < CLASSES * width) {
    const pen = { d: `M${x(norm)},${top - 4}V${top + high}`, stroke: "#b2182b", "stroke-dasharray": "4 3" };
    parts.push(svg("path", pen), label(say.t("norm.short", { n: say.n(norm) }), x(norm) + 3, top, "start"));
  }
  const size = { width: "100%", viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img" };
  const counted = after.map((pupils, i) => `${say.n(i * width)} ${say.t("unit.min")}${say.t("colon")}${before[i]} → ${pupils}`).join("; ");
  return svg("svg", { ...size, "aria-label": `${words}. ${counted}`, class: "minutes" }, ...parts);
}

/** The width of the classes of minutes: the least round one by which the longest trip is in one of them. */
function classWidth(...trips) {
  const longest = trips.flat().reduce((most, { minutes }) => Math.max(most, minutes || 0), 0);
  return [5, 10, 15, 20, 30].find((width) => width * CLASSES >= longest) || 60;
}
