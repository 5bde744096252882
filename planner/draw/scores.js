"use strict";
/* The scorecard, what is proven of the plan, and what a reader must know. */

function makeScores({ data, state, say, view }) {
  const { plans } = data, { t, n, percent } = say;

  function statusText(plan) {
    if (plan.status === "optimal") return t("status.optimal", { n: percent(plan.gap || 0) });
    if (plan.status === "feasible" && plan.gap !== null) return t("status.feasible", { n: percent(plan.gap) });
    if (plan.status === "feasible") return t("status.feasible_unbounded");
    return t("status.scored");
  }

  /** Of the plan that is shown, or that people try something else from. */
  function writeScores() {
    const { from } = view(), plan = plans[from];
    if (!plan) return $("scores").replaceChildren(el("p", { textContent: t("no_plan") }));
    const { today, plan: values, change } = plan.scores;
    const rows = data.indicators.map((row, i) => ({ ...row, today: today[i], plan: values[i], change: change[i] }));
    const both = rows.some((row) => row.today !== null), alone = from === 0 && plans.length > 1 ? data.sides[0] : "plan";
    const two = from > 0 && data.sides[0] !== "before" ? data.sides : ["today", "plan"];
    const head = ["indicator", ...(both ? [...two, "change"] : [alone])].map((key) => t(key));
    $("scores").replaceChildren(
      el("h2", { textContent: t("scorecard") }),
      ...(state.view < plans.length ? [] : [el("p", { className: "told", textContent: t("whatif.of_plan") })]),
      el("p", { className: "title", textContent: plan.title }),
      el("p", { className: `status ${plan.status}`, textContent: statusText(plan) }),
      table(head, rows.map((row) => scoreRow(row, both))),
    );
  }

  function scoreRow(row, both) {
    const money = row.unit.startsWith("CNY") && Math.max(Math.abs(row.today), Math.abs(row.plan)) >= 1e6;
    const scale = money ? (state.lang === "zh" ? 1e4 : 1e6) : 1;
    const [today, plan] = [row.today, row.plan].map((value) => (value === null ? null : value / scale));
    // Of all but two in ten thousand it is not said that they are all.
    const digits = (size) => (row.unit === "" ? 3 : row.unit === "%" ? 2 : size >= 1000 ? 0 : size >= 10 ? 1 : 2);
    const none = (value) => value === null && row.of_trips; // nobody to measure: nothing is unknown
    const say = (value) => (none(value) ? "–" : n(value, digits(Math.abs(value))));
    const unit = row.unit ? t(`unit.${row.unit}${money ? ".big" : ""}`) : "";
    const label = el("span", {}, row[`label_${state.lang}`], el("small", { textContent: unit }));
    if (!both) return [label, say(plan)];
    const known = today !== null && plan !== null, more = plan - today;
    const size = known ? say(Math.abs(more)) : "", little = size === say(0) && more !== 0;
    const sign = known ? `${little ? "≈" : more > 0 ? "+" : more < 0 ? "−" : "±"}${size}` : "";
    const word = el("small", { textContent: row.change ? t(row.change) : "" });
    return [label, say(today), say(plan), el("span", { className: row.change }, sign, word)];
  }

  function writeAbout() {
    const { assumptions } = data.area;
    const items = (lines) => el("ul", {}, ...lines.map((line) => el("li", { textContent: line })));
    const list = (key, lines) => (lines.length ? [el("h3", { textContent: t(key) }), items(lines)] : []);
    const told = (remarks) => remarks.map((said) => (typeof said === "string" ? said : said[state.lang]));
    const { notes } = plans[view().from] || { notes: [] };
    const head = el("h2", { textContent: t("about") });
    $("about").replaceChildren(head, ...list("notes", told(notes)), ...list("assumptions", told(assumptions)));
  }

  const dateText = () => (data.area.dataDate ? `${t("data_date")} ${data.area.dataDate}` : t("data_date.unknown"));

  function writeFoot() {
    const { synthetic, attribution } = data.area;
    const said = [synthetic ? t("synthetic.long") : "", dateText(), ...attribution, `Leaflet ${L.version}`];
    $("foot").textContent = said.filter(Boolean).join(" · ");
    $("synthetic").hidden = !synthetic;
    $("assumed").hidden = synthetic || !data.area.assumed; // what is synthetic is more than that
    $("public").hidden = !data.area.public;
  }

  function write() {
    writeScores();
    writeAbout();
  }

  return { statusText, dateText, write, writeFoot };
}
