// What waits, and why.

import { get } from "../core/api.js";
import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { onCleanup, signal } from "../core/signal.js";
import { live } from "../core/ws.js";
import { empty, failure } from "../ui/empty.js";
import { statusGlyph } from "../ui/status.js";
import { table } from "../ui/table.js";
import { since } from "../ui/time.js";
import { loadProjects, runAddress } from "./directory.js";
import { loadPage, showPage } from "./load.js";

const RUNS_MAX = 40;

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  await loadProjects().catch(() => {});
  const rows = signal(/** @type {any[] | null} */ (null));
  const more = signal(0);
  const fault = signal(/** @type {unknown} */ (null));

  async function load() {
    try {
      const lists = await Promise.all(["pending", "blocked", "running"].map((status) => get(`/api/v1/pipeline-runs?per_page=20&status=${status}`)));
      const active = lists.flatMap((list) => list.items).sort((a, b) => a.id - b.id);
      more.value = lists.reduce((sum, list) => sum + list.total, 0) - Math.min(active.length, RUNS_MAX);
      const details = await Promise.all(active.slice(0, RUNS_MAX).map((run) => get(`/api/v1/pipeline-runs/${run.id}`).catch(() => null)));
      rows.value = details.filter(Boolean).flatMap((run) => run.waiting.filter((/** @type {any} */ one) => one.kind !== "needs").map(
        (/** @type {any} */ one, /** @type {number} */ at) => ({ ...one, run, id: `${run.id} ${one.job} ${one.step ?? ""} ${at}` }),
      ));
      fault.value = null;
    } catch (error) {
      fault.value = error;
    }
  }
  await load();
  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      if (!document.hidden) void load();
    }, 1500);
  };
  const beat = setInterval(soon, 10_000);
  onCleanup(() => clearInterval(beat));
  onCleanup(() => clearTimeout(timer ?? undefined));
  onCleanup(live().subscribe("system", { event: soon, aside: ({ type }) => { if (type !== "system_notice") soon(); } }));

  showPage(context, loaded, () => [
    h("div", { class: "title" }, h("h1", null, t("Queue")), h("span", { class: "count" }, () => rows.value?.length ?? 0)),
    () => (fault.value ? failure(fault.value, () => void load()) : null),
    h("section", { class: "panel", "aria-label": t("What waits") }, () => rows.value === null ? null : rows.value.length === 0 ? empty(
      t("Nothing waits"),
      t("What waits for an agent, a group or somebody's word stands here, with the reason."),
      h("a", { class: "button", href: "/runs?state=running" }, t("What runs")),
    )
      : table(t("What waits"), [
        t("Execution"),
        t("Part"),
        t("Why"),
        { name: t("Place"), isNumber: true },
        { name: t("Since"), isNumber: true },
      ], each(() => rows.value ?? [], (one) => one.id, (one) => h("tr", null,
        h(
          "td",
          null,
          h("a", { class: "strong", href: () => runAddress(one.value.run) }, () => `${one.value.run.pipeline_name} #${one.value.run.number}`),
        ),
        h("td", { class: "break" }, () => [one.value.job || t("Whole run"), one.value.step].filter(Boolean).join("/")),
        h("td", { class: "break" }, () => [h("span", { class: "status why" }, statusGlyph(one.value.kind === "approval" ? "approval" : "pending"), h("span", null, one.value.message)),
          one.value.candidates.filter((/** @type {any} */ two) => two.lacks).slice(0, 4).map((/** @type {any} */ two) => h(
            "div",
            { class: "muted small" },
            t("{agent} lacks {labels}", { agent: two.agent, labels: two.lacks }),
          )),
          one.value.front.slice(0, 3).map((/** @type {any} */ two) => h(
            "div",
            { class: "muted small" },
            two.holds ? t(
              "held by {name}",
              { name: `${two.pipeline_name} #${two.number}` },
            ) : t("behind {name}", { name: `${two.pipeline_name} #${two.number}` }),
          ))]),
        h("td", { class: "num" }, () => one.value.position ?? "–"), h("td", { class: "num muted" }, () => since(one.value.run.created_at)))))),
    () => (more.value > 0 ? h("p", { class: "muted" }, t("{n} further executions are active and not looked at here.", { n: more.value })) : null),
  ]);
}
