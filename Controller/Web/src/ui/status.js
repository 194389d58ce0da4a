// A state is always shape and word; colour only helps.

import { h, svg } from "../core/h.js";
import { t } from "../core/i18n.js";

/** @typedef {"success" | "failed" | "running" | "warning" | "pending" | "blocked" | "cancelled" | "skipped" | "approval"} State */

/** @type {Record<State, { word: string, look: string }>} */
const states = {
  success: { word: "Success", look: "is-passed" },
  failed: { word: "Failed", look: "is-failed" },
  running: { word: "Running", look: "is-running" },
  warning: { word: "Warning", look: "is-warning" },
  approval: { word: "Approval", look: "is-approval" },
  pending: { word: "Queued", look: "is-idle" },
  blocked: { word: "Blocked", look: "is-idle" },
  cancelled: { word: "Cancelled", look: "is-idle" },
  skipped: { word: "Skipped", look: "is-idle" },
};

/** @param {string | null | undefined} status @returns {State} */
export function stateOf(status) {
  return status && status in states ? /** @type {State} */ (status) : "pending";
}

/** @param {string | null | undefined} status */
export const statusWord = (status) => t(states[stateOf(status)].word);
/** @param {string | null | undefined} status the class that colours it */
export const statusLook = (status) => states[stateOf(status)].look;

const line = { fill: "none", stroke: "currentColor", "stroke-width": "1.75", "stroke-linecap": "round", "stroke-linejoin": "round" };
/** Cut out of a filled shape. */
const cut = { ...line, stroke: "var(--page)" };
const solid = { fill: "currentColor" };

/**
 * The drawing inside a box of 16 by 16.
 * @param {State} state @returns {SVGElement[]}
 */
function shapes(state) {
  switch (state) {
    case "success": return [svg("circle", { ...solid, cx: 8, cy: 8, r: 7 }), svg("path", { ...cut, d: "M4.8 8.3l2.2 2.2 4.2-4.6" })];
    case "failed": return [
      svg("path", { ...solid, d: "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" }), svg("path", { ...cut, d: "M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" }),
    ];
    case "running": return [
      svg("circle", { ...line, cx: 8, cy: 8, r: 6.1, opacity: 0.35 }),
      svg(
        "g",
        { class: "spin" },
        svg("path", { ...line, d: "M8 1.9a6.1 6.1 0 0 1 0 12.2" }),
        svg("path", { ...solid, d: "M8 4.6a3.4 3.4 0 0 1 0 6.8z" }),
      ),
    ];
    case "warning": return [
      svg("path", { ...solid, d: "M8 1.2l7 12.9H1z", stroke: "currentColor", "stroke-linejoin": "round", "stroke-width": 1 }),
      svg("path", { ...cut, d: "M8 6.2v3.4M8 12v.1" }),
    ];
    case "approval": return [
      svg("path", { ...line, d: "M8 1.2L14.8 8 8 14.8 1.2 8z" }), svg(
        "path",
        { ...line, "stroke-width": 1.4, d: "M6 8.6V6.4M7.4 8V5.4M8.8 8V5.6M10.2 8.4V6.6M6 8.6c0 2 1 2.8 2.2 2.8s2-.9 2-2.6" },
      ),
    ];
    case "pending": return [svg("path", { ...line, d: "M4.2 1.9h7.6M4.2 14.1h7.6M5 1.9c0 3.6 6 5 6 8.4v3.8M11 1.9c0 3.6-6 5-6 8.4v3.8" })];
    case "blocked": return [svg(
      "path",
      { ...line, d: "M6.3 9.7L4.6 11.4a2.3 2.3 0 0 1-3.2-3.2L3.6 6M9.7 6.3l1.7-1.7a2.3 2.3 0 0 1 3.2 3.2L12.4 10M2.6 2.6l10.8 10.8" },
    )];
    case "skipped": return [svg("path", { ...line, d: "M3 8h10" })];
    case "cancelled": return [svg("circle", { ...line, cx: 8, cy: 8, r: 6.1 }), svg("path", { ...line, d: "M3.8 12.2l8.4-8.4" })];
  }
}

/**
 * Only the shape, for a place that says the word itself.
 * @param {string | null | undefined} status
 */
export function statusGlyph(status) {
  const state = stateOf(status);
  return svg(
    "svg",
    { class: ["glyph", states[state].look], viewBox: "0 0 16 16", width: 16, height: 16, aria: { hidden: true }, data: { state } },
    ...shapes(state)
  );
}

/**
 * Shape and word.
 * @param {string | null | undefined | (() => (string | null | undefined))} status
 * @param {{ word?: string, quiet?: boolean }} [options] `quiet`: the word is for screen readers and the tooltip
 */
export function statusMark(status, options = {}) {
  const make = (/** @type {string | null | undefined} */ value) => {
    const word = options.word ?? statusWord(value);
    return [statusGlyph(value), h("span", { class: options.quiet ? "word hidden" : "word" }, word)];
  };
  const read = typeof status === "function" ? status : () => status;
  return h("span", {
    class: () => `status ${statusLook(read())}`,
    title: options.quiet ? () => options.word ?? statusWord(read()) : undefined,
  }, () => make(read()));
}
