// Short words on what has just happened.

import { announce } from "../core/a11y.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";

const SHOWN_MS = 6000;
const TOASTS_MAX = 4;

/** @param {string} text @param {{ isBad?: boolean, href?: string, link?: string }} [options] what went wrong stays until it is closed */
export function toast(text, options = {}) {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = h("div", { class: "toasts", role: "region", "aria-label": t("Notices") });
    document.body.append(place);
  }
  const one = h("div", { class: ["toast", options.isBad && "is-bad"], role: options.isBad ? "alert" : undefined },
    h("div", { class: "grow break" }, text, options.href && [" ", h("a", { href: options.href }, options.link ?? t("Show"))]),
    h("button", { type: "button", class: "button is-plain is-icon is-small", "aria-label": t("Close"), on: { click: () => one.remove() } }, "✕"));
  place.append(one);
  while (place.children.length > TOASTS_MAX) place.firstElementChild?.remove();
  if (options.isBad) return;
  announce(text);
  setTimeout(() => one.remove(), SHOWN_MS);
}

/** @param {unknown} error */
export const toastError = (error) => toast(error instanceof Error ? error.message : String(error), { isBad: true });
