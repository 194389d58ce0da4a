// One pipeline: how it goes, its runs, and what starts it.

import { get } from "../core/api.js";
import { barChart } from "../chart/bars.js";
import { fitted } from "../chart/fitted.js";
import { each } from "../core/each.js";
import { duration, percent } from "../core/fmt.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { effect, onCleanup, signal } from "../core/signal.js";
import { runs } from "../core/store.js";
import { live } from "../core/ws.js";
import { empty } from "../ui/empty.js";
import { part, source } from "../ui/fetched.js";
import { statusGlyph, statusLook, statusMark, statusWord } from "../ui/status.js";
import { row, table } from "../ui/table.js";
import { at } from "../ui/time.js";
import { loadProjects, runAddress, whyNot } from "./directory.js";
import { address, crumbs, loadPage, showPage } from "./load.js";
import { startRun } from "./run-actions.js";
import { runRow } from "./run-row.js";

const HEAT_MAX = 30;

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const { project_name: project, pipeline_name: name, pipeline: id, project: projectId } = loaded.place;
  const one = await get(`/api/v1/pipelines/${id}`);
  await loadProjects().catch(() => {});
  const state = source(() => `/api/v1/pipelines/${id}/status`);
  const list = source(() => `/api/v1/pipeline-runs?pipeline_id=${id}&per_page=50`);
  const schedules = source(() => `/api/v1/pipelines/${id}/schedules`);
  const shown = signal(/** @type {any[]} */ ([]));
  effect(() => {
    const items = /** @type {any} */ (list.answer.value)?.items;
    if (!items) return;
    runs.putAll(items);
    shown.value = items;
  });
  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  onCleanup(live().subscribe(`pipeline:${id}`, { event: ({ type, data }) => {
    if (type === "execution_update" && !data.job) runs.patch(
      data.execution_id,
      (run) => ({ ...run, status: data.status, phase: data.phase, message: data.message }),
    );
    timer ??= setTimeout(() => {
      timer = null;
      list.again();
      state.again();
    }, 800);
  } }));
  onCleanup(() => clearTimeout(timer ?? undefined));
  const base = address("p", project, name);
  const why = whyNot(projectId, "developer") || (one.enabled ? "" : t("It is paused."));

  showPage(context, loaded, () => [
    crumbs([[t("Projects"), "/projects"], [project, address("p", project)], [name, null]]),
    h("div", { class: "title" }, h("h1", { class: "break" }, name), one.enabled ? null : h("span", { class: "tag" }, t("paused")),
      h("div", { class: "actions" }, h("a", { class: "button", href: `${base}/edit` }, t("Edit")), h(
        "a",
        { class: "button", href: `${base}/history` },
        t("Versions"),
      ), h(
        "a",
        { class: "button", href: `${base}/settings` },
        t("Settings"),
      ),
        h(
          "button",
          { type: "button", class: "button is-primary", disabled: why !== "", title: why || undefined, on: { click: () => void startRun(id) } },
          t("Run"),
        ))),
    h(
      "div",
      { class: "facts" },
      h("span", null, t("version {n}", { n: one.version })),
      one.repository ? h(
        "span",
        { class: "break" },
        one.repository.url,
        " ",
        h("code", null, one.repository.ref),
      ) : h("span", null, t("no repository")),
      h("span", null, t("changed"), " ", at(one.updated_at)),
    ),
    h("div", { class: "grid is-small" },
      h("section", { class: "panel" }, h(
        "header",
        null,
        h("h2", null, t("Health")),
      ), h("div", { class: "body form" }, part(state, (/** @type {any} */ all) => [
        h(
          "div",
          { class: "figure" },
          percent(all.recent_success_rate),
          h("span", { class: "muted small" }, plural(all.recent_finished, "good of the last one", "good of the last {n}")),
        ),
        h(
          "p",
          { class: "facts" },
          all.last_run ? h("span", null, t("Last run:"), statusMark(all.last_run.status)) : h("span", null, t("It has never run.")),
          all.total_runs ? h("span", null, plural(all.total_runs, "one run in all", "{n} runs in all")) : null,
        ), heat(shown)]))),
      h("section", { class: "panel" }, h("header", null, h("h2", null, t("Durations"))), h("div", { class: "body form" }, () => {
        const done = shown.value.filter((run) => run.duration_ms !== null).slice(0, 40).reverse();
        return done.length ? fitted((size) => barChart({
          title: t("Durations of the last runs"), size, isPart: true, labels: done.map((run) => `#${run.number}`), format: (ms) => duration(ms),
          series: [{ label: t("Duration"), tone: "accent", values: done.map((run) => run.duration_ms) }],
        })) : h("p", { class: "muted" }, t("Nothing has ended yet."));
      }))),
    part(schedules, (/** @type {any} */ all) => all.items.length === 0 ? null : h("section", { class: "panel" }, h(
      "header",
      null,
      h("h2", null, t("Schedules")),
    ),
      table(
        t("Schedules"),
        [t("Name"), t("Rule"), t("Next"), t("State")],
        all.items.map((/** @type {any} */ plan) => row(
          plan.name,
          h("code", null, `${plan.at} ${plan.zone}`),
          plan.next[0] ? at(plan.next[0]) : "–",
          plan.enabled ? t("on") : t("off"),
        )),
      )), 0),
    h("section", { class: "panel runs", "aria-labelledby": "runs" }, h(
      "header",
      null,
      h("h2", { id: "runs" }, t("Runs")),
      h(
        "div",
        { class: "actions" },
        h("a", { href: `/runs?project=${encodeURIComponent(project)}&pipeline=${encodeURIComponent(name)}` }, t("All, with filters")),
      ),
    ),
      part(list, () => null), h("ul", { class: "list" }, each(() => shown.value, (run) => run.id, (run) => runRow(run.peek().id))),
      () => (list.answer.value && shown.value.length === 0 ? empty(
        t("It has never run"),
        t("Start it here, or let a push, a schedule or a webhook do it."),
      ) : null)),
  ]);
}

/**
 * The last runs in a row, newest last.
 * @param {import("../core/signal.js").Signal<any[]>} shown
 */
const heat = (shown) => h("ol", { class: "heat", "aria-label": t("Last runs, newest last") }, each(() => shown.value.slice(0, HEAT_MAX).reverse(), (run) => run.id, (run) => h("li", null,
  h("a", { class: () => ["cell", statusLook(runs.get(run.value.id)?.status)].join(" "), href: () => runAddress(run.value),
    "aria-label": () => `#${run.value.number}: ${statusWord(runs.get(run.value.id)?.status)}`,
    title: () => `#${run.value.number} ${statusWord(runs.get(run.value.id)?.status)} ${duration(run.value.duration_ms)}` },
  () => statusGlyph(runs.get(run.value.id)?.status)))));
