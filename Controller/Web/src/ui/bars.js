// Small pictures of figures, each with the same figures as a table.

import { h, svg } from "../core/h.js";
import { t } from "../core/i18n.js";
import { table, row, number } from "./table.js";

/**
 * @param {{ label: string, points: { name: string, good: number, bad: number }[], unit?: string }} options stacked: good below, bad above
 */
export function stackedBars({ label, points }) {
  const most = Math.max(1, ...points.map((one) => one.good + one.bad));
  const [width, height, gap] = [Math.max(12, points.length) * 10, 48, 2];
  const rects = points.flatMap((one, at) => {
    const good = (one.good / most) * height;
    const bad = (one.bad / most) * height;
    return [
      svg("rect", { class: "fill-good", x: at * 10, y: height - good, width: 10 - gap, height: good }),
      svg("rect", { class: "fill-bad", x: at * 10, y: height - good - bad, width: 10 - gap, height: bad }),
    ];
  });
  return h("figure", { class: "figure-box" },
    svg("svg", { class: "bars", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", aria: { label } }, ...rects,
      svg("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height })),
    asTable(
      label,
      [t("When"), { name: t("Good"), isNumber: true }, { name: t("Failed"), isNumber: true }],
      points.map((one) => row(one.name, number(one.good), number(one.bad))),
    ));
}

/** @param {{ label: string, points: { name: string, value: number | null }[], say: (value: number | null) => string }} options one bar for each value */
export function valueBars({ label, points, say }) {
  const most = Math.max(1, ...points.map((one) => one.value ?? 0));
  const [width, height, gap] = [Math.max(12, points.length) * 10, 48, 2];
  return h("figure", { class: "figure-box" },
    svg("svg", { class: "bars", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", aria: { label } },
      ...points.map((one, at) => {
        const size = one.value === null ? 0 : Math.max(1.5, (one.value / most) * height);
        return svg("rect", { class: "fill-value", x: at * 10, y: height - size, width: 10 - gap, height: size });
      }),
      svg("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height })),
    asTable(label, [t("When"), { name: t("Value"), isNumber: true }], points.map((one) => row(one.name, number(say(one.value))))));
}

/** @param {string} label @param {any[]} columns @param {any} rows */
const asTable = (label, columns, rows) =>
  h("details", { class: "as-table" }, h("summary", null, t("As a table")), table(label, columns, rows));
