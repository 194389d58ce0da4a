// Executions: what runs, what ran. The address holds the filters; what is new waits above the list until it is asked for.

import { get, queryText } from "../core/api.js";
import { boot } from "../core/boot.js";
import { announce } from "../core/a11y.js";
import { each } from "../core/each.js";
import { count } from "../core/fmt.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { shortcut } from "../core/keys.js";
import { query, setQuery } from "../core/router.js";
import { computed, effect, onCleanup, signal, untracked } from "../core/signal.js";
import { runs } from "../core/store.js";
import { live } from "../core/ws.js";
import { empty, failure, skeleton } from "../ui/empty.js";
import { directory, loadDirectory, loadProjects } from "./directory.js";
import { loadPage, showPage } from "./load.js";
import { startRun } from "./run-actions.js";
import { runRow } from "./run-row.js";

const API = "/api/v1/pipeline-runs";
const PER_PAGE = 50;
const states = ["running", "pending", "blocked", "success", "warning", "failed", "cancelled", "skipped"];
const events = ["manual", "push", "pull_request", "tag", "schedule", "webhook", "pipeline"];
const spans = { "1h": 3600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 };
const REFRESH_MS = 700;
const NAMES_AFTER_MS = 1500;

/** The call that the address stands for. */
function target() {
  const value = (/** @type {string} */ name) => query.value.get(name) ?? "";
  const { projects, pipelines } = directory.value;
  const project = value("project") ? projects.find((one) => one.name === value("project"))?.id ?? -1 : "";
  const pipeline = value("pipeline")
    ? pipelines.find((one) => one.name === value("pipeline") && (project === "" || one.project_id === project))?.id ?? -1 : "";
  const span = spans[/** @type {keyof typeof spans} */ (value("since"))];
  const page = Number(value("page")) || 1;
  return {
    // What does not exist has no runs.
    isNothing: project === -1 || pipeline === -1,
    page,
    path: API + queryText({
      per_page: PER_PAGE, page: page > 1 ? page : "", status: states.includes(value("state")) ? value("state") : "", project_id: project, pipeline_id: pipeline,
      branch: value("branch"), event: value("event"),
      actor: value("by") === "me" ? boot.user?.username : value("by"), q: value("q"),
      since: span ? new Date(Math.floor(Date.now() / 60_000) * 60_000 - span * 1000).toISOString() : "",
    }),
  };
}

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const shown = signal(/** @type {number[] | null} */ (null));
  const total = signal(0);
  const fault = signal(/** @type {unknown} */ (null));
  const fresh = signal(/** @type {Set<number>} */ (new Set()));
  let turn = 0;

  async function load() {
    const mine = ++turn;
    try {
      if (query.peek().get("pipeline") && !directory.peek().isLoaded) await loadDirectory();
      const { path, isNothing } = untracked(target);
      const answer = isNothing ? { items: [], total: 0 } : await get(path);
      if (mine !== turn) return;
      runs.putAll(answer.items);
      shown.value = answer.items.map((/** @type {any} */ run) => run.id);
      total.value = answer.total;
      fresh.value = new Set();
      fault.value = null;
    } catch (error) {
      if (mine === turn) fault.value = error;
    }
  }

  /** What is shown stays where it is; only what it says is brought up to date. */
  async function refresh() {
    const { path, isNothing } = untracked(target);
    const known = shown.peek();
    if (!known || isNothing) return;
    try {
      const answer = await get(path);
      runs.putAll(answer.items);
      if (known !== shown.peek()) return;
      total.value = answer.total;
      const newest = Math.max(0, ...known);
      const news = answer.items.map((/** @type {any} */ run) => run.id).filter((/** @type {number} */ id) => id > newest);
      if (untracked(() => target().page) === 1) fresh.value = new Set(news);
      const missing = known.filter((id) => runs.slot(id).peek()?.phase !== "finished" && !answer.items.some(
        (/** @type {any} */ run) => run.id === id,
      ));
      for (const id of missing.slice(0, 5)) runs.put(await get(`${API}/${id}`));
    } catch {
      // The next event tries again; the connection's own mark says when nothing comes.
    }
  }

  await loadProjects().catch(() => {});
  await load();
  let asked = untracked(target).path;
  effect(() => {
    const { path } = target();
    if (path === asked) return;
    asked = path;
    void load();
  });

  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      void refresh();
    }, REFRESH_MS);
  };
  onCleanup(() => clearTimeout(timer ?? undefined));
  onCleanup(live().subscribe("system", {
    snapshot: soon,
    event: ({ data }) => {
      if (!data.job) {
        runs.patch(
          data.execution_id,
          (run) => ({ ...run, status: data.status, phase: data.phase, result: data.result, cause: data.cause, message: data.message }),
        );
      }
      soon();
    },
  }));

  const show = () => {
    void load().then(() => announce(t("The list is up to date.")));
    if (query.peek().get("page")) setQuery({ page: null });
  };
  shortcut(".", t("Show new executions"), show);
  shortcut("j", t("Next execution"), () => step(1));
  shortcut("k", t("Previous execution"), () => step(-1));

  /** @param {number} by */
  function step(by) {
    const links = [...context.host.querySelectorAll(".run-row .name a")];
    const at = links.indexOf(/** @type {Element} */ (document.activeElement));
    const next = links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + by))];
    if (next instanceof HTMLElement) next.focus();
  }

  showPage(context, loaded, () => [
    h("div", { class: "title" }, h("h1", null, t("Executions")),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "button is-primary", on: { click: () => void startRun() } }, t("Run pipeline")),
      )),
    filters(),
    () => fault.value ? failure(fault.value, () => void load()) : null,
    h("div", { class: "fresh-place" }, h("button", { type: "button", class: "fresh", hidden: () => fresh.value.size === 0, on: { click: show } },
      () => plural(fresh.value.size, "One new execution", "{n} new executions"), h("kbd", null, "."))),
    h("section", { class: "panel runs", "aria-label": t("List of executions") },
      () => shown.value === null ? h("div", { class: "body" }, skeleton(8)) : null,
      h("ul", { class: "list" }, each(() => shown.value ?? [], (id) => id, (id) => runRow(id.peek(), { hasProject: true }))),
      () => shown.value?.length === 0 ? nothing() : null),
    pager(shown, total),
  ]);
}

