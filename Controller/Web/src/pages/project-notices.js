// A project's notices: who is told of what, where that goes, and what became of it.

import { del, get, post, put, send } from "../core/api.js";
import { clock } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { query, setQuery } from "../core/router.js";
import { computed } from "../core/signal.js";
import { confirmDialog, field, showDialog } from "../ui/dialog.js";
import { empty, prose } from "../ui/empty.js";
import { part, source } from "../ui/fetched.js";
import { menuButton } from "../ui/menu.js";
import { statusMark } from "../ui/status.js";
import { number, row, table } from "../ui/table.js";
import { since } from "../ui/time.js";
import { toast, toastError } from "../ui/toast.js";
import { runAddress, whyNot } from "./directory.js";

/** @type {Record<string, string>} */
const events = {
  failed: "A run failed",
  fixed: "A run is good again after a failure",
  always: "A run ended, however",
  waiting_for_approval: "Somebody's approval is waited for",
  agent_lost: "An agent was lost with a job",
  disk_low: "The controller's disk is nearly full",
};
/** @type {Record<string, string>} */
const short = {
  failed: "failed", fixed: "fixed", always: "any end", waiting_for_approval: "approval", agent_lost: "agent lost", disk_low: "disk low",
};
/** @type {Record<string, string>} */
const formats = { json: "JSON", slack: "Slack", teams: "Teams", mattermost: "Mattermost", discord: "Discord" };

/**
 * What is changed now, with what tells whether somebody else has changed it meanwhile.
 * @param {string} path
 */
async function fresh(path) {
  const answer = await send("GET", path);
  return { value: await answer.json(), headers: /** @type {Record<string, string>} */ ({ "If-Match": answer.headers.get("ETag") ?? "*" }) };
}

/** @param {string} label @param {string} name @param {string} value @param {boolean} checked */
const check = (label, name, value, checked) => h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked }), label);

/** @param {Record<string, any>} props @param {[string, string][]} options @param {string} chosen */
const select = (props, options, chosen) => h("select", { ...props, class: "input" }, options.map(([value, word]) =>
  h("option", { value, selected: value === chosen }, word)));

/** @param {number} id */
export function noticesPart(id) {
  const targets = source(() => `/api/v1/projects/${id}/notification-targets`);
  const rules = source(() => `/api/v1/notification-rules?project_id=${id}`);
  const pipelines = source(() => `/api/v1/pipelines?project_id=${id}&per_page=100`);
  const nameOf = (/** @type {number | null} */ pipeline) => pipeline === null ? t("all")
    : /** @type {any} */ (pipelines.answer.value)?.items.find((/** @type {any} */ one) => one.id === pipeline)?.name ?? `${pipeline}`;
  const known = { id, targets, rules, pipelines, nameOf, why: whyNot(id, "maintainer") };
  return [rulesPanel(known), targetsPanel(known), deliveriesPanel(known)];
}

/**
 * @typedef {{ id: number, targets: ReturnType<typeof source>, rules: ReturnType<typeof source>, pipelines: ReturnType<typeof source>,
 *   nameOf: (pipeline: number | null) => string, why: string }} Known
 */

/** @param {string} label @param {string} why @param {() => void} click */
const make = (label, why, click) => h(
  "button", { type: "button", class: "button is-small", disabled: why !== "", title: why || undefined, on: { click } }, label);

