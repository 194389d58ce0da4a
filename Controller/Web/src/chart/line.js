// Lines over time. Each line differs by dash as well as by colour, and the cross of the pointer can be moved by keys.

import { h, svg } from "../core/h.js";
import { named, niceTicks, SIZE, thin } from "./scale.js";
import { chartFrame } from "./table.js";

/** @typedef {{label: string, tone: string, values: (number | null)[]}} Series `tone` is the name of a colour, such as `passed`. */

const LEFT = 48;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 24;
const DASHES = ["", " is-dashed", " is-dotted"];

/**
 * @param {object} options
 * @param {string} options.title
 * @param {string[]} options.labels Of the points.
 * @param {Series[]} options.series
 * @param {(value: number) => string} [options.format]
 * @param {boolean} [options.isArea] Fills below the first line.
 * @param {number} [options.max] Of the scale, where it is fixed.
 * @param {{ width: number, height: number }} [options.size] in pixels of the page
 * @param {boolean} [options.isPart] what is around it has its title
 * @returns {HTMLElement}
 */
export function lineChart({ title, labels, series, format = String, isArea = false, max, size = SIZE, isPart = false }) {
  const { width, height } = size;
  const values = series.flatMap((one) => one.values).filter((value) => value !== null);
  const ticks = niceTicks(max ?? Math.max(0, .../** @type {number[]} */ (values)), height < 160 ? 2 : 4);
  const top = /** @type {number} */ (ticks[ticks.length - 1]);
  const last = Math.max(1, labels.length - 1);
  const x = (/** @type {number} */ at) => LEFT + ((width - LEFT - RIGHT) * at) / last;
  const y = (/** @type {number} */ value) => TOP + (height - TOP - BOTTOM) * (1 - value / top);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: "0", aria: { label: `${title}. ${summary(series, labels, format)}` } });
  for (const tick of ticks) {
    picture.append(svg("line", { class: "chart-grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "chart-label", x: LEFT - 6, y: y(tick), dy: "0.35em", "text-anchor": "end" }, format(tick)));
  }
  named(labels, width - LEFT - RIGHT).forEach((at, index) => picture.append(svg("text", {
    class: "chart-label", x: x(at), y: height - 6, "text-anchor": index === 0 ? "start" : at === last ? "end" : "middle",
  }, labels[at])));
  series.forEach((one, index) => {
    const points = thin(one.values.map((value, at) => ({ x: x(at), y: value === null ? null : y(value) })));
    const path = pathOf(points);
    const group = svg("g", { vars: { "--tone": `var(--${one.tone})` } });
    if (isArea && index === 0) group.append(svg("path", { class: "chart-fill", d: areaOf(points, y(0)) }));
    group.append(svg("path", { class: `chart-line${DASHES[index % DASHES.length]}`, d: path }));
    for (const point of lonely(points)) group.append(svg("circle", { class: "chart-alone", cx: point.x.toFixed(1), cy: point.y.toFixed(1), r: 3 }));
    picture.append(group);
  });
  const cross = svg("g", { hidden: true }, svg("line", { class: "chart-cross", y1: TOP, y2: height - BOTTOM }),
    ...series.map((one) => svg("circle", { class: "chart-dot", r: 4, vars: { "--tone": `var(--${one.tone})` } })));
  cross.setAttribute("visibility", "hidden");
  picture.append(cross);
  const { element, say } = chartFrame({
    title, isPart, picture, key: series.length > 1 ? keyOf(series) : null,
    figures: () => ({ head: ["", ...series.map((one) => one.label)], rows: labels.map((label, at) => [label, ...series.map((one) => one.values[at] ?? null)]) }),
  });
  let at = -1;
  const point = (/** @type {number} */ next) => {
    at = Math.max(0, Math.min(labels.length - 1, next));
    if (labels.length === 0) return;
    cross.setAttribute("visibility", "visible");
    const [line, ...dots] = cross.children;
    line?.setAttribute("x1", String(x(at)));
    line?.setAttribute("x2", String(x(at)));
    dots.forEach((dot, index) => {
      const value = series[index]?.values[at] ?? null;
      dot.setAttribute("visibility", value === null ? "hidden" : "inherit");
      dot.setAttribute("cx", String(x(at)));
      dot.setAttribute("cy", String(value === null ? 0 : y(value)));
    });
    say(`${labels[at]}: ${series.map((one) => `${one.label} ${one.values[at] === null || one.values[at] === undefined ? "–" : format(/** @type {number} */ (one.values[at]))}`).join(", ")}`);
  };
  const leave = () => {
    cross.setAttribute("visibility", "hidden");
    say("");
    at = -1;
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    point(Math.round((((event.clientX - box.left) / box.width) * width - LEFT) / ((width - LEFT - RIGHT) / last)));
  });
  picture.addEventListener("pointerleave", leave);
  picture.addEventListener("blur", leave);
  picture.addEventListener("keydown", (event) => {
    const moves = /** @type {Record<string, number>} */ ({ ArrowRight: at + 1, ArrowLeft: at < 0 ? last : at - 1, Home: 0, End: last, PageUp: at - 10, PageDown: at + 10 });
    const next = moves[event.key];
    if (event.key === "Escape") leave();
    else if (next === undefined) return;
    else point(next);
    event.preventDefault();
  });
  return element;
}

/** @param {{x: number, y: number | null}[]} points Lines break where values are missing. */
export function pathOf(points) {
  let path = "";
  let isPen = false;
  for (const { x, y } of points) {
    if (y === null) isPen = false;
    else {
      // One that stands alone is a dot: a line's round end.
      if (!isPen && path) path += "h0";
      path += `${isPen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      isPen = true;
    }
  }
  return path && `${path}h0`;
}

/**
 * Points without a neighbour: no line goes through them.
 * @param {{x: number, y: number | null}[]} points
 * @returns {{x: number, y: number}[]}
 */
export function lonely(points) {
  const isThere = (/** @type {number} */ at) => (points[at]?.y ?? null) !== null;
  return /** @type {{x: number, y: number}[]} */ (points.filter(({ y }, at) => y !== null && !isThere(at - 1) && !isThere(at + 1)));
}

/**
 * @param {{x: number, y: number | null}[]} points
 * @param {number} base
 */
function areaOf(points, base) {
  const there = points.filter((point) => point.y !== null);
  const [first, end] = [there[0], there[there.length - 1]];
  return first && end ? `M${first.x.toFixed(1)} ${base}${pathOf(there).replace("M", "L")}L${end.x.toFixed(1)} ${base}Z` : "";
}

/** @param {Series[]} series */
function keyOf(series) {
  return h("p", { class: "chart-key" }, ...series.map((one, index) => h("span", null,
    svg("svg", { viewBox: "0 0 20 10", aria: { hidden: true }, vars: { "--tone": `var(--${one.tone})` } },
      svg("path", { class: `chart-line${DASHES[index % DASHES.length]}`, d: "M0 5L20 5" })), one.label)));
}

/**
 * What somebody who does not see the picture should know first.
 * @param {Series[]} series @param {string[]} labels @param {(value: number) => string} format
 */
function summary(series, labels, format) {
  return series.map((one) => {
    const there = one.values.flatMap((value, at) => (value === null ? [] : [{ value, at }]));
    const newest = there[there.length - 1];
    if (!newest) return `${one.label}: no values`;
    const high = there.reduce((best, next) => (next.value > best.value ? next : best));
    return `${one.label}: ${format(newest.value)} last, highest ${format(high.value)} at ${labels[high.at]}`;
  }).join(". ");
}
