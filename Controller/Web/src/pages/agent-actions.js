// What can be done to an agent, and how it is shown.

import { del, get, post } from "../core/api.js";
import { boot } from "../core/boot.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { runs } from "../core/store.js";
import { confirmDialog, field, showDialog } from "../ui/dialog.js";
import { statusMark } from "../ui/status.js";
import { toast, toastError } from "../ui/toast.js";
import { loadProjects, runAddress } from "./directory.js";

/** @type {Record<string, [string, string]>} */
const states = {
  idle: ["success", "Idle"], busy: ["running", "Busy"], paused: ["blocked", "Paused"], draining: ["pending", "Draining"], offline: ["warning", "Offline"], revoked: ["cancelled", "Revoked"],
};

/** @param {any} agent */
export function agentMark(agent) {
  // One that was drained leaves by itself: nothing is wrong with it.
  const isDrained = agent.status === "offline" && agent.draining;
  const [state, word] = isDrained ? ["blocked", "Drained"] : states[agent.status] ?? ["pending", agent.status];
  return statusMark(state, { word: t(word) });
}

/** Less is said of nobody's clock: the way of a message takes as long. */
const CLOCK_MS = 1000;

/**
 * How wrong an agent's clock is; empty where it does not matter or is not known.
 * @param {number | null} ahead ms
 */
export function clockOff(ahead) {
  const off = Math.abs(ahead ?? 0);
  if (ahead === null || off < CLOCK_MS) return "";
  const [size, unit] = off < 120_000 ? [1000, "s"] : off < 7_200_000 ? [60_000, "min"] : off < 172_800_000 ? [3_600_000, "h"] : [86_400_000, "days"];
  return t(ahead > 0 ? "{n} {unit} ahead" : "{n} {unit} behind", { n: Math.round(off / Number(size)), unit: t(String(unit)) });
}

/** @param {Record<string, string>} labels */
export const labelTags = (labels) => h(
  "span",
  { class: "tags" },
  Object.entries(labels).filter(([name]) => name !== "name").map(([name, value]) => h("span", { class: "tag" }, `${name}=${value}`)),
);

const RUNS_SHOWN = 3;
/** @type {Set<number>} What was asked for: what can't be seen is not asked for again. */
const asked = new Set();

/**
 * Links to what an agent runs.
 * @param {number[]} ids
 */
export function runLinks(ids) {
  const shown = ids.slice(0, RUNS_SHOWN);
  const missing = shown.filter((id) => !runs.slot(id).peek() && !asked.has(id));
  if (missing.length) {
    for (const id of missing) asked.add(id);
    // The names of all of them with one call.
    void Promise.all([loadProjects(), get("/api/v1/pipeline-runs?status=running&per_page=100").then(({ items }) => runs.putAll(items))]).catch(() => {});
  }
  return [shown.map((id, at) => {
    const run = runs.get(id);
    return [at ? ", " : "", h("a", { href: run ? runAddress(run) : `/executions/${id}` }, run ? `${run.pipeline_name} #${run.number}` : t("run {id}", { id }))];
  }), ids.length > RUNS_SHOWN ? t(" and {n} more", { n: ids.length - RUNS_SHOWN }) : ""];
}

export const whyNotAgents = () => (boot.user?.is_administrator ? "" : t("Only administrators change agents."));

/** @param {any} agent @param {() => void} done @returns {import("../ui/menu.js").Item[]} */
export function agentItems(agent, done) {
  const why = whyNotAgents() || (agent.revoked ? t("It is revoked.") : "");
  const path = `/api/v1/agents/${agent.id}`;
  const say = (/** @type {string} */ text) => () => {
    toast(text);
    done();
  };
  return [
    { label: t("Open"), href: `/agents/${agent.id}` },
    agent.paused || agent.draining ? {
      label: t("Resume"),
      why,
      run: () => void post(`${path}/resume`).then(say(t("{name} takes jobs again", { name: agent.name })), toastError),
    }
      : { label: t("Pause…"), why, run: () => void showDialog({
        title: t("Pause {name}?", { name: agent.name }), action: t("Pause"),
        body: () => [
          h("p", { class: "muted" }, t("It gets no new jobs; what runs on it goes on.")),
          field(
            { label: t("Note"), name: "note", hint: t("Shown beside it, so that others know why.") },
            (props) => h("input", { ...props, class: "input", maxlength: 500 }),
          ),
        ],
        submit: async (form) => {
          await post(`${path}/pause`, form.get("note") ? { note: form.get("note") } : {});
          say(t("{name} is paused", { name: agent.name }))();
        },
      }) },
    { label: t("Drain…"), why: why || (
      agent.draining ? t("It is draining.") : ""
    ), run: () => void confirmDialog({ title: t("Drain {name}?", { name: agent.name }), text: t(
      "It finishes what it runs, takes nothing new, and then leaves.",
    ), action: t("Drain"),
      submit: () => post(`${path}/drain`).then(say(t("{name} is draining", { name: agent.name }))) }) },
    "line",
    { label: t("Give up as lost…"), isDanger: true, why: why || (
      agent.connected ? t("It is connected.") : ""
    ), run: () => void confirmDialog({ title: t("Give {name} up?", { name: agent.name }), text: t(
      "What ran on it counts as lost, and is repeated where the pipeline says so.",
    ), action: t("Give it up"),
      submit: () => post(`${path}/gone`).then(done) }) },
    { label: t("Revoke…"), isDanger: true, why, run: () => void confirmDialog({ title: t("Revoke {name}?", { name: agent.name }), text: t(
      "Its key is worth nothing from now on. This can't be undone: enrol it anew.",
    ), action: t("Revoke"),
      submit: () => del(path).then(done) }) },
  ];
}
