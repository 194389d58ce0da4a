// A small line beside a number. It says nothing that the number and its words do not.

import { svg } from "../core/h.js";
import { pathOf } from "./line.js";
import { thin } from "./scale.js";

/**
 * @param {(number | null)[]} values
 * @param {string} label What it shows, in words.
 * @param {string} [tone]
 * @returns {SVGSVGElement}
 */
export function sparkline(values, label, tone = "accent") {
  const there = values.filter((value) => value !== null);
  const low = Math.min(.../** @type {number[]} */ (there));
  const high = Math.max(.../** @type {number[]} */ (there));
  const last = Math.max(1, values.length - 1);
  const y = (/** @type {number} */ value) => (high > low ? 22 - (20 * (value - low)) / (high - low) : 12);
  const points = thin(values.map((value, at) => ({ x: (96 * at) / last, y: value === null ? null : y(value) })), 96);
  const end = [...points].reverse().find((point) => point.y !== null);
  return svg("svg", { class: "spark", viewBox: "0 0 96 24", role: "img", aria: { label }, vars: { "--tone": `var(--${tone})` } },
    svg("path", { class: "chart-line", d: pathOf(points) }), end ? svg("circle", { class: "chart-dot", cx: end.x, cy: end.y, r: 2.5 }) : null);
}
