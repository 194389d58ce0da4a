// What somebody should look at: agents that are away or complain, and a controller that lacks something. One can be muted for a day.

import { h } from "../core/h.js";
import { each } from "../core/each.js";
import { t } from "../core/i18n.js";
import { prefer, preferences } from "../core/prefs.js";
import { computed, onCleanup, signal } from "../core/signal.js";
import { statusGlyph } from "../ui/status.js";
import { since } from "../ui/time.js";
import { clockOff } from "./agent-actions.js";

/** @typedef {{ key: string, name: string, href: string | null, text: string, at: string | null }} Alert */

const DAY_MS = 86_400_000;
const CHECK_MS = 30_000;
/** A clock that is wrong by less only moves the times in logs. */
const CLOCK_MS = 30_000;

/** @param {any[]} agents @returns {Alert[]} */
function ofAgents(agents) {
  return agents.filter((one) => !one.revoked).flatMap((one) => {
    const base = { name: one.name, href: `/agents/${one.id}` };
    const key = `agent ${one.id}`;
    return [
      one.connected || one.draining ? null : { ...base, key: `${key} offline`, text: t("is offline"), at: one.last_seen_at },
      Math.abs(one.clock_ahead_ms ?? 0) < CLOCK_MS ? null : { ...base, key: `${key} clock`, text: t("has its clock {off}", { off: clockOff(one.clock_ahead_ms) }), at: null },
      // The newest of each kind: what is said differs by its numbers, what it is about does not.
      ...new Map(one.alarms.map((/** @type {any} */ alarm) =>
        [alarm.kind, { ...base, key: `${key} ${alarm.kind}`, text: alarm.message, at: alarm.at }])).values(),
    ];
  }).filter((one) => one !== null);
}

/** What the controller itself lacks, asked for again and again. */
function ofController() {
  const found = signal(/** @type {Alert[]} */ ([]));
  const ask = async () => {
    const answer = await fetch("/health/ready").then((one) => one.json(), () => null);
    if (answer) found.value = answer.checks.filter((/** @type {any} */ one) => !one.ok).map((/** @type {any} */ one) =>
      ({ key: `controller ${one.name}`, name: t("Controller"), href: null, text: one.detail, at: null }));
  };
  void ask();
  const timer = setInterval(() => document.hidden || void ask(), CHECK_MS);
  onCleanup(() => clearInterval(timer));
  return found;
}

/** @param {() => any[]} agents watched */
export function alertsPanel(agents) {
  const own = ofController();
  const isOpen = signal(false);
  const all = computed(() => [...own.value, ...ofAgents(agents())]);
  const isMuted = (/** @type {Alert} */ one) => (preferences.value.muted[one.key] ?? 0) > Date.now();
  const loud = computed(() => all.value.filter((one) => !isMuted(one)));
  const quiet = computed(() => all.value.length - loud.value.length);
  /** @param {Alert} one @param {boolean} mutes */
  const mute = (one, mutes) => {
    // Only what is still to be muted is kept.
    const kept = Object.entries(preferences.peek().muted).filter(([key, until]) => until > Date.now() && key !== one.key);
    prefer({ muted: Object.fromEntries(mutes ? [...kept, [one.key, Date.now() + DAY_MS]] : kept) });
  };
  return () => all.value.length === 0 ? null : panel();

  function panel() {
    return h("section", { class: "panel", "aria-labelledby": "alerts" },
      h("header", null, h("h2", { id: "alerts" }, t("Alerts")), h("span", { class: "count" }, () => loud.value.length), h("div", { class: "actions" },
        () => quiet.value > 0 && h("button", { type: "button", class: "button is-small", "aria-expanded": () => String(isOpen.value),
          on: { click: () => (isOpen.value = !isOpen.value) } }, () => t("{n} muted", { n: quiet.value })))),
      () => loud.value.length === 0 && !isOpen.value ? h("div", { class: "body muted" }, t("Nothing that is not muted.")) : null,
      h("ul", { class: "list" }, each(() => (isOpen.value ? all.value : loud.value), (one) => one.key, (one) => h("li", { class: "line" },
        () => statusGlyph(isMuted(one.value) ? "skipped" : "warning"),
        h("div", { class: "grow break" }, () => one.value.href ? h("a", { class: "strong", href: one.value.href }, one.value.name)
          : h("strong", null, one.value.name), " ", () => one.value.text),
        h("span", { class: "muted num" }, () => one.value.at && since(one.value.at)),
        h("button", {
          type: "button", class: "button is-small", title: t("For a day, in this browser"),
          "aria-label": () => t(isMuted(one.value) ? "No longer mute: {text}" : "Mute for a day: {text}", { text: `${one.value.name} ${one.value.text}` }),
          on: { click: () => mute(one.peek(), !isMuted(one.peek())) },
        }, () => (isMuted(one.value) ? t("No longer mute") : t("Mute")))))));
  }
}
