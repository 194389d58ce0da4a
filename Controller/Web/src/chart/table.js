// The frame of every chart: its title, what the pointer or the keys are on, the same figures as a table, and as a file.

import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { csv } from "./scale.js";

/**
 * @typedef {object} Figures
 * @property {string[]} head
 * @property {(string | number | null)[][]} rows
 */

/**
 * @param {object} options
 * @param {string} options.title
 * @param {Node} options.picture
 * @param {Node | null} [options.key] What the looks mean.
 * @param {boolean} [options.isPart] What is around it has its title.
 * @param {() => Figures} options.figures
 * @returns {{element: HTMLElement, say: (text: string) => void}}
 */
export function chartFrame({ title, picture, key = null, isPart = false, figures }) {
  const said = h("p", { class: "chart-said", aria: { live: "polite" } });
  const area = h("div", { class: "chart-area" }, picture);
  const table = h("div", { class: "chart-table", hidden: true, tabindex: "0", role: "region", aria: { label: title } });
  const toggle = h("button", { class: "button is-small is-plain", type: "button", aria: { pressed: false, label: t("Show as table") } }, t("Table"));
  toggle.addEventListener("click", () => {
    const isTable = table.hidden === true;
    if (isTable) table.replaceChildren(tableOf(figures()));
    table.hidden = !isTable;
    area.hidden = isTable;
    said.hidden = isTable;
    toggle.setAttribute("aria-pressed", String(isTable));
    toggle.textContent = isTable ? t("Chart") : t("Table");
    toggle.setAttribute("aria-label", isTable ? t("Show as chart") : t("Show as table"));
    // What is newest stands at the end.
    if (isTable) table.scrollTop = table.scrollHeight;
  });
  const file = h("button", { class: "button is-small is-plain", type: "button", aria: { label: t("{title} as CSV", { title }) } }, "CSV");
  file.addEventListener("click", () => {
    const { head, rows } = figures();
    save(`${title.replace(/[^\w-]+/g, "-").toLowerCase()}.csv`, csv(head, rows));
  });
  const element = h("figure", { class: ["chart", isPart && "is-part"], aria: { label: title } },
    isPart ? null : h("div", { class: "chart-head" }, h("h3", null, title), toggle, file), isPart ? null : key, area, said, table,
    isPart ? h("div", { class: "chart-head" }, key, toggle, file) : null);
  return { element, say: (text) => (said.textContent === text ? undefined : void (said.textContent = text)) };
}

/** @param {Figures} figures */
export function tableOf({ head, rows }) {
  return h("table", null,
    h("thead", null, h("tr", null, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", null, ...rows.map((row) => h("tr", null, ...row.map((value, at) => cell(value, at === 0))))));
}

/**
 * @param {string | number | null} value
 * @param {boolean} isHead
 */
function cell(value, isHead) {
  return isHead ? h("th", { scope: "row" }, String(value ?? "–")) : h("td", null, value === null ? "–" : String(value));
}

/**
 * Gives a text to the browser's downloads.
 * @param {string} name
 * @param {string} text
 */
function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.download = name;
  link.href = address;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
