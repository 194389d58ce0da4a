// What AnsFlow has to tell: a bell with a count, and a list of which each can be marked as read. It stays up to date by itself.

import { announce } from "../core/a11y.js";
import { get, post } from "../core/api.js";
import { each } from "../core/each.js";
import { h, svg } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { batch, computed, effect, onCleanup, Scope, signal } from "../core/signal.js";
import { live } from "../core/ws.js";
import { runAddress } from "../pages/directory.js";
import { empty, failure, skeleton } from "./empty.js";
import { statusGlyph } from "./status.js";
import { since } from "./time.js";
import { toast, toastError } from "./toast.js";

/**
 * @typedef {{ id: number, read_at: string | null, event: string, title: string, message: string, at: string, project_id: number | null,
 *   pipeline_name: string | null, run_id: number | null, run_number: number | null, status: string | null }} Notice
 */

const API = "/api/v1/notifications";
const SHOWN = 8;
/** A notice is made a moment after what it tells of. */
const SOON_MS = 1200;
const AGAIN_MS = 5000;

/** @type {Record<string, string>} */
const looks = { failed: "failed", fixed: "success", always: "success", waiting_for_approval: "approval", agent_lost: "warning", disk_low: "warning", system: "warning" };

const unread = signal(0);
/** Grows when there may be others than before. */
export const noticesTurn = signal(0);

/** @param {Notice} one */
export const isUnread = (one) => one.read_at === null;

async function count() {
  const before = unread.peek();
  const { total } = await get(`${API}?unread=true&per_page=1`);
  if (total === before) return;
  batch(() => {
    unread.value = total;
    noticesTurn.value++;
  });
  if (total > before) announce(plural(total, "One notice that you have not read.", "{n} notices that you have not read."));
}

/** @param {number[] | "all"} ids */
export async function markRead(ids) {
  await post(API, { read: ids });
  await count();
  noticesTurn.value++;
}

/** Keeps the count right: after what notices tell of, and where the page is looked at again. */
function keepCount() {
  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  let last = 0;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      last = Date.now();
      if (!document.hidden) void count().catch(() => {});
    }, Math.max(SOON_MS, last + AGAIN_MS - Date.now()));
  };
  void count().catch(() => {});
  document.addEventListener("visibilitychange", soon);
  live().subscribe("system", {
    event: ({ data }) => {
      if (!data.job || data.phase === "waiting") soon();
    },
    aside: ({ type, data }) => {
      if (type !== "system_notice") return;
      toast([data.title, data.message].filter(Boolean).join(": "));
      void count().catch(() => {});
    },
  });
  let wasStale = false;
  effect(() => {
    const isStale = live().state.value === "stale";
    if (wasStale && !isStale) soon();
    wasStale = isStale;
  });
}

const bell = () => svg("svg", { class: "bell", viewBox: "0 0 16 16", width: 16, height: 16, aria: { hidden: true } },
  svg("path", {
    d: "M8 1.8a4 4 0 0 1 4 4c0 3.6 1.6 5 1.6 5H2.4S4 9.4 4 5.8a4 4 0 0 1 4-4zM6.6 13.2a1.5 1.5 0 0 0 2.8 0",
    fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linejoin": "round", "stroke-linecap": "round",
  }));

