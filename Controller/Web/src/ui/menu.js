// A menu under a button, on the popover API: it closes by itself, and stays open while the list around it changes.

import { uniqueId } from "../core/a11y.js";
import { h } from "../core/h.js";
import { Scope } from "../core/signal.js";

/**
 * @typedef {{ label: string, run?: () => void, href?: string, isDanger?: boolean, why?: string, icon?: import("../core/h.js").Child } | "line"} Item
 */

/**
 * @param {{ label: string, content?: import("../core/h.js").Child, class?: string }} options
 * @param {() => Item[]} items asked for when it opens; `why` switches an item off and says why
 */
export function menuButton(options, items) {
  const id = uniqueId("menu");
  const button = h("button", {
    type: "button", class: options.class ?? "button is-plain is-icon", "aria-haspopup": "menu", "aria-expanded": "false",
    "aria-label": options.label, title: options.label, on: { click: toggle },
  }, options.content ?? "⋯");
  /** @type {HTMLElement | null} */ let shown = null;
  /** @type {Scope | null} */ let scope = null;

  function toggle() {
    if (shown) return close();
    const inside = new Scope(null);
    scope = inside;
    const menu = inside.run(() => h("div", {
      class: "menu-pop",
      role: "menu",
      id,
      popover: "auto",
      "aria-label": options.label,
      on: { keydown, toggle: toggled },
    },
      ...items().map(row)));
    shown = menu;
    // Beside the button, so that Tab goes on from there.
    (button.closest("dialog") ?? document.body).append(menu);
    /** @type {any} */ (menu).showPopover();
    const box = button.getBoundingClientRect();
    const own = menu.getBoundingClientRect();
    const x = Math.max(8, Math.min(box.right - own.width, innerWidth - own.width - 8));
    const y = box.bottom + own.height + 8 > innerHeight ? Math.max(8, box.top - own.height - 4) : box.bottom + 4;
    menu.style.setProperty("--x", `${x}px`);
    menu.style.setProperty("--y", `${y}px`);
    button.setAttribute("aria-expanded", "true");
    places()[0]?.focus();
  }

  /** @returns {HTMLElement[]} */
  const places = () => [...(shown?.querySelectorAll("[role=menuitem]") ?? [])].map((one) => /** @type {HTMLElement} */ (one));

  /** @param {Item} item */
  function row(item) {
    if (item === "line") return h("hr", { role: "separator" });
    const props = {
      role: "menuitem", tabindex: -1, class: item.isDanger ? "is-danger" : "", title: item.why, "aria-disabled": item.why ? "true" : undefined,
      on: { click: () => item.why ? undefined : run(item) },
    };
    if (item.href && !item.why) return h("a", { ...props, href: item.href }, item.icon, item.label);
    return h("button", { type: "button", ...props }, item.icon, item.label, item.why && h("span", { class: "hidden" }, `: ${item.why}`));
  }

  /** @param {Exclude<Item, "line">} item */
  function run(item) {
    close(true);
    item.run?.();
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    const all = places();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const step = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      all[step % all.length]?.focus();
    } else if (event.key === "Tab" || event.key === "Escape") {
      if (event.key === "Escape") event.preventDefault();
      close(true);
    }
  }

  /** @param {Event} event */
  function toggled(event) {
    if (/** @type {any} */ (event).newState === "closed") close();
  }

  function close(focuses = false) {
    const menu = shown;
    if (!menu) return;
    shown = null;
    const hadFocus = menu.contains(document.activeElement);
    menu.remove();
    scope?.dispose();
    button.setAttribute("aria-expanded", "false");
    if (focuses || hadFocus) button.focus();
  }

  return button;
}
