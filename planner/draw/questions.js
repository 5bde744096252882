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
  const columnOf = oncePer(({ schools }) => new Map(schools.map((school, k) => [school, k])));
  return trips.map((trip) => {
    const { village, band, school } = trip, table = whatif.times[whatif.bands[band].times];
    const pupils = trip.pupils ?? villages[village].pupils[band];
    const known = trip.minutes !== null || school < 0;
    return { ...trip, pupils, minutes: known ? trip.minutes : table.tenths[village][columnOf(table).get(school)] / 10 };
  });
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
