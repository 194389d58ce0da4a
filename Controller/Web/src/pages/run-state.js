// A run's state, and how events change it. Pure: it is tested without a browser.

/**
 * @typedef {{ id: number, number: number, agent: string | null, status: string, phase: string, cause: string | null, message: string | null, exit_code: number | null,
 *   signal: number | null, created_at: string, started_at: string | null, finished_at: string | null, duration_ms: number | null,
 *   outputs: Record<string, string>, usage: Record<string, number>, log: { state: string, bytes: number, lines: number } }} Attempt
 * @typedef {{ job: string, step: string | null, kind: string, message: string, position: number | null, candidates: any[], front: any[], remaining_ms: number | null }} Waiting
 * @typedef {{ id: number, name: string, key: string, title: string, status: string, phase: string, result: string | null, cause: string | null, message: string | null,
 *   stage: string | null, built_in: boolean, needs: string[], allow_failure: boolean | number[], waiting: Waiting[], attempt: number | null, agent: string | null,
 *   exit_code: number | null, started_at: string | null, finished_at: string | null, duration_ms: number | null, attempts: Attempt[] }} Step
 * @typedef {{ id: number, name: string, title: string, status: string, phase: string, result: string | null, cause: string | null, message: string | null, group: string | null,
 *   matrix: Record<string, any>, needs: string[], environment: string | null, outputs: Record<string, string>, agent: string | null, queued_at: string | null,
 *   started_at: string | null, finished_at: string | null, duration_ms: number | null, waiting: Waiting[], steps: Step[], allow_failure: boolean | number[] }} Job
 * @typedef {{ job: string | null, state: string, message: string | null, by: string[], inputs: any[], answered_by: string | null, reason: string | null, asked_at: string,
 *   answered_at: string | null, expires_in_ms: number | null }} Approval
 * @typedef {import("../core/store.js").Run & { inputs: Record<string, string>, approvals: Approval[], jobs: Job[], waiting: Waiting[] }} RunDetail
 */

/** @param {any} data */
const state = ({ status, phase, result, cause, message }) => ({ status, phase, result, cause, message });

/**
 * The run after an event. Attempts and waiting reasons are not in events: they come with the next whole state.
 * @param {RunDetail} run
 * @param {{ type: string, seq: number, data: any }} message
 * @returns {RunDetail}
 */
export function applyEvent(run, message) {
  if (message.seq <= run.seq) return run;
  const { data } = message;
  if (message.type === "step_update") {
    const jobs = run.jobs.map((job) => job.name !== data.job ? job : {
      ...job,
      steps: job.steps.map((step) => step.name !== data.step_id ? step : {
        ...step, ...state(data), exit_code: data.exit_code, started_at: data.started_at, finished_at: data.finished_at,
        duration_ms: span(data.started_at, data.finished_at), attempt: data.attempt || step.attempt,
      }),
    });
    return { ...run, jobs, seq: message.seq };
  }
  if (message.type !== "execution_update") return { ...run, seq: message.seq };
  if (!data.job) return { ...run, ...state(data), seq: message.seq };
  const jobs = run.jobs.map((job) => job.name !== data.job.name ? job : {
    ...job, ...state(data.job), started_at: data.job.started_at, finished_at: data.job.finished_at, duration_ms: span(
      data.job.started_at,
      data.job.finished_at,
    ),
  });
  return { ...run, ...state(data), jobs, seq: message.seq };
}

/** @param {string | null} from @param {string | null} to */
const span = (from, to) => (from && to ? Date.parse(to) - Date.parse(from) : null);

/**
 * The step that failed first and was not allowed to.
 * @param {RunDetail} run
 * @returns {Step | null}
 */
export function firstFailure(run) {
  const failed = run.jobs.flatMap((job) => (job.allow_failure === true ? [] : job.steps))
    .filter((step) => step.status === "failed" && step.phase === "finished" && step.allow_failure !== true);
  failed.sort((a, b) => (a.finished_at ?? "9").localeCompare(b.finished_at ?? "9"));
  return failed[0] ?? null;
}

/** @param {RunDetail} run @param {string | null} key `job/step`, a step's name where only one has it, or a job's @returns {Step | undefined} */
export function stepOf(run, key) {
  if (!key) return undefined;
  const all = run.jobs.flatMap((job) => job.steps);
  const named = all.filter((step) => step.name === key);
  const found = all.find((step) => step.key === key) ?? (named.length === 1 ? named[0] : undefined);
  if (found) return found;
  const steps = run.jobs.find((job) => job.name === key)?.steps ?? [];
  const told = ["failed", "running"].map((status) => steps.find((step) => step.status === status)).find(Boolean);
  return told ?? steps.filter((step) => step.attempts.length > 0).pop() ?? steps[0];
}

/** @param {RunDetail} run @param {Step} step @returns {Job | undefined} */
export const jobOf = (run, step) => run.jobs.find((job) => job.steps.some((one) => one.key === step.key));