const hasFilter = () => [...query.value.keys()].some((key) => key !== "page");

function nothing() {
  return hasFilter()
    ? empty(
      t("No execution fits the filters"),
      t("Widen them, or look at all."),
      h("button", { type: "button", class: "button", on: { click: clear } }, t("Clear filters")),
    )
    : empty(t("No executions yet"), t("An execution is one run of a pipeline. Start one here, or let a push, a schedule or a webhook do it."),
      h("button", { type: "button", class: "button is-primary", on: { click: () => void startRun() } }, t("Run pipeline")));
}

function clear() {
  setQuery(Object.fromEntries([...query.peek().keys()].map((key) => [key, null])), { push: true });
}

function filters() {
  /** @param {string} name @param {string} label @param {() => [string, string][]} options */
  const pick = (name, label, options) => h("label", { class: "pick" }, label, h("select", {
    class: "input", value: () => { options(); return query.value.get(name) ?? ""; },
    on: { change: (/** @type {Event} */ event) => setQuery(
      { [name]: /** @type {HTMLSelectElement} */ (event.target).value, page: null },
      { push: true },
    ) },
  }, each(
    options,
    ([value]) => value,
    (one) => h("option", { value: one.peek()[0], selected: () => (query.value.get(name) ?? "") === one.peek()[0] }, one.peek()[1]),
  )));
  const word = (/** @type {string} */ text) => t((text[0] ?? "").toUpperCase() + text.slice(1).replace("_", " "));
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  const typed = (/** @type {string} */ name) => (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    clearTimeout(timer);
    timer = setTimeout(() => setQuery({ [name]: value.trim(), page: null }), 250);
  };
  // The names of all pipelines come when somebody is about to choose one, or when all else is done.
  const names = () => void loadDirectory().catch(() => {});
  const idle = setTimeout(names, NAMES_AFTER_MS);
  onCleanup(() => clearTimeout(idle));
  const isFolded = signal(true);
  const chosen = () => ["state", "project", "pipeline", "event", "since", "by", "branch"].filter((name) => query.value.get(name)).length;
  return h("div", { class: () => (isFolded.value ? "filters is-folded" : "filters"), role: "search", "aria-label": t("Filters"), on: { pointerenter: names, focusin: names } },
    // Where the window is narrow the list comes first.
    h("button", { type: "button", class: "button filters-fold", "aria-expanded": () => String(!isFolded.value), on: { click: () => (isFolded.value = !isFolded.value) } },
      () => (chosen() ? t("Filters ({n})", { n: chosen() }) : t("Filters")), h("span", { aria: { hidden: true } }, () => (isFolded.value ? "▾" : "▴"))),
    pick(
      "state",
      t("State"),
      () => [["", t("All")], ...states.map((one) => /** @type {[string, string]} */ ([one, one === "pending" ? t("Queued") : word(one)]))],
    ),
    pick(
      "project",
      t("Project"),
      () => [["", t("All")], ...directory.value.projects.map((one) => /** @type {[string, string]} */ ([one.name, one.name]))],
    ),
    pick(
      "pipeline",
      t("Pipeline"),
      () => [
        ["", t("All")],
        ...[...new Set(directory.value.pipelines.map((one) => one.name))].map((one) => /** @type {[string, string]} */ ([one, one]))
      ],
    ),
    pick("event", t("Event"), () => [["", t("All")], ...events.map((one) => /** @type {[string, string]} */ ([one, word(one)]))]),
    pick("by", t("By"), () => {
      const by = query.value.get("by") ?? "";
      return [["", t("Anybody")], ["me", t("Me")], ...(by && by !== "me" ? [/** @type {[string, string]} */ ([by, by])] : [])];
    }),
    pick("since", t("Since"), () => [["", t("Ever")], ["1h", t("1 hour")], ["24h", t("24 hours")], ["7d", t("7 days")], ["30d", t("30 days")]]),
    h("input", { class: "input", type: "text", placeholder: t("Branch"), "aria-label": t("Branch"), autocomplete: "off", spellcheck: "false",
      value: () => query.value.get("branch") ?? "", on: { input: typed("branch") } }),
    h(
      "input",
      {
        class: "input",
        type: "search",
        placeholder: t("Pipeline, commit or branch"),
        "aria-label": t("Filter text"),
        autocomplete: "off",
        spellcheck: "false",
      value: () => query.value.get("q") ?? "", on: { input: typed("q") } }),
    h("button", { type: "button", class: "button is-plain", hidden: () => !hasFilter(), on: { click: clear } }, t("Clear")));
}

/** @param {import("../core/signal.js").Signal<number[] | null>} shown @param {import("../core/signal.js").Signal<number>} total */
function pager(shown, total) {
  const number = computed(() => Number(query.value.get("page")) || 1);
  const last = computed(() => Math.max(1, Math.ceil(total.value / PER_PAGE)));
  const move = (/** @type {number} */ to) => {
    setQuery({ page: to > 1 ? to : null }, { push: true });
    window.scrollTo(0, 0);
  };
  return h("nav", { class: "pager", "aria-label": t("Pages"), hidden: () => !total.value },
    h("span", null, () => {
      const from = (number.value - 1) * PER_PAGE + 1;
      return t("{from}–{to} of {total}", { from: count(from), to: count(from + (shown.value?.length ?? 0) - 1), total: count(total.value) });
    }),
    h("div", { class: "actions", hidden: () => last.value < 2 },
      h("button", { type: "button", class: "button", disabled: () => number.value <= 1, on: { click: () => move(number.peek() - 1) } }, t("‹ Newer")),
      h(
        "button",
        { type: "button", class: "button", disabled: () => number.value >= last.value, on: { click: () => move(number.peek() + 1) } },
        t("Older ›"),
      )));
}
