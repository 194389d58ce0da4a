import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEvent, firstFailure, jobOf, stepOf } from "../../../Controller/Web/src/pages/run-state.js";

const step = (key, more = {}) => ({ id: key, key, name: key.split("/")[1], status: "pending", phase: "blocked", attempts: [], allow_failure: false, finished_at: null, ...more });
const run = (more = {}) => ({ id: 7, seq: 10, status: "running", phase: "running", approvals: [], waiting: [], jobs: [
  { id: 1, name: "build", status: "running", phase: "running", allow_failure: false, steps: [step("build/compile"), step("build/test")] },
  { id: 2, name: "lint", status: "pending", phase: "blocked", allow_failure: false, steps: [step("lint/check")] },
], ...more });

test("an event changes its step and nothing else, and an old one nothing", () => {
  const before = run();
  const data = { job: "build", step_id: "test", status: "failed", phase: "finished", exit_code: 1, attempt: 2,
    started_at: "2026-01-31T12:00:00.000Z", finished_at: "2026-01-31T12:00:03.000Z" };
  const after = applyEvent(before, { type: "step_update", seq: 11, data });
  assert.equal(after.seq, 11);
  assert.deepEqual([after.jobs[0].steps[1].status, after.jobs[0].steps[1].duration_ms, after.jobs[0].steps[1].attempt], ["failed", 3000, 2]);
  assert.equal(after.jobs[0].steps[0], before.jobs[0].steps[0]);
  assert.equal(after.jobs[1], before.jobs[1]);
  assert.equal(applyEvent(after, { type: "step_update", seq: 11, data: { ...data, status: "success" } }), after);
});

test("an event of a job changes the job and the run, one of the run the run alone", () => {
  const of = applyEvent(run(), { type: "execution_update", seq: 11, data: { status: "running", phase: "running", job: { name: "lint", status: "success", phase: "finished" } } });
  assert.deepEqual([of.jobs[1].status, of.status], ["success", "running"]);
  const all = applyEvent(of, { type: "execution_update", seq: 12, data: { status: "failed", phase: "finished" } });
  assert.deepEqual([all.status, all.jobs[1].status], ["failed", "success"]);
});

test("the first failure is the earliest that was not allowed", () => {
  const failed = (at, more = {}) => ({ status: "failed", phase: "finished", finished_at: at, ...more });
  const one = run();
  one.jobs[0].steps = [step("build/a", failed("2026-01-31T12:00:05.000Z")), step("build/b", failed("2026-01-31T12:00:01.000Z", { allow_failure: true }))];
  one.jobs[1].steps = [step("lint/check", failed("2026-01-31T12:00:03.000Z"))];
  assert.equal(firstFailure(one).key, "lint/check");
  one.jobs[1].allow_failure = true;
  assert.equal(firstFailure(one).key, "build/a");
  assert.equal(firstFailure(run()), null);
});

test("a step is found by its key, its name where only one has it, or its job", () => {
  const one = run();
  assert.equal(stepOf(one, "build/test").key, "build/test");
  assert.equal(stepOf(one, "check").key, "lint/check");
  assert.equal(stepOf(one, "lint").key, "lint/check");
  assert.equal(stepOf(one, "none"), undefined);
  assert.equal(stepOf(one, null), undefined);
  assert.equal(jobOf(one, one.jobs[1].steps[0]).name, "lint");
});
