// The selected step: attempts, and what there is of it in tabs.

import { each } from "../core/each.js";
import { bytes, count, duration, moment } from "../core/fmt.js";
import { get } from "../core/api.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { query, setQuery } from "../core/router.js";
import { computed, effect, onCleanup, Scope, signal, untracked } from "../core/signal.js";
import { empty, failure, skeleton } from "../ui/empty.js";
import { statusGlyph, statusMark } from "../ui/status.js";
import { table } from "../ui/table.js";
import { tabList } from "../ui/tabs.js";
import { elapsed } from "../ui/time.js";
import { whyNot } from "./directory.js";
import { jobOf } from "./run-state.js";
import { rerun } from "./run-actions.js";
import { toastError } from "../ui/toast.js";

const API = "/api/v1/pipeline-runs";
/** Comes beside the page, not before it. */
export const viewerModule = () => import("../log/mount.js");
/** @typedef {import("../core/signal.js").ReadSignal<import("./run-state.js").RunDetail>} ReadRun */
/** @typedef {import("./run-state.js").Step} Step */

/** @param {ReadRun} run @param {import("../core/signal.js").ReadSignal<Step | undefined>} selected @param {(key: string) => void} select */
export function stepPanel(run, selected, select) {
  const key = computed(() => selected.value?.key ?? "");
  const attempt = computed(() => {
    const all = selected.value?.attempts ?? [];
    const wanted = Number(query.value.get("attempt"));
    return all.find((one) => one.number === wanted) ?? all[all.length - 1];
  });
  const tab = computed(() => query.value.get("tab") ?? "log");
  const attemptNumber = computed(() => attempt.value?.number ?? 0);
  const tabs = tabList(t("About this run"), () => [
    { id: "log", label: t("Log"), body: () => log(run, selected, key, attemptNumber) },
    { id: "tests", label: t("Tests"), body: () => tests(run) },
    { id: "artifacts", label: t("Artifacts"), body: () => artifacts(run) },
    { id: "inputs", label: t("Inputs"), body: () => inputs(run) },
    { id: "environment", label: t("Environment"), body: () => environment(run, selected, attempt) },
    { id: "events", label: t("Events"), body: () => history(run) },
  ], tab, (id) => setQuery({ tab: id === "log" ? null : id }));
  effect(() => {
    const current = untracked(tabs.current);
    tab.value;
    tabs.panel.replaceChildren(h("div", null, current?.body()));
  });

  return h("section", { class: "panel step", id: "step", "aria-label": t("Selected step"), hidden: () => !selected.value },
    h("header", null,
      () => (selected.value ? statusMark(selected.value.status) : null), h("h2", { class: "break" }, () => selected.value?.key ?? ""),
      h("span", { class: "muted" }, () => facts(selected.value, attempt.value)), h("span", { class: "muted num" }, () => {
        const one = attempt.value;
        return one ? elapsed(() => one)() : "";
      }),
      h("div", { class: "actions" },
        () => {
          const all = selected.value?.attempts ?? [];
          return all.length > 1 ? h("div", { class: "segments", role: "group", "aria-label": t("Attempts") }, all.map((one) =>
            h("button", {
              type: "button",
              "aria-pressed": () => String(attemptNumber.value === one.number),
              on: { click: () => setQuery({ attempt: one.number, L: null }) },
            },
              statusGlyph(one.status), h("span", { class: "hidden" }, t("Attempt")), ` ${one.number}`))) : null;
        },
        () => (run.value.phase === "finished" && selected.value ? h("button", {
          type: "button", class: "button is-small", disabled: () => whyNot(run.value.project_id, "developer") !== "", title: () => whyNot(run.value.project_id, "developer") || undefined,
          on: { click: () => void rerun(
            run.peek(),
            { mode: "from", job: jobOf(run.peek(), /** @type {Step} */ (selected.peek()))?.name ?? "" },
          ).catch(toastError) },
        }, t("Rerun from this job")) : null))),
    tabs.list, tabs.panel);
}

/** @param {Step | undefined} step @param {import("./run-state.js").Attempt | undefined} attempt */
function facts(step, attempt) {
  if (!step) return "";
  const parts = [];
  const code = attempt?.exit_code ?? step.exit_code;
  if (code !== null && code !== undefined) parts.push(t("exit {code}", { code }));
  else if (attempt?.message ?? step.message) parts.push(attempt?.message ?? step.message);
  const agent = attempt?.agent ?? step.agent;
  if (agent) parts.push(t("agent {name}", { name: agent }));
  if (step.attempts.length > 1 && attempt) parts.push(t("attempt {n} of {all}", { n: attempt.number, all: step.attempts.length }));
  return parts.join(" · ");
}

/**
 * @param {ReadRun} run
 * @param {import("../core/signal.js").ReadSignal<Step | undefined>} selected
 * @param {import("../core/signal.js").ReadSignal<string>} key
 * @param {import("../core/signal.js").ReadSignal<number>} attempt
 */
