// What stands where there is nothing, or where something went wrong.

import { ApiError } from "../core/api.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";

/**
 * Says what this is, why it is empty, and the one next thing to do.
 * @param {string} title @param {import("../core/h.js").Child} text @param {...import("../core/h.js").Child} actions
 */
export const empty = (title, text, ...actions) =>
  h("div", { class: "empty" }, h("h2", null, title), h("p", null, typeof text === "string" ? prose(text) : text), ...actions);

/**
 * Text with `code` between backticks.
 * @param {string} text
 */
export const prose = (text) => text.split("`").map((part, at) => (at % 2 ? h("code", { class: "break" }, part) : part));

/**
 * What failed, its number for whoever looks into it, and a way to try again.
 * @param {unknown} error @param {() => void} [retry]
 */
export function failure(error, retry) {
  const problem = error instanceof ApiError ? error : null;
  return h("div", { class: "notice is-failed", role: "alert" },
    h("div", { class: "grow break" }, error instanceof Error ? error.message : String(error),
      problem?.requestId && h("div", { class: "muted small" }, t("Request {id}", { id: problem.requestId }))),
    retry && h("button", { type: "button", class: "button", on: { click: retry } }, t("Try again")));
}

/**
 * Space of the size of what comes.
 * @param {number} rows
 */
export const skeleton = (rows) =>
  h("div", { class: "form", "aria-busy": "true", "aria-label": t("Loading") }, Array.from({ length: rows }, () => h("div", { class: "skeleton" })));

/**
 * A command with a button that copies it.
 * @param {string} text
 */
export function command(text) {
  const done = h("span", { class: "hidden", role: "status" });
  return h("div", { class: "command" }, h("code", { tabindex: 0 }, text), copyButton(() => text), done);
}

/** @param {() => string | Promise<string>} text @param {string} [label] */
export function copyButton(text, label = t("Copy")) {
  const button = h("button", { type: "button", class: "button is-small", on: { click: copy } }, label);
  async function copy() {
    try {
      await navigator.clipboard.writeText(await text());
      button.textContent = t("Copied");
    } catch {
      button.textContent = t("Select and copy by hand");
    }
    setTimeout(() => (button.textContent = label), 2000);
  }
  return button;
}
