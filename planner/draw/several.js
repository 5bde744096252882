"use strict";
/* More layouts than a row of buttons holds: one slider through all of them. */

function viewSlider(label, names, state, turn) {
  const said = el("output", { textContent: names[state.view] });
  const range = el("input", { type: "range", min: 0, max: names.length - 1, value: state.view, ariaLabel: label });
  range.addEventListener("input", () => {
    said.textContent = range.ariaValueText = names[range.value];
    turn(Number(range.value));
  });
  range.ariaValueText = names[state.view];
  return el("div", { className: "several" }, range, said);
}
