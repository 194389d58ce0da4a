// One run in a list.

import { sha } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { runs } from "../core/store.js";
import { menuButton } from "../ui/menu.js";
import { statusMark } from "../ui/status.js";
import { elapsed, since } from "../ui/time.js";
import { projectOf, runAddress } from "./directory.js";
import { runItems } from "./run-actions.js";

/** @typedef {import("../core/store.js").Run} Run */

/**
 * Where it comes from: branch or tag, commit, and who or what began it.
 * @param {Run} run
 */
export function runSource(run) {
  return [
    run.branch || run.tag ? h("span", { class: "tag" }, h("span", { class: "cut" }, run.tag || run.branch)) : null,
    run.commit ? h("code", { title: run.commit }, sha(run.commit)) : null,
  ];
}

/**
 * What there is to say in one line.
 * @param {Run} run
 */
export function runWords(run) {
  if (run.message && run.phase === "finished" && run.status !== "success") return run.message;
  return "";
}

/**
 * What it does, or that it does nothing but wait for somebody's word.
 * @param {Run} run
 */
const shownStatus = (run) => (run.status === "running" && run.progress?.awaits_approval ? "approval" : run.status);

/**
 * How far it has come, where it has several jobs.
 * @param {Run} run
 */
function runProgress(run) {
  const { progress } = run;
  if (run.phase === "finished" || !progress || progress.jobs < 2 || progress.finished === 0) return null;
  const words = t("{n} of {jobs} jobs", { n: progress.finished, jobs: progress.jobs });
  return h("span", { class: "progress" }, h("progress", { max: progress.jobs, value: progress.finished, "aria-label": words }), words);
}

/** @param {Run} run */
export const startedBy = (run) => (run.event === "manual" ? run.actor : run.actor ? t(
  "{event} by {actor}",
  { event: run.event.replace("_", " "), actor: run.actor },
) : run.event);

/** @param {number} id @param {{ hasMenu?: boolean, hasProject?: boolean }} [options] `hasProject`: it is told whose pipeline it is */
export function runRow(id, options = {}) {
  const slot = runs.slot(id);
  const read = () => /** @type {Run} */ (slot.value);
  return h("li", { class: "run-row", data: { run: id } },
    statusMark(() => shownStatus(read())),
    h(
      "div",
      { class: "name" },
      options.hasProject ? () => h("span", { class: "project" }, h("span", { class: "cut" }, projectOf(read().project_id)?.name ?? "")) : null,
      h("a", { class: "cut", href: () => runAddress(read()) }, () => read().pipeline_name),
      h("span", { class: "muted" }, () => `#${read().number}`),
    ),
    h(
      "div",
      { class: "what" },
      options.hasProject ? () => h("span", { class: "cut project" }, projectOf(read().project_id)?.name ?? "") : null,
      () => runSource(read()),
      () => runProgress(read()),
      h("span", { class: "cut", title: () => runWords(read()) || undefined }, () => runWords(read())),
    ),
    h("div", { class: "by muted cut" }, () => startedBy(read())),
    h("div", { class: "num" }, elapsed(read)),
    h("div", { class: "num muted age" }, () => since(read().created_at)),
    options.hasMenu === false ? h("span") : h(
      "div",
      { class: "menu" },
      menuButton(
        { label: t("Actions for {name} #{number}", { name: slot.peek()?.pipeline_name ?? "", number: slot.peek()?.number ?? "" }) },
        () => runItems(read()),
      ),
    ));
}
