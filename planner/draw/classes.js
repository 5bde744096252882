"use strict";
/* Classes of minutes, half the norm, the norm, half as much again, and the class of every village. */

const SIGNS = ["unreachable", "no_seat"];

function makeClasses({ data, state, say, view, limit, pupilsOf }) {
  const { villages, plans } = data, { t, n, withUnit } = say;

  const breaks = remembering(() => [limit()], () => {
    const norm = limit();
    return norm === null ? [15, 30, 60] : [norm / 2, norm, norm * 1.5];
  });

  function classOf(minutes) {
    const found = breaks().findIndex((limit) => minutes <= limit + 1e-6);
    return found < 0 ? 3 : found;
  }

  const beyond = (index) => limit() !== null && index > 1;

  function classText(index) {
    const [low, mid, high] = breaks().map((limit) => n(limit, 1));
    return [t("minutes.to", { to: low }), t("minutes.from_to", { from: low, to: mid }),
      t("minutes.from_to", { from: mid, to: high }), t("minutes.over", { from: high })][index];
  }

  /** By village the class 0..3 of its longest trip, the reason when pupils have no school, "" without pupils. */
  const signs = remembering(() => [view(), state.band], () => {
    const found = villages.map(() => "");
    for (const { village, band, school, minutes, reason } of view().list) {
      const before = found[village];
      if (band !== state.band || (before !== "" && !Number.isInteger(before))) continue;
      found[village] = school < 0 || minutes === null ? reason || "unreachable" : Math.max(before || 0, classOf(minutes));
    }
    return found;
  });

  const signOf = (row) => signs()[row];

  /** What a village's sign says. */
  function signText(row) {
    const sign = signOf(row);
    if (sign === "") return plans.length ? t("no_pupils") : withUnit(pupilsOf(row), "pupils");
    if (SIGNS.includes(sign)) return t(`reason.${sign}`);
    return withUnit(Math.max(...view().trips[row][state.band].map((trip) => trip.minutes)), "min");
  }

  return { classOf, beyond, classText, signs, signOf, signText };
}
