// Tabs: one is shown; arrows move between them.

import { uniqueId } from "../core/a11y.js";
import { h } from "../core/h.js";
import { effect } from "../core/signal.js";
import { bringIntoSight } from "./header.js";

/** @typedef {{ id: string, label: import("../core/h.js").Child, body: () => import("../core/h.js").Child }} Tab */

/**
 * @param {string} label
 * @param {() => Tab[]} tabs watched
 * @param {import("../core/signal.js").ReadSignal<string>} selected
 * @param {(id: string) => void} select
 */
export function tabList(label, tabs, selected, select) {
  const prefix = uniqueId("tabs");
  const current = () => tabs().find((tab) => tab.id === selected.value) ?? tabs()[0];

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    const all = tabs();
    const at = all.findIndex((tab) => tab.id === current()?.id);
    const step = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    const next = step === undefined ? undefined : all[step % all.length];
    if (!next) return;
    event.preventDefault();
    select(next.id);
    queueMicrotask(() => document.getElementById(`${prefix}-${next.id}`)?.focus());
  }

  const list = h("div", { class: "tabs", role: "tablist", "aria-label": label, on: { keydown } }, () => tabs().map((tab) => {
    const isOn = () => current()?.id === tab.id;
    return h("button", {
      type: "button", role: "tab", id: `${prefix}-${tab.id}`, "aria-selected": () => String(isOn()), "aria-controls": `${prefix}-panel`,
      tabindex: () => (isOn() ? 0 : -1), on: { click: () => select(tab.id) },
    }, tab.label);
  }));
  effect(() => {
    const id = current()?.id;
    requestAnimationFrame(() => {
      const tab = document.getElementById(`${prefix}-${id}`);
      if (tab) bringIntoSight(tab);
    });
  });
  const panel = h("div", {
    role: "tabpanel", id: `${prefix}-panel`, class: "tabpanel", tabindex: 0, "aria-labelledby": () => `${prefix}-${current()?.id ?? ""}`,
  });
  return { list, panel, current };
}
