"use strict";
/* Signs of the map: colours that colour-blind people tell apart, with shape, outline and size as second cues. */

const CLASS_COLOURS = ["#2166ac", "#67a9cf", "#f4a582", "#b2182b"];
const TINTS = ["#f3e3b3", "#d5e8d4", "#e3d5e8", "#d4e3ee", "#efd9d0", "#e6e6d0"];
const ROADS = {
  main: { color: "#6b6b6b", weight: 3 },
  secondary: { color: "#8a8a8a", weight: 2 },
  local: { color: "#ababab", weight: 1.1 },
  path: { color: "#bdbdbd", weight: 1, dashArray: "3 3" },
};
const CATCHMENT = {
  chosen: { color: "#111", weight: 3, fillOpacity: 0.9 },
  other: { color: "#8c6d31", weight: 1, fillOpacity: 0.55 },
};
const MERGE = { color: "#b2182b", weight: 3, dashArray: "8 5" };
const STATES = {
  keep: { fill: "#2166ac", stroke: "#123a63", width: 1.2, mark: "" },
  expand: { fill: "#2166ac", stroke: "#111", width: 2.4, mark: "M0,-1V1M-1,0H1" },
  open: { fill: "#67a9cf", stroke: "#111", width: 2.4, mark: "M-1,.6L0,-.7L1,.6" },
  convert: { fill: "#f4a582", stroke: "#2166ac", width: 2.4, mark: "M-1,0H1", dark: true },
  merge: { fill: "#f4a582", stroke: "#b2182b", width: 1.8, mark: "M-1,0H1M.1,-.9L1,0L.1,.9", dark: true },
  close: { fill: "#b2182b", stroke: "#5f0c16", width: 1.2, mark: "M-.8,-.8L.8,.8M-.8,.8L.8,-.8" },
  any: { fill: "#888", stroke: "#444", width: 1.2, mark: "" },
  none: { fill: "#fff", stroke: "#444", width: 1.4, dash: "3 2", mark: "" },
};
/* kind -> corners, turn (of a full circle), size beside a circle's, how deep the corners of a star are cut */
const SHAPES = {
  kindergarten: [40, 0, 0.92, 1],
  central_kindergarten: [6, 0, 1.05, 1],
  teaching_point: [3, 0.75, 1.25, 1],
  village_primary: [4, 0.125, 1.15, 1],
  central_primary: [4, 0, 1.22, 1],
  junior_middle: [5, 0.75, 1.15, 1],
  nine_year: [5, 0.75, 1.4, 0.52],
};

function outline([corners, turn, size, cut], radius) {
  const steps = cut < 1 ? 2 * corners : corners;
  const points = Array.from({ length: steps }, (_, i) => {
    const angle = 2 * Math.PI * (turn + i / steps), r = radius * size * (cut < 1 && i % 2 ? cut : 1);
    return `${(r * Math.cos(angle)).toFixed(2)},${(r * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${points.join("L")}Z`;
}

function symbol(kind, state, radius) {
  const { fill, stroke, width, dash, mark, dark } = STATES[state] || STATES.keep;
  const d = outline(SHAPES[kind] || SHAPES.kindergarten, radius), size = 2 * (radius * 1.4 + 3), g = radius * 0.45;
  const parts = [
    svg("path", { d, fill: "none", stroke: "#fff", "stroke-width": width + 3, "stroke-linejoin": "round" }),
    svg("path", { d, fill, stroke, "stroke-width": width, "stroke-dasharray": dash || "none" }),
  ];
  const ink = dark ? "#222" : "#fff";
  const pen = { d: mark, transform: `scale(${g})`, fill: "none", stroke: ink, "stroke-width": 2 / g };
  return drawing(size, size, ...parts, ...(mark ? [svg("path", pen)] : []));
}

function dot(style) {
  const { radius, fillColor, color, weight } = style;
  const pen = { r: radius, fill: fillColor, stroke: color || "none", "stroke-width": weight || 0 };
  return drawing(20, 16, svg("circle", pen));
}

/** A piece of line; of several styles one on top of the other. */
function stroke(...styles) {
  const pens = styles.map(({ color, weight, dashArray }) => {
    const pen = { d: "M-13,0H13", stroke: color, "stroke-width": weight, "stroke-dasharray": dashArray || "none" };
    return svg("path", { ...pen, "stroke-linecap": dashArray && dashArray[0] === "1" ? "round" : "butt" });
  });
  return drawing(26, 12, ...pens);
}

/** Beside a school that has more pupils than seats. */
function overMark(radius) {
  const at = radius ? `translate(${radius * 0.75},${-radius * 0.75})` : "";
  const ground = svg("path", { d: "M0,-6L6,5H-6Z", fill: "#ffd400", stroke: "#111", "stroke-width": 1.2 });
  return svg("g", { transform: at }, ground, svg("path", { d: "M0,-2.5V1.2M0,2.4V3.8", stroke: "#111", "stroke-width": 1.6 }));
}

const schoolRadius = (pupils) => Math.min(6.5 + Math.sqrt(pupils || 0) * 0.2, 14);

const cross = () => drawing(20, 16, svg("path", { d: "M-5,-5L5,5M-5,5L5,-5", stroke: "#111", "stroke-width": 2.5 }));

/** Circle of a village: by its class of minutes, "no_seat", "unreachable", or "" without pupils. */
function villageStyle(sign, far, pupils = 25) {
  const radius = Math.min(2.6 + Math.sqrt(pupils) * 0.32, 6.5);
  if (sign === "") return { radius: 1.8, fillColor: "#777", fillOpacity: 0.8 };
  if (sign === "no_seat") return { radius: radius + 1, color: "#111", weight: 2, fillColor: "#fff", fillOpacity: 1 };
  if (sign === "unreachable") return { radius: radius + 0.5, color: "#111", weight: 2.5, cross: true };
  const edge = far ? { radius: radius + 1.2, color: "#222", weight: 1.6 } : { radius, color: "#fff", weight: 0.8 };
  return { ...edge, fillColor: CLASS_COLOURS[sign], fillOpacity: 0.95 };
}
