"use strict";
/* The scorecard, what is proven of the plan, and what a reader must know. */

function makeScores({ data, state, say }) {
  const { plans } = data, { t, n, percent } = say;

  function statusText(plan) {
    if (plan.status === "optimal") return t("status.optimal", { n: percent(plan.gap || 0) });
    if (plan.status === "feasible" && plan.gap !== null) return t("status.feasible", { n: percent(plan.gap) });
    if (plan.status === "feasible") return t("status.feasible_unbounded");
    return t("status.scored");
  }

  function writeScores() {
    const plan = plans[plans.length - 1];
    if (!plan) return $("scores").replaceChildren(el("p", { textContent: t("no_plan") }));
    const both = data.scorecard.some((row) => row.today !== null);
    const head = ["indicator", ...(both ? ["today", "plan", "change"] : ["plan"])].map((key) => t(key));
    $("scores").replaceChildren(
      el("h2", { textContent: t("scorecard") }),
      el("p", { className: "title", textContent: plan.title }),
      el("p", { className: `status ${plan.status}`, textContent: statusText(plan) }),
      table(head, data.scorecard.map((row) => scoreRow(row, both))),
    );
  }

  function scoreRow(row, both) {
    const money = row.unit.startsWith("CNY") && Math.max(Math.abs(row.today), Math.abs(row.plan)) >= 1e6;
    const scale = money ? (state.lang === "zh" ? 1e4 : 1e6) : 1;
    const [today, plan] = [row.today, row.plan].map((value) => (value === null ? null : value / scale));
    const digits = (size) => (row.unit === "" ? 3 : size >= 1000 ? 0 : size >= 10 ? 1 : 2);
    const say = (value) => n(value, digits(Math.abs(value)));
    const unit = row.unit ? t(`unit.${row.unit}${money ? ".big" : ""}`) : "";
    const label = el("span", {}, row[`label_${state.lang}`], el("small", { textContent: unit }));
    if (!both) return [label, say(plan)];
    const known = today !== null && plan !== null, more = plan - today;
    const sign = known ? `${more > 0 ? "+" : more < 0 ? "−" : "±"}${say(Math.abs(more))}` : "";
    const word = el("small", { textContent: row.change ? t(row.change) : "" });
    return [label, say(today), say(plan), el("span", { className: row.change }, sign, word)];
  }

  function writeAbout() {
    const { synthetic, dataDate, attribution, assumptions } = data.area;
    const items = (lines) => el("ul", {}, ...lines.map((line) => el("li", { textContent: line })));
    const list = (key, lines) => (lines.length ? [el("h3", { textContent: t(key) }), items(lines)] : []);
    const told = (remarks) => [...new Set(remarks.map((said) => (typeof said === "string" ? said : said[state.lang])))];
    const notes = told(plans.flatMap((plan) => plan.notes));
    const head = el("h2", { textContent: t("about") });
    $("about").replaceChildren(head, ...list("notes", notes), ...list("assumptions", told(assumptions)));
    const date = `${t("data_date")} ${dataDate || t("unknown")}`;
    const said = [synthetic ? t("synthetic.long") : "", date, ...attribution, `Leaflet ${L.version}`];
    $("foot").textContent = said.filter(Boolean).join(" · ");
    $("synthetic").hidden = !synthetic;
    $("public").hidden = !data.area.public;
  }

  return { statusText, writeScores, writeAbout };
}
