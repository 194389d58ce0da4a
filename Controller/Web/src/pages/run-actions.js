// What can be done to a run: started, repeated, cancelled, let through. Each says what it did, and what stood in the way.

import { get, post } from "../core/api.js";
import { announce } from "../core/a11y.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { go } from "../core/router.js";
import { signal } from "../core/signal.js";
import { field, showDialog } from "../ui/dialog.js";
import { toast } from "../ui/toast.js";
import { directory, loadDirectory, loadProjects, runAddress, whyNot } from "./directory.js";

/** @typedef {import("../core/store.js").Run} Run */
const API = "/api/v1/pipeline-runs";

/** @param {Run} run */
export const cancelRun = (run) => showDialog({
  title: t("Cancel {name} #{number}?", { name: run.pipeline_name, number: run.number }),
  body: () => [
    h("p", { class: "muted" }, t("Steps that run are stopped; clean-up steps still run unless you leave them out.")),
    field({ label: t("Reason"), name: "reason", hint: t("Kept with the run.") }, (props) => h("input", { ...props, class: "input", maxlength: 500 })),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "skip_finally" }), t("Leave out clean-up steps")),
  ],
  action: t("Cancel the run"), cancel: t("Keep it running"), isDanger: true,
  submit: async (form) => {
    await post(`${API}/${run.id}/cancel`, { ...(form.get("reason") ? { reason: form.get("reason") } : {}), skip_finally: form.has("skip_finally") });
    toast(t("Cancelling {name} #{number}", { name: run.pipeline_name, number: run.number }));
  },
});

/**
 * @param {Run} run
 * @param {{ mode?: "all" | "failed" | "from", job?: string, step?: string, latest?: boolean }} how
 */
export async function rerun(run, how) {
  const made = await post(`${API}/${run.id}/rerun`, how);
  toast(t("Started {name} #{number}", { name: made.pipeline_name, number: made.number }));
  await loadProjects();
  go(runAddress(made));
}

/**
 * @param {Run} run
 * @returns {import("../ui/menu.js").Item[]}
 */
export function rerunItems(
  run,
  onError = (/** @type {unknown} */ error) => toast(String(error instanceof Error ? error.message : error), { isBad: true }),
) {
  const why = whyNot(run.project_id, "developer") || (run.phase === "finished" ? "" : t("It has not ended."));
  const good = run.status === "success" ? t("Nothing of it failed.") : "";
  /** @param {{ mode?: "all" | "failed", latest?: boolean }} how */
  const start = (how) => () => void rerun(run, how).catch(onError);
  return [
    { label: t("Rerun all"), why, run: start({ mode: "all" }) },
    { label: t("Rerun failed only"), why: why || good, run: start({ mode: "failed" }) },
    { label: t("Rerun with the newest definition"), why, run: start({ latest: true }) },
  ];
}

/** @param {Run} run @returns {import("../ui/menu.js").Item[]} */
export function runItems(run) {
  const why = whyNot(run.project_id, "developer");
  return [
    { label: t("Open"), href: runAddress(run) },
    ...rerunItems(run),
    "line",
    { label: t("Cancel…"), isDanger: true, why: why || (run.phase === "finished" ? t("It has ended.") : ""), run: () => void cancelRun(run) },
  ];
}

/**
 * @param {{ run_id: number, job: string | null, message: string | null, inputs: any[] }} approval
 * @param {boolean} isYes
 * @param {string} name
 */
export function answerApproval(approval, isYes, name) {
  const what = approval.job ? t("{job} of {name}", { job: approval.job, name }) : name;
  return showDialog({
    title: isYes ? t("Approve {what}?", { what }) : t("Decline {what}?", { what }),
    body: () => [
      approval.message && h("p", null, approval.message),
      isYes ? inputFields(approval.inputs) : null,
      field({ label: t("Reason"), name: "reason", hint: t("Kept with the run, with your name.") }, (props) =>
        h("textarea", { ...props, class: "input", rows: 2, maxlength: 500 })),
    ],
    action: isYes ? t("Approve") : t("Decline"), isDanger: !isYes,
    submit: async (form) => {
      /** @type {Record<string, unknown>} */ const body = {};
      if (approval.job) body.job = approval.job;
      if (form.get("reason")) body.reason = form.get("reason");
      if (isYes && approval.inputs.length) body.inputs = inputValues(approval.inputs, form);
      await post(`${API}/${approval.run_id}/${isYes ? "approve" : "decline"}`, body);
      toast(isYes ? t("Approved {what}", { what }) : t("Declined {what}", { what }));
    },
  });
}

