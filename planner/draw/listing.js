"use strict";
/* What the map shows, as tables: every school, village and town, to be sorted, searched and read aloud. */

const ROWS_AT_ONCE = 100;
const TABLES = ["schools", "villages", "towns", "seats"];

function makeListing({ data, state, views, say, view: shownView, actionOf, stateText, choose, setBand, compared }) {
  const { schools, villages, bands, plans } = data, { t, n, nameOf } = say;
  const shown = { table: "schools", column: 0, down: false, search: "", rows: ROWS_AT_ONCE };

  /** The layouts that the tables set side by side. */
  const sides = () => [...new Set([views[0], compared()])];
  const pupilsOf = (row) => shownView().question.villages[row].pupils;
  const other = () => t(plans.length && state.view === plans.length ? "whatif" : data.sides[1]);
  const sideName = (i) => (plans.length > 1 ? `\n${i ? other() : t(data.sides[0])}` : "");
  const text = (head, value) => ({ head: t(head), value });
  const number = (head, value, digits) => ({ head: t(head), value, digits, numeric: true });

  /** Columns of a figure, one for each layout, and what changes between them. */
  function figures(head, value, digits) {
    const two = sides().map((view, i) => ({
      ...number(head, (row) => value(row, view), digits), head: t(head) + sideName(i),
    }));
    if (two.length < 2) return two;
    const change = (row) => (two.some(({ value }) => value(row) === null) ? null : two[1].value(row) - two[0].value(row));
    return [...two, { ...number(head, change, digits), head: `${t(head)}\n${t("change")}`, signed: true }];
  }

  /* -- schools: a row for each stage -- */

  function schoolTable() {
    const rows = schools.flatMap((school, row) => {
      const stages = new Set([...Object.keys(school.stages), ...sides().flatMap((view) => Object.keys(view.action[row]))]);
      return [...stages].map((stage) => ({ list: schools, row, stage }));
    });
    const at = ({ row, stage }, view) => actionOf(row, stage, view) || {};
    const last = sides().length - 1;
    return {
      rows,
      columns: [
        text("listing.school", ({ row }) => nameOf(schools[row])),
        text("listing.id", ({ row }) => schools[row].id),
        text("listing.kind", ({ row }) => t(`kind.${schools[row].kind}`)),
        text("listing.town", ({ row }) => schools[row].town),
        text("stage", ({ stage }) => t(`stage.${stage}`)),
        text("action", (one) => stateText(actionOf(one.row, one.stage, sides()[last]))),
        ...figures("seats", (one, view) => at(one, view).seats ?? null),
        ...figures("pupils", (one, view) => at(one, view).pupils ?? null),
      ],
    };
  }

  /* -- villages: of the band that the map shows -- */

  const longest = (trips) => (trips.length && trips.every(({ minutes }) => minutes !== null)
    ? Math.max(...trips.map(({ minutes }) => minutes)) : null);
  const schoolOf = ({ school, reason }) => (school < 0 ? t(`reason.${reason || "unreachable"}`) : nameOf(schools[school]));

  function villageTable() {
    const trips = ({ row }, view) => view.trips[row][state.band];
    const schoolColumns = sides().map((view, i) => ({
      head: t("listing.school") + sideName(i), value: (one) => trips(one, view).map(schoolOf).join(" / "),
    }));
    return {
      rows: villages.map((_, row) => ({ list: villages, row })),
      columns: [
        text("village", ({ row }) => nameOf(villages[row])),
        text("listing.id", ({ row }) => villages[row].id),
        text("listing.town", ({ row }) => villages[row].town),
        number("pupils", ({ row }) => pupilsOf(row)[state.band]),
        ...(plans.length ? schoolColumns : []),
        ...(plans.length ? figures("listing.minutes", (one, view) => longest(trips(one, view)), 1) : []),
      ],
    };
  }

  /* -- towns: of all bands -- */

  function townTable() {
    const names = [...new Set([...schools, ...villages].map(({ town }) => town))];
    const found = new Map(sides().map((view) => [view, new Map(names.map((name) => [name, townOf(name, view)]))]));
    const of = (key) => ({ town }, view) => found.get(view).get(town)[key];
    const pupils = new Map(names.map((name) => [name, 0]));
    villages.forEach(({ town }, row) => pupils.set(town, pupils.get(town) + pupilsOf(row).reduce((a, b) => a + b, 0)));
    return {
      rows: names.map((town) => ({ town })),
      columns: [
        text("listing.town", ({ town }) => town || t("unknown")),
        number("pupils", ({ town }) => pupils.get(town)),
        ...figures("listing.open", of("open")),
        ...(!plans.length ? [] : [
          ...figures("listing.mean", of("mean"), 1),
          ...figures("listing.longest", of("longest"), 1),
          ...figures("listing.beyond", of("beyond")),
        ]),
      ],
    };
  }

  function townOf(name, view) {
    const gone = ["close", "merge", "convert", "none"];
    const isOpen = (row) => bands.some(({ stage }) => {
      const here = actionOf(row, stage, view);
      return here && !gone.includes(here.action);
    });
    let pupils = 0, minutes = 0, most = null, beyond = 0;
    villages.forEach(({ town }, row) => {
      if (town !== name) return;
      view.trips[row].flat().filter((trip) => trip.minutes !== null).forEach((trip) => {
        const limit = view.question.limits[bands[trip.band].band];
        pupils += trip.pupils;
        minutes += trip.pupils * trip.minutes;
        most = Math.max(most ?? 0, trip.minutes);
        if (limit !== null && trip.minutes > limit + 1e-6) beyond += trip.pupils;
      });
    });
    const open = schools.filter((school, row) => school.town === name && isOpen(row)).length;
    return { open, mean: pupils ? minutes / pupils : null, longest: most, beyond };
  }

  const made = { schools: schoolTable, villages: villageTable, towns: townTable };

  /* -- drawn, sorted and searched -- */

  function cellText({ value, digits = 0, numeric, signed }, row) {
    const found = value(row);
    if (!numeric) return found;
    if (found === null || found === undefined) return "–";
    const sign = signed && found ? (found > 0 ? "+" : "−") : "";
    return sign + n(signed ? Math.abs(found) : found, digits);
  }

  function ordered({ rows, columns }) {
    const sought = shown.search.trim().toLowerCase();
    const has = (row) => columns.some((column) => !column.numeric && column.value(row).toLowerCase().includes(sought));
    const kept = sought ? rows.filter(has) : [...rows];
    const column = columns[shown.column] || columns[0], turn = shown.down ? -1 : 1;
    const keys = new Map(kept.map((row) => [row, column.value(row)]));
    const collator = new Intl.Collator(state.lang === "zh" ? "zh-CN" : "en", { numeric: true });
    return kept.sort((a, b) => {
      const [one, other] = [keys.get(a), keys.get(b)];
      if (one === null || other === null) return (one === null) - (other === null);
      return turn * (column.numeric ? one - other : collator.compare(one, other));
    });
  }

  function lineOf(columns, row) {
    const cells = columns.map((column, i) => {
      const said = cellText(column, row);
      if (i > 0) return el("td", { className: column.numeric ? "number" : "", textContent: said });
      const name = row.list ? el("button", { type: "button", textContent: said, onclick: () => pick(row) }) : said;
      return el("th", { scope: "row" }, name);
    });
    return el("tr", {}, ...cells);
  }

  function headOf({ head, numeric }, i) {
    const sort = () => {
      shown.down = shown.column === i && !shown.down;
      shown.column = i;
      writeTable();
      $("listing").querySelectorAll("thead button")[i].focus();
    };
    const here = shown.column === i, arrow = here ? (shown.down ? " ▼" : " ▲") : "";
    const cell = el("th", { scope: "col", className: numeric ? "number" : "" });
    if (here) cell.ariaSort = shown.down ? "descending" : "ascending";
    cell.append(el("button", { type: "button", textContent: head + arrow, onclick: sort }));
    return cell;
  }

  function caption(table) {
    const about = { schools: "", villages: t(`band.${bands[state.band].band}`), towns: t("listing.all_bands") }[table];
    return [t(`listing.${table}`), about].filter(Boolean).join(" · ");
  }

  function tableOf(name, head, rows, columns) {
    const body = el("tbody", {}, ...rows.map((row) => lineOf(columns, row)));
    return el("table", {}, el("caption", { textContent: caption(name) }), el("thead", {}, el("tr", {}, ...head)), body);
  }

  function writeTable() {
    const { columns, rows } = made[shown.table]();
    const found = ordered({ rows, columns }), now = Math.min(shown.rows, found.length);
    const table = tableOf(shown.table, columns.map(headOf), found.slice(0, now), columns);
    let written = now;
    const more = el("button", { type: "button", className: "more" });
    const count = () => {
      more.textContent = t("listing.more", { n: n(written), all: n(found.length) });
      more.hidden = written >= found.length;
    };
    more.onclick = () => {
      const next = found.slice(written, written + ROWS_AT_ONCE);
      table.tBodies[0].append(...next.map((row) => lineOf(columns, row)));
      written += next.length;
      count();
    };
    count();
    $("listing").onscroll = ({ target }) => {
      if (target.scrollTop + target.clientHeight > target.scrollHeight - 200 && !more.hidden) more.onclick();
    };
    $("listing").replaceChildren(table, more);
    $("listing-count").textContent = t(found.length === 1 ? "listing.rows.one" : "listing.rows", { n: n(found.length) });
  }

  function writeChart() {
    const stage = bands[state.band].stage;
    const found = schoolTable().rows.filter((one) => one.stage === stage).map(({ row }) => {
      const here = actionOf(row, stage, sides()[sides().length - 1]) || {};
      return { name: nameOf(schools[row]), seats: here.seats ?? null, pupils: here.pupils ?? null };
    });
    const chart = seatsChart(found.filter(({ seats, pupils }) => seats || pupils), t(`stage.${stage}`), say);
    $("listing").onscroll = null;
    $("listing").replaceChildren(chart);
    $("listing-count").textContent = "";
  }

  function pick({ list, row }) {
    $("tables").close();
    choose(list, row);
  }

  function write() {
    const turn = (table) => () => {
      Object.assign(shown, { table, column: 0, down: false, rows: ROWS_AT_ONCE });
      writeContent();
    };
    const tabs = TABLES.map((table) => {
      const radio = el("input", { type: "radio", name: "table", checked: table === shown.table, onchange: turn(table) });
      return el("label", {}, radio, el("span", { textContent: t(`listing.${table}`) }));
    });
    const legend = $("listing-tabs").querySelector("legend");
    $("listing-tabs").replaceChildren(legend, ...tabs);
    $("listing-band").replaceChildren(...bands.map(({ band }, i) => el("option", { value: i }, t(`band.${band}`))));
    writeContent();
  }

  function writeContent() {
    if (!$("tables").open) return;
    $("listing-band").value = state.band;
    $("listing-search").parentElement.hidden = shown.table === "seats";
    $("listing-band").parentElement.hidden = !["villages", "seats"].includes(shown.table);
    shown.table === "seats" ? writeChart() : writeTable();
  }

  $("show-tables").addEventListener("click", () => {
    $("tables").showModal();
    write();
  });
  $("shut-tables").addEventListener("click", () => $("tables").close());
  $("listing-search").addEventListener("input", ({ target }) => {
    Object.assign(shown, { search: target.value, rows: ROWS_AT_ONCE });
    writeTable();
  });
  $("listing-band").addEventListener("change", ({ target }) => {
    setBand(Number(target.value));
    writeContent();
  });

  /** Whole tables for paper: of towns and of schools. */
  function paper() {
    return ["towns", "schools"].map((name) => {
      const { columns, rows } = made[name]();
      const head = columns.map(({ head, numeric }) => el("th", { className: numeric ? "number" : "", textContent: head }));
      return tableOf(name, head, rows, columns);
    });
  }

  return { write, paper };
}
