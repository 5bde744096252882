"use strict";
/* A layout as files that the planner reads (actions.csv, a scenario's keep and close), and back. Pure functions; what
   cannot be read is thrown as { key, values }: words of words.json. */

const FORMULA_STARTS = ["=", "+", "-", "@", "\t", "\r", "'"];
const LARGEST_FILE = 2e6;
const COLUMNS = ["school_id", "school_name", "stage", "action", "seats_added"];

const guarded = (text) => (FORMULA_STARTS.includes(text[0]) ? `'${text}` : text);
const unguarded = (text) => (text[0] === "'" && FORMULA_STARTS.includes(text[1]) ? text.slice(1) : text);
const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The table that planner score reads, as CSV with a byte order mark. */
function toCsv(data, sites, layout) {
  const rows = sites.flatMap(({ school, stage, origin }, i) => {
    const open = layout.open[i], more = layout.added[i];
    if (origin === GAIN && !open) return [];
    const running = origin === EXISTING ? (more ? "expand" : "keep") : "open";
    const action = open ? running : origin === CANDIDATE ? "none" : "close";
    const { id, name } = data.schools[school];
    return [[guarded(id), guarded(name), stage, action, open && more ? String(more) : ""]];
  });
  return `\ufeff${[COLUMNS, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** The scenario that keeps the schools which run with all their stages, and closes those that run with none. */
function toToml(data, sites, layout) {
  const text = (value) => JSON.stringify(value).replaceAll("\x7f", "\\u007f");
  const list = (rows) => `[${rows.map((row) => text(data.schools[row].id)).join(", ")}]`;
  const own = sites.map((site, i) => ({ ...site, open: layout.open[i] })).filter((site) => site.origin !== GAIN || site.open);
  const schools = [...new Set(own.map(({ school }) => school))];
  const stagesOf = (school) => own.filter((site) => site.school === school);
  const keep = schools.filter((school) => stagesOf(school).every(({ open }) => open));
  const close = schools.filter((school) => stagesOf(school).every(({ open }) => !open));
  return `${data.whatif.scenario}rules.keep = ${list(keep)}\nrules.close = ${list(close)}\n`;
}

/** The layout that a file asks for, laid on the first one. */
function fromFile(text, data, sites, first) {
  if (text.length > LARGEST_FILE) throw { key: "load.large", values: {} };
  const plain = text.replace(/^\ufeff/, "");
  return /^[\s"]*school_id\b|[,;\t"]\s*school_id\b/.test(plain.split(/\r?\n/, 1)[0])
    ? fromCsv(plain, data, sites)
    : fromToml(plain, data, sites, first);
}

function fromCsv(text, data, sites) {
  const [head, ...rows] = readCsv(text), at = (name) => head.findIndex((title) => title.trim().toLowerCase() === name);
  const [school, action, stage, added, all] = ["school_id", "action", "stage", "seats_added", "seats"].map(at);
  if (school < 0 || action < 0) throw { key: "load.columns", values: {} };
  const row = rowsById(data), layout = layoutToday(sites), wrong = [];
  rows.forEach((cells, line) => {
    const value = (column) => (column < 0 ? "" : unguarded((cells[column] || "").trim()));
    const known = row.get(value(school)), seats = Number(value(added) || 0);
    const here = sites.map((_, i) => i).filter((i) => sites[i].school === known &&
      (value(stage) ? sites[i].stage === value(stage) : sites[i].origin !== GAIN));
    const isAction = ["keep", "expand", "open", ...ENDED].includes(value(action));
    if (!here.length || !isAction || !(seats >= 0 && seats < 1e6)) return wrong.push(line + 2);
    const open = !ENDED.includes(value(action));
    // In a plan's own table all seats of what opens are added ones; here those beyond the school's own count.
    const told = value(action) === "open" && value(all) ? Number(value(all)) : null;
    if (told !== null && !(told >= 0 && told < 1e6)) return wrong.push(line + 2);
    const more = (i) => (told === null ? seats : Math.max(told - (sites[i].seats || 0), 0));
    here.forEach((i) => ([layout.open[i], layout.added[i]] = [open, open ? more(i) : 0]));
  });
  if (wrong.length) throw { key: "load.rows", values: { n: wrong.slice(0, 8).join(", ") } };
  return layout;
}

/** Rows of cells; quotes and line ends as spreadsheets write them. */
function readCsv(text) {
  const first = text.split(/\r?\n/, 1)[0], counts = [",", ";", "\t"].map((sign) => [first.split(sign).length, sign]);
  const mark = counts.sort(([one], [other]) => other - one)[0][1], rows = [[""]];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i], row = rows[rows.length - 1];
    if (quoted && sign === '"' && text[i + 1] === '"') row[row.length - 1] += text[++i];
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && sign === mark) row.push("");
    else if (!quoted && sign === "\n") rows.push([""]);
    else if (quoted || sign !== "\r") row[row.length - 1] += sign;
  }
  return rows.filter((row) => row.some((value) => value.trim()));
}

function fromToml(text, data, sites, first) {
  const lists = { keep: listIn(text, "keep"), close: listIn(text, "close") };
  if (!lists.keep && !lists.close) throw { key: "load.neither", values: {} };
  const row = rowsById(data), layout = { open: [...first.open], added: [...first.added] };
  const named = [...(lists.keep || []), ...(lists.close || [])], lost = named.filter((id) => !row.has(id));
  if (lost.length) throw { key: "load.schools", values: { n: lost.slice(0, 5).join(", ").slice(0, 200) } };
  for (const id of lists.keep || []) {
    const opens = reopening(sites, row.get(id), first);
    if (!sites.some((site, i) => site.school === row.get(id) && layout.open[i])) opens.forEach((i) => (layout.open[i] = true));
  }
  const closed = new Set((lists.close || []).map((id) => row.get(id)));
  sites.forEach(({ school }, i) => closed.has(school) && ([layout.open[i], layout.added[i]] = [false, 0]));
  return layout;
}

/** The strings of a list such as ``rules.keep = ["S1", 'S2']``; null where there is none. */
function listIn(text, name) {
  const found = new RegExp(`^[ \\t]*(?:rules\\.)?${name}[ \\t]*=[ \\t]*\\[((?:[^\\]"']|"(?:[^"\\\\\\n]|\\\\.)*"|'[^'\\n]*')*)\\]`, "m").exec(text);
  if (!found) return null;
  const plain = found[1].replace(/("(?:[^"\\\n]|\\.)*"|'[^'\n]*')|#[^\n]*/g, (_, kept) => kept || "");
  try {
    return (plain.match(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/g) || []).map((part) => part[0] === "'" ? part.slice(1, -1) : JSON.parse(part));
  } catch {
    throw { key: "load.neither", values: {} };
  }
}

const rowsById = ({ schools }) => new Map(schools.map(({ id }, row) => [id, row]));
