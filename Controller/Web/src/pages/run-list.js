// The run's jobs and steps as a list.

import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { statusMark } from "../ui/status.js";
import { elapsed } from "../ui/time.js";

/**
 * @param {import("../core/signal.js").ReadSignal<import("./run-state.js").RunDetail>} run
 * @param {import("../core/signal.js").ReadSignal<import("./run-state.js").Step | undefined>} selected
 * @param {(key: string) => void} select
 */
export function runList(run, selected, select) {
  return h("ul", { class: "jobs" }, each(() => run.value.jobs, (job) => job.id, (job) => h("li", { class: "job" },
    h("div", { class: "job-head" }, statusMark(() => job.value.status, { quiet: true }), h("h3", { class: "cut" }, () => job.value.title),
      h("span", { class: "muted cut grow" }, () => words(job.value)), h("span", { class: "num muted" }, elapsed(() => job.value))),
    h("ul", null, each(() => job.value.steps, (step) => step.id, (step) => h("li", null,
      h("button", {
        type: "button", class: () => ["step-row", selected.value?.key === step.value.key && "is-selected"].filter(Boolean).join(" "),
        "aria-pressed": () => String(selected.value?.key === step.value.key), on: { click: () => select(step.peek().key) },
      }, statusMark(() => step.value.status, { quiet: true }), h("span", { class: "cut" }, () => step.value.title),
      h("span", { class: "muted cut grow" }, () => note(step.value)), h("span", { class: "num muted" }, elapsed(() => step.value)))))))));
}

/** @param {import("./run-state.js").Job} job */
function words(job) {
  const waits = job.waiting[0]?.message ?? "";
  const agent = job.agent ? t("on {agent}", { agent: job.agent }) : "";
  return job.phase === "finished" ? (job.status === "success" ? agent : job.message ?? agent) : waits || agent;
}

/** @param {import("./run-state.js").Step} step */
function note(step) {
  const parts = [];
  if (step.attempts.length > 1) parts.push(plural(step.attempts.length, "one attempt", "{n} attempts"));
  if (step.exit_code) parts.push(t("exit {code}", { code: step.exit_code }));
  else if (step.status === "failed" && step.message) parts.push(step.message);
  if (step.waiting[0] && step.phase !== "finished") parts.push(step.waiting[0].message);
  return parts.join(" · ");
}
