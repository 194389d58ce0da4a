// The first page: what needs one's word, what fails now, and how things go.

import { barChart } from "../chart/bars.js";
import { fitted } from "../chart/fitted.js";
import { lineChart } from "../chart/line.js";
import { clock, count, day, duration, percent, bytes } from "../core/fmt.js";
import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { query, setQuery } from "../core/router.js";
import { computed, effect, onCleanup } from "../core/signal.js";
import { runs } from "../core/store.js";
import { live } from "../core/ws.js";
import { hasScope } from "../core/boot.js";
import { empty } from "../ui/empty.js";
import { part, source } from "../ui/fetched.js";
import { statusGlyph, statusMark } from "../ui/status.js";
import { number, row, table } from "../ui/table.js";
import { since } from "../ui/time.js";
import { alertsPanel } from "./alerts.js";
import { loadProjects, runAddress } from "./directory.js";
import { loadPage, showPage } from "./load.js";
import { answerApproval, startRun } from "./run-actions.js";
import { runRow } from "./run-row.js";

const windows = ["24h", "7d", "30d"];

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  await loadProjects().catch(() => {});
  const wanted = computed(() => (windows.includes(query.value.get("window") ?? "") ? /** @type {string} */ (query.value.get("window")) : "7d"));
  const approvals = source(() => "/api/v1/approvals?per_page=20");
  const recent = source(() => "/api/v1/pipeline-runs?per_page=20");
  const agents = source(() => "/api/v1/agents", { everyMs: 10_000 });
  const overview = source(() => `/api/v1/analytics/overview?window=${wanted.value}`, { everyMs: 60_000 });
  const trends = source(() => `/api/v1/analytics/trends?window=${wanted.value}`, { everyMs: 60_000 });
  effect(() => {
    runs.putAll(/** @type {any} */ (recent.answer.value)?.items ?? []);
  });
  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  onCleanup(live().subscribe("system", { event: ({ data }) => {
    if (!data.job) runs.patch(data.execution_id, (run) => ({ ...run, status: data.status, phase: data.phase, message: data.message }));
    timer ??= setTimeout(() => {
      timer = null;
      recent.again();
      approvals.again();
    }, 800);
  } }));
  onCleanup(() => clearTimeout(timer ?? undefined));
  const items = () => /** @type {any} */ (recent.answer.value)?.items ?? [];

  showPage(context, loaded, () => [
    h("div", { class: "title" }, h("h1", null, t("Dashboard")), h("div", { class: "actions" },
      h("div", { class: "segments", role: "group", "aria-label": t("Time span") }, windows.map((one) =>
        h("button", {
          type: "button",
          "aria-pressed": () => String(wanted.value === one),
          on: { click: () => setQuery({ window: one === "7d" ? null : one }) },
        },
          t({ "24h": "24 hours", "7d": "7 days", "30d": "30 days" }[one] ?? one)))),
      h("button", { type: "button", class: "button is-primary", on: { click: () => void startRun() } }, t("Run pipeline")))),
    needsYou(approvals),
    alertsPanel(() => /** @type {any} */ (agents.answer.value)?.items ?? []),
    h("div", { class: "grid is-four" },
      card(t("Success rate"), part(
        overview,
        (/** @type {any} */ all) => h(
          "div",
          { class: "figure" },
          percent(all.runs.success_rate),
          h("span", { class: "muted small" }, plural(all.runs.total, "of one run", "of {n} runs")),
        ),
      ),
        part(trends, (/** @type {any} */ all) => fitted((size) => {
          const points = grouped(all.points);
          return barChart({
            title: t("Runs by time"), size, isPart: true, labels: points.map((one) => when(one.at, all.step)), format: count, series: [
              { label: t("Good"), tone: "passed", values: points.map((one) => one.success) },
              { label: t("Failed"), tone: "failed", values: points.map((one) => one.failed) },
            ],
          });
        }))),
      card(t("Duration"), part(
        overview,
        (/** @type {any} */ all) => h(
          "div",
          { class: "figure" },
          duration(all.runs.duration_ms.p50),
          h("span", { class: "muted small" }, t("median · 95 %: {time}", { time: duration(all.runs.duration_ms.p95) })),
        ),
      ),
        part(trends, (/** @type {any} */ all) => times(t("Duration by time"), all, "duration_ms"))),
      card(t("Time in the queue"), part(
        overview,
        (/** @type {any} */ all) => h(
          "div",
          { class: "figure" },
          duration(all.runs.queue_ms.p50),
          h("span", { class: "muted small" }, t("median · 95 %: {time}", { time: duration(all.runs.queue_ms.p95) })),
        ),
      ),
        part(trends, (/** @type {any} */ all) => times(t("Time in the queue by time"), all, "queue_ms"))),
      card(t("Agents"), part(agents, (/** @type {any} */ all) => agentFigures(all.items)))),
    h("div", { class: "grid" }, failing(items), busiest(overview)),
    h("section", { class: "panel runs", "aria-labelledby": "recent" }, h(
      "header",
      null,
      h("h2", { id: "recent" }, t("Latest executions")),
      h("div", { class: "actions" }, h("a", { href: "/runs" }, t("All executions"))),
    ),
      part(recent, () => null), h(
        "ul",
        { class: "list" },
        each(() => items().slice(0, 10), (/** @type {any} */ run) => run.id, (/** @type {any} */ run) => runRow(run.peek().id, { hasProject: true })),
      ),
      () => (recent.answer.value && items().length === 0 ? empty(
        t("No executions yet"),
        t("Start one here, or let a push, a schedule or a webhook do it."),
        h("a", { class: "button is-primary", href: "/pipelines" }, t("Pipelines")),
      ) : null)),
    hasScope("admin") ? inside() : null,
  ]);
}

