"use strict";
/* Pupils on roads: the wider the line, the more pupils use it on their way to school. */

const FLOW = { color: "#6a3d9a", opacity: 0.8 };

const flowWidth = (pupils) => Math.min(0.8 + Math.sqrt(pupils) * 0.3, 13);

/** Lines of one layout, the busiest on top; ``still`` is the style of lines that nobody clicks on. */
function drawFlows(group, flows, view, still) {
  group.clearLayers();
  flows.lines
    .map((line, i) => [line, (flows.pupils[i] || [])[view]])
    .filter(([, pupils]) => pupils > 0)
    .sort(([, one], [, other]) => one - other)
    .forEach(([line, pupils]) => {
      const style = still("flows", { ...FLOW, weight: flowWidth(pupils) });
      L.polyline(decode(line), style).addTo(group);
    });
}

/** What the layer's signs mean: some widths. */
function flowKey(flows, view, { t, withUnit }, item, note) {
  const most = Math.max(0, ...flows.pupils.map((some) => some[view]));
  const sizes = [10, 100, 1000].filter((size) => size <= Math.max(most, 10));
  return [
    note(t("flows.note")),
    ...sizes.map((size) => item(stroke({ color: FLOW.color, weight: flowWidth(size) }), withUnit(size, "pupils"))),
    note(t("flows.most", { n: withUnit(most, "pupils") })),
  ];
}
