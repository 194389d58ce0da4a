import assert from "node:assert/strict";
import { test } from "node:test";
import { batch, computed, effect, flush, root, signal, untracked } from "../../../Controller/Web/src/core/signal.js";

test("an effect runs once for all changes of a turn", async () => {
  const a = signal(1), b = signal(2);
  const seen = [];
  effect(() => { seen.push(a.value + b.value); });
  a.value = 10;
  b.value = 20;
  assert.deepEqual(seen, [3]);
  await Promise.resolve();
  assert.deepEqual(seen, [3, 30]);
});

test("the same value again is no change", () => {
  const a = signal("x");
  let runs = 0;
  effect(() => { runs++; a.value; });
  a.value = "x";
  flush();
  assert.equal(runs, 1);
});

test("a computed value is made only when it is read, and once", () => {
  const a = signal(2);
  let made = 0;
  const double = computed(() => { made++; return a.value * 2; });
  assert.equal(made, 0);
  assert.equal(double.value, 4);
  assert.equal(double.value, 4);
  assert.equal(made, 1);
  a.value = 5;
  assert.equal(double.value, 10);
  assert.equal(made, 2);
});

test("an effect sees through computed values, without a glitch", () => {
  const a = signal(1);
  const plus = computed(() => a.value + 1), times = computed(() => a.value * 10);
  const seen = [];
  effect(() => { seen.push([plus.value, times.value]); });
  a.value = 3;
  flush();
  assert.deepEqual(seen, [[2, 10], [4, 30]]);
});

test("it forgets what it no longer reads", () => {
  const which = signal(true), a = signal("a"), b = signal("b");
  let runs = 0;
  effect(() => { runs++; which.value ? a.value : b.value; });
  which.value = false;
  flush();
  a.value = "other";
  flush();
  assert.equal(runs, 2);
});

test("what an effect made ends with its next run, and with its scope", () => {
  const a = signal(0), b = signal(0);
  let inner = 0, undone = 0;
  const dispose = root((end) => {
    effect(() => {
      a.value;
      effect(() => { inner++; b.value; });
      return () => undone++;
    });
    return end;
  });
  a.value = 1;
  flush();
  assert.deepEqual([inner, undone], [2, 1]);
  b.value = 1;
  flush();
  assert.equal(inner, 3);
  dispose();
  b.value = 2;
  flush();
  assert.deepEqual([inner, undone], [3, 2]);
});

test("untracked reading makes no tie, and a batch holds back", () => {
  const a = signal(0), b = signal(0);
  let runs = 0;
  effect(() => { runs++; a.value; untracked(() => b.value); });
  b.value = 1;
  flush();
  assert.equal(runs, 1);
  batch(() => { a.value = 1; a.value = 2; });
  flush();
  assert.equal(runs, 2);
});

test("effects that make each other run for ever are stopped", () => {
  const a = signal(0);
  effect(() => { a.value = a.value + 1; });
  assert.throws(flush, /for ever/);
});
