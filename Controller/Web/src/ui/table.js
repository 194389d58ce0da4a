// Tables of data.

import { h } from "../core/h.js";
import { onCleanup } from "../core/signal.js";

/**
 * What may be wider than its place: it can be scrolled by keyboard too, while it is.
 * @param {string} label
 * @param {HTMLElement} content
 */
export function scroller(label, content) {
  const box = h("div", { class: "table-wrap" }, content);
  const look = new ResizeObserver(() => {
    const isWide = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", label]]) {
      if (isWide) box.setAttribute(name ?? "", value ?? "");
      else box.removeAttribute(name ?? "");
    }
  });
  look.observe(box);
  look.observe(content);
  onCleanup(() => look.disconnect());
  return box;
}

/** With so many columns each row becomes a small card where the window is narrow. */
const STACKED_FROM = 4;

/**
 * Rows of figures stay rows: they are short, and are read downwards.
 * @param {(string | { name: string, isNumber?: boolean })[]} columns
 */
const isStacking = (columns) => columns.length >= STACKED_FROM
  && columns.filter((one) => typeof one !== "string" && one.isNumber).length * 2 < columns.length;

/** @param {(string | { name: string })[]} columns Their names, for cards. */
const namesOf = (columns) => !isStacking(columns) ? {}
  : Object.fromEntries(columns.map((one, at) => [`--c${at + 1}`, JSON.stringify(typeof one === "string" ? one : one.name)]));

/**
 * @param {string} caption for screen readers
 * @param {(string | { name: string, isNumber?: boolean })[]} columns
 * @param {import("../core/h.js").Child} rows
 */
export const table = (caption, columns, rows) =>
  scroller(caption, h("table", { class: ["table", isStacking(columns) && "is-stacking"], vars: namesOf(columns) }, h("caption", { class: "hidden" }, caption),
    h("thead", null, h("tr", null, columns.map((one) => typeof one === "string" ? h(
      "th",
      { scope: "col" },
      one || h("span", { class: "hidden" }, "Actions"),
    )
      : h("th", { scope: "col", class: one.isNumber ? "num" : "" }, one.name)))), h("tbody", null, rows)));

/** @param {...import("../core/h.js").Child} cells */
export const row = (...cells) => h("tr", null, cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : h("td", null, cell))));
/** @param {import("../core/h.js").Child} content */
export const number = (content) => h("td", { class: "num" }, content);