/** @param {Known} known */
function rulesPanel(known) {
  const { rules, why } = known;
  /** @param {any} one @returns {import("../ui/menu.js").Item[]} */
  const items = (one) => [
    { label: t("Change…"), why, run: () => void fresh(`/api/v1/notification-rules/${one.id}`).then((old) => askRule(known, old)).catch(toastError) },
    { label: t("Send a test"), why: why || (one.webhook ? "" : t("It is shown in the application only.")), run: () => void test(one) },
    { label: t("Deliveries"), why: one.webhook ? "" : t("It is shown in the application only."), run: () => {
      setQuery({ rule: String(one.id) });
      document.getElementById("deliveries")?.scrollIntoView();
    } },
    { label: one.enabled ? t("Switch off") : t("Switch on"), why, run: () =>
      void put(`/api/v1/notification-rules/${one.id}`, { enabled: !one.enabled }).then(rules.again, toastError) },
    "line",
    { label: t("Delete…"), isDanger: true, why, run: () => void confirmDialog({
      title: t("Delete the rule {name}?", { name: one.name }), text: t("Nobody is told by it from now on. Its target stays."), action: t("Delete"),
      submit: () => del(`/api/v1/notification-rules/${one.id}`).then(rules.again),
    }) },
  ];
  return h("section", { class: "panel", "aria-labelledby": "rules" },
    h("header", null, h("h2", { id: "rules" }, t("Rules")), h("div", { class: "actions" }, make(t("New rule"), why, () => void askRule(known)))),
    part(rules, (/** @type {any} */ all) => all.items.length === 0
      ? empty(t("No rules"), t("A rule says who is told of what: `failed` and `fixed` in a team chat, approvals in the application."))
      : table(t("Rules"), [t("Name"), t("Tells of"), t("Pipeline"), t("Where"), t("State"), ""], all.items.map((/** @type {any} */ one) => row(
        h("strong", { class: "break" }, one.name),
        h("span", { class: "tags" }, one.on.map((/** @type {string} */ event) => h("span", { class: "tag" }, t(short[event] ?? event)))),
        h("span", { class: "break" }, () => known.nameOf(one.pipeline_id)),
        h("span", { class: "break" }, [one.in_app && t("the application"), one.webhook].filter(Boolean).join(", ")),
        one.enabled ? t("on") : t("off"),
        h("td", { class: "num" }, menuButton({ label: t("Actions for {name}", { name: one.name }) }, () => items(one))))))));
}

/** @param {any} rule */
async function test(rule) {
  try {
    const result = await post(`/api/v1/notification-rules/${rule.id}/test`);
    const said = result.answer_status === null ? result.detail : `${result.detail} (${result.answer_status})`;
    toast(result.delivered ? t("The test arrived: {said}", { said }) : t("The test did not arrive: {said}", { said }), { isBad: !result.delivered });
  } catch (error) {
    toastError(error);
  }
}

/**
 * @param {Known} known
 * @param {{ value: any, headers: Record<string, string> }} [old] the rule that is changed; without one a new one is made
 */
function askRule(known, old) {
  const was = old?.value ?? { name: "", on: ["failed", "fixed"], pipeline_id: null, in_app: true, webhook: null };
  const targets = /** @type {any} */ (known.targets.answer.value)?.items ?? [];
  const pipelines = /** @type {any} */ (known.pipelines.answer.value)?.items ?? [];
  return showDialog({
    title: old ? t("Change the rule {name}", { name: was.name }) : t("New rule"),
    body: () => [
      field({ label: t("Name"), name: "name" }, (props) =>
        h("input", { ...props, class: "input", value: was.name, required: true, maxlength: 64, autocomplete: "off" })),
      h("fieldset", { class: "field", data: { field: "on" } }, h("legend", { class: "label strong" }, t("Tell when")),
        Object.entries(events).map(([event, words]) => check(t(words), "on", event, was.on.includes(event))), h("div", { class: "fault", hidden: true })),
      field({ label: t("Pipeline"), name: "pipeline_id" }, (props) => select(props, [
        ["", t("All of the project")], ...pipelines.map((/** @type {any} */ one) => [String(one.id), one.name]),
      ], String(was.pipeline_id ?? ""))),
      check(t("Show it in the application"), "in_app", "yes", was.in_app),
      field({ label: t("Send it to"), name: "webhook", hint: targets.length === 0 ? t("The project has no targets yet.") : null }, (props) =>
        select(props, [["", t("nowhere")], ...targets.map((/** @type {any} */ one) => [one.name, one.name])], was.webhook ?? "")),
    ],
    action: old ? t("Save") : t("Make"),
    submit: async (form) => {
      const body = {
        name: form.get("name"), on: form.getAll("on"), pipeline_id: form.get("pipeline_id") ? Number(form.get("pipeline_id")) : null,
        in_app: form.get("in_app") === "yes", webhook: form.get("webhook"),
      };
      await (old ? put(`/api/v1/notification-rules/${was.id}`, body, { headers: old.headers })
        : post("/api/v1/notification-rules", { ...body, project_id: known.id }));
      known.rules.again();
      toast(t("Saved"));
    },
  });
}

