"use strict";
/* The layouts that a page shows, plans and what people try, by school and by village, and what is asked of the one shown. */

const NO_PLAN = { actions: [], trips: [], whole: true, catchments: {}, title: "", ground: 0, layout: null };

/** ``state``: which of the layouts is shown (view), and of which band. */
function makeLayouts(data, state) {
  const { schools, villages, bands, plans } = data;
  const questions = plans.length ? questionsOf(data) : [noQuestion(data)];
  const views = (plans.length ? plans : [NO_PLAN]).map(indexPlan);

  /** A layout and the plan that it is, or is made from; actions and trips by school and by village when they are asked for. */
  function indexPlan(plan, from) {
    const made = grown(plan, { from, question: questions[from] });
    const byRow = (table, trips, row) => {
      trips.forEach((trip) => table[trip[row]][trip.band].push(trip));
      return table;
    };
    return withParts(made, [
      ["list", () => (plan.whole ? plan.trips : knownTrips(plan.trips, questions[from]))],
      ["action", () => {
        const action = schools.map(() => ({}));
        plan.actions.forEach((row) => (action[row.school][row.stage] = row));
        return action;
      }],
      ["trips", () => byRow(villages.map(() => bands.map(() => [])), made.list, "village")],
      ["serves", () => byRow(schools.map(() => bands.map(() => [])), made.list.filter(({ school }) => school >= 0), "school")],
    ]);
  }

  /** What people try ({ actions, list, from }) is the layout after the last plan; null: they try nothing. */
  function put(tried) {
    views.length = plans.length;
    if (!tried) return;
    const { actions, list, from } = tried, { ground } = plans[from];
    views.push(indexPlan({ ...NO_PLAN, ground, actions, trips: list }, from));
  }

  const view = () => views[state.view];
  const isTried = () => plans.length > 0 && state.view === plans.length;
  /** The layout that is set beside the first: the one shown; of two the second also where the first is shown. */
  const compared = () => views[state.view || (plans.length === 2 ? 1 : 0)];
  const ground = () => data.grounds[view().ground];
  const limit = () => view().question.limits[bands[state.band].band];
  const pupilsOf = (row) => view().question.villages[row].pupils[state.band];
  const stage = () => bands[state.band].stage;

  function actionOf(school, name = stage(), plan = view()) {
    if (plans.length) return plan.action[school][name];
    const today = schools[school].stages[name];
    return today && { ...today, added: 0, action: schools[school].candidate ? "none" : "keep" };
  }

  return { views, questions, put, view, isTried, compared, ground, limit, pupilsOf, stage, actionOf };
}