/** @typedef {{ name: string, type: string, options: string[] | null, required: boolean, default: any, description: string | null }} Input */

/** @param {Input[]} inputs */
export const inputFields = (inputs) => inputs.map((input) =>
  field({
    label: input.required ? t("{name} (required)", { name: input.name }) : input.name,
    name: `inputs.${input.name}`,
    hint: input.description ?? undefined,
  }, (props) => {
    if (input.options?.length) {
      return h("select", { ...props, class: "input", value: String(input.default ?? input.options[0]) },
        input.options.map((option) => h("option", { value: option }, option)));
    }
    if (input.type === "boolean") {
      return h(
        "select",
        { ...props, class: "input", value: String(input.default ?? false) },
        h("option", { value: "true" }, t("yes")),
        h("option", { value: "false" }, t("no")),
      );
    }
    return h(
      "input",
      {
        ...props,
        class: "input",
        type: input.type === "number" ? "number" : "text",
        step: "any",
        value: input.default ?? "",
        required: input.required,
      },
    );
  }));

/** @param {Input[]} inputs @param {FormData} form */
export function inputValues(inputs, form) {
  /** @type {Record<string, string | number | boolean>} */ const values = {};
  for (const input of inputs) {
    const text = String(form.get(`inputs.${input.name}`) ?? "");
    if (text === "" && !input.required) continue;
    values[input.name] = input.type === "boolean" ? text === "true" : input.type === "number" && text !== "" ? Number(text) : text;
  }
  return values;
}

/**
 * Starts a run, of a pipeline that is asked for where none is given.
 * @param {number} [pipelineId]
 */
export async function startRun(pipelineId) {
  await loadDirectory();
  const chosen = signal(pipelineId ?? 0);
  const inputs = signal(/** @type {Input[]} */ ([]));
  const usable = directory.peek().pipelines.filter((one) => one.enabled && !whyNot(one.project_id, "developer"));
  if (!chosen.peek()) chosen.value = usable[0]?.id ?? 0;

  async function load() {
    const pipeline = directory.peek().pipelines.find((one) => one.id === chosen.peek());
    inputs.value = [];
    if (!pipeline?.definition) return;
    const verdict = await post(
      "/api/v1/pipelines/validate",
      { definition: pipeline.definition, ...(pipeline.repository ? { repository_url: pipeline.repository.url } : {}) },
    );
    if (chosen.peek() === pipeline.id) inputs.value = verdict.inputs ?? [];
  }
  await load().catch(() => {});

  return showDialog({
    title: t("Run a pipeline"),
    body: () => [
      usable.length === 0 && h("p", { class: "notice is-warning" }, t("There is no pipeline that you may start.")),
      field({ label: t("Pipeline"), name: "pipeline" }, (props) => h("select", {
        ...props, class: "input", value: String(chosen.peek()),
        on: { change: (/** @type {Event} */ event) => {
          chosen.value = Number(/** @type {HTMLSelectElement} */ (event.target).value);
          void load().catch(() => {});
        } },
      }, usable.map((one) => h(
        "option",
        { value: String(one.id) },
        `${directory.peek().projects.find((project) => project.id === one.project_id)?.name ?? ""} / ${one.name}`,
      )))),
      field(
        { label: t("Branch"), name: "branch", hint: t("Empty for the pipeline's own.") },
        (props) => h("input", { ...props, class: "input", autocomplete: "off", spellcheck: "false" }),
      ),
      () => (inputs.value.length ? [h("h3", null, t("Inputs")), inputFields(inputs.value)] : null),
    ],
    action: t("Run"),
    submit: async (form) => {
      /** @type {Record<string, unknown>} */ const body = {};
      if (form.get("branch")) body.branch = form.get("branch");
      if (inputs.peek().length) body.inputs = inputValues(inputs.peek(), form);
      const made = await post(`/api/v1/pipelines/${chosen.peek()}/runs`, body);
      announce(t("Started {name} #{number}", { name: made.pipeline_name, number: made.number }));
      go(runAddress(made));
    },
  });
}

/**
 * Median duration of a pipeline's last good runs, ms; null where there is none.
 * @param {number} pipelineId
 */
export async function usualDuration(pipelineId) {
  const answer = await get(`${API}?per_page=10&pipeline_id=${pipelineId}&status=success`);
  const all = answer.items.map((/** @type {Run} */ run) => run.duration_ms).filter((/** @type {number | null} */ ms) => ms !== null).sort((
    /** @type {number} */ a,
    /** @type {number} */ b,
  ) => a - b);
  return all.length ? /** @type {number} */ (all[Math.floor(all.length / 2)]) : null;
}
