// What a run's graph is made of, for all three views of it: jobs with their steps, matrix groups, needs and states.

import { millis } from "../core/fmt.js";

/**
 * @typedef {object} GraphNode
 * @property {string} id `job` or `job/step`.
 * @property {"job" | "step"} kind
 * @property {string} job
 * @property {string | null} step
 * @property {string} name
 * @property {boolean} built_in
 * @property {string} [status]
 * @property {string} [phase]
 * @property {string | null} [result]
 * @property {string | null} [queued_at]
 * @property {string | null} [started_at]
 * @property {string | null} [finished_at]
 * @property {boolean} [approval]
 * @property {string | null} [group]
 */

/**
 * What `GET /api/v1/pipeline-runs/{id}/graph` answers.
 * @typedef {object} Graph
 * @property {GraphNode[]} nodes
 * @property {{from: string, to: string, allow_failure?: boolean}[]} edges
 * @property {{id: string, axes: string[], cells: string[], statuses?: Record<string, number>}[]} groups
 * @property {string[]} [critical_path]
 */

/** @typedef {{node: GraphNode, steps: GraphNode[]}} Job */

/** Cells up to here are shown one by one. */
export const CELLS_OPEN_MAX = 3;

export class Model {
  /** @param {Graph} graph */
  constructor(graph) {
    this.graph = graph;
    /** @type {Map<string, Job>} */
    this.jobs = new Map();
    /** @type {Map<string, GraphNode>} */
    this.nodes = new Map();
    for (const node of graph.nodes) {
      this.nodes.set(node.id, node);
      if (node.kind === "job") this.jobs.set(node.id, { node, steps: [] });
    }
    for (const node of graph.nodes) if (node.kind === "step") this.jobs.get(node.job)?.steps.push(node);
    /** @type {Map<string, string>} Jobs to the groups whose cells they are. */
    this.groupOf = new Map();
    for (const group of graph.groups) for (const cell of group.cells) this.groupOf.set(cell, group.id);
    this.critical = new Set(graph.critical_path ?? []);
    /** Whether this is of a run: what a definition says has no states. */
    this.isRun = graph.nodes.some((node) => node.status !== undefined);
  }

  /**
   * Whether it is drawn in the same places as another: a layout depends on nothing else.
   * @param {Model} other
   */
  hasShapeOf(other) {
    const [a, b] = [this.graph, other.graph];
    return a.nodes.length === b.nodes.length && a.edges.length === b.edges.length && a.groups.length === b.groups.length
      && a.nodes.every((node, at) => node.id === b.nodes[at]?.id && node.name === b.nodes[at]?.name)
      && a.edges.every((edge, at) => edge.from === b.edges[at]?.from && edge.to === b.edges[at]?.to)
      && a.groups.every((group, at) => group.id === b.groups[at]?.id && group.cells.length === b.groups[at]?.cells.length);
  }

  /** Needs between jobs. */
  get needs() {
    return this.graph.edges.filter((edge) => this.jobs.has(edge.from) && this.jobs.has(edge.to));
  }

  /**
   * When the first part began and the last ended, in milliseconds.
   * @param {number} now
   */
  span(now) {
    let from = Infinity;
    let to = -Infinity;
    for (const node of this.graph.nodes) {
      const start = millis(node.queued_at) ?? millis(node.started_at);
      if (start === null) continue;
      from = Math.min(from, start);
      to = Math.max(to, millis(node.finished_at) ?? now);
    }
    return from === Infinity ? null : { from, to: Math.max(to, from + 1000) };
  }
}

/**
 * `22✓ 1✕` in words and shapes: statuses with how many have them, the worst first.
 * @param {Record<string, number>} statuses
 */
export function tally(statuses) {
  const order = ["failed", "running", "approval", "pending", "blocked", "cancelled", "skipped", "success"];
  return Object.entries(statuses).sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
}

/**
 * The status that stands for several.
 * @param {string[]} statuses
 */
export function worst(statuses) {
  for (const status of ["failed", "running", "pending", "blocked", "cancelled", "success"]) if (statuses.includes(status)) return status;
  return statuses[0] ?? "pending";
}

/**
 * A cell's own part of its name: `test (os=linux, swift=6.3)` of the group `test` is `os=linux, swift=6.3`.
 * @param {string} name @param {string} group
 */
export function cellName(name, group) {
  const rest = name.startsWith(group) ? name.slice(group.length).trim() : name;
  return rest.replace(/^[([]\s*|\s*[)\]]$/g, "") || name;
}
