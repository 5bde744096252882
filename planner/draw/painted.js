"use strict";
/* What the sheets hold: made ready when the layout or the band that is shown changes, painted with every move. */

function makePainted({ data, state, shown, views, view, compared, stage, pupilsOf, isChosen, classes }) {
  const { schools, villages, bands, plans } = data, { signs, signOf, beyond, classOf } = classes;
  const places = { villages: placesOf(villages), schools: placesOf(schools) };
  const townInks = data.towns.map(({ rings }) => inkOf(rings.flat()));
  const roadInks = Object.fromEntries(Object.keys(ROADS).map((rank) => [rank, inkOf(data.roads.lines[rank])]));

  const areas = remembering(() => [view(), stage()], () =>
    (view().catchments[stage()] || []).map((area) => ({ ...area, ink: inkOf(area.rings.flat()) })));

  /** Lines of four numbers each as ink. */
  const pairInk = (numbers) => boxed(Float64Array.from(numbers), Uint32Array.from({ length: numbers.length / 4 }, (_, i) => 4 * i + 4));

  /** Lines from villages to their schools, by class. */
  const tripInks = remembering(() => [view(), state.band], () => {
    const ends = CLASS_COLOURS.map(() => []), [from, to] = [places.villages, places.schools];
    for (const { village, band, school, minutes } of view().list) {
      if (band !== state.band || school < 0 || !villages[village].at || !schools[school].at) continue;
      ends[classOf(minutes)].push(from[2 * village], from[2 * village + 1], to[2 * school], to[2 * school + 1]);
    }
    return ends.map(pairInk);
  });

  /** The villages, those with the longest ways on top. */
  const villageDots = remembering(() => [signs()], () => {
    const depths = Array.from({ length: CLASS_COLOURS.length + 2 }, () => []);
    villages.forEach(({ at }, row) => {
      const sign = signOf(row), depth = sign === "" ? 0 : Number.isInteger(sign) ? sign + 1 : CLASS_COLOURS.length + 1;
      if (at) depths[depth].push({ row, style: villageStyle(sign, beyond(sign), pupilsOf(row)) });
    });
    return depths.flat();
  });

  const changes = remembering(() => [views[0], compared(), state.band], () =>
    changesOf(views[0], compared(), state.band, villages.length, bands.length));

  const changeDots = remembering(() => [changes()], () => {
    const rows = plans.length < 2 ? [] : changedRows(changes()).filter((row) => villages[row].at);
    return rows.map((row) => ({ row, style: changeStyle(changes()[row]) }));
  });

  const mergesOf = (layout) => layout.actions.filter(({ into, stage: name, school }) =>
    into !== null && name === stage() && schools[school].at && schools[into].at);
  const merges = remembering(() => [view(), stage()], () => pairInk(mergesOf(view()).flatMap(({ school, into }) =>
    [school, into].flatMap((row) => [...places.schools.subarray(2 * row, 2 * row + 2)]))));

  /** What of the land and of the plan looks otherwise in one layout than in another, in the band that is shown. */
  function boxesBetween(one, other) {
    const land = [one, other].some((layout) => (layout.catchments[stage()] || []).length) ? EVERYWHERE : NOWHERE;
    const sameMerges = [one, other].map((layout) => mergesOf(layout).map(({ school, into }) => [school, into]).join(" "));
    if (one.question !== other.question || sameMerges[0] !== sameMerges[1]) return { land, plan: EVERYWHERE };
    const [before, after] = [one, other].map(({ list }) => tripsByVillage(list, state.band, villages.length));
    const plan = [...NOWHERE];
    const widen = (xy, row) => {
      for (const [side, value] of [xy[2 * row], xy[2 * row + 1]].entries()) {
        if (value < plan[side]) plan[side] = value; // never where a place is unknown
        if (value > plan[side + 2]) plan[side + 2] = value;
      }
    };
    before.forEach((trips, village) => {
      if (sameTrips(trips, after[village])) return;
      widen(places.villages, village);
      [...trips, ...after[village]].filter(({ school }) => school >= 0).forEach(({ school }) => widen(places.schools, school));
    });
    return { land, plan };
  }

  const painters = {
    catchments: (pen, at) => paintCatchments(pen, at, areas(), (row) => isChosen(schools, row)),
    roads: (pen, at) => paintRoads(pen, at, roadInks),
    towns: (pen, at) => paintTowns(pen, at, townInks),
    lines: (pen, at) => tripInks().forEach((ink, i) =>
      paintLines(pen, ink, at, { color: CLASS_COLOURS[i], weight: beyond(i) ? 1.8 : 1, opacity: 0.75 })),
    difference: (pen, at) => paintDots(pen, at, places.villages, changeDots()),
    villages: (pen, at) => paintDots(pen, at, places.villages, villageDots()),
    merges: (pen, at) => [{ color: "#fff", weight: 6, opacity: 0.8 }, MERGE].forEach((style) => paintLines(pen, merges(), at, style)),
  };

  /** The dots that are shown. */
  const dots = () => (shown.has("difference") ? changeDots() : shown.has("villages") ? villageDots() : []);

  return { painters, places, townInks, changes, dots, boxesBetween };
}

function tripsByVillage(list, band, villages) {
  const found = Array.from({ length: villages }, () => []);
  for (const trip of list) if (trip.band === band) found[trip.village].push(trip);
  return found;
}

const SEEN_OF_TRIPS = ["school", "minutes", "pupils", "reason"];

function sameTrips(some, others) {
  const same = (trip, i) => trip === others[i] || SEEN_OF_TRIPS.every((name) => trip[name] === others[i][name]);
  return some.length === others.length && some.every(same);
}
