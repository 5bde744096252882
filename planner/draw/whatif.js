"use strict";
/* What if a school closed, or stayed: every band of a village goes to the nearest school that is open to it. Pure
   functions over the page's data; planner.plan.whatif says the same in Python, to the last tenth of a minute.

   A layout is { open, added }: for each of the sites (a school's stage) whether it runs and how many seats are added. */

const ENDED = ["close", "merge", "convert", "none"];
const [EXISTING, CANDIDATE, GAIN] = [0, 1, 2];

/** Sites with names for their numbers. */
function sitesOf({ sites, stages }) {
  return sites.map(([school, stage, seats, origin]) => ({ school, stage: stages[stage], seats, origin }));
}

/** Times in the order of the villages' rows; they are stored along a curve. */
function byVillage(table) {
  const rows = new Array(table.villages.length);
  table.villages.forEach((village, i) => (rows[village] = table.tenths[i]));
  table.tenths = rows;
}

/** The layout of a plan's actions. */
function layoutOf(sites, actions) {
  const said = new Map(actions.map((row) => [`${row.school} ${row.stage}`, row]));
  const rows = sites.map(({ school, stage }) => said.get(`${school} ${stage}`));
  const open = rows.map((row) => Boolean(row) && !ENDED.includes(row.action));
  // The seats of a site that opens are all new ones: those it is given, and those that are added to them.
  const given = sites.map(({ seats, origin }) => (origin === EXISTING ? 0 : seats || 0));
  return { open, added: rows.map((row, i) => (open[i] ? Math.max((row.added || 0) - given[i], 0) : 0)) };
}

/** Today's layout. */
function layoutToday(sites) {
  return { open: sites.map(({ origin }) => origin === EXISTING), added: sites.map(() => 0) };
}

/** The sites of a school that open when it reopens: those of the first layout, else today's, else what it could have. */
function reopening(sites, school, first) {
  const own = sites.map((site, i) => i).filter((i) => sites[i].school === school);
  const choices = [(i) => first.open[i], (i) => sites[i].origin === EXISTING, (i) => sites[i].origin === CANDIDATE];
  return choices.map((some) => own.filter(some)).find((some) => some.length) || own;
}

/** The layout with a school closed where it is open, or reopened where it is not; of one stage if it is named. */
function toggled(sites, layout, first, school, stage = null) {
  const own = sites.map((site, i) => i).filter((i) => sites[i].school === school && (!stage || sites[i].stage === stage));
  const closes = own.some((i) => layout.open[i]), open = [...layout.open];
  const turned = closes || stage ? own : reopening(sites, school, first);
  turned.forEach((i) => (open[i] = !closes));
  return { open, added: open.map((is, i) => (!is ? 0 : layout.open[i] ? layout.added[i] : first.added[i])) };
}

/** Trips of one band to the nearest open school; of equals the school of today, else the earlier one. Those ``before``
    ({ open, trips }) are kept, the very objects, where the school runs on and none that opens is as near. */
function assignBand(data, band, open, before) {
  const { times, schools, today } = data.whatif.bands[band], { villages } = data;
  if (times < 0) return [];
  const table = data.whatif.times[times], rows = table.tenths, column = [], trips = [];
  table.schools.forEach((school, k) => (column[school] = k));
  const to = schools.filter((school) => open.has(school)), at = to.map((school) => column[school]);
  const more = before ? at.filter((_, k) => !before.open.has(to[k])) : at;
  for (let village = 0; village < villages.length; village++) {
    const pupils = villages[village].pupils[band];
    if (!pupils) continue;
    const tenths = rows[village], home = today[village], kept = before && before.trips[trips.length];
    let least = Infinity, school = -1;
    if (kept && (kept.school < 0 || open.has(kept.school))) {
      const own = kept.school < 0 ? Infinity : tenths[column[kept.school]];
      if (!more.some((k) => tenths[k] >= 0 && tenths[k] <= own)) {
        trips.push(kept);
        continue;
      }
    }
    for (let k = 0; k < to.length; k++) {
      const time = tenths[at[k]];
      if (time >= 0 && time < least) [least, school] = [time, to[k]];
    }
    if (home >= 0 && tenths[column[home]] === least && open.has(home)) school = home;
    trips.push(tripOf(village, band, school, pupils, school < 0 ? null : least / 10));
  }
  return trips;
}

function tripOf(village, band, school, pupils, minutes) {
  return { village, band, school, pupils, minutes, km: null, mode: "", reason: school < 0 ? "unreachable" : "" };
}

/** Trips of a layout by band, with what is the same as before taken from there. */
function assign(data, sites, layout, before = null) {
  const schoolsOf = (stage, is) => new Set(sites.filter((site, i) => site.stage === stage && is[i]).map(({ school }) => school));
  return data.bands.map(({ stage }, band) => {
    const same = before && sites.every((site, i) => site.stage !== stage || before.layout.open[i] === layout.open[i]);
    if (same) return before.byBand[band];
    const kept = before && { open: schoolsOf(stage, before.layout.open), trips: before.byBand[band] };
    return assignBand(data, band, schoolsOf(stage, layout.open), kept);
  });
}