/** @param {Known} known */
function targetsPanel(known) {
  const { targets, rules, why } = known;
  const base = `/api/v1/projects/${known.id}/notification-targets`;
  /** @param {any} one @returns {import("../ui/menu.js").Item[]} */
  const items = (one) => [
    { label: t("Change…"), why, run: () => void fresh(`${base}/${one.id}`).then((old) => askTarget(known, old)).catch(toastError) },
    { label: one.enabled ? t("Switch off") : t("Switch on"), why, run: () =>
      void put(`${base}/${one.id}`, { enabled: !one.enabled }).then(targets.again, toastError) },
    "line",
    { label: t("Delete…"), isDanger: true, why, run: () => void confirmDialog({
      title: t("Delete the target {name}?", { name: one.name }),
      text: t("Nothing is sent there from now on. Definitions that name it tell nobody."), action: t("Delete"),
      submit: () => del(`${base}/${one.id}`).then(targets.again),
    }) },
  ];
  return h("section", { class: "panel", "aria-labelledby": "targets" },
    h("header", null, h("h2", { id: "targets" }, t("Targets")), h("div", { class: "actions" },
      make(t("New target"), why, () => void askTarget(known).then(() => rules.again())))),
    part(targets, (/** @type {any} */ all) => all.items.length === 0
      ? empty(t("No targets"), t("A target is a team chat or a hook of yours. Rules send notices there, and so does `notify` in a definition."))
      : table(t("Targets"), [t("Name"), t("Format"), t("Address"), t("Signed"), t("State"), ""], all.items.map((/** @type {any} */ one) => row(
        h("strong", { class: "break" }, one.name), formats[one.format] ?? one.format,
        one.url_secret ? [t("in the secret "), h("code", { class: "break" }, one.url_secret)] : h("code", { class: "break" }, one.url ?? "–"),
        one.signing_secret ? [t("by "), h("code", { class: "break" }, one.signing_secret)] : t("no"), one.enabled ? t("on") : t("off"),
        h("td", { class: "num" }, menuButton({ label: t("Actions for {name}", { name: one.name }) }, () => items(one))))))));
}

/**
 * @param {Known} known
 * @param {{ value: any, headers: Record<string, string> }} [old]
 */