function log(run, selected, key, attempt) {
  const host = h("div", { class: "log-host" });
  effect(() => {
    const step = key.value;
    const number = attempt.value;
    host.replaceChildren();
    const known = untracked(() => selected.value);
    if (!step || !number) {
      const why = known?.waiting[0]?.message ?? untracked(() => (known ? jobOf(run.value, known)?.waiting[0]?.message : "")) ?? "";
      host.classList.remove("is-log");
      host.append(empty(
        known?.status === "skipped" ? t("This step was skipped") : t("This step has not begun"),
        why || known?.message || t("Its log appears here when it starts."),
      ));
      return;
    }
    host.classList.add("is-log");
    const one = known?.attempts.find((other) => other.number === number);
    // A short log that has ended takes the room that it needs.
    const isShort = one?.phase === "finished" && one.log.lines > 0;
    host.toggleAttribute("data-lines", isShort);
    if (isShort) host.style.setProperty("--log-lines", String(one.log.lines));
    const scope = new Scope(null);
    let isGone = false;
    viewerModule().then(({ mountLog }) => {
      if (isGone) return;
      scope.run(() => {
        const viewer = mountLog(host, {
          runId: run.peek().id,
          step,
          attempt: number,
          isLive: one ? one.phase !== "finished" : true,
          isFailed: known?.status === "failed",
          label: step,
          reader: `/runs/${run.peek().id}/steps/${encodeURIComponent(step)}/reader?attempt=${number}`,
        });
        onCleanup(() => viewer.dispose());
        effect(() => {
          const lines = query.value.get("L");
          if (lines) viewer.go(lines);
        });
      });
    }, toastError);
    return () => {
      isGone = true;
      scope.dispose();
    };
  });
  onCleanup(() => host.replaceChildren());
  return host;
}

/**
 * What a call gives, as it comes.
 * @param {() => string} path watched
 * @param {(answer: any) => import("../core/h.js").Child} show
 */
