import assert from "node:assert/strict";
import { test } from "node:test";

import { BLOCK, Blocks } from "../../../Controller/Web/src/log/blocks.js";
import { Find, place } from "../../../Controller/Web/src/log/find.js";
import { Follow } from "../../../Controller/Web/src/log/follow.js";
import { Selection, parseLines, wordAt } from "../../../Controller/Web/src/log/select.js";
import { elapsed } from "../../../Controller/Web/src/log/times.js";

const line = (n, text = `line ${n}`) => ({ n, t_ms: n, text });

/** A server that has `total` lines and answers when told. */
function server(total) {
  const asked = [];
  return {
    asked,
    fetch: (block, signal) => new Promise((resolve, reject) => {
      asked.push(block);
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      const from = block * BLOCK + 1;
      const lines = [];
      for (let n = from; n < from + BLOCK && n <= total; n++) lines.push(line(n));
      setImmediate(() => resolve({ first_line: from, total, complete: true, lines }));
    }),
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

test("blocks that are looked at are asked for once, one ahead, and the rest is called off", async () => {
  const { asked, fetch } = server(1_000_000);
  const errors = [];
  const blocks = new Blocks({ fetch, onPage: () => {}, onError: (error) => errors.push(error), capacity: 5 });
  blocks.total = 1_000_000;
  blocks.wantBlocks([10], 11);
  blocks.wantBlocks([900], 901);
  await settle();
  assert.deepEqual(asked, [10, 11, 900, 901]);
  assert.equal(blocks.get(10 * BLOCK + 1), undefined);
  assert.equal(blocks.text(900 * BLOCK + 1), `line ${900 * BLOCK + 1}`);
  assert.deepEqual(errors, []);
  blocks.wantBlocks([900], 901);
  await settle();
  assert.equal(asked.length, 4);
  for (let block = 0; block < 20; block++) await blocks.load(block);
  assert.ok(blocks.blocks.size <= 5);
});

test("lines that come twice, in another order or unfinished are neither lost nor repeated", () => {
  const blocks = new Blocks({ fetch: async () => ({ first_line: 1, total: 0, complete: false, lines: [] }), onPage: () => {}, onError: () => {} });
  blocks.put([line(1), line(2), { ...line(3, "half"), partial: true }]);
  blocks.put([line(3, "half and half"), line(4)]);
  blocks.put([{ ...line(3, "half"), partial: true }]);
  blocks.put([line(2), line(4)]);
  assert.equal(blocks.total, 4);
  assert.deepEqual([1, 2, 3, 4].map((n) => blocks.text(n)), ["line 1", "line 2", "half and half", "line 4"]);
  assert.equal(blocks.isWhole(0), true);
  blocks.put([line(9)]);
  assert.equal(blocks.total, 9);
  assert.ok(blocks.get(7) === undefined);
  assert.equal(blocks.isWhole(0), false, "lines that were left out between others are missing");
});

test("colours go on over the border of blocks", () => {
  const blocks = new Blocks({ fetch: async () => ({ first_line: 1, total: 0, complete: false, lines: [] }), onPage: () => {}, onError: () => {} });
  blocks.put([line(BLOCK - 1), line(BLOCK, "\x1b[31mred"), line(BLOCK + 1, "still"), line(BLOCK + 2, "\x1b[0mplain")]);
  for (let n = 1; n < BLOCK - 1; n++) blocks.put([line(n)]);
  assert.equal(blocks.parsed(BLOCK + 1).spans[0].cls, "f1");
  assert.equal(blocks.parsed(BLOCK + 2).spans, null);
  blocks.put([line(600 * BLOCK + 1, "far away")]);
  blocks.setStyles([{ block: 600, sgr: "1;32" }]);
  assert.equal(blocks.parsed(600 * BLOCK + 1).spans[0].cls, "f2 a-b");
});

test("following ends where the reader stays, and goes on where the reader wants", () => {
  const follow = new Follow({ isLive: true, follows: true });
  follow.grew(100);
  assert.deepEqual([follow.state, follow.missed], ["follow", 0]);
  follow.stay();
  follow.grew(1304);
  assert.deepEqual([follow.state, follow.missed], ["reading", 1204]);
  assert.equal(follow.goOn(), true);
  assert.equal(follow.missed, 0);
  follow.ended(1400);
  assert.equal(follow.state, "ended");
  follow.stay();
  assert.equal(follow.state, "ended");
});

test("a log is not over before its last line is here", () => {
  const follow = new Follow({ isLive: true, follows: true });
  follow.grew(10);
  follow.end = 12;
  follow.settle();
  assert.equal(follow.state, "follow");
  follow.grew(12);
  assert.equal(follow.state, "ended");
  assert.equal(new Follow({ isLive: false, follows: true }).state, "ended");
});

test("a selection of thousands of lines is cut to its ends", () => {
  const selection = new Selection();
  selection.start({ line: 9, column: 2 });
  selection.extend({ line: 7, column: 3 });
  assert.deepEqual(selection.range, { from: { line: 7, column: 3 }, to: { line: 9, column: 2 } });
  assert.deepEqual(selection.cut(7, ["abcdef", "ghi", "jkl"]), ["def", "ghi", "jk"]);
  assert.deepEqual([6, 7, 8, 9, 10].map((n) => selection.partOf(n, 6)), [null, [3, 6], [0, 6], [0, 2], null]);
  selection.lines(1, 2);
  assert.deepEqual(selection.cut(1, ["ab", "cd"]), ["ab", "cd"]);
  selection.clear();
  assert.equal(selection.range, null);
  assert.deepEqual(wordAt("see https://example.org/a now", 8), [4, 25]);
});

test("lines of an address", () => {
  assert.deepEqual(parseLines("120-134"), [120, 134]);
  assert.deepEqual(parseLines("134-120"), [120, 134]);
  assert.deepEqual(parseLines("7"), [7, 7]);
  for (const bad of ["", null, "x", "1-", "-3", "1e9", "1-2-3"]) assert.equal(parseLines(bad), null);
  assert.deepEqual([elapsed(31_940), elapsed(3_751_900)], ["00:31.9", "1:02:31.9"]);
});

/** A search over hits that are known, in slices, as the server does it. */
function searching(hits, total, slice = 3000) {
  return async (_query, from, limit) => {
    const end = Math.min(total, from + slice - 1);
    const found = hits.filter((hit) => hit[0] >= from && hit[0] <= end);
    return { count: found.length, lines: found.length, total, complete: true, next_line: end < total ? end + 1 : null, hits: found.slice(0, limit) };
  };
}

test("search counts the whole log and steps round its ends", async () => {
  const hits = Array.from({ length: 5000 }, (_, i) => [i * 2 + 1, 3, 4]);
  const find = new Find({ search: searching(hits, 10_000), onChange: () => {}, onError: () => {} });
  await find.start({ text: "x", isRegex: false, matchesCase: false });
  assert.equal(find.count, 5000);
  assert.deepEqual(await find.step(1, -1, 1), [1, 3, 4]);
  assert.deepEqual(await find.step(1, 3, 1), [3, 3, 4]);
  assert.equal(find.order, 2);
  assert.deepEqual(await find.step(7001, 3, 1), [7003, 3, 4]);
  assert.equal(find.order, 3502);
  assert.deepEqual(await find.step(9999, 3, 1), [1, 3, 4]);
  assert.deepEqual(await find.step(1, 3, -1), [9999, 3, 4]);
  assert.equal(find.order, 5000);
  await find.start(null);
  assert.equal(await find.step(1, 0, 1), null);
});

test("of a growing log only what is new is searched", async () => {
  const from = [];
  let total = 10;
  const find = new Find({
    search: async (_query, line) => {
      from.push(line);
      return { count: 1, lines: 1, total, complete: false, next_line: null, hits: [[total, 0, 1]] };
    }, onChange: () => {}, onError: () => {},
  });
  await find.start({ text: "x", isRegex: false, matchesCase: false });
  total = 20;
  await find.goOn();
  assert.deepEqual(from, [1, 11]);
  assert.equal(find.count, 2);
  assert.deepEqual(find.hits, [[10, 0, 1], [20, 0, 1]]);
  assert.equal(place(find.hits, 11), 1);
});

test("a pattern that the server refuses is told and not asked again", async () => {
  const find = new Find({ search: async () => { throw new Error("It is no regular expression."); }, onChange: () => {}, onError: () => {} });
  await find.start({ text: "(", isRegex: true, matchesCase: false });
  assert.equal(find.error, "It is no regular expression.");
  await find.goOn();
  assert.equal(find.count, 0);
});