/** Brings the bell to life that the server wrote. */
export function startNotices() {
  const place = document.getElementById("notices");
  if (!place) return;
  const label = () => (unread.value > 0 ? t("Notices, {n} not read", { n: unread.value }) : t("Notices"));
  const button = h("button", { type: "button", id: "notices", class: "button is-plain is-icon", aria: { haspopup: "dialog", expanded: false, label }, title: label, on: { click: toggle } },
    bell(), () => (unread.value > 0 ? h("span", { class: "badge", aria: { hidden: true } }, unread.value > 99 ? "99+" : String(unread.value)) : null));
  /** @type {HTMLElement | null} */ let shown = null;
  /** @type {Scope | null} */ let scope = null;

  function toggle() {
    if (shown) return close();
    scope = new Scope(null);
    const panel = scope.run(() => h("div", { class: "notice-pop", popover: "auto", role: "dialog", aria: { label: t("Notices") }, tabindex: -1, on: { toggle: toggled, keydown } },
      h("header", null, h("h2", null, t("Notices")), h("div", { class: "actions" }, h("button", {
        type: "button", class: "button is-small is-plain", disabled: () => unread.value === 0, on: { click: () => void markRead("all").catch(toastError) },
      }, t("Mark all as read")))),
      noticeList(() => `${API}?per_page=${SHOWN}`, close),
      h("footer", null, h("a", { href: "/me/notifications", on: { click: () => close() } }, t("All notices")))));
    shown = panel;
    document.body.append(panel);
    /** @type {any} */ (panel).showPopover();
    const box = button.getBoundingClientRect();
    const own = panel.getBoundingClientRect();
    panel.style.setProperty("--x", `${Math.max(8, Math.min(box.right - own.width, innerWidth - own.width - 8))}px`);
    panel.style.setProperty("--y", `${box.bottom + 4}px`);
    button.setAttribute("aria-expanded", "true");
    panel.focus();
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  }

  /** @param {Event} event */
  function toggled(event) {
    if (/** @type {any} */ (event).newState === "closed") close();
  }

  function close() {
    const panel = shown;
    if (!panel) return;
    shown = null;
    const hadFocus = panel.contains(document.activeElement) || document.activeElement === document.body;
    panel.remove();
    scope?.dispose();
    button.setAttribute("aria-expanded", "false");
    if (hadFocus) button.focus();
  }

  place.replaceWith(button);
  keepCount();
}

/**
 * A list of notices, asked for again where there may be others.
 * @param {() => string} path watched
 * @param {() => void} [onGo] somebody follows one
 * @param {(total: number) => void} [onTotal]
 */
export function noticeList(path, onGo, onTotal) {
  const items = signal(/** @type {Notice[] | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  const again = signal(0);
  let turn = 0;
  effect(() => {
    noticesTurn.value;
    again.value;
    const wanted = path();
    const mine = ++turn;
    get(wanted).then((answer) => {
      if (mine !== turn) return;
      batch(() => {
        items.value = answer.items;
        fault.value = null;
      });
      onTotal?.(answer.total);
    }, (error) => {
      if (mine === turn) fault.value = error;
    });
  });
  onCleanup(() => turn++);
  const isEmpty = computed(() => items.value?.length === 0);
  return [
    () => (fault.value ? failure(fault.value, () => again.value++) : items.value === null ? skeleton(3)
      : isEmpty.value ? empty(t("No notices"), t("What a project's rules have you told of stands here: failures, approvals that wait, and words of the administrators.")) : null),
    h("ul", { class: "list notices" }, each(() => items.value ?? [], (one) => one.id, (one) => row(one, onGo))),
  ];
}

/** @param {import("../core/signal.js").ReadSignal<Notice>} one @param {(() => void) | undefined} onGo */
function row(one, onGo) {
  const { id, event, title, run_id: run, project_id: project, pipeline_name: name, run_number: number } = one.peek();
  const href = run && project && name && number ? runAddress({ id: run, project_id: project, pipeline_name: name, number }) : null;
  const read = () => {
    if (isUnread(one.peek())) void markRead([id]).catch(() => {});
  };
  return h("li", { class: ["line", "notice-line", { "is-unread": () => isUnread(one.value) }] }, statusGlyph(looks[event] ?? "pending"),
    h("div", { class: "grow break" },
      h("div", { class: "strong" }, href ? h("a", { href, on: { click: () => { read(); onGo?.(); } } }, title) : title,
        () => (isUnread(one.value) ? h("span", { class: "hidden" }, t(" (not read)")) : null)),
      () => (one.value.message ? h("div", { class: "muted small notice-text" }, one.value.message) : null)),
    h("span", { class: "muted small nowrap" }, () => since(one.value.at)),
    () => (isUnread(one.value) ? h("button", {
      type: "button", class: "button is-plain is-icon is-small", title: t("Mark as read"), aria: { label: t("Mark as read: {title}", { title }) }, on: { click: read },
    }, "✓")
      : h("span", { class: "notice-gap" })));
}
