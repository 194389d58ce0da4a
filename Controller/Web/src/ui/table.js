// Tables of data.

import { h } from "../core/h.js";

/**
 * @param {string} caption for screen readers
 * @param {(string | { name: string, isNumber?: boolean })[]} columns
 * @param {import("../core/h.js").Child} rows
 */
export const table = (caption, columns, rows) =>
  h("div", { class: "table-wrap" }, h("table", { class: "table" }, h("caption", { class: "hidden" }, caption),
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
