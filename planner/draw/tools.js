"use strict";
/* Nodes, words and numbers: what the rest of the page is written with. */

const $ = (id) => document.getElementById(id);

function el(tag, options, ...children) {
  const node = Object.assign(document.createElement(tag), options);
  node.append(...children);
  return node;
}

function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAll(node, attributes);
  node.append(...children);
  return node;
}

function drawing(width, height, ...children) {
  const box = `${-width / 2} ${-height / 2} ${width} ${height}`;
  return svg("svg", { width, height, viewBox: box, "aria-hidden": "true" }, ...children);
}

function table(head, rows) {
  const cells = (tag, row) => row.map((cell) => el(tag, {}, cell));
  const lines = rows.map((row) => el("tr", {}, ...cells("td", row)));
  return el("table", {}, el("thead", {}, el("tr", {}, ...cells("th", head))), el("tbody", {}, ...lines));
}

/** A picture of a canvas, as a canvas. Chromium prints these; those that Leaflet draws on it prints blank. */
function copyOf(canvas) {
  const { width, height, className } = canvas, copy = el("canvas", { width, height, className });
  copy.style.cssText = canvas.style.cssText;
  if (width && height) copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}

/* ---- lines as the page stores them: whole numbers, first the place and then steps ---- */

function decode(numbers) {
  const line = [];
  let lon = 0, lat = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    lon += numbers[i];
    lat += numbers[i + 1];
    line.push([lat / 1e5, lon / 1e5]);
  }
  return line;
}

/** New children for a node; the focus stays on the control of the same id. */
function refill(node, children) {
  const { id } = node.contains(document.activeElement) ? document.activeElement : {};
  node.replaceChildren(...children);
  if (id && $(id) && !$(id).disabled) $(id).focus();
}

/** Do something once what is drawn already is on the screen; what was to be done before it is left out. */
const afterTheFrame = (() => {
  let last = 0;
  return (task) => {
    const mine = (last += 1);
    requestAnimationFrame(() => setTimeout(() => mine === last && task(), 16));
  };
})();

/** A function that remembers its answer as long as ``keys`` gives the same values. */
function remembering(keys, make) {
  let kept = null, answer;
  return () => {
    const now = keys();
    if (!kept || now.some((key, i) => key !== kept[i])) [kept, answer] = [now, make()];
    return answer;
  };
}

/** Something to do when the browser has a moment; calling it does it at once, and no second time. */
function later(task) {
  let done = false;
  const now = () => {
    if (!done) task();
    done = true;
  };
  requestAnimationFrame(() => setTimeout(now, 50));
  return now;
}

/** An object that is like another but for some parts; what the other makes when it is asked for is left unmade. */
const grown = (from, parts) => Object.create(from, Object.getOwnPropertyDescriptors(parts));

/** A function of one thing that works each out once. */
function oncePer(make) {
  const made = new Map();
  return (of) => {
    if (!made.has(of)) made.set(of, make(of));
    return made.get(of);
  };
}

/** Pairs of a key and a number, added up by key. */
function countBy(pairs) {
  const sums = new Map();
  for (const [key, more] of pairs) sums.set(key, (sums.get(key) || 0) + more);
  return sums;
}

/** A number with at most so many decimals, half rounded up, as English and Chinese both write it: 1,234.5. */
function figureOf(value, digits) {
  const unit = 10 ** digits, size = Math.floor(Math.abs(value) * unit + 0.5 + 1e-9) / unit;
  const [whole, part] = String(size).split("."), grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${value < 0 && size ? "-" : ""}${grouped}${part ? `.${part}` : ""}`;
}

/** How the page speaks: words and numbers in the language of ``state``. */
function speaker(words, state) {
  function t(key, values = {}) {
    const text = (words[key] || {})[state.lang] || key.split(".").pop();
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function n(value, digits = Math.abs(value) >= 100 ? 0 : 1) {
    if (value === null || value === undefined) return t("unknown");
    return figureOf(value, digits);
  }

  function withUnit(value, unit) {
    if (value === null || value === undefined) return t("unknown");
    return `${n(value)} ${t(value === 1 && words[`unit.${unit}.one`] ? `unit.${unit}.one` : `unit.${unit}`)}`;
  }

  const percent = (value) => `${n(value * 100, 2)} %`;
  const nameOf = (thing) => thing.name || t("without_name");
  return { t, n, withUnit, percent, nameOf };
}
