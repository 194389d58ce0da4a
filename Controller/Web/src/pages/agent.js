// One agent.

import { bytes, count } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { part, source } from "../ui/fetched.js";
import { menuButton } from "../ui/menu.js";
import { at, since } from "../ui/time.js";
import { agentItems, agentMark, clockOff, labelTags, runLinks } from "./agent-actions.js";
import { crumbs, loadPage, showPage } from "./load.js";

/** @param {any} agent */
function clockText(agent) {
  if (agent.clock_ahead_ms === null) return "–";
  const off = clockOff(agent.clock_ahead_ms);
  return off ? h("span", { class: "is-warning" }, off) : t("as the controller's");
}

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const one = source(() => `/api/v1/agents/${loaded.place.agent}`, { everyMs: 5000 });
  const read = () => /** @type {any} */ (one.answer.value);
  showPage(context, loaded, () => [
    crumbs([[t("Agents"), "/agents"], [loaded.title, null]]),
    h("div", { class: "title" }, h("h1", { class: "break" }, loaded.title), () => (read() ? agentMark(read()) : null),
      h(
        "div",
        { class: "actions" },
        menuButton({ label: t("Actions"), class: "button", content: t("Actions ▾") }, () => (read() ? agentItems(read(), one.again) : [])),
      )),
    () => read()?.note && h("p", { class: "notice" }, read().note),
    () => (read()?.alarms ?? []).map((/** @type {any} */ alarm) => h(
      "p",
      { class: "notice is-warning break" },
      alarm.message,
      " ",
      h("span", { class: "muted" }, t("{n} times, last", { n: count(alarm.count) }), " ", since(alarm.at)),
    )),
    h("section", { class: "panel" }, h(
      "header",
      null,
      h("h2", null, t("About it")),
    ), h("div", { class: "body" }, part(one, (/** @type {any} */ all) => h("dl", { class: "pairs" }, [
      [
        t("Slots"),
        t("{busy} of {slots} busy", { busy: all.busy, slots: all.slots }),
      ], [t("Labels"), labelTags(all.labels)], [t("Address"), all.remote ?? "–"], [t("Version"), all.version],
      [t("Containment"), all.containment], [t("Load"), all.load === null ? "–" : all.load.toFixed(2)], [t("Disk free"), bytes(all.disk_free_bytes)], [
        t("Runs now"),
        all.running.length ? () => runLinks(all.running) : t("nothing"),
      ],
      [t("Clock"), clockText(all)], [t("Enrolled"), at(all.created_at)], [
        t("Seen"),
        all.connected ? t("now") : since(all.last_seen_at),
      ], [t("Key"), h("code", { class: "break small" }, all.key_sha256)],
    ].map(([name, value]) => [h("dt", null, name), h("dd", null, value)]))))),
  ]);
}
