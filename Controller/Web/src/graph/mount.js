// Puts a run's graph into a page: as a graph, a list or a timeline, three views of one selection.

import "../kit.js";
import { now } from "../core/clock.js";
import { h } from "../core/h.js";
import { effect, isSignal } from "../core/signal.js";
import { t } from "../core/i18n.js";
import { Dag } from "./dag.js";
import { jobList } from "./list.js";
import { Model } from "./model.js";
import { timeline } from "./timeline.js";

/** @typedef {"graph" | "list" | "timeline"} View */
/** @template T @typedef {T | import("../core/signal.js").ReadSignal<T>} Maybe A value, or a signal of it. */

/**
 * @param {HTMLElement} host
 * @param {object} options
 * @param {Maybe<import("./model.js").Graph>} options.graph
 * @param {Maybe<string>} [options.selection] `job/step` or a job.
 * @param {(key: string) => void} options.onSelect
 * @param {Maybe<View>} [options.view]
 * @param {(view: View) => void} [options.onView] With it the views can be changed here.
 * @param {(key: string) => string} [options.hrefOf]
 * @returns {{update: (graph: import("./model.js").Graph) => void, select: (key: string) => void, show: (view: View) => void, dispose: () => void, dag: Dag}}
 */
export function mountGraph(host, options) {
  const read = (/** @type {any} */ value) => (isSignal(value) ? value.value : value);
  const hrefOf = options.hrefOf ?? ((key) => `?${new URLSearchParams({ step: key })}`);
  const body = h("div", { class: "graph-body" });
  const picture = h("div", { class: "graph-picture" });
  const other = h("div", { class: "graph-other", hidden: true });
  body.append(picture, other);
  const tabs = options.onView ? viewTabs((view) => {
    options.onView?.(view);
    if (!isSignal(options.view)) show(view);
  }) : null;
  const dag = new Dag(picture, { hrefOf, onSelect: (key) => options.onSelect(key) });
  const element = h("div", { class: "graph" }, h("div", { class: "graph-head" }, tabs?.element, dag.controls), body);
  host.replaceChildren(element);
  /** @type {View} */
  let view = read(options.view) ?? "graph";
  let selected = read(options.selection) ?? "";
  let model = new Model(read(options.graph));
  let key = "";
  other.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("[data-key]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    options.onSelect(link.getAttribute("data-key") ?? "");
  });

  function paint(time = now.peek()) {
    picture.hidden = view !== "graph";
    other.hidden = view === "graph";
    dag.controls.hidden = view !== "graph";
    tabs?.show(view);
    if (view === "graph") {
      dag.update(model, time);
      return;
    }
    const focused = document.activeElement instanceof HTMLElement && other.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    const isRunning = model.graph.nodes.some((node) => node.phase !== "finished" && node.started_at);
    const next = `${view} ${selected} ${isRunning ? time : ""}`;
    if (next === key) return;
    key = next;
    other.replaceChildren(view === "list" ? jobList(model, time, selected, hrefOf) : timeline(model, time, selected, hrefOf));
    if (focused) for (const link of other.querySelectorAll("a")) if (link.dataset.key === focused) link.focus({ preventScroll: true });
  }
  /** @param {import("./model.js").Graph} graph */
  function update(graph) {
    model = new Model(graph);
    key = "";
    paint();
  }
  /** @param {string} next */
  function select(next) {
    selected = next;
    paint();
    dag.select(next);
  }
  /** @param {View} next */
  function show(next) {
    const wasHidden = view !== "graph";
    view = next;
    paint();
    if (wasHidden && next === "graph") dag.zoom.open();
  }
  const ends = [
    effect(() => update(read(options.graph))), effect(() => select(read(options.selection) ?? "")),
    effect(() => show(read(options.view) ?? "graph")), effect(() => paint(now.value)),
  ];
  return {
    update, select, show, dag,
    dispose: () => {
      for (const end of ends) end();
      dag.dispose();
      host.replaceChildren();
    },
  };
}

/** @param {(view: View) => void} choose */
function viewTabs(choose) {
  const make = (/** @type {View} */ view, /** @type {string} */ word) => h("button", { type: "button", aria: { pressed: false }, data: { view }, on: { click: () => choose(view) } }, word);
  const buttons = [make("graph", t("Graph")), make("list", t("List")), make("timeline", t("Timeline"))];
  return {
    element: h("div", { class: "segments", role: "group", aria: { label: t("View") } }, ...buttons),
    /** @param {View} view */
    show: (view) => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    },
  };
}
