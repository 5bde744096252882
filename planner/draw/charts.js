"use strict";
/* Charts in SVG; what they show is also in the tables. */

const BAR = { high: 20, left: 190, right: 110, wide: 760 };

/** Seats and pupils of each school, the fullest first. */
function seatsChart(schools, stage, { t, n, withUnit }) {
  const fill = ({ seats, pupils }) => (pupils || 0) / (seats || 1e-9);
  const rows = [...schools].sort((a, b) => fill(b) - fill(a));
  const most = Math.max(1, ...rows.flatMap(({ seats, pupils }) => [seats || 0, pupils || 0]));
  const room = BAR.wide - BAR.left - BAR.right, high = BAR.high * rows.length + 34;
  const span = (value) => ((value || 0) / most) * room;
  const over = rows.filter(({ seats, pupils }) => seats !== null && pupils > seats).length;
  const write = (words, attributes) => {
    const node = svg("text", attributes);
    node.textContent = words;
    return node;
  };
  const bars = rows.flatMap(({ name, seats, pupils }, i) => {
    const y = 30 + i * BAR.high, full = seats !== null && pupils > seats, bar = { x: BAR.left, height: 12 };
    const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    const said = `${n(pupils)} / ${n(seats)}${full ? ` · ${t("chart.over")}` : ""}`;
    return [
      write(short, { x: BAR.left - 8, y: y + 10, "text-anchor": "end" }),
      svg("rect", { ...bar, y, width: span(seats), class: "seats" }),
      svg("rect", { ...bar, y: y + 3, height: 6, width: span(pupils), class: full ? "pupils over" : "pupils" }),
      write(said, { x: BAR.left + span(Math.max(seats || 0, pupils || 0)) + 6, y: y + 10 }),
    ];
  });
  const key = [
    svg("rect", { x: BAR.left, y: 4, width: 16, height: 12, class: "seats" }),
    write(t("seats"), { x: BAR.left + 22, y: 14 }),
    svg("rect", { x: BAR.left + 110, y: 7, width: 16, height: 6, class: "pupils" }),
    write(t("pupils"), { x: BAR.left + 132, y: 14 }),
    svg("rect", { x: BAR.left + 220, y: 7, width: 16, height: 6, class: "pupils over" }),
    write(t("chart.over"), { x: BAR.left + 242, y: 14 }),
  ];
  const title = svg("title", { id: "chart-title" }), about = svg("desc", { id: "chart-about" });
  title.textContent = `${t("listing.seats")} · ${stage}`;
  about.textContent = t("chart.about", { n: withUnit(rows.length, "schools"), over: withUnit(over, "schools") });
  const labels = { role: "img", "aria-labelledby": "chart-title chart-about" };
  return svg("svg", { ...labels, class: "bars", viewBox: `0 0 ${BAR.wide} ${high}` }, title, about, ...key, ...bars);
}
