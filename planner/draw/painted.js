"use strict";
/* What the sheets hold: made ready when the layout or the band that is shown changes, painted with every move. */

function makePainted({ data, state, shown, views, view, compared, stage, pupilsOf, isChosen, classes }) {
  const { schools, villages, bands, plans } = data, { signs, signOf, beyond, classOf } = classes;
  const places = { villages: placesOf(villages), schools: placesOf(schools) };
  const townInks = data.towns.map(({ rings }) => inkOf(rings.flat()));
  const roadInks = Object.fromEntries(Object.keys(ROADS).map((rank) => [rank, inkOf(data.roads.lines[rank])]));

  const areas = remembering(() => [view(), stage()], () =>
    (view().catchments[stage()] || []).map((area) => ({ ...area, ink: inkOf(area.rings.flat()) })));

  /** Lines from villages to their schools, by class. */
  const tripInks = remembering(() => [view(), state.band], () => {
    const ends = CLASS_COLOURS.map(() => []);
    for (const { village, band, school, minutes } of view().list) {
      if (band !== state.band || school < 0 || !villages[village].at || !schools[school].at) continue;
      ends[classOf(minutes)].push(...places.villages.subarray(2 * village, 2 * village + 2), ...places.schools.subarray(2 * school, 2 * school + 2));
    }
    return ends.map((xy) => boxed(Float64Array.from(xy), Uint32Array.from({ length: xy.length / 4 }, (_, i) => 4 * i + 4)));
  });

  /** The villages, those with the longest ways on top. */
  const villageDots = remembering(() => [signs()], () => {
    const depth = (sign) => (sign === "" ? -1 : Number.isInteger(sign) ? sign : CLASS_COLOURS.length);
    const rows = villages.map((_, row) => row).filter((row) => villages[row].at);
    const dots = rows.map((row) => ({ row, style: villageStyle(signOf(row), beyond(signOf(row)), pupilsOf(row)) }));
    return dots.sort((one, other) => depth(signOf(one.row)) - depth(signOf(other.row)));
  });

  const changes = remembering(() => [views[0], compared(), state.band], () =>
    changesOf(views[0], compared(), state.band, villages.length, bands.length));

  const changeDots = remembering(() => [changes()], () => {
    const rows = plans.length < 2 ? [] : changedRows(changes()).filter((row) => villages[row].at);
    return rows.map((row) => ({ row, style: changeStyle(changes()[row]) }));
  });

  const merges = remembering(() => [view(), stage()], () => {
    const here = view().actions.filter(({ into, stage: name }) => into !== null && name === stage());
    const ends = here.map(({ school, into }) => [school, into]).filter((rows) => rows.every((row) => schools[row].at));
    const xy = ends.flatMap((rows) => rows.flatMap((row) => [...places.schools.subarray(2 * row, 2 * row + 2)]));
    return boxed(Float64Array.from(xy), Uint32Array.from(ends, (_, i) => 4 * i + 4));
  });

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

  return { painters, places, townInks, changes, dots };
}
