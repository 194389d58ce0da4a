// Stacked bars. The parts of a bar differ by pattern as well as by colour.

import { h, svg } from "../core/h.js";
import { named, niceTicks, SIZE } from "./scale.js";
import { chartFrame } from "./table.js";

const LEFT = 48;
const TOP = 8;
const BOTTOM = 24;

let made = 0;

/**
 * @param {object} options
 * @param {string} options.title
 * @param {string[]} options.labels
 * @param {{label: string, tone: string, values: number[]}[]} options.series From the ground up.
 * @param {(value: number) => string} [options.format]
 * @param {{ width: number, height: number }} [options.size] in pixels of the page
 * @param {boolean} [options.isPart] what is around it has its title
 * @returns {HTMLElement}
 */
export function barChart({ title, labels, series, format = String, size = SIZE, isPart = false }) {
  const { width, height } = size;
  const sums = labels.map((_, at) => series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0));
  const ticks = niceTicks(Math.max(0, ...sums), height < 160 ? 2 : 4);
  const top = /** @type {number} */ (ticks[ticks.length - 1]);
  const slot = (width - LEFT - 8) / Math.max(1, labels.length);
  const wide = Math.max(1, Math.min(32, slot * 0.72));
  const tall = height - TOP - BOTTOM;
  const pattern = `hatch-${++made}`;
  const totals = series.map((one) => `${one.label}: ${format(one.values.reduce((a, b) => a + b, 0))}`).join(", ");
  const hatch = svg("pattern", { id: pattern, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("line", { class: "chart-hatch", x1: 0, x2: 0, y1: 0, y2: 6 }));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: "0", aria: { label: `${title}. ${totals}` } }, svg("defs", null, hatch));
  for (const tick of ticks) {
    const y = TOP + tall * (1 - tick / top);
    picture.append(svg("line", { class: "chart-grid", x1: LEFT, x2: width - 8, y1: y, y2: y }),
      svg("text", { class: "chart-label", x: LEFT - 6, y, dy: "0.35em", "text-anchor": "end" }, format(tick)));
  }
  const mark = svg("rect", { class: "chart-grid", y: TOP, height: tall, width: slot, fill: "none", visibility: "hidden" });
  const names = named(labels, width - LEFT - 8);
  labels.forEach((label, at) => {
    let y = height - BOTTOM;
    series.forEach((one, index) => {
      const long = (tall * (one.values[at] ?? 0)) / top;
      if (long <= 0) return;
      y -= long;
      const box = { x: LEFT + slot * at + (slot - wide) / 2, y, width: wide, height: Math.max(1, long) };
      picture.append(svg("rect", { class: "chart-bar", ...box, vars: { "--tone": `var(--${one.tone})` } }));
      if (index % 2 === 1) picture.append(svg("rect", { ...box, fill: `url(#${pattern})` }));
    });
    if (names.includes(at)) {
      const isAll = names.length === labels.length;
      const isEnd = at === labels.length - 1 && at > 0 && !isAll;
      const isStart = at === 0 && !isAll;
      const x = isStart ? LEFT : isEnd ? width - 8 : LEFT + slot * (at + 0.5);
      picture.append(svg("text", { class: "chart-label", x, y: height - 6, "text-anchor": isStart ? "start" : isEnd ? "end" : "middle" }, label));
    }
  });
  picture.append(mark);
  const key = series.length < 2 ? null : h("p", { class: "chart-key" }, ...series.map((one, index) => h("span", null,
    svg("svg", { viewBox: "0 0 20 10", aria: { hidden: true }, vars: { "--tone": `var(--${one.tone})` } },
      svg("rect", { class: "chart-bar", width: 20, height: 10 }), index % 2 === 1 ? svg("rect", { width: 20, height: 10, fill: `url(#${pattern})` }) : null), one.label)));
  const { element, say } = chartFrame({
    title, isPart, picture, key, figures: () => ({ head: ["", ...series.map((one) => one.label)], rows: labels.map((label, at) => [label, ...series.map((one) => one.values[at] ?? 0)]) }),
  });
  let at = -1;
  const point = (/** @type {number} */ next) => {
    if (labels.length === 0) return;
    at = Math.max(0, Math.min(labels.length - 1, next));
    mark.setAttribute("x", String(LEFT + slot * at));
    mark.setAttribute("visibility", "visible");
    say(`${labels[at]}: ${series.map((one) => `${one.label} ${format(one.values[at] ?? 0)}`).join(", ")}`);
  };
  const leave = () => {
    at = -1;
    mark.setAttribute("visibility", "hidden");
    say("");
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    point(Math.floor((((event.clientX - box.left) / box.width) * width - LEFT) / slot));
  });
  picture.addEventListener("pointerleave", leave);
  picture.addEventListener("blur", leave);
  picture.addEventListener("keydown", (event) => {
    const moves = /** @type {Record<string, number>} */ ({ ArrowRight: at + 1, ArrowLeft: at < 0 ? labels.length - 1 : at - 1, Home: 0, End: labels.length - 1 });
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    point(next);
  });
  return element;
}
