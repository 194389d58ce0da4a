import assert from "node:assert/strict";
import { test } from "node:test";

import { POINTS_MAX, csv, named, niceTicks, thin } from "../../../Controller/Web/src/chart/scale.js";
import { ticks } from "../../../Controller/Web/src/graph/timeline.js";

test("scales have round steps that reach the highest value", () => {
  assert.deepEqual(niceTicks(100), [0, 25, 50, 75, 100]);
  assert.deepEqual(niceTicks(7), [0, 2, 4, 6, 8]);
  assert.deepEqual(niceTicks(0), [0, 1]);
  for (const max of [0.03, 1, 3, 9.9, 12, 999, 12345]) assert.ok(niceTicks(max).at(-1) >= max * 0.999 && niceTicks(max).length <= 7, String(max));
});

test("names on an axis do not lie upon each other", () => {
  const labels = Array.from({ length: 168 }, (_, at) => `11-${10 + (at % 20)} 17:00`);
  assert.deepEqual(named(labels, 600), [0, 83, 167]);
  assert.deepEqual(named(labels, 200), [0, 167]);
  assert.deepEqual(named(["#1", "#2"], 200), [0, 1]);
  assert.deepEqual(named(["#1"], 200), [0]);
  assert.deepEqual(named([], 200), []);
});

test("thinning keeps peaks", () => {
  const points = Array.from({ length: 10_000 }, (_, x) => ({ x, y: x === 7777 ? 100 : Math.sin(x / 50) }));
  const kept = thin(points);
  assert.ok(kept.length <= POINTS_MAX);
  assert.ok(kept.some((point) => point.y === 100));
  assert.ok(kept.every((point, at) => at === 0 || point.x > kept[at - 1].x));
  assert.equal(thin(points.slice(0, 10)).length, 10);
});

test("a file of values can't become formulas or break its lines", () => {
  assert.equal(csv(["a", "b"], [["x,y", 1], ['say "hi"', null], ["=1+1", -2]]), 'a,b\r\n"x,y",1\r\n"say ""hi""",\r\n\'=1+1,-2\r\n');
});

test("an axis of time has round steps", () => {
  assert.deepEqual(ticks(60_000), [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  assert.ok(ticks(3_600_000 * 30).length <= 9);
});
