// One project and its parts.

import { get } from "../core/api.js";
import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { signal } from "../core/signal.js";
import { runs } from "../core/store.js";
import { empty } from "../ui/empty.js";
import { part, source } from "../ui/fetched.js";
import { loadProjects, whyNot } from "./directory.js";
import { address, crumbs, loadPage, showPage } from "./load.js";
import { newPipeline, pipelineTable } from "./pipelines.js";
import { environmentsPart, hooksPart, membersPart, secretsPart, settingsPart } from "./project-parts.js";
import { noticesPart } from "./project-notices.js";
import { runRow } from "./run-row.js";

const parts = { members: membersPart, environments: environmentsPart, secrets: secretsPart, hooks: hooksPart, notifications: noticesPart, settings: settingsPart };
/** @type {Record<string, string>} */
const words = { members: "Members", environments: "Environments", secrets: "Secrets", hooks: "Hooks", notifications: "Notices", settings: "Settings" };

const PIPELINES_MAX = 50;

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const { project: id, project_name: name } = loaded.place;
  const tab = context.parameters.tab ?? "";
  await loadProjects(!context.isFirst);
  const one = signal(await get(`/api/v1/projects/${id}`));
  const base = address("p", name);
  showPage(context, loaded, () => [
    crumbs([[t("Projects"), "/projects"], [name, null]]),
    h(
      "div",
      { class: "title" },
      h("h1", { class: "break" }, name, tab ? h("span", { class: "hidden" }, `: ${t(words[tab] ?? tab)}`) : null),
      () => (one.value.state === "active" ? null : h("span", { class: "tag" }, one.value.state)),
    ),
    h("nav", { class: "tabs", "aria-label": t("Project") }, [
      ["", t("Pipelines")],
      ...Object.keys(parts).map((part) => [part, t(words[part] ?? part)])
    ].map(([part = "", label]) =>
      h("a", { class: "tab", href: part ? `${base}/-/${part}` : base, "aria-current": part === tab ? "page" : undefined }, label))),
    tab ? parts[/** @type {keyof typeof parts} */ (tab)](id, one) : overview(id, one),
  ]);
}

/** @param {number} id @param {import("../core/signal.js").Signal<any>} one */
function overview(id, one) {
  const recent = signal(/** @type {any[] | null} */ (null));
  get(`/api/v1/pipeline-runs?project_id=${id}&per_page=10`).then((answer) => {
    runs.putAll(answer.items);
    recent.value = answer.items;
  }, () => {});
  const pipelines = source(() => `/api/v1/pipelines?project_id=${id}&per_page=${PIPELINES_MAX}`);
  const mine = () => /** @type {any} */ (pipelines.answer.value)?.items ?? [];
  const why = () => whyNot(id, "maintainer");
  return [
    () => (one.value.description ? h("p", { class: "muted break" }, one.value.description) : null),
    h("section", {
      class: "panel",
      "aria-labelledby": "pipelines",
    }, h("header", null, h("h2", { id: "pipelines" }, t("Pipelines")), h("div", { class: "actions" },
      h(
        "button",
        {
          type: "button",
          class: "button is-small",
          disabled: () => why() !== "",
          title: () => why() || undefined,
          on: { click: () => void newPipeline(id) },
        },
        t("New pipeline"),
      ))),
    part(pipelines, (/** @type {any} */ all) => (all.items.length === 0 ? empty(
      t("No pipelines yet"),
      t("A pipeline is a YAML file that says which steps run, after what, and where."),
    ) : [pipelineTable(mine, {}), all.total > PIPELINES_MAX && h("footer", null, h("a", { href: "/pipelines" }, t("All {n} pipelines", { n: all.total })))]))),
    h("section", { class: "panel runs", "aria-labelledby": "recent" }, h(
      "header",
      null,
      h("h2", { id: "recent" }, t("Latest executions")),
      h("div", { class: "actions" }, h("a", { href: `/runs?project=${encodeURIComponent(one.peek().name)}` }, t("All"))),
    ),
      h(
        "ul",
        { class: "list" },
        each(() => recent.value ?? [], (run) => run.id, (run) => runRow(run.peek().id)),
      ), () => (recent.value?.length === 0 ? h("div", { class: "body muted" }, t("Nothing has run yet.")) : null)),
  ];
}
