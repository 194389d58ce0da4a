import assert from "node:assert/strict";
import { test } from "node:test";

import { layout } from "../../../Controller/Web/src/graph/layout.js";
import { roundedPath } from "../../../Controller/Web/src/graph/route.js";

function random(seed) {
  return (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
}

function sample(count, seed) {
  const next = random(seed);
  const nodes = Array.from({ length: count }, (_, i) => ({ id: "n" + i, width: 120 + next(60), height: 30 + next(80) }));
  const edges = [];
  for (let i = 1; i < count; i++) {
    for (let k = next(3); k > 0; k--) edges.push({ from: "n" + Math.max(0, i - 1 - next(Math.min(i, 25))), to: "n" + i });
  }
  return { nodes, edges };
}

test("no node lies on another, edges lead onwards, and the same graph is always drawn the same", () => {
  for (const [count, seed] of [[1, 1], [2, 2], [30, 3], [120, 4], [300, 5]]) {
    const graph = sample(count, seed);
    const drawn = layout(graph);
    assert.equal(drawn.nodes.size, count);
    const boxes = [...drawn.nodes.values()];
    for (const a of boxes) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= drawn.width + 1 && a.y + a.height <= drawn.height + 1);
      for (const b of boxes) {
        if (a === b) continue;
        assert.ok(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y, `${a.id} ${b.id}`);
      }
    }
    for (const { from, to } of graph.edges) assert.ok(drawn.nodes.get(from).rank < drawn.nodes.get(to).rank);
    const again = layout(structuredClone(graph));
    assert.deepEqual([...again.nodes], [...drawn.nodes]);
    assert.deepEqual(again.edges, drawn.edges);
  }
});

test("edges are made of level and plumb lines, from side to side", () => {
  const drawn = layout(sample(80, 9));
  for (const { from, to, points } of drawn.edges) {
    const source = drawn.nodes.get(from);
    const target = drawn.nodes.get(to);
    assert.deepEqual(points[0][0], source.x + source.width);
    assert.deepEqual(points[points.length - 1][0], target.x);
    for (let i = 1; i < points.length; i++) {
      assert.ok(points[i][0] === points[i - 1][0] || points[i][1] === points[i - 1][1]);
      assert.ok(points[i][0] >= points[i - 1][0]);
    }
  }
});

test("a straight line stays straight", () => {
  const nodes = ["a", "b", "c"].map((id) => ({ id, width: 100, height: 40 }));
  const drawn = layout({ nodes, edges: [{ from: "a", to: "b" }, { from: "b", to: "c" }] });
  assert.equal(new Set([...drawn.nodes.values()].map((node) => node.y)).size, 1);
  for (const edge of drawn.edges) assert.equal(edge.points.length, 2);
});

test("circles, edges to nowhere and doubles do no harm", () => {
  const nodes = ["a", "b", "c"].map((id) => ({ id, width: 100, height: 40 }));
  const edges = [["a", "b"], ["b", "a"], ["a", "c"], ["a", "c"], ["c", "x"], ["c", "c"]].map(([from, to]) => ({ from, to }));
  const drawn = layout({ nodes, edges });
  assert.equal(drawn.nodes.size, 3);
  assert.equal(layout({ nodes: [], edges: [] }).width, 0);
});

test("five hundred nodes take less than a tenth of a second", () => {
  const graph = sample(500, 6);
  layout(graph);
  const began = performance.now();
  layout(graph);
  assert.ok(performance.now() - began < 100, String(performance.now() - began));
});

test("corners are rounded", () => {
  assert.equal(roundedPath([[0, 0], [20, 0]]), "M0 0L20 0");
  assert.equal(roundedPath([[0, 0], [20, 0], [20, 40], [60, 40]], 6), "M0 0L14 0Q20 0 20 6L20 34Q20 40 26 40L60 40");
  assert.equal(roundedPath([]), "");
});
