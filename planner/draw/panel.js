"use strict";
/* What-if in the page: the layouts that people try, their undo and redo, files, and the panel that shows them. */

/** ``page``: what the map lends: say, questions (one a plan), view(): its number, trips(i), turnTo(view), choose(list, row), band(). */
function makeWhatIf(data, page) {
  const { t, n, withUnit, nameOf } = page.say, { schools, villages, bands } = data, count = data.plans.length;
  const planFirst = data.sides[0] !== "before"; // the others are set beside it, not beside today's layout
  let from = count - 1, tried = [], at = 0, against = null, said = null;
  const asked = (view = count) => page.questions[view < count ? view : from];
  const todayOf = oncePer((question) => settle(question, layoutToday(question.sites)));
  const planOf = oncePer((i) => {
    const { actions, scores: { plan } } = data.plans[i];
    const told = Object.fromEntries(data.indicators.map(({ indicator }, row) => [indicator, plan[row]]));
    return { layout: layoutOf(asked(i).sites, actions), told, ...scored(asked(i), page.trips(i), actions) };
  });

  function settle(question, layout, before = null) {
    const byBand = assign(question, question.sites, layout, before), trips = byBand.flat();
    const planned = before ? data.plans[from].actions : [];
    return { layout, byBand, ...scored(question, trips, actionsOf(question.sites, layout, trips, bands, planned)) };
  }

  function scored(question, trips, actions) {
    return { trips, actions, scores: scoresOf(question, trips, actions) };
  }

  const now = () => tried[at];
  const first = () => tried[0].layout;
  const today = (view = count) => todayOf(asked(view));
  const shown = (view) => (view < count ? planOf(view) : now());

  /** Begin with the plan that is shown: its schools, everybody at the nearest. What was tried from it can be undone to. */
  function begin() {
    if (page.view() === count) return;
    const kept = page.view() === from ? tried.slice(0, at + 1) : [];
    from = page.view();
    tried = [...kept, settle(asked(), planOf(from).layout, today())];
    at = kept.length;
  }

  function take(layout, words = null) {
    tried = [...tried.slice(0, at + 1), settle(asked(), layout, now())];
    at += 1;
    said = words;
    page.turnTo(count);
  }

  function toggle(school, stage = null) {
    begin();
    take(toggled(asked().sites, now().layout, first(), school, stage));
  }

  function step(by) {
    if (!tried[at + by]) return;
    at += by;
    said = null;
    page.turnTo(count);
  }

  function reset() {
    [tried, at, said] = [[], 0, null];
    page.turnTo(from);
  }

  /* -- files -- */

  function download(name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async function load(input) {
    const file = input.files[0];
    if (!file) return;
    begin();
    try {
      if (file.size > LARGEST_FILE) throw { key: "load.large", values: {} };
      take(fromFile(await file.text(), asked(), asked().sites, first()), { key: "load.done", values: { n: file.name } });
    } catch (wrong) {
      said = wrong.key ? { ...wrong, bad: true } : { key: "load.neither", values: {}, bad: true };
      page.turnTo(page.view());
    }
  }

  /* -- the strip above the map -- */

  function writeResult(view, layouts = besides(view)) {
    const { layout, trips, scores } = shown(view), { band } = bands[page.band()], { sites, limits } = asked(view);
    const changed = closures(sites, layout, shown(view).actions), norm = limits[band];
    const here = trips.filter((trip) => trip.band === page.band() && trip.minutes !== null);
    const longest = here.length ? here.reduce((most, { minutes }) => Math.max(most, minutes), 0) : null;
    const lost = trips.reduce((sum, { pupils, reason }) => sum + (reason === "unreachable" ? pupils : 0), 0);
    const sentence = headline(page.say, changed, scores.changing_pupils, lost, band, longest, norm);
    const says = (view === count ? t("whatif.says") : "") + sentence;
    if ($("headline").textContent !== says) $("headline").textContent = says; // else it would be read out twice
    const cards = CARDS.map((key) => data.indicators.find(({ indicator }) => indicator === key));
    $("cards").replaceChildren(...cards.map((row) => card(page.say, row, shown(view), layouts)));
  }

  /** What a layout is set beside, each with its word: today's, or the first plan where that is one; none for today's own. */
  function besides(view) {
    const start = view < count ? view : from;
    if (view === 0 && count > 1 && !planFirst) return [];
    const first = planFirst && start > 0 ? [data.sides[0], planOf(0)] : ["today", today(view)];
    return view === count ? [first, [wordOf(start), planOf(start)]] : [first];
  }

  /** That which people want a what-if to be set beside; at first the plan that it began with. */
  const chosen = (layouts) => layouts.find(([word]) => word === against) || layouts[layouts.length - 1];

  /** The word for one of the plans. */
  const wordOf = (view) => (planFirst && count > 1 ? data.sides[Math.min(view, 1)] : "plan");

  /* -- the panel -- */

  const press = (key, onclick, disabled = false) => el("button", { type: "button", id: key, textContent: t(key), onclick, disabled });
  const note = (text, className = "note") => el("p", { className, textContent: text });
  const link = (list, row) => el("button", { type: "button", textContent: nameOf(list[row]), onclick: () => page.choose(list, row) });

  function write(view) {
    writeResult(view);
    const active = view === count, question = asked();
    const files = [
      press("whatif.csv", () => download("actions.csv", toCsv(question, question.sites, now().layout), "text/csv"), !active),
      press("whatif.toml", () => download("what-if.toml", toToml(question, question.sites, now().layout), "application/toml"), !active),
      chooser(),
    ];
    const steps = [
      press("whatif.undo", () => step(-1), !active || at === 0),
      press("whatif.redo", () => step(1), !active || !tried[at + 1]),
      press("whatif.reset", reset, !tried.length),
    ];
    refill($("whatif"), [
      el("h2", { textContent: t("whatif") }),
      note(t(active ? "whatif.rule" : "whatif.hint")),
      ...(said ? [el("p", { className: said.bad ? "told bad" : "told", role: "status", textContent: t(said.key, said.values) })] : []),
      el("div", { className: "row" }, ...steps),
      el("div", { className: "row" }, ...files),
      ...(active ? answers() : []),
      ...chart(view),
    ]);
  }

  function chooser() {
    const input = el("input", { type: "file", accept: ".csv,.toml", className: "unseen", id: "load" });
    input.addEventListener("change", () => load(input));
    return el("label", { className: "file" }, input, t("whatif.load"));
  }

  function answers() {
    const { sites } = asked(), plan = planOf(from), layouts = besides(count), [, base] = chosen(layouts);
    const changed = [[true, "whatif.reopened"], [false, "whatif.closed"]].map(([open, key]) => {
      const rows = [...new Set(sites.filter((_, i) => now().layout.open[i] === open && plan.layout.open[i] !== open).map((site) => site.school))];
      return rows.length ? el("p", { className: "list" }, `${t(key)} `, ...rows.flatMap((row, i) => [i ? t("names.and") : "", link(schools, row)])) : "";
    });
    const over = now().actions.filter((row) => overSeats(row) > 0).sort((one, other) => overSeats(other) - overSeats(one));
    const hard = hitHardest(now().trips, base.trips, villages.length, bands.length);
    const choice = el("select", { id: "against", ariaLabel: t("whatif.against") });
    const words = layouts.map(([word]) => word).reverse();
    choice.append(...words.map((key) => el("option", { value: key, textContent: t(key), selected: key === chosen(layouts)[0] })));
    choice.addEventListener("change", () => {
      against = choice.value;
      write(page.view());
      $("against").focus();
    });
    return [
      ...changed,
      el("label", { className: "against" }, `${t("whatif.against")} `, choice),
      el("h3", { textContent: t("whatif.hardest") }),
      hard.length ? el("ol", { className: "served" }, ...hard.map(hardItem)) : note(t("whatif.nobody")),
      el("h3", { textContent: t("whatif.over") }),
      over.length ? el("ul", { className: "served" }, ...over.map(overItem)) : note(t("whatif.room")),
    ];
  }

  function hardItem({ village, band, then, now: later, more }) {
    const trip = Number.isFinite(later) ? `${n(then, 1)} → ${n(later, 1)} ${t("unit.min")} (+${n(more, 1)})` : t("reason.unreachable");
    return el("li", {}, link(villages, village), ` ${t(`short.${bands[band].band}`)}${t("comma")}${withUnit(asked().villages[village].pupils[band], "pupils")}${t("colon")}${trip}`);
  }

  function overItem(row) {
    const text = t("over", { pupils: withUnit(row.pupils, "pupils"), seats: withUnit(row.seats, "seats") });
    return el("li", {}, link(schools, row.school), ` ${t(`stage.${row.stage}`)}${t("colon")}`, el("span", { className: "bad", textContent: text }));
  }

  function chart(view) {
    const layouts = besides(view);
    if (!layouts.length) return [];
    const [word, base] = view === count ? chosen(layouts) : layouts[0], { band } = bands[page.band()];
    const width = classWidth(base.trips, shown(view).trips);
    const [before, after] = [base, shown(view)].map(({ trips }) => histogram(trips, page.band(), width, CLASSES));
    const words = t("chart.minutes", { band: t(`band.${band}`) });
    const key = note(t("chart.key", { before: t(word), after: t(view === count ? "whatif" : wordOf(view)) }));
    return [el("h3", { textContent: words }), minutesChart(page.say, before, after, width, asked(view).limits[band], words), key];
  }

  /** The buttons in a school's details. */
  function buttons(school) {
    const { layout } = shown(page.view()), { sites } = asked(page.view()), own = sites.map((_, i) => i).filter((i) => sites[i].school === school);
    const some = own.some((i) => layout.open[i]);
    const stages = own.length > 1 ? own.map((i) => [i, layout.open[i] ? "whatif.close_stage" : "whatif.open_stage"]) : [];
    const word = (i, key) => t(key, { n: t(`stage.${sites[i].stage}`) });
    const turn = some ? "whatif.close" : schools[school].candidate ? "whatif.start" : "whatif.open";
    return el("div", { className: "row" },
      el("button", { type: "button", id: "toggle", textContent: `${t(turn)} (x)`, onclick: () => toggle(school) }),
      ...stages.map(([i, key]) => el("button", { type: "button", textContent: word(i, key), onclick: () => toggle(school, sites[i].stage) })),
    );
  }

  const plan = () => (tried.length ? { actions: now().actions, list: now().trips, from } : null);
  return { toggle, step, write, writeResult, buttons, plan };
}