function fetched(path, show) {
  const answer = signal(/** @type {any} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  const again = signal(0);
  effect(() => {
    again.value;
    const wanted = path();
    get(wanted).then((value) => {
      answer.value = value;
      fault.value = null;
    }, (error) => (fault.value = error));
  });
  return () => fault.value ? failure(fault.value, () => again.value++) : answer.value ? show(answer.value) : skeleton(4);
}

/** @param {ReadRun} run */
const phaseOf = (run) => computed(() => `${run.value.phase === "finished"} ${run.value.jobs.filter((job) => job.phase === "finished").length}`);

/** @param {ReadRun} run */
function tests(run) {
  const phase = phaseOf(run);
  return h("div", { class: "body" }, fetched(() => (phase.value, `${API}/${run.peek().id}/tests?per_page=100`), ({ items, summary, total }) => !total
    ? empty(t("No test results"), t("A step that names `reports: { junit: … }` shows its tests here."))
    : [h("p", { class: "facts" }, h(
      "span",
      { class: "strong" },
      plural(summary.total, "one test", "{n} tests"),
    ), h("span", null, statusGlyph("success"), count(summary.passed)),
      h(
        "span",
        null,
        statusGlyph("failed"),
        count(summary.failed + summary.error),
      ), h("span", null, statusGlyph("skipped"), count(summary.skipped)), h("span", null, duration(summary.duration_ms))),
    summary.faults.map((/** @type {string} */ text) => h("p", { class: "notice is-warning" }, text)),
    h("div", { class: "tests-table" }, table(t("Tests"), [t("Result"), t("Test"), t("Job"), { name: t("Time"), isNumber: true }], items.map((/** @type {any} */ one) => h("tr", null,
        h(
          "td",
          null,
          statusMark(
            { passed: "success", failed: "failed", error: "failed", skipped: "skipped" }[/** @type {string} */ (one.outcome)],
            { word: one.outcome },
          ),
        ),
        h(
          "td",
          { class: "break" },
          [one.suite, one.class].filter(Boolean).join(" › "),
          " ",
          h("strong", null, one.name),
          one.message && h("div", { class: "mono muted break tests-message" }, one.message),
        ),
        h("td", null, one.job), h("td", { class: "num" }, duration(one.duration_ms))))))]));
}

/** @param {ReadRun} run */
function artifacts(run) {
  const phase = phaseOf(run);
  return h("div", { class: "body" }, fetched(() => (phase.value, `${API}/${run.peek().id}/artifacts`), ({ items }) => items.length === 0
    ? empty(t("No artifacts"), t("A job keeps files with `artifacts: [{ paths: [\"out/**\"] }]`; they are listed here when it has ended."))
    : [table(t("Artifacts"), [t("File"), t("Job"), { name: t("Size"), isNumber: true }, t("Kept until")], items.map((/** @type {any} */ one) => h("tr", null,
        h(
          "td",
          { class: "break" },
          h(
            "a",
            {
              href: `${API}/${run.peek().id}/artifacts/file?path=${encodeURIComponent(one.path)}${one.job ? `&job=${encodeURIComponent(one.job)}` : ""}`,
              download: true,
            },
            one.path,
          ),
        ),
        h("td", null, one.job), h("td", { class: "num" }, bytes(one.size)), h(
          "td",
          { class: "nowrap" },
          one.expires_at ? moment(one.expires_at) : t("for good"),
        )))),
    h("p", { class: "actions artifacts-all" }, [...new Set(items.map((/** @type {any} */ one) => one.job))].map((job) =>
      h(
        "a",
        { class: "button is-small", href: `${API}/${run.peek().id}/artifacts/archive?job=${encodeURIComponent(String(job))}`, download: true },
        t("All of {job} (tar)", { job: String(job) }),
      )))]));
}

/** @param {[string, import("../core/h.js").Child][]} rows */
const pairs = (rows) => h("dl", { class: "pairs" }, rows.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));

/** @param {ReadRun} run */
function inputs(run) {
  return h("div", { class: "body form" }, () => {
    const given = Object.entries(run.value.inputs);
    const answers = run.value.approvals.filter((one) => one.state !== "waiting");
    return [given.length ? pairs(given.map(
      ([name, value]) => [name, h("code", { class: "break" }, String(value))],
    )) : empty(t("No inputs"), t("This pipeline declares none, or its defaults were taken.")),
      answers.length ? [
        h("h3", null, t("Approvals")),
        pairs(answers.map(
          (one) => [
            one.job ?? t("Whole run"),
            t("{state} by {who}", { state: one.state, who: one.answered_by ?? t("nobody") }) + (one.reason ? `: ${one.reason}` : ""),
          ],
        )),
      ] : null];
  });
}

/**
 * @param {ReadRun} run
 * @param {import("../core/signal.js").ReadSignal<Step | undefined>} selected
 * @param {import("../core/signal.js").ReadSignal<import("./run-state.js").Attempt | undefined>} attempt
 */
function environment(run, selected, attempt) {
  return h("div", { class: "body" }, () => {
    const step = selected.value;
    const job = step && jobOf(run.value, step);
    const one = attempt.value;
    /** @type {[string, import("../core/h.js").Child][]} */
    const rows = [[t("Event"), run.value.event], [t("Branch"), run.value.branch || "–"], [
      t("Commit"),
      h("code", { class: "break" }, run.value.commit || "–"),
    ],
      [t("Definition"), t("version {n}", { n: run.value.pipeline_version })], [
        t("Trusted"),
        run.value.trusted ? t("yes") : t("no: it got no secrets"),
      ], [t("Agent"), one?.agent ?? step?.agent ?? "–"]];
    if (job?.environment) rows.push([t("Deploys to"), job.environment]);
    if (job && Object.keys(job.matrix).length) rows.push([
      t("Matrix"),
      Object.entries(job.matrix).map(([axis, value]) => `${axis}=${value}`).join(", "),
    ]);
    if (one?.usage) {
      rows.push(
        [t("CPU time"), `${duration((one.usage.cpu_user_ms ?? 0) + (one.usage.cpu_system_ms ?? 0))}`],
        [t("Largest memory"), bytes(one.usage.memory_peak_bytes)],
      );
      rows.push([t("Log"), `${plural(one.log.lines, "one line", "{n} lines")}, ${bytes(one.log.bytes)}`]);
    }
    const outputs = { ...(job?.outputs ?? {}), ...(one?.outputs ?? {}) };
    for (const [name, value] of Object.entries(outputs)) rows.push([t("Output {name}", { name }), h("code", { class: "break" }, value)]);
    return pairs(rows);
  });
}

/** @param {ReadRun} run */
function history(run) {
  const rows = signal(/** @type {any[]} */ ([]));
  const fault = signal(/** @type {unknown} */ (null));
  let isLoading = false;
  const seq = computed(() => run.value.seq);
  effect(() => {
    seq.value;
    void more();
  });
  async function more() {
    if (isLoading) return;
    isLoading = true;
    try {
      for (;;) {
        const after = rows.peek()[rows.peek().length - 1]?.seq ?? 0;
        const page = await get(`${API}/${run.peek().id}/events?after=${after}&limit=500`);
        if (page.items.length) rows.value = [...rows.peek(), ...page.items];
        if (page.items.length < 500 || rows.peek().length >= 5000) break;
      }
    } catch (error) {
      fault.value = error;
    } finally {
      isLoading = false;
    }
  }
  return [() => (fault.value ? failure(fault.value) : null), table(t("Events"), ["#", t("When"), t("What"), t("State"), t("Words")], each(rows, (row) => row.seq, (row) => {
      const { seq: number, at, data } = row.peek();
      const part = data.job && typeof data.job === "object" ? data.job : data;
      return h("tr", null, h("td", { class: "muted" }, number), h("td", { class: "nowrap" }, moment(at)), h(
        "td",
        { class: "break" },
        data.step ?? data.job?.name ?? t("Run"),
      ),
        h("td", null, statusMark(part.status)), h("td", { class: "muted break" }, part.message ?? part.phase));
    }))];
}
