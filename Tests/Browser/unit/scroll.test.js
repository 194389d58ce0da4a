import assert from "node:assert/strict";
import { test } from "node:test";

import { Scroll } from "../../../Controller/Web/src/log/scroll.js";
import { rowsOf } from "../../../Controller/Web/src/log/wrap.js";

function make(rows, viewport = 800) {
  const scroll = new Scroll({ rowHeight: 20 });
  scroll.rows = rows;
  scroll.viewport = viewport;
  return scroll;
}

/** What a browser does with a wheel step. */
function wheel(scroll, pixels) {
  const to = Math.min(scroll.physicalMax, Math.max(0, scroll.physical + pixels));
  scroll.scrolled(to);
  if (scroll.isStuck) scroll.align();
}

test("a short log is as the browser has it", () => {
  const scroll = make(1000);
  assert.equal(scroll.total, 20_000);
  scroll.scrolled(12_345);
  assert.deepEqual([scroll.row, scroll.offset], [617, 5]);
  assert.equal(scroll.align(), 12_345);
});

test("a wheel step moves a long log by as many pixels, everywhere", () => {
  const scroll = make(1_000_000);
  assert.equal(scroll.total, 8_000_000);
  scroll.scrolled(4_000_000);
  const before = scroll.row * 20 + scroll.offset;
  wheel(scroll, 100);
  assert.equal(scroll.row * 20 + scroll.offset - before, 100);
});

test("the first and the last line can be reached by wheel and by thumb", () => {
  const scroll = make(1_000_000);
  scroll.scrolled(scroll.physicalMax);
  assert.equal(scroll.row, 999_960);
  assert.ok(scroll.isAtEnd);
  scroll.scrolled(0);
  assert.equal(scroll.row, 0);
  scroll.place({ row: 999_000, offset: 0 });
  scroll.align();
  for (let i = 0; i < 200; i++) wheel(scroll, 100);
  assert.equal(scroll.row, 999_960);
  scroll.place({ row: 400, offset: 0 });
  scroll.align();
  for (let i = 0; i < 90; i++) wheel(scroll, -100);
  assert.deepEqual([scroll.row, scroll.offset], [0, 0]);
});

test("many small steps far from where the bar belongs never lose a line", () => {
  const scroll = make(1_000_000);
  let seed = 11;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  let expected = 0;
  for (let i = 0; i < 5000; i++) {
    const step = random(2400) - 1100;
    expected = Math.max(0, expected + step);
    wheel(scroll, step);
    // What the browser cut off at an end of the bar does not count.
    const here = scroll.row * 20 + scroll.offset;
    assert.ok(Math.abs(here - expected) <= 2400, `${here} ${expected}`);
    expected = here;
    assert.ok(scroll.row >= 0 && scroll.row <= 999_960);
  }
});

test("a row is brought to its place", () => {
  const scroll = make(1_000_000);
  scroll.toRow(734_511, "center");
  assert.equal(scroll.yOf(734_511), 390);
  scroll.toRow(734_511, "nearest");
  assert.equal(scroll.yOf(734_511), 390);
  scroll.toRow(10, "top", 30);
  assert.equal(scroll.yOf(10), 30);
  scroll.toRow(0, "center");
  assert.deepEqual([scroll.row, scroll.offset], [0, 0]);
  scroll.toRow(999_999, "center");
  assert.ok(scroll.isAtEnd);
  assert.equal(scroll.rowAt(799), 999_999);
});

test("rows of different heights keep their places", () => {
  const scroll = make(100_000, 600);
  scroll.heightOf = (row) => 20 * (1 + (row % 4));
  scroll.stretch = 2.5;
  scroll.scrolled(100);
  assert.deepEqual([scroll.row, scroll.offset], [2, 40]);
  wheel(scroll, 20);
  assert.deepEqual([scroll.row, scroll.offset], [3, 0]);
  wheel(scroll, -1);
  assert.deepEqual([scroll.row, scroll.offset], [2, 59]);
  scroll.scrolled(scroll.physicalMax);
  assert.ok(scroll.isAtEnd);
  let bottom = -scroll.offset;
  for (let row = scroll.row; row < scroll.rows; row++) bottom += scroll.height(row);
  assert.equal(bottom, 600);
  scroll.toRow(50_000, "center");
  assert.equal(scroll.yOf(50_000), Math.floor((600 - scroll.height(50_000)) / 2));
  assert.equal(scroll.rowAt(/** @type {number} */ (scroll.yOf(50_000)) + 3), 50_000);
});

test("a log that is shorter than the window stays at its first line", () => {
  const scroll = make(3);
  scroll.moveBy(500);
  assert.deepEqual([scroll.row, scroll.offset, scroll.isAtEnd], [0, 0, true]);
  const empty = make(0);
  empty.moveBy(10);
  assert.deepEqual([empty.row, empty.offset, empty.total], [0, 0, 0]);
});

test("rows of wrapped text", () => {
  assert.equal(rowsOf("", 80), 1);
  assert.equal(rowsOf("x".repeat(80), 80), 1);
  assert.equal(rowsOf("x".repeat(81), 80), 2);
  assert.equal(rowsOf("漢".repeat(41), 80), 2);
  assert.equal(rowsOf("\tx", 80), 1);
  assert.equal(rowsOf("é".repeat(80), 80), 1);
  assert.equal(rowsOf("e\u0301".repeat(80), 80), 1);
});
