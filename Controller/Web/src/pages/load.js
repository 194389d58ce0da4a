// What every page begins with: what its address names, its title, and the focus on its heading.

import { focusOn } from "../core/a11y.js";
import { get } from "../core/api.js";
import { boot, forgetPrimed, prime } from "../core/boot.js";
import { h, mount } from "../core/h.js";
import { bringIntoSight, setSection } from "../ui/header.js";
import { setTitle } from "../ui/title.js";

/** @typedef {{ title: string, section: string, place: Record<string, any>, data: Record<string, any> }} Loaded */

/**
 * Asks the controller what the address names. The answer carries what the page will ask for.
 * @param {import("../core/router.js").PageContext} context
 * @returns {Promise<Loaded>}
 */
export async function loadPage(context) {
  if (context.isFirst) return boot;
  if (location.pathname === "/") return { title: "Dashboard", section: "/", place: {}, data: {} };
  const loaded = await get(location.pathname);
  forgetPrimed();
  prime(loaded.data);
  return loaded;
}

/**
 * Puts a page's content into its place.
 * @param {import("../core/router.js").PageContext} context
 * @param {Loaded} loaded
 * @param {() => import("../core/h.js").Child} content its first `h1` gets the focus
 * @param {{ class?: string }} [options]
 */
export function showPage(context, loaded, content, options = {}) {
  setSection(loaded.section);
  setTitle(loaded.title);
  mount(context.host, () => h("div", { class: ["page", options.class] }, content()));
  const tab = context.host.querySelector(".tabs [aria-current]");
  if (tab) bringIntoSight(tab);
  if (!context.isFirst) focusOn(context.host.querySelector("h1"));
}

/**
 * Where a page is: `[["Projects", "/projects"], ["main", null]]`.
 * @param {[string, string | null][]} parts
 */
export const crumbs = (parts) =>
  h("nav", { "aria-label": "Breadcrumbs" }, h("ol", { class: "crumbs" }, parts.map(([name, href]) =>
    h("li", null, href ? h("a", { href, class: "break" }, name) : h("span", { class: "break", aria: { current: "page" } }, name)))));

/** @param {...string | number} parts */
export const address = (...parts) => "/" + parts.map((part) => encodeURIComponent(part)).join("/");
