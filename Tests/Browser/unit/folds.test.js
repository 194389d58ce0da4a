import assert from "node:assert/strict";
import { test } from "node:test";

import { Folds, Rows, around, merge } from "../../../Controller/Web/src/log/folds.js";

/** The same by trying every line. */
function plain(total, hidden) {
  const lines = [];
  for (let line = 1; line <= total; line++) if (!hidden.some(([from, to]) => line >= from && line <= to)) lines.push(line);
  return lines;
}

test("rows and lines map both ways, whatever is hidden", () => {
  let seed = 3;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let turn = 0; turn < 500; turn++) {
    const total = random(60);
    const hidden = Array.from({ length: random(6) }, () => {
      const from = 1 + random(60);
      return [from, from + random(12)];
    });
    const rows = new Rows(total, hidden);
    check(rows, plain(total, hidden), total);
    const grown = total + random(30);
    rows.grow(grown);
    check(rows, plain(grown, hidden), grown);
  }
});

function check(rows, lines, total) {
  assert.equal(rows.count, lines.length);
  lines.forEach((line, row) => {
    assert.equal(rows.lineAt(row), line);
    assert.equal(rows.rowOf(line), row);
  });
  for (let line = 1; line <= total; line++) {
    assert.equal(rows.isShown(line), lines.includes(line));
    const above = lines.filter((other) => other <= line).length;
    if (lines.length > 0) assert.equal(rows.rowOf(line), Math.max(0, above - 1));
  }
}

test("a filter shows what it found and what is around it", () => {
  const rows = Rows.only(1000, around([5, 7, 500, 1000], 3, 1000));
  assert.deepEqual([rows.count, rows.lineAt(0), rows.lineAt(8), rows.lineAt(9)], [9 + 7 + 4, 2, 10, 497]);
  assert.ok(rows.isAfterGap(9) && rows.isAfterGap(0) && !rows.isAfterGap(8));
  rows.grow(2000);
  assert.equal(rows.count, 20);
  assert.equal(Rows.only(10, []).count, 0);
});

test("a million lines with ten thousand folds are quick", () => {
  const hidden = Array.from({ length: 10_000 }, (_, i) => [i * 100 + 2, i * 100 + 60]);
  const began = performance.now();
  const rows = new Rows(1_000_000, hidden);
  for (let i = 0; i < 100_000; i++) rows.rowOf(rows.lineAt((i * 7919) % rows.count));
  assert.ok(performance.now() - began < 1500);
});

test("intervals are put together", () => {
  assert.deepEqual(merge([[5, 6], [1, 2], [3, 4], [9, 8], [20, 30], [22, 25]]), [[1, 6], [20, 30]]);
});

const sections = [
  { start: 1, end: 10, title: "Set up", level: 1, open: null },
  { start: 11, end: 50, title: "Run", level: 1, open: null },
  { start: 20, end: 30, title: "Inner", level: 2, open: null },
  { start: 51, end: null, title: "Last", level: 1, open: null },
];

test("passed sections are closed; the failed or running one is open", () => {
  const folds = new Folds();
  folds.set(sections, { isFailed: false, isLive: false });
  assert.deepEqual(sections.map((section) => folds.isOpen(section)), [false, false, false, false]);
  folds.set(sections, { isFailed: true, isLive: false });
  assert.deepEqual(sections.map((section) => folds.isOpen(section)), [false, false, false, true]);
  folds.set(sections, { isFailed: false, isLive: true });
  assert.equal(folds.isOpen(sections[3]), true);
  folds.set([{ ...sections[0], open: true }], { isFailed: false, isLive: false });
  assert.equal(folds.isOpen(folds.sections[0]), true);
});

test("a line inside closed sections is brought to sight", () => {
  const folds = new Folds();
  folds.set(sections, { isFailed: false, isLive: false });
  assert.ok(!new Rows(60, folds.hidden(60)).isShown(25));
  assert.equal(folds.reveal(25), true);
  assert.ok(new Rows(60, folds.hidden(60)).isShown(25));
  assert.equal(folds.reveal(25), false);
  assert.deepEqual(folds.around(25).map((section) => section.title), ["Run", "Inner"]);
  assert.equal(folds.next(11, 1), 20);
  assert.equal(folds.next(11, -1), 1);
  assert.equal(folds.next(51, 1), undefined);
  assert.equal(folds.at(20)?.title, "Inner");
  assert.equal(folds.at(21), undefined);
});
