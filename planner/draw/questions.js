"use strict";
/* Plans on one page may answer different questions: other norms, travel times, pupils or sites. */

/** Each plan's question: the page's data with what is the question's own (limits, villages with their pupils, whatif). */
function questionsOf(data) {
  if (!data.whatif) return [];
  const { times, stages, questions, of } = data.whatif;
  times.forEach(byVillage);
  const made = questions.map((own) => grown(data, {
    limits: own.limits,
    villages: own.pupils ? data.villages.map((village, row) => ({ ...village, pupils: own.pupils[row] })) : data.villages,
    whatif: { ...own, times: timesOf(times, own.moved) },
    sites: sitesOf({ ...own, stages }),
  }));
  return of.map((i) => made[i]);
}

/** A plan's trips with what is left out of them (whatif.py, ``lean``): the pupils of whole bands, the minutes of the tables. */
function knownTrips(trips, { villages, whatif }) {
  const known = whatif.bands.map(({ times }) => {
    const { tenths, schools } = whatif.times[times] || { tenths: [], schools: [] }, column = [];
    schools.forEach((school, k) => (column[school] = k));
    return { tenths, column };
  });
  for (const trip of trips) {
    const { village, band, school } = trip;
    if (trip.pupils === null) trip.pupils = villages[village].pupils[band];
    if (trip.minutes === null && school >= 0) trip.minutes = known[band].tenths[village][known[band].column[school]] / 10;
  }
  return trips;
}

/** The question of a page without a plan. */
function noQuestion(data) {
  return grown(data, { limits: Object.fromEntries(data.bands.map(({ band }) => [band, null])) });
}

/** Tables of times with the cells that a question has otherwise; all other rows are shared. */
function timesOf(times, moved) {
  const own = times.map((table) => ({ ...table, tenths: [...table.tenths] }));
  for (const [at, village, school, tenths] of moved) {
    const row = [...own[at].tenths[village]];
    row[own[at].schools.indexOf(school)] = tenths;
    own[at].tenths[village] = row;
  }
  return own;
}