/** What becomes of every site, as a plan says it; a stage that another plan merges still does, if the receiver runs. */
function actionsOf(sites, layout, trips, bands, planned) {
  const runs = new Set(sites.filter((_, i) => layout.open[i]).map(({ school }) => school));
  const load = new Map(bands.map(({ stage }) => [stage, []])), loads = bands.map(({ stage }) => load.get(stage));
  for (const { school, band, pupils } of trips) loads[band][school] = (loads[band][school] || 0) + pupils;
  const merges = planned.filter(({ action, into }) => action === "merge" && (into === null || runs.has(into)));
  const merged = new Map(merges.map((row) => [`${row.school} ${row.stage}`, row.into]));
  return sites.flatMap(({ school, stage, seats, origin }, i) => {
    const open = layout.open[i], more = layout.added[i];
    if (origin === GAIN && !open) return [];
    const running = origin === EXISTING ? (more ? "expand" : "keep") : "open";
    const merge = !open && !runs.has(school) && merged.has(`${school} ${stage}`);
    const ending = origin === CANDIDATE ? "none" : runs.has(school) ? "convert" : merge ? "merge" : "close";
    const into = merge ? merged.get(`${school} ${stage}`) : null;
    const all = !open ? 0 : seats === null ? null : seats + more;
    const added = !open ? 0 : origin === EXISTING ? more : all;
    const pupils = load.get(stage)?.[school] || 0;
    return [{ school, stage, action: open ? running : ending, into, seats: all, added, pupils }];
  });
}

/** Pupils above the seats of a stage; 0 where its seats are unknown. */
function overSeats({ action, seats, pupils }) {
  return ENDED.includes(action) || seats === null ? 0 : Math.max(pupils - seats, 0);
}

/** The figures of the cards, from trips and actions; minutes in whole tenths, so that no sum is rounded. */
function scoresOf(data, trips, actions) {
  const found = { changing_pupils: 0, beyond_norm_pupils: 0, without_seat_pupils: 0, without_trip_pupils: 0 }, counts = new Map();
  const homes = data.whatif.bands.map(({ today }) => today), norms = data.bands.map(({ band }) => data.limits[band]);
  let sum = 0, served = 0, longest = null;
  for (const { village, band, school, pupils, minutes, reason } of trips) {
    if (school !== homes[band][village]) found.changing_pupils += pupils;
    const norm = norms[band];
    if (norm !== null && !(minutes !== null && minutes <= norm + 1e-6)) found.beyond_norm_pupils += pupils;
    if (reason === "no_seat") found.without_seat_pupils += pupils;
    if (school < 0 || minutes === null) {
      found.without_trip_pupils += pupils;
      continue;
    }
    const tenths = Math.round(minutes * 10);
    sum += tenths * pupils;
    served += pupils;
    longest = Math.max(longest, tenths);
    counts.set(tenths, (counts.get(tenths) || 0) + pupils);
  }
  for (const row of actions) found.without_seat_pupils += overSeats(row);
  const running = actions.filter(({ action }) => !ENDED.includes(action));
  return {
    ...found,
    mean_minutes: served ? sum / served / 10 : null,
    p90_minutes: quantile(counts, served, 0.9),
    longest_minutes: longest === null ? null : longest / 10,
    schools_open: new Set(running.map(({ school }) => school)).size,
  };
}

/** The least time that a share of the pupils does not exceed, from pupils by tenths of a minute. */
function quantile(counts, all, share) {
  let reached = 0;
  for (const tenths of [...counts.keys()].sort((one, other) => one - other)) {
    reached += counts.get(tenths);
    if (reached >= share * all - 1e-9) return tenths / 10;
  }
  return null;
}

/** How many schools of today run no longer, of these how many merge, and how many run that do not today. */
function closures(sites, layout, actions) {
  const of = (some) => new Set(sites.filter((_, i) => some(i)).map(({ school }) => school));
  const now = of((i) => layout.open[i]), today = of((i) => sites[i].origin === EXISTING);
  const merging = new Set(actions.filter(({ action }) => action === "merge").map(({ school }) => school));
  const ended = [...today].filter((row) => !now.has(row)), merged = ended.filter((row) => merging.has(row)).length;
  return { closed: ended.length - merged, merged, opened: [...now].filter((row) => !today.has(row)).length };
}

/** Mean minutes by village and band (village * bands + band); Infinity where some pupils have no way, NaN without pupils. */
function minutesBy(trips, villages, bands) {
  const sums = new Float64Array(villages * bands), counts = new Float64Array(villages * bands);
  for (const { village, band, pupils, minutes } of trips) {
    sums[village * bands + band] += minutes === null ? Infinity : minutes * pupils;
    counts[village * bands + band] += pupils;
  }
  return sums.map((sum, key) => sum / counts[key]);
}

/** The villages whose trip grows most: the band that it grows most for, minutes more, and before. */
function hitHardest(trips, before, villages, bands, most = 10) {
  const was = minutesBy(before, villages, bands), is = minutesBy(trips, villages, bands), found = [];
  for (let village = 0; village < villages; village++) {
    let worst = null;
    for (let band = 0; band < bands; band++) {
      const key = village * bands + band, [then, now] = [was[key], is[key]], more = now - then;
      if (more > 0.05 && !(worst && worst.more >= more)) worst = { village, band, then, now, more };
    }
    if (worst) found.push(worst);
  }
  return found.sort((one, other) => other.more - one.more || one.village - other.village).slice(0, most);
}

/** Pupils of a band by classes of minutes of one width; the last class is open, who has no way is left out. */
function histogram(trips, band, width, classes) {
  const counts = new Array(classes).fill(0);
  for (const trip of trips) {
    if (trip.band !== band || trip.minutes === null || trip.school < 0) continue;
    counts[Math.min(Math.floor((trip.minutes + 1e-9) / width), classes - 1)] += trip.pupils;
  }
  return counts;
}
