// The same graph as a list: jobs in the order of the file, their steps beneath them.

import { h } from "../core/h.js";
import { statusMark } from "../ui/status.js";
import { took } from "./cards.js";

/**
 * @param {import("./model.js").Model} model @param {number} now @param {string} selected
 * @param {(key: string) => string} hrefOf
 */
export function jobList(model, now, selected, hrefOf) {
  const entry = (/** @type {import("./model.js").GraphNode} */ node) =>
    h("a", { class: "graph-entry", href: hrefOf(node.id), data: { key: node.id }, aria: { current: node.id === selected ? "true" : undefined } },
      statusMark(node.status, { quiet: true }), h("span", { class: "grow cut" }, node.name),
      model.critical.has(node.id) ? h("span", { class: "tag" }, "critical path") : null,
      h("span", { class: "graph-took" }, took(node, now)));
  return h("ul", { class: "graph-list" },
    ...[...model.jobs.values()].map(({ node, steps }) =>
      h("li", null, entry(node), steps.length > 0 ? h("ul", null, ...steps.map((step) => h("li", null, entry(step)))) : null)));
}
