"use strict";
/* What is known of the chosen school or village, its layouts side by side. */

function makeDetails({ data, state, views, say, view, compared, actionOf, choose, asked }) {
  const { schools, villages, bands, plans } = data, { t, n, withUnit, nameOf } = say;

  function schoolDetails(row) {
    const school = schools[row], sides = sidesShown(), last = sides[sides.length - 1][1];
    const about = [t(`kind.${school.kind}`), school.town, school.id].filter(Boolean).join(" · ");
    const stages = [...new Set([...Object.keys(school.stages), ...Object.keys(last.action[row])])];
    const served = view().serves[row][state.band];
    const pupils = (here) => (here ? withUnit(here.pupils, "pupils") : "–");
    const two = sides.length > 1;
    const rows = stages.map((name) => {
      const first = actionOf(row, name, sides[0][1]), here = actionOf(row, name, last);
      return [t(`stage.${name}`), stateText(here), seatsText(here), ...(two ? [pupils(first)] : []), pupils(here)];
    });
    const heads = two ? sides.map(([word]) => `pupils.${word}`) : [plans.length ? "pupils" : "enrolled"];
    const assumed = school.assumed.map((column) => t(`column.${column}`)).join(t("names.and"));
    const note = (text) => el("p", { className: "note", textContent: text });
    const head = (key, list) => `${t(key)} · ${t(`band.${bands[state.band].band}`)} · ${withUnit(list.length, "villages")}`;
    const villagesServed = el("ul", { className: "served" }, ...served.map(servedVillage));
    const list = served.length ? villagesServed : note(t("served.none")), gone = leaving(row, sides[0][1]);
    const elsewhere = gone.length ? [el("h3", { textContent: head("leaving", gone) }), el("ul", { className: "served" }, ...gone)] : [];
    return [
      el("p", { className: "kind", textContent: about }),
      table(["stage", "action", "seats", ...heads].map((key) => t(key)), rows),
      ...(asked && stages.length ? [asked.buttons(row)] : []),
      ...(assumed ? [note(`${t("assumed")}${t("colon")}${assumed}`)] : []),
      ...elsewhere,
      ...(plans.length ? [el("h3", { textContent: head("served", served) }), list] : []),
    ];
  }

  /** The layouts that details set side by side, each with its word. */
  function sidesShown() {
    if (state.view === plans.length && plans.length) return [["plan", views[view().from]], ["whatif", view()]];
    if (plans.length < 2) return [["trip", views[0]]];
    const [first, other] = data.sides;
    return [[first, views[0]], ...(compared() === views[0] ? [] : [[other, compared()]])];
  }

  function stateText(here) {
    if (!here) return "–";
    const merged = here.into !== null && here.into !== undefined;
    return merged ? t("state.merge_into", { n: nameOf(schools[here.into]) }) : t(`state.${here.action}`);
  }

  function seatsText(here) {
    if (!here) return "–";
    return withUnit(here.seats, "seats") + (here.added ? ` (+${n(here.added)})` : "");
  }

  const link = (list, row) => el("button", { type: "button", textContent: nameOf(list[row]), onclick: () => choose(list, row) });
  const counted = ({ pupils, minutes }) => ` ${withUnit(pupils, "pupils")}${t("comma")}${withUnit(minutes, "min")}`;

  function servedVillage(trip) {
    return el("li", {}, link(villages, trip.village), counted(trip));
  }

  /** Villages that come to a school in the first layout and go elsewhere in the one shown, and where to. */
  function leaving(row, first) {
    return first.serves[row][state.band].flatMap((trip) => {
      const now = view().trips[trip.village][state.band];
      if (!now.length || now.some(({ school }) => school === row)) return [];
      const to = now.flatMap(({ school, minutes, reason }) => (school < 0
        ? [` → ${t(`reason.${reason || "unreachable"}`)}`]
        : [" → ", link(schools, school), ` ${withUnit(minutes, "min")}`]));
      return [el("li", {}, link(villages, trip.village), counted(trip), ...to)];
    });
  }

  function villageDetails(row) {
    const village = villages[row], { pupils } = view().question.villages[row];
    const population = `${t("population")} ${n(village.population)}`;
    const about = [t("village"), village.town, village.id, population].filter(Boolean).join(" · ");
    const sides = sidesShown();
    const rows = bands.map(({ band }, i) => [
      el("span", {}, t(`band.${band}`), el("small", { textContent: withUnit(pupils[i], "pupils") })),
      ...sides.map(([, plan]) => el("span", {}, ...plan.trips[row][i].map(detailed).map(tripText))),
    ]);
    const heads = ["pupils", ...sides.map(([word]) => word)].map((key) => t(key));
    return [el("p", { className: "kind", textContent: about }), table(heads, rows)];
  }

  function tripText({ school, minutes, km, mode, reason, pupils }, _, all) {
    if (school < 0) return el("span", { className: "bad", textContent: t(`reason.${reason || "unreachable"}`) });
    const way = [
      ...(all.length > 1 ? [withUnit(pupils, "pupils")] : []), withUnit(minutes, "min"),
      ...(km === null ? [] : [withUnit(km, "km")]), ...(mode ? [t(`mode.${mode}`)] : []),
    ];
    return el("span", {}, nameOf(schools[school]), el("small", { textContent: way.join(t("comma")) }));
  }

  /** Kilometres and mode of a trip that some plan with the same way of travelling knows. */
  function detailed(trip) {
    const isIts = ({ school, mode }) => school === trip.school && mode;
    const alike = views.filter(({ ground }) => ground === view().ground);
    const known = alike.map(({ trips }) => trips[trip.village][trip.band].find(isIts)).find(Boolean);
    return trip.mode || !known ? trip : { ...trip, km: known.km, mode: known.mode };
  }

  const of = ({ list, row }) => (list === schools ? schoolDetails(row) : villageDetails(row));
  return { of, stateText, detailed };
}