async function askTarget(known, old) {
  const was = old?.value ?? { name: "", format: "json", url: null, url_secret: null, signing_secret: null };
  const base = `/api/v1/projects/${known.id}/notification-targets`;
  const secrets = await get(`/api/v1/projects/${known.id}/secrets`).then((all) => all.items.map((/** @type {any} */ one) => one.name), () => []);
  /** @param {string} none @param {string | null} kept @returns {[string, string][]} */
  const names = (none, kept) => [["", none], ...[...new Set(kept ? [kept, ...secrets] : secrets)].map((name) => /** @type {[string, string]} */ ([name, name]))];
  return showDialog({
    title: old ? t("Change the target {name}", { name: was.name }) : t("New target"),
    body: () => [
      field({ label: t("Name"), name: "name", hint: prose(t("Rules say it, and `notify` in definitions.")) }, (props) =>
        h("input", { ...props, class: "input", value: was.name, required: true, maxlength: 64, autocomplete: "off", spellcheck: "false" })),
      field({ label: t("Format"), name: "format" }, (props) => select(props, Object.entries(formats), was.format)),
      field({ label: t("Address"), name: "url", hint: was.url ? t("Now {url}; empty leaves it.", { url: was.url }) : t("By https.") }, (props) =>
        h("input", { ...props, class: "input mono", inputmode: "url", autocomplete: "off", spellcheck: "false" })),
      field({ label: t("Or the secret that holds it"), name: "url_secret", hint: t("A team chat's address is a secret: keep it in one.") }, (props) =>
        select(props, names(t("none"), was.url_secret), was.url_secret ?? "")),
      field({ label: t("Signed by the secret"), name: "signing_secret", hint: t("So that the receiver can tell that a request is from here.") }, (props) =>
        select(props, names(t("not signed"), was.signing_secret), was.signing_secret ?? "")),
    ],
    action: old ? t("Save") : t("Make"),
    submit: async (form) => {
      const url = String(form.get("url") ?? "").trim();
      const secret = String(form.get("url_secret") ?? "");
      /** @type {Record<string, unknown>} */
      const body = { name: form.get("name"), format: form.get("format"), signing_secret: form.get("signing_secret") };
      // What is not given stays; an address that is typed takes the place of a secret that was chosen before.
      if (url) body.url = url;
      if (secret !== (was.url_secret ?? "") || (!old && !url)) body.url_secret = secret;
      await (old ? put(`${base}/${was.id}`, body, { headers: old.headers }) : post(base, body));
      known.targets.again();
      toast(t("Saved"));
    },
  });
}

/** @type {Record<string, [string, string]>} */
const progress = { sent: ["success", "Arrived"], waiting: ["pending", "Waits"], gave_up: ["failed", "Given up"] };

/** @param {Known} known */
function deliveriesPanel(known) {
  const sending = () => (/** @type {any} */ (known.rules.answer.value)?.items ?? []).filter((/** @type {any} */ one) => one.webhook);
  const chosen = () => sending().find((/** @type {any} */ one) => String(one.id) === query.value.get("rule")) ?? sending()[0];
  const all = source(() => (chosen() ? `/api/v1/notification-rules/${chosen().id}/deliveries?per_page=20` : null), { everyMs: 10_000 });
  const isSending = computed(() => sending().length > 0);
  return () => !isSending.value ? null : h("section", { class: "panel", "aria-labelledby": "deliveries" },
    h("header", null, h("h2", { id: "deliveries" }, t("Deliveries")), h("div", { class: "actions" },
      h("label", { class: "pick" }, t("Rule"), () => h("select", { class: "input", on: { change: (/** @type {Event} */ event) =>
        setQuery({ rule: /** @type {HTMLSelectElement} */ (event.target).value }) } }, sending().map((/** @type {any} */ one) =>
        h("option", { value: String(one.id), selected: one.id === chosen()?.id }, one.name)))))),
    part(all, (/** @type {any} */ { items, total }) => items.length === 0 ? h("div", { class: "body muted" }, t("This rule has sent nothing yet."))
      : [table(t("Deliveries"), [t("When"), t("Notice"), t("State"), { name: t("Tries"), isNumber: true }, t("Answer")],
        items.map((/** @type {any} */ one) => {
          const [state, word] = progress[one.delivery] ?? ["pending", one.delivery];
          const { run_id: id, run_number, pipeline_name = "", project_id, title } = one.notice;
          return row(since(one.created_at), id ? h("a", { class: "break",
            href: runAddress({ id, project_id, pipeline_name: pipeline_name ?? "", number: run_number }) }, title) : h("span", { class: "break" }, title),
          [statusMark(state, { word: t(word) }), one.next_try_at && h("div", { class: "muted small" },
            t("next try at {time}", { time: clock(one.next_try_at) }))], number(one.tries),
          h("span", { class: "break" }, [one.answer_status, one.error].filter(Boolean).join(" ") || "–"));
        })), total > items.length && h("footer", { class: "muted" }, t("The newest {n} of {total}.", { n: items.length, total }))])
  );
}