/** @param {string} at @param {string} step */
const when = (at, step) => (step === "hour" ? `${day(at).slice(5)} ${clock(at).slice(0, 5)}` : day(at).slice(5));

const BARS_MAX = 28;

/**
 * So few parts of time that their bars can be told apart.
 * @param {any[]} points
 * @returns {{ at: string, success: number, failed: number }[]}
 */
function grouped(points) {
  const size = Math.ceil(points.length / BARS_MAX);
  const sum = (/** @type {any[]} */ part, /** @type {string} */ name) => part.reduce((all, one) => all + one[name], 0);
  return Array.from({ length: Math.ceil(points.length / Math.max(1, size)) }, (_, at) => points.slice(at * size, (at + 1) * size))
    .map((part) => ({ at: part[0].at, success: sum(part, "success"), failed: sum(part, "failed") }));
}

/** @param {string} title @param {any} all @param {"duration_ms" | "queue_ms"} field */
const times = (title, all, field) => fitted((size) => lineChart({
  title, size, isPart: true, labels: all.points.map((/** @type {any} */ one) => when(one.at, all.step)), format: (ms) => duration(ms), series: [
    { label: t("Median"), tone: "accent", values: all.points.map((/** @type {any} */ one) => one[field].p50) },
    { label: "95 %", tone: "muted", values: all.points.map((/** @type {any} */ one) => one[field].p95) },
  ],
}));

/** @param {string} title @param {...import("../core/h.js").Child} content */
const card = (title, ...content) => h(
  "section",
  { class: "panel" },
  h("header", null, h("h2", null, title)),
  h("div", { class: "body form" }, ...content),
);

/** @param {any} approvals */
function needsYou(approvals) {
  return () => {
    const all = approvals.answer.value?.items ?? [];
    if (all.length === 0) return null;
    return h("section", { class: "panel", "aria-labelledby": "needs" }, h(
      "header",
      null,
      h("h2", { id: "needs" }, t("Needs you")),
      h("span", { class: "count" }, count(approvals.answer.value.total)),
    ),
      h("ul", { class: "list" }, all.slice(0, 6).map((/** @type {any} */ one) => {
        const name = `${one.pipeline_name} #${one.run_number}`;
        return h("li", { class: "line" }, statusMark("approval", { quiet: true }),
          h("div", { class: "grow break" }, h(
            "a",
            {
              class: "strong",
              href: runAddress({ id: one.run_id, project_id: one.project_id, pipeline_name: one.pipeline_name, number: one.run_number }),
            },
            name,
          ),
            " ", one.job ? t("{job} waits for approval", { job: one.job }) : t("waits for approval"), one.message && h(
              "span",
              { class: "muted" },
              ` · ${one.message}`,
            )),
          h("span", { class: "muted num" }, since(one.asked_at)),
          h("div", { class: "actions" }, [true, false].map((isYes) => h("button", { type: "button", class: ["button is-small", isYes && "is-primary"],
            "aria-label": isYes ? t("Approve {name}", { name }) : t("Decline {name}", { name }),
            on: {
              click: () => void answerApproval(one, isYes, name).then((done) => done && approvals.again()),
            } }, isYes ? t("Approve") : t("Decline")))));
      })));
  };
}

