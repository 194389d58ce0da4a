// Layered layout of a directed graph without circles (after Sugiyama): longest-path ranks, dummy nodes where an edge passes a rank,
// barycentre sweeps for the order, and heights by isotonic regression towards the neighbours' median. It depends on nothing but its
// input, so the same definition is always drawn the same.

import { route } from "./route.js";

/** @typedef {{id: string, width: number, height: number}} Box */
/** @typedef {{from: string, to: string}} Edge */
/** @typedef {{id: string, x: number, y: number, width: number, height: number, rank: number, order: number}} Placed */
/** @typedef {{from: string, to: string, points: [x: number, y: number][]}} Routed */
/** @typedef {{nodes: Map<string, Placed>, edges: Routed[], ranks: string[][], width: number, height: number}} Layout */

/**
 * @typedef {object} Vertex
 * @property {Box | null} box Nothing for a dummy.
 * @property {number} rank
 * @property {number} order
 * @property {number} height
 * @property {number} y
 * @property {number} wanted Where its neighbours would have it among those of its rank.
 * @property {Vertex[]} up
 * @property {Vertex[]} down
 */

export const SWEEPS = 6;
const DUMMY_HEIGHT = 6;

/**
 * @param {{nodes: Box[], edges: Edge[]}} graph Edges to nodes that are not there, and those that close a circle, are left out.
 * @param {number} [gapX] Between ranks. @param {number} [gapY] Between nodes of a rank.
 * @returns {Layout}
 */
export function layout({ nodes, edges }, gapX = 40, gapY = 18) {
  /** @type {Map<string, Vertex>} */
  const vertices = new Map();
  for (const box of nodes) vertices.set(box.id, { box, rank: 0, order: 0, height: box.height, y: 0, wanted: 0, up: [], down: [] });
  const kept = rank(vertices, edges);
  /** @type {Vertex[][]} */
  const ranks = [];
  for (const vertex of vertices.values()) (ranks[vertex.rank] ??= []).push(vertex);
  const chains = chain(vertices, kept, ranks);
  for (const list of ranks) list.forEach((vertex, order) => (vertex.order = order));
  sweep(ranks);
  settle(ranks, gapY);
  return finish(ranks, chains, gapX);
}

/**
 * Longest-path ranks, in topological order (Kahn).
 * @param {Map<string, Vertex>} vertices @param {Edge[]} edges
 * @returns {{from: Vertex, to: Vertex}[]}
 */
