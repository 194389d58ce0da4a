// The machines that execute steps.

import { post } from "../core/api.js";
import { boot } from "../core/boot.js";
import { each } from "../core/each.js";
import { bytes } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { computed, onCleanup } from "../core/signal.js";
import { live } from "../core/ws.js";
import { empty, command } from "../ui/empty.js";
import { showDialog } from "../ui/dialog.js";
import { part, source } from "../ui/fetched.js";
import { menuButton } from "../ui/menu.js";
import { moment } from "../core/fmt.js";
import { table } from "../ui/table.js";
import { since } from "../ui/time.js";
import { agentItems, agentMark, clockOff, labelTags, runLinks, whyNotAgents } from "./agent-actions.js";
import { loadPage, showPage } from "./load.js";

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const all = source(() => "/api/v1/agents", { everyMs: 15_000 });
  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  onCleanup(() => clearTimeout(timer ?? undefined));
  // The controller tells of each agent that changed; those that change together are asked for once.
  onCleanup(live().subscribe("system", { aside: ({ type }) => {
    if (type !== "agent_update") return;
    timer ??= setTimeout(() => {
      timer = null;
      all.again();
    }, 200);
  } }));
  const items = () => [.../** @type {any[]} */ (/** @type {any} */ (all.answer.value)?.items ?? [])].sort(
    (a, b) => Number(a.revoked) - Number(b.revoked) || a.name.localeCompare(b.name),
  );
  const why = whyNotAgents();
  showPage(context, loaded, () => [
    h("div", { class: "title" }, h("h1", null, t("Agents")), h("div", { class: "actions" },
      h(
        "button",
        { type: "button", class: "button is-primary", disabled: why !== "", title: why || undefined, on: { click: () => void join() } },
        t("Add an agent"),
      ))),
    h("section", { class: "panel", "aria-label": t("List of agents") }, part(all, () => null),
      () => !all.answer.value ? null : items().length === 0
        ? empty(
          t("No agents yet"),
          t("An agent is a machine that executes steps. It dials this controller: no port of it has to be open."),
          boot.user?.is_administrator ? h(
            "button",
            { type: "button", class: "button is-primary", on: { click: () => void join() } },
            t("Add an agent"),
          ) : null,
        )
        : table(t("Agents"), [
          t("Agent"),
          t("State"),
          { name: t("Slots"), isNumber: true },
          t("Labels"),
          { name: t("Disk free"), isNumber: true },
          t("Seen"),
          "",
        ],
          each(items, (one) => one.id, (one) => h("tr", null,
            h("td", { class: "break" }, h(
              "a",
              { class: "strong", href: `/agents/${one.peek().id}` },
              () => one.value.name,
            ), () => one.value.note && h("div", { class: "muted small" }, one.value.note),
              busyWith(one),
              () => clockOff(one.value.clock_ahead_ms) && h("div", { class: "is-warning small" }, t("Clock {off}", { off: clockOff(one.value.clock_ahead_ms) })),
              () => one.value.alarms.map((/** @type {any} */ alarm) => h("div", { class: "is-warning small break" }, alarm.message))),
            h("td", null, () => agentMark(one.value)), h(
              "td",
              { class: "num" },
              () => `${one.value.busy} / ${one.value.slots}`,
            ), h("td", null, () => labelTags(one.value.labels)),
            h("td", { class: "num" }, () => bytes(one.value.disk_free_bytes)), h(
              "td",
              { class: "nowrap" },
              () => (one.value.connected ? t("now") : since(one.value.last_seen_at)),
            ),
            h(
              "td",
              { class: "num" },
              menuButton({ label: t("Actions for {name}", { name: one.peek().name }) }, () => agentItems(one.peek(), all.again)),
            ))))),
  ]);
}

/**
 * What an agent runs. The links are made anew only where it is something else: the rest of an agent's figures changes all the time.
 * @param {import("../core/signal.js").ReadSignal<any>} one
 */
function busyWith(one) {
  const ids = computed(() => one.value.running.join());
  return () => ids.value && h("div", { class: "muted small break" }, t("runs "), runLinks(ids.value.split(",").map(Number)));
}

async function join() {
  const token = await post("/api/v1/agents/enrolment-tokens");
  await showDialog({
    title: t("Add an agent"), isWide: true,
    body: () => [
      h("p", null, t("Run this on the machine. The token works once, until {time}.", { time: moment(token.expires_at) })),
      command(`ansflow-agent enrol --controller ${token.controller} --token ${token.token} --data-dir /var/lib/ansflow-agent`),
      h("p", null, t("Then start it, best as a service:")),
      command("ansflow-agent run --data-dir /var/lib/ansflow-agent"),
      h("p", { class: "muted small break" }, t("The controller's fingerprint: {print}", { print: token.fingerprint })),
    ],
  });
}