/** @param {any[]} agents */
function agentFigures(agents) {
  const usable = agents.filter((one) => !one.revoked);
  const by = (/** @type {string} */ status) => usable.filter((one) => one.status === status).length;
  const slots = usable.filter((one) => one.connected).reduce((sum, one) => sum + one.slots, 0);
  const busy = usable.reduce((sum, one) => sum + one.busy, 0);
  if (usable.length === 0) return [h("p", { class: "muted" }, t("No agents yet.")), h("a", { href: "/agents" }, t("Add one"))];
  return [h("div", { class: "figure" }, `${busy} / ${slots}`, h("span", { class: "muted small" }, " ", t("slots busy"))),
    h(
      "div",
      { class: "meter", role: "img", "aria-label": t("{busy} of {slots} slots are busy", { busy, slots }) },
      h("span", { vars: { "--share": slots ? busy / slots : 0 } }),
    ),
    h("p", { class: "facts" }, h(
      "a",
      { href: "/agents" },
      plural(usable.length, "one agent", "{n} agents"),
    ), by("offline") ? h("span", { class: "is-warning" }, t("{n} offline", { n: by("offline") })) : null,
      by("paused") ? h("span", null, t("{n} paused", { n: by("paused") })) : null)];
}

/**
 * Pipelines whose newest finished run failed.
 * @param {() => any[]} items
 */
function failing(items) {
  const found = computed(() => {
    /** @type {Map<number, any>} */ const newest = new Map();
    for (const run of items()) if (run.phase === "finished" && !newest.has(run.pipeline_id)) newest.set(run.pipeline_id, run);
    return [...newest.values()].filter((run) => run.status === "failed");
  });
  return h("section", { class: "panel", "aria-labelledby": "failing" }, h(
    "header",
    null,
    h("h2", { id: "failing" }, t("Failing now")),
    h("span", { class: "count" }, () => found.value.length),
  ),
    () => found.value.length === 0 ? h(
      "div",
      { class: "body muted" },
      h("span", { class: "status is-passed" }, statusGlyph("success"), t("Nothing fails.")),
    )
      : h("ul", { class: "list" }, found.value.map((run) => h("li", { class: "line" }, statusGlyph("failed"), h("div", { class: "grow break" },
        h(
          "a",
          { class: "strong", href: runAddress(run) },
          `${run.pipeline_name} #${run.number}`,
        ), h("div", { class: "muted cut" }, run.message ?? "")), h(
          "span",
          { class: "muted num" },
          since(run.finished_at),
        )))));
}

/** @param {any} overview */
function busiest(overview) {
  return h("section", { class: "panel", "aria-labelledby": "busiest" }, h("header", null, h("h2", { id: "busiest" }, t("Busiest pipelines"))),
    part(overview, (/** @type {any} */ all) => all.pipelines.length === 0 ? h("div", { class: "body muted" }, t("Nothing ran in this time."))
      : table(t("Busiest pipelines"), [
        t("Pipeline"),
        { name: t("Runs"), isNumber: true },
        { name: t("Success"), isNumber: true },
        { name: t("Median"), isNumber: true },
      ],
        all.pipelines.slice(0, 8).map((/** @type {any} */ one) => row(
          one.name,
          number(count(one.total)),
          number(percent(one.success_rate)),
          number(duration(one.duration_ms.p50)),
        )))));
}

/** What operators look at. */
function inside() {
  const caches = source(() => "/api/v1/system/cache", { everyMs: 30_000 });
  const calls = source(() => "/api/v1/analytics/api?window=24h", { everyMs: 60_000 });
  return h("div", { class: "grid" },
    h("section", { class: "panel" }, h("header", null, h("h2", null, t("Caches"))), part(caches, (/** @type {any} */ all) =>
      table(t("Caches"), [t("Cache"), { name: t("Hits"), isNumber: true }, { name: t("Size"), isNumber: true }],
        (all.caches ?? all.items ?? []).map((/** @type {any} */ one) => row(
          one.name,
          number(percent(one.hits + one.misses ? one.hits / (one.hits + one.misses) : null)),
          number(bytes(one.bytes)),
        ))))),
    h("section", { class: "panel" }, h("header", null, h("h2", null, t("API, 24 hours"))), part(calls, (/** @type {any} */ all) =>
      all.routes.length === 0 ? h("p", { class: "body muted" }, t("Nothing is counted yet; the figures are put together every few minutes.")) : table(t("API, 24 hours"), [
        t("Operation"),
        { name: t("Calls"), isNumber: true },
        { name: t("Failed"), isNumber: true },
        { name: "p95", isNumber: true },
      ],
        all.routes.slice(0, 8).map((/** @type {any} */ one) => row(
          h("code", null, one.operation),
          number(count(one.requests)),
          number(count(one.failed)),
          number(t("{n} ms", { n: ((one.duration_us.p95 ?? 0) / 1000).toFixed(1) })),
        ))))));
}
