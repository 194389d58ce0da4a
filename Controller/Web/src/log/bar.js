// The bar above the log: search, level, wrapping, times, following, and what leads out of the page.

import { h, svg } from "../core/h.js";
import { count } from "../core/fmt.js";
import { plural, t } from "../core/i18n.js";
import { TIMES } from "./times.js";

/** @typedef {"all" | "errors" | "problems" | "matches"} Filter */

/** @param {string} path */
const icon = (path) =>
  svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, aria: { hidden: true } },
    svg("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" }));

/**
 * @typedef {object} Actions
 * @property {(text: string, options: {isRegex: boolean, matchesCase: boolean}) => void} find
 * @property {(way: 1 | -1) => void} step
 * @property {() => void} leaveFind
 * @property {(filter: Filter) => void} filter
 * @property {() => void} wrap
 * @property {(times: import("./times.js").Times) => void} times
 * @property {() => void} follow
 * @property {() => void} copyLink
 * @property {() => void} help
 */

/**
 * @param {Actions} actions Called when something is done, not before.
 * @param {{raw: string, plain: string, reader: string | null, name: string}} links
 */
export function makeBar(actions, links) {
  const field = h("input", {
    class: "log-find", type: "search", placeholder: t("Find in log"), autocomplete: "off", spellcheck: "false", maxlength: 256,
    aria: { label: t("Find in log"), keyshortcuts: "/" },
  });
  const regex = toggle(".*", t("Regular expression"));
  const matchCase = toggle("Aa", t("Match case"));
  const found = h("output", { class: "log-found", aria: { live: "polite" } });
  const up = button(t("Previous match"), "M3 10l5-5 5 5", () => actions.step(-1));
  const down = button(t("Next match"), "M3 6l5 5 5-5", () => actions.step(1));
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  const run = () => {
    clearTimeout(timer);
    actions.find(field.value, { isRegex: regex.getAttribute("aria-pressed") === "true", matchesCase: matchCase.getAttribute("aria-pressed") === "true" });
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(run, 180);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (field.value !== field.dataset.asked) run();
      actions.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      field.value = "";
      run();
      actions.leaveFind();
    }
  });
  for (const one of [regex, matchCase]) {
    one.addEventListener("click", () => {
      one.setAttribute("aria-pressed", String(one.getAttribute("aria-pressed") !== "true"));
      run();
    });
  }
  const level = h("select", { class: "log-level", aria: { label: t("Lines shown") } },
    h("option", { value: "all" }, t("All lines")),
    h("option", { value: "problems" }, t("Errors and warnings")),
    h("option", { value: "errors" }, t("Errors")),
    h("option", { value: "matches" }, t("Matches")));
  level.addEventListener("change", () => actions.filter(/** @type {Filter} */ (level.value)));
  const times = h("select", { class: "log-times", aria: { label: t("Times") } },
    ...TIMES.map((one) => h("option", { value: one }, one === "off" ? t("No times") : one === "elapsed" ? t("Elapsed") : t("Clock"))));
  times.addEventListener("change", () => actions.times(/** @type {import("./times.js").Times} */ (times.value)));
  const wrap = toggle(t("Wrap"), t("Wrap long lines (w)"));
  wrap.addEventListener("click", () => actions.wrap());
  const follow = toggle(t("Follow"), t("Follow new lines (f)"));
  follow.addEventListener("click", () => actions.follow());
  const element = h("div", { class: "log-bar" },
    h("div", { class: "log-search", role: "search" }, field, regex, matchCase, found, up, down),
    h("div", { class: "log-tools" },
      follow, level, wrap, times,
      h("span", { class: "log-links" },
        links.reader ? h("a", { class: "log-link", href: links.reader }, t("Reader")) : null,
        h("a", { class: "log-link", href: links.plain, target: "_blank", rel: "noopener" }, t("Raw")),
        h("a", { class: "log-link", href: links.raw, download: links.name }, t("Download")),
        button(t("Copy link to these lines (y)"), "M6.5 9.5l3-3M7 4.8l1.6-1.6a2.8 2.8 0 0 1 4 4L11 8.8M9 11.2l-1.6 1.6a2.8 2.8 0 0 1-4-4L5 7.2", () => actions.copyLink()),
        button(t("Keys (?)"), "M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.6v.1", () => actions.help()))));
  return {
    element, field,
    /** @param {import("./find.js").Find} find */
    showFind(find) {
      field.dataset.asked = find.query?.text ?? "";
      field.setAttribute("aria-invalid", String(find.error !== ""));
      const text = find.error || (!find.query ? "" : find.count === 0 ? (find.isBusy ? t("Searching…") : t("No match"))
        : find.current ? t("{n} of {count}", { n: count(find.order), count: count(find.count) }) + (find.isBusy ? "…" : "")
          : plural(find.count, "1 match", "{n} matches") + (find.isBusy ? "…" : ""));
      if (found.textContent !== text) found.textContent = text;
      found.title = find.error;
      for (const one of [up, down]) one.disabled = find.count === 0;
    },
    /** @param {{isWrapped: boolean, times: string, filter: string, isLive: boolean, isFollowing: boolean, errors: number, warnings: number}} state */
    show({ isWrapped, times: shown, filter, isLive, isFollowing, errors, warnings }) {
      wrap.setAttribute("aria-pressed", String(isWrapped));
      times.value = shown;
      level.value = filter;
      const [, problems, only] = level.options;
      if (problems) problems.textContent = t("Errors and warnings ({n})", { n: count(errors + warnings) });
      if (only) only.textContent = t("Errors ({n})", { n: count(errors) });
      follow.hidden = !isLive;
      follow.setAttribute("aria-pressed", String(isFollowing));
    },
  };
}

/** @param {string} text @param {string} title */
function toggle(text, title) {
  return h("button", { class: "log-toggle", type: "button", title, aria: { pressed: false, label: text === title ? undefined : title } }, text);
}

/** @param {string} title @param {string} path @param {() => void} run */
function button(title, path, run) {
  return h("button", { class: "log-icon", type: "button", title, aria: { label: title }, on: { click: run } }, icon(path));
}
