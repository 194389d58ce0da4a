// All pipelines, with how their last run went.

import { get, post } from "../core/api.js";
import { isPrimed } from "../core/boot.js";
import { each } from "../core/each.js";
import { percent } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { go, query, setQuery } from "../core/router.js";
import { computed, signal } from "../core/signal.js";
import { empty } from "../ui/empty.js";
import { field, showDialog } from "../ui/dialog.js";
import { whenSeen } from "../ui/seen.js";
import { statusMark } from "../ui/status.js";
import { table } from "../ui/table.js";
import { since } from "../ui/time.js";
import { directory, loadDirectory, loadProjects, pipelineAddress, projectOf, runAddress, whyNot } from "./directory.js";
import { loadPage, showPage } from "./load.js";
import { startRun } from "./run-actions.js";

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  await loadDirectory(!context.isFirst);
  const shown = computed(() => {
    const text = (query.value.get("q") ?? "").toLowerCase();
    return directory.value.pipelines.filter(
      (one) => one.name.toLowerCase().includes(text) || (projectOf(one.project_id)?.name ?? "").toLowerCase().includes(text),
    );
  });
  showPage(context, loaded, () => [
    h(
      "div",
      { class: "title" },
      h("h1", null, t("Pipelines")),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "button is-primary", on: { click: () => void newPipeline() } }, t("New pipeline")),
      ),
    ),
    h(
      "div",
      { class: "filters" },
      h(
        "input",
        {
          class: "input",
          type: "search",
          "aria-label": t("Filter text"),
          placeholder: t("Pipeline or project"),
          value: () => query.value.get("q") ?? "",
      on: { input: (/** @type {Event} */ event) => setQuery({ q: /** @type {HTMLInputElement} */ (event.target).value }) } })),
    h(
      "section",
      { class: "panel", "aria-label": t("List of pipelines") },
      () => (directory.value.pipelines.length === 0 ? none() : pipelineTable(() => shown.value, { hasProject: true })),
    ),
  ]);
}

const none = () => empty(t("No pipelines yet"), t(
  "A pipeline is a YAML file that says which steps run, after what, and where. Begin with an example and change it.",
),
  h("button", { type: "button", class: "button is-primary", on: { click: () => void newPipeline() } }, t("New pipeline")));

/** @param {() => import("./directory.js").Pipeline[]} pipelines @param {{ hasProject?: boolean }} options */
export function pipelineTable(pipelines, options) {
  return table(t("Pipelines"), [
    t("Pipeline"),
    ...(options.hasProject ? [t("Project")] : []),
    t("Last run"),
    { name: t("Success"), isNumber: true },
    { name: t("When"), isNumber: true },
    "",
  ],
    each(pipelines, (one) => one.id, (one) => {
      const state = signal(/** @type {any} */ (null));
      const path = `/api/v1/pipelines/${one.peek().id}/status`;
      const ask = () => void get(path).then((value) => (state.value = value), () => {});
      const why = () => whyNot(one.value.project_id, "developer") || (one.value.enabled ? "" : t("It is paused."));
      const line = h("tr", null, h(
        "td",
        { class: "break" },
        h("a", { class: "strong", href: () => pipelineAddress(one.value) }, () => one.value.name),
        () => (one.value.enabled ? null : [" ", h("span", { class: "tag" }, t("paused"))]),
      ),
        options.hasProject ? h("td", null, () => projectOf(one.value.project_id)?.name ?? "") : null,
        h(
          "td",
          null,
          () => (state.value?.last_run ? h(
            "a",
            { class: "plain", href: runAddress(state.value.last_run) },
            statusMark(state.value.last_run.status),
            " ",
            h("span", { class: "muted" }, `#${state.value.last_run.number}`),
          ) : h("span", { class: "muted" }, state.value ? t("never") : "…")),
        ),
        h(
          "td",
          { class: "num" },
          () => (
            state.value?.recent_finished ? `${percent(state.value.recent_success_rate)} ${t("of {n}", { n: state.value.recent_finished })}` : "–"
          ),
        ),
        h("td", { class: "num muted" }, () => (state.value?.last_run ? since(state.value.last_run.created_at) : "–")),
        h(
          "td",
          { class: "num" },
          h(
            "button",
            {
              type: "button",
              class: "button is-small",
              disabled: () => why() !== "",
              title: () => why() || undefined,
              "aria-label": t("Run {name}", { name: one.peek().name }),
              on: { click: () => void startRun(one.peek().id) },
            },
            t("Run"),
          ),
        ));
      if (isPrimed(path)) ask();
      else whenSeen(line, ask);
      return line;
    }));
}

const EXAMPLE = "jobs:\n  build:\n    steps:\n      - id: hello\n        run: echo hello\n";

/** @param {number} [projectId] */
export async function newPipeline(projectId) {
  await loadProjects();
  const usable = directory.peek().projects.filter((one) => !whyNot(one.id, "maintainer"));
  await showDialog({
    title: t("New pipeline"),
    body: () => [
      usable.length === 0 && h("p", { class: "notice is-warning" }, t("You are maintainer of no project.")),
      field(
        { label: t("Project"), name: "project_id" },
        (props) => h(
          "select",
          { ...props, class: "input", value: String(projectId ?? usable[0]?.id ?? "") },
          usable.map((one) => h("option", { value: String(one.id) }, one.name)),
        ),
      ),
      field(
        { label: t("Name"), name: "name" },
        (props) => h("input", { ...props, class: "input", required: true, autocomplete: "off", spellcheck: "false" }),
      ),
      field(
        { label: t("Repository"), name: "repository", hint: t("Its address, where the steps work on one. May be empty.") },
        (props) => h("input", { ...props, class: "input", autocomplete: "off", spellcheck: "false" }),
      ),
    ],
    action: t("Make and edit"),
    submit: async (form) => {
      const url = String(form.get("repository") ?? "");
      const made = await post(
        "/api/v1/pipelines",
        { project_id: Number(form.get("project_id")), name: form.get("name"), definition: EXAMPLE, ...(url ? { repository: { url } } : {}) },
      );
      await loadDirectory(true);
      go(`${pipelineAddress(made)}/edit`);
    },
  });
}
