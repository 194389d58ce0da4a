// A pipeline's versions and how they differ.

import { get } from "../core/api.js";
import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { query, setQuery } from "../core/router.js";
import { computed } from "../core/signal.js";
import { part, source } from "../ui/fetched.js";
import { since } from "../ui/time.js";
import { address, crumbs, loadPage, showPage } from "./load.js";

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const { project_name: project, pipeline_name: name, pipeline: id } = loaded.place;
  const { items } = await get(`/api/v1/pipelines/${id}/versions`);
  const newest = items[0]?.version ?? 1;
  const to = computed(() => Number(query.value.get("to")) || newest);
  const from = computed(() => Number(query.value.get("from")) || Math.max(1, to.value - 1));
  const difference = source(() => (from.value === to.value ? null : `/api/v1/pipelines/${id}/versions/${from.value}/diff/${to.value}`));
  /** @param {string} label @param {"from" | "to"} which @param {import("../core/signal.js").ReadSignal<number>} value */
  const pick = (label, which, value) => h("label", { class: "pick" }, label, h("select", {
    class: "input",
    on: { change: (/** @type {Event} */ event) => setQuery({ [which]: /** @type {HTMLSelectElement} */ (event.target).value }) },
  },
    items.map((/** @type {any} */ one) => h(
      "option",
      { value: String(one.version), selected: () => value.value === one.version },
      t("version {n}", { n: one.version }),
    ))));
  showPage(context, loaded, () => [
    crumbs([[t("Projects"), "/projects"], [project, address("p", project)], [name, address("p", project, name)], [t("Versions"), null]]),
    h("div", { class: "title" }, h("h1", { class: "break" }, t("Versions of {name}", { name }))),
    h("section", { class: "panel", "aria-labelledby": "difference" }, h(
      "header",
      null,
      h("h2", { id: "difference" }, t("Difference")),
      pick(t("from"), "from", from),
      pick(t("to"), "to", to),
    ),
      h("div", { class: "body form" }, () => from.value === to.value ? h(
        "p",
        { class: "muted" },
        items.length < 2 ? t("There is one version only.") : t("Choose two versions."),
      ) : part(difference, (/** @type {any} */ all) => [
        (all.changes ?? []).length ? h(
          "ul",
          { class: "changes" },
          all.changes.map((/** @type {any} */ one) => h(
            "li",
            null,
            h("span", { class: "tag" }, one.kind),
            " ",
            h("code", null, [one.job, one.step].filter(Boolean).join("/")),
            one.what.length ? h("span", { class: "muted" }, ` ${one.what.join(", ")}`) : null,
          )),
        ) : null,
        diffView(all.text)]))),
    h("section", { class: "panel", "aria-labelledby": "all" }, h(
      "header",
      null,
      h("h2", { id: "all" }, t("All versions")),
    ), h("ul", { class: "list" }, each(items, (/** @type {any} */ one) => one.version, (one) => h("li", { class: "line" },
      h("span", { class: "strong" }, t("version {n}", { n: one.peek().version })), h(
        "span",
        { class: "muted grow" },
        t("by {who}", { who: one.peek().saved_by }),
      ), h("span", { class: "muted" }, since(one.peek().saved_at)),
      h(
        "button",
        {
          type: "button",
          class: "button is-small",
          disabled: one.peek().version === 1,
          on: { click: () => setQuery({ from: one.peek().version - 1, to: one.peek().version }) },
        },
        t("What changed"),
      ))))),
  ]);
}

/**
 * A difference as text with its lines marked; signs say it, colours help.
 * @param {string} text
 */
export function diffView(text) {
  const look = (/** @type {string} */ line) => (
    line.startsWith("@@") || /^(---|\+\+\+) /.test(line) ? "is-place" : line.startsWith("+") ? "is-added" : line.startsWith("-") ? "is-removed" : ""
  );
  return h(
    "pre",
    { class: "diff", tabindex: 0, role: "group", "aria-label": t("Difference") },
    text.replace(/\n$/, "").split("\n").map((line) => h("span", { class: look(line) }, line, "\n")),
  );
}