function rank(vertices, edges) {
  /** @type {Map<Vertex, Vertex[]>} */
  const targets = new Map();
  /** @type {Map<Vertex, number>} */
  const open = new Map();
  const seen = new Set();
  for (const edge of edges) {
    const from = vertices.get(edge.from);
    const to = vertices.get(edge.to);
    if (!from || !to || from === to || seen.has(edge.from + "\n" + edge.to)) continue;
    seen.add(edge.from + "\n" + edge.to);
    const list = targets.get(from);
    if (list) list.push(to);
    else targets.set(from, [to]);
    open.set(to, (open.get(to) ?? 0) + 1);
  }
  const done = new Set();
  const ready = [...vertices.values()].filter((vertex) => !open.get(vertex));
  /** @type {{from: Vertex, to: Vertex}[]} */
  const kept = [];
  for (let at = 0; at < ready.length; at++) {
    const from = /** @type {Vertex} */ (ready[at]);
    done.add(from);
    for (const to of targets.get(from) ?? []) {
      kept.push({ from, to });
      to.rank = Math.max(to.rank, from.rank + 1);
      const left = (open.get(to) ?? 1) - 1;
      open.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  // What is on a circle was never ready: it stands in the first rank, and only its edges to placed nodes are lost.
  return kept.filter(({ to }) => done.has(to));
}

/**
 * Puts dummies where edges pass ranks.
 * @param {Map<string, Vertex>} vertices @param {{from: Vertex, to: Vertex}[]} edges @param {Vertex[][]} ranks
 */
function chain(vertices, edges, ranks) {
  return edges.map(({ from, to }) => {
    const path = [from];
    let last = from;
    for (let at = from.rank + 1; at < to.rank; at++) {
      /** @type {Vertex} */
      const dummy = { box: null, rank: at, order: 0, height: DUMMY_HEIGHT, y: 0, wanted: 0, up: [last], down: [] };
      last.down.push(dummy);
      ranks[at]?.push(dummy);
      path.push(dummy);
      last = dummy;
    }
    last.down.push(to);
    to.up.push(last);
    path.push(to);
    return path;
  });
}

/**
 * Orders the ranks with few crossings; keeps the best order met.
 * @param {Vertex[][]} ranks
 */
function sweep(ranks) {
  let best = ranks.map((list) => [...list]);
  let fewest = crossings(ranks);
  for (let turn = 0; turn < SWEEPS && fewest > 0; turn++) {
    const isDown = turn % 2 === 0;
    const from = isDown ? 1 : ranks.length - 2;
    for (let at = from; at >= 0 && at < ranks.length; at += isDown ? 1 : -1) {
      const list = /** @type {Vertex[]} */ (ranks[at]);
      for (const vertex of list) vertex.wanted = center(isDown ? vertex.up : vertex.down, vertex);
      list.sort((a, b) => a.wanted - b.wanted || a.order - b.order);
      list.forEach((vertex, order) => (vertex.order = order));
    }
    const count = crossings(ranks);
    if (count < fewest) {
      fewest = count;
      best = ranks.map((list) => [...list]);
    }
  }
  best.forEach((list, at) => {
    ranks[at] = list;
    list.forEach((vertex, order) => (vertex.order = order));
  });
}

/** @param {Vertex[]} neighbours @param {Vertex} self */
function center(neighbours, self) {
  if (neighbours.length === 0) return self.order;
  let sum = 0;
  for (const vertex of neighbours) sum += vertex.order;
  return sum / neighbours.length;
}

/**
 * Pairs of edges that cross, by counting inversions with a Fenwick tree.
 * @param {Vertex[][]} ranks
 */
export function crossings(ranks) {
  let count = 0;
  for (let at = 0; at + 1 < ranks.length; at++) {
    const width = ranks[at + 1]?.length ?? 0;
    const tree = new Int32Array(width + 1);
    let total = 0;
    for (const vertex of ranks[at] ?? []) {
      const ends = vertex.down.map((target) => target.order).sort((a, b) => a - b);
      for (const end of ends) {
        let below = 0;
        for (let i = end + 1; i > 0; i -= i & -i) below += /** @type {number} */ (tree[i]);
        count += total - below;
      }
      for (const end of ends) {
        for (let i = end + 1; i <= width; i += i & -i) tree[i]++;
        total++;
      }
    }
  }
  return count;
}

/**
 * Heights: each vertex near the median of its neighbours, none on another.
 * @param {Vertex[][]} ranks @param {number} gap
 */
function settle(ranks, gap) {
  for (const list of ranks) {
    let y = 0;
    for (const vertex of list) {
      vertex.y = y + vertex.height / 2;
      y += vertex.height + gap;
    }
  }
  for (let turn = 0; turn < 8; turn++) {
    const isDown = turn % 2 === 0;
    for (let step = 0; step < ranks.length; step++) {
      const list = /** @type {Vertex[]} */ (ranks[isDown ? step : ranks.length - 1 - step]);
      const wanted = list.map((vertex) => {
        const near = turn >= 6 ? [...vertex.up, ...vertex.down] : isDown ? vertex.up : vertex.down;
        return near.length === 0 ? vertex.y : median(near.map((other) => other.y));
      });
      pack(list, wanted, gap);
    }
  }
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = /** @type {number} */ (sorted[middle]);
  return sorted.length % 2 ? high : (/** @type {number} */ (sorted[middle - 1]) + high) / 2;
}

/**
 * The places nearest to those that are wanted (least squares) that keep order and distance: pool adjacent violators.
 * @param {Vertex[]} list @param {number[]} wanted @param {number} gap
 */
function pack(list, wanted, gap) {
  /** @type {{sum: number, weight: number, count: number}[]} */
  const pools = [];
  let offset = 0;
  const offsets = list.map((vertex, at) => {
    const before = list[at - 1];
    if (before) offset += before.height / 2 + gap + vertex.height / 2;
    return offset;
  });
  list.forEach((vertex, at) => {
    // A dummy follows its line: a bend costs more than a node that is off its median.
    const weight = vertex.box ? 1 : 3;
    let pool = { sum: weight * (/** @type {number} */ (wanted[at]) - /** @type {number} */ (offsets[at])), weight, count: 1 };
    for (let last = pools[pools.length - 1]; last && last.sum / last.weight > pool.sum / pool.weight; last = pools[pools.length - 1]) {
      pools.pop();
      pool = { sum: pool.sum + last.sum, weight: pool.weight + last.weight, count: pool.count + last.count };
    }
    pools.push(pool);
  });
  let at = 0;
  for (const pool of pools) {
    for (let i = 0; i < pool.count; i++, at++) {
      /** @type {Vertex} */ (list[at]).y = pool.sum / pool.weight + /** @type {number} */ (offsets[at]);
    }
  }
}

/** @param {Vertex[][]} ranks @param {Vertex[][]} chains @param {number} gapX @returns {Layout} */
function finish(ranks, chains, gapX) {
  let top = Infinity;
  let bottom = -Infinity;
  for (const list of ranks) {
    for (const vertex of list) {
      top = Math.min(top, vertex.y - vertex.height / 2);
      bottom = Math.max(bottom, vertex.y + vertex.height / 2);
    }
  }
  if (ranks.length === 0) return { nodes: new Map(), edges: [], ranks: [], width: 0, height: 0 };
  for (const list of ranks) for (const vertex of list) vertex.y = Math.round(vertex.y - top);
  const widths = ranks.map((list) => Math.max(0, ...list.map((vertex) => vertex.box?.width ?? 0)));
  const { columns, edges, width } = route(chains, widths, gapX);
  const nodes = new Map();
  for (const list of ranks) {
    for (const { box, rank, order, y } of list) {
      if (!box) continue;
      nodes.set(box.id, { id: box.id, x: columns[rank] ?? 0, y: Math.round(y - box.height / 2), width: box.width, height: box.height, rank, order });
    }
  }
  const names = ranks.map((list) => list.flatMap((vertex) => (vertex.box ? [vertex.box.id] : [])));
  return { nodes, edges, ranks: names, width, height: Math.ceil(bottom - top) };
}
