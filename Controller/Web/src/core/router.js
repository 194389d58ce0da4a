// Addresses and pages. The address is the state of everything that can be shared.

import { t } from "./i18n.js";
import { batch, computed, Scope, signal } from "./signal.js";

/**
 * @typedef {{ path: string, parameters: Record<string, string>, query: URLSearchParams }} Place
 * @typedef {{ pattern: string, load: () => Promise<{ page: Page }> }} Route
 * @typedef {{ host: HTMLElement, parameters: Record<string, string>, isFirst: boolean }} PageContext
 * @typedef {(context: PageContext) => (Promise<void> | void)} Page
 */

/**
 * The parameters of `path` under `pattern` (`/p/{project}/{pipeline}`); null where it does not match.
 * @param {string} pattern @param {string} path
 * @returns {Record<string, string> | null}
 */
export function match(pattern, path) {
  const wanted = pattern.split("/").filter(Boolean);
  const given = path.split("/").filter(Boolean);
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */ const parameters = {};
  for (let index = 0; index < wanted.length; index++) {
    const part = /** @type {string} */ (wanted[index]);
    const value = /** @type {string} */ (given[index]);
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name) {
      // `-` is reserved, so that a pipeline may have the name of a page.
      if (value === "-") return null;
      try {
        parameters[name] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) {
      return null;
    }
  }
  return parameters;
}

/** The address's query; pages read it in effects. */
const search = signal(typeof location === "undefined" ? "" : location.search);
export const query = computed(() => new URLSearchParams(search.value));
export const path = signal(typeof location === "undefined" ? "/" : location.pathname);

/** @type {Route[]} */ let routes = [];
/** @type {HTMLElement | null} */ let host = null;
/** @type {Scope | null} */ let shown = null;
/** Grows with each page: one that loads late must not replace a later one. */
let turn = 0;
/** @type {(path: string, error: unknown) => void} */ let onFailure = () => {};
/**
 * Whether the page may go without a question; one with unsaved changes says no.
 * @type {Set<() => boolean>}
 */
const guards = new Set();

/** @param {() => boolean} guard whether the page may go @returns {() => void} */
export function guard(guard) {
  guards.add(guard);
  return () => void guards.delete(guard);
}

const mayGo = () => [...guards].every((one) => one());

/**
 * Changes the query without leaving the page. Empty values go.
 * @param {Record<string, string | number | null | undefined>} change
 * @param {{ push?: boolean }} [options] whether Back leads to what was before
 */
export function setQuery(change, options = {}) {
  const next = new URLSearchParams(search.peek());
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  const text = next.toString().replace(/%2F/g, "/").replace(/%3A/g, ":");
  const address = location.pathname + (text ? `?${text}` : "");
  if (address === location.pathname + location.search) return;
  if (options.push) history.pushState({ y: 0 }, "", address);
  else history.replaceState(history.state, "", address);
  search.value = location.search;
}

/** @param {string} address @param {{ replace?: boolean }} [options] */
export function go(address, options = {}) {
  const target = new URL(address, location.href);
  if (target.origin !== location.origin || !find(target.pathname)) {
    location.assign(target.href);
    return;
  }
  const isSamePage = target.pathname === location.pathname;
  if (!isSamePage && !mayGo() && !confirm(t("Leave without saving? A draft is kept in this browser."))) return;
  remember();
  if (options.replace) history.replaceState({ y: 0 }, "", target.href);
  else history.pushState({ y: 0 }, "", target.href);
  settle(isSamePage, 0);
}

function remember() {
  history.replaceState({ ...(history.state ?? {}), y: window.scrollY }, "");
}

/** @param {boolean} isSamePage @param {number} y */
function settle(isSamePage, y) {
  batch(() => {
    search.value = location.search;
    path.value = location.pathname;
  });
  if (!isSamePage) void show(false, y);
}

/** @param {string} at */
function find(at) {
  for (const route of routes) {
    const parameters = match(route.pattern, at);
    if (parameters) return { route, parameters };
  }
  return null;
}

/** @param {boolean} isFirst @param {number} y */
async function show(isFirst, y) {
  const mine = ++turn;
  const at = location.pathname;
  const found = find(at);
  if (!host) return;
  if (!found) {
    onFailure(at, null);
    return;
  }
  const slow = setTimeout(() => host?.classList.add("is-loading"), 150);
  try {
    const { page } = await found.route.load();
    if (mine !== turn) return;
    shown?.dispose();
    guards.clear();
    const scope = new Scope(null);
    shown = scope;
    host.replaceChildren();
    const place = host;
    await scope.run(() => page({ host: place, parameters: found.parameters, isFirst }));
    if (mine !== turn) return;
    window.scrollTo(0, y);
  } catch (error) {
    if (mine === turn) onFailure(at, error);
  } finally {
    clearTimeout(slow);
    if (mine === turn) host?.classList.remove("is-loading");
  }
}

/** Shows the page of the address anew. */
export const reload = () => show(false, window.scrollY);

/** @param {MouseEvent} event */
function clicked(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link || link.hasAttribute("download") || (link.getAttribute("target") ?? "_self") !== "_self") return;
  const address = link instanceof SVGElement ? link.getAttribute("href") : /** @type {HTMLAnchorElement} */ (link).href;
  if (!address) return;
  const target = new URL(address, location.href);
  if (target.origin !== location.origin || !find(target.pathname)) return;
  if (target.hash && target.pathname === location.pathname && target.search === location.search) return;
  event.preventDefault();
  go(target.href);
}

/**
 * @param {HTMLElement} element where pages are shown
 * @param {Route[]} table
 * @param {(path: string, error: unknown) => void} failure
 */
export function startRouter(element, table, failure) {
  host = element;
  routes = table;
  onFailure = failure;
  history.scrollRestoration = "manual";
  document.addEventListener("click", clicked);
  let at = location.pathname;
  const note = () => (at = location.pathname);
  window.addEventListener("popstate", (event) => {
    const isSamePage = at === location.pathname;
    note();
    settle(isSamePage, Number(event.state?.y) || 0);
  });
  window.addEventListener("beforeunload", (event) => {
    if (!mayGo()) event.preventDefault();
  });
  const push = history.pushState.bind(history);
  history.pushState = (...all) => {
    push(...all);
    note();
  };
  return show(true, Number(history.state?.y) || 0);
}
