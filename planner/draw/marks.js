"use strict";
/* Signs of schools: elements, so that keyboard and screen reader reach them; one is made anew where it looks different. */

function makeMarks({ map, data, groups, say, actionOf, isChosen, choose, toggle }) {
  const { schools } = data, { t, withUnit, nameOf } = say, marks = [];

  /** The order in which the keyboard goes through the schools. */
  const place = ({ town, id }) => `${town}\n${id}`;
  const byTown = schools.map((_, row) => row).sort((a, b) => (place(schools[a]) < place(schools[b]) ? -1 : 1));

  const small = () => (map.getSize().x < 500 ? 0.72 : 1);
  const overText = ({ pupils, seats }) => t("over", { pupils: withUnit(pupils, "pupils"), seats: withUnit(seats, "seats") });

  function drawSchool(row) {
    const school = schools[row];
    if (!school.at) return;
    const here = actionOf(row), over = here ? overSeats(here) : 0;
    const action = here ? here.action : "keep";
    const radius = here ? small() * schoolRadius(here.pupils) : 4;
    const more = here ? `${t("colon")}${t(`state.${action}`)}${over ? `${t("comma")}${overText(here)}` : ""}` : "";
    const text = `${nameOf(school)}${t("comma")}${t(`kind.${school.kind}`)}${more}`;
    const look = `${text} ${radius} ${action} ${Boolean(here)}`, old = marks[row];
    if (old && old.look === look) return;
    if (old) old.group.removeLayer(old.mark);
    const sign = symbol(school.kind, action, radius);
    if (over) sign.append(overMark(radius));
    const icon = L.divIcon({ className: here ? "school" : "school other", iconSize: null, html: sign });
    const pick = () => {
      choose(schools, row);
      marks[row].mark.closeTooltip(); // a touch opens it, and the card says more
    };
    const group = here ? groups.schools : groups.others;
    const mark = L.marker(school.at, { icon, riseOnHover: true, zIndexOffset: here ? 0 : -1000 })
      .bindTooltip(() => el("span", { textContent: text }))
      .on("click", pick)
      .on("keypress", ({ originalEvent: { key } }) => ["Enter", " "].includes(key) && (isChosen(schools, row) ? toggle() : pick()))
      .on("add", (event) => setAll(event.target.getElement(), { "aria-label": text, "data-school": school.id }))
      .addTo(group);
    marks[row] = { mark, look, group };
  }

  /** Where the schools of the stage shown have their signs. */
  const spots = () => schools.filter((school, row) => school.at && actionOf(row)).map(({ at }) => at);

  return { draw: () => byTown.forEach(drawSchool), spots };
}
