// One run: what it is, where it stands, what failed first, and its parts.

import { get } from "../core/api.js";
import { announce } from "../core/a11y.js";
import { ago, duration, millis, moment, sha } from "../core/fmt.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { now } from "../core/clock.js";
import { shortcut } from "../core/keys.js";
import { preferences, prefer } from "../core/prefs.js";
import { query, setQuery } from "../core/router.js";
import { computed, effect, onCleanup, signal } from "../core/signal.js";
import { live } from "../core/ws.js";
import { failure } from "../ui/empty.js";
import { menuButton } from "../ui/menu.js";
import { statusMark, statusWord } from "../ui/status.js";
import { elapsed, since } from "../ui/time.js";
import { setTitle } from "../ui/title.js";
import { toastError } from "../ui/toast.js";
import { loadProjects, whyNot } from "./directory.js";
import { address, crumbs, loadPage, showPage } from "./load.js";
import { answerApproval, cancelRun, rerunItems, usualDuration } from "./run-actions.js";
import { runList } from "./run-list.js";
import { graphModule, runGraph } from "./run-graph.js";
import { applyEvent, firstFailure, stepOf } from "./run-state.js";
import { stepPanel, viewerModule } from "./run-step.js";
import { startedBy } from "./run-row.js";

const API = "/api/v1/pipeline-runs";
const REFRESH_MS = 400;

/** @param {string} time */
const startedAt = (time) => h("time", { datetime: time, title: moment(time) }, () => {
  const text = ago(time, now.value);
  return /^\d+[smhd]$/.test(text) ? t("started {time} ago", { time: text }) : t("started {time}", { time: text });
});

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  void graphModule();
  void viewerModule();
  const loaded = await loadPage(context);
  const { place } = loaded;
  const path = `${API}/${place.run}`;
  const run = signal(/** @type {import("./run-state.js").RunDetail} */ (await get(path)));
  const graph = signal(await get(`${path}/graph`));
  const fault = signal(/** @type {unknown} */ (null));
  const usual = signal(/** @type {number | null} */ (null));
  void loadProjects().catch(() => {});
  void usualDuration(place.pipeline).then((ms) => (usual.value = ms), () => {});

  let turn = 0;
  async function refresh() {
    const mine = ++turn;
    try {
      const [detail, picture] = await Promise.all([get(path), get(`${path}/graph`)]);
      if (mine !== turn || detail.seq < run.peek().seq) return;
      run.value = detail;
      graph.value = picture;
      fault.value = null;
    } catch (error) {
      if (mine === turn && !context.isFirst) fault.value = error;
    }
  }
  /** @type {ReturnType<typeof setTimeout> | null} */ let timer = null;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      void refresh();
    }, REFRESH_MS);
  };
  onCleanup(() => clearTimeout(timer ?? undefined));
  onCleanup(live().subscribe(`run:${place.run}`, {
    snapshot: (data) => {
      if (data.run && data.run.seq >= run.peek().seq) run.value = data.run;
    },
    event: (message) => {
      run.value = applyEvent(run.peek(), message);
      // Waiting reasons, attempts and the graph's figures come with the whole.
      soon();
    },
    gone: (reason) => (fault.value = new Error(reason)),
  }));

  const first = computed(() => firstFailure(run.value));
  /** The step that is looked at: the address's, else the first that failed, else the one that runs, else the last. */
  const selected = computed(() => stepOf(run.value, query.value.get("step")) ?? standard(run.value, first.value));
  const select = (/** @type {string} */ key, isPushed = true) => setQuery(
    { step: key, attempt: null, L: null, tab: query.peek().get("tab") },
    { push: isPushed },
  );

  effect(() => setTitle(loaded.title, run.value.approvals.some((one) => one.state === "waiting") ? "approval" : run.value.status));
  let before = run.peek().status;
  effect(() => {
    const { status, number, pipeline_name: name } = run.value;
    if (status !== before) announce(t("{name} #{number}: {status}", { name, number, status: statusWord(status) }));
    before = status;
  });
  shortcut("n", t("First failure"), () => first.peek() && select(/** @type {any} */ (first.peek()).key));

  showPage(context, loaded, () => [
    crumbs([
      [place.project_name, address("p", place.project_name)],
      [place.pipeline_name, address("p", place.project_name, place.pipeline_name)],
      [`#${place.number}`, null],
    ]),
    header(run, usual),
    () => (fault.value ? failure(fault.value, () => void refresh()) : null),
    notices(run, first, select),
    views(run, graph, selected, select),
    () => selected.value ? null : h("p", { class: "muted" }, t("This run has no steps.")),
    stepPanel(run, selected, select),
  ], { class: "is-run" });
}

/** @param {import("./run-state.js").RunDetail} run @param {any} first */
function standard(run, first) {
  if (first) return stepOf(run, first.key);
  const all = run.jobs.flatMap((job) => job.steps);
  const busy = all.filter((step) => step.status === "running");
  const done = all.filter((step) => step.attempts.length > 0);
  return busy[busy.length - 1] ?? done[done.length - 1] ?? all[0];
}

/**
 * Nothing runs of what waits for a person's word.
 * @param {import("./run-state.js").RunDetail} run
 */
const shownStatus = (run) => (run.status === "running" && run.approvals.some((one) => one.state === "waiting")
  && !run.jobs.some((job) => job.steps.some((step) => step.status === "running")) ? "approval" : run.status);

/** @param {import("../core/signal.js").Signal<import("./run-state.js").RunDetail>} run @param {import("../core/signal.js").Signal<number | null>} usual */
function header(run, usual) {
  const left = () => {
    const started = millis(run.value.started_at);
    if (run.value.phase === "finished" || started === null || usual.value === null) return null;
    const rest = usual.value - (now.value - started);
    return h("span", { title: t("Its last good runs took {time}.", { time: duration(usual.value) }) },
      rest > 0 ? t("about {time} left", { time: duration(Math.ceil(rest / 1000) * 1000) }) : t("longer than usual"));
  };
  const why = () => whyNot(run.value.project_id, "developer");
  return h("header", { class: "run-head" },
    h("div", { class: "title" },
      h("h1", { class: "break" }, () => `${run.value.pipeline_name} #${run.value.number}`), statusMark(() => shownStatus(run.value)),
      h("div", { class: "actions" },
        () => (run.value.phase === "finished" ? null : h("button", {
          type: "button", class: "button is-danger", disabled: () => why() !== "" || run.value.phase === "stopping", title: () => why() || undefined, on: {
            click: () => void cancelRun(run.peek()),
          },
        }, () => (run.value.phase === "stopping" ? t("Cancelling…") : t("Cancel")))),
        () => (run.value.phase === "finished" ? menuButton(
          { label: t("Rerun"), class: "button", content: t("Rerun ▾") },
          () => rerunItems(run.peek(), toastError),
        ) : null),
        menuButton({ label: t("More"), class: "button is-icon" }, () => [
          { label: t("Download all logs"), href: `${API}/${run.peek().id}/logs` },
          { label: t("Show as JSON"), href: `${API}/${run.peek().id}` },
        ]))),
    h("div", { class: "facts" },
      () => (run.value.branch || run.value.tag ? h("span", { class: "tag" }, run.value.tag || run.value.branch) : null),
      () => (run.value.commit ? h("code", { title: run.value.commit }, sha(run.value.commit)) : null),
      h("span", null, () => t("by {who}", { who: startedBy(run.value) || t("nobody") })),
      () => startedAt(run.value.started_at ?? run.value.created_at),
      () => (run.value.started_at ? h("span", { class: "strong" }, elapsed(() => run.value)) : null), left,
      () => (run.value.origin_id ? h("a", { href: `/executions/${run.value.origin_id}` }, t("rerun of an earlier run")) : null),
      () => (run.value.trusted ? null : h("span", { class: "tag" }, t("untrusted code: no secrets")))));
}

/**
 * What a person should know first: what failed, what waits for a word, why nothing happens.
 * @param {import("../core/signal.js").Signal<import("./run-state.js").RunDetail>} run
 * @param {import("../core/signal.js").ReadSignal<any>} first
 * @param {(key: string) => void} select
 */
function notices(run, first, select) {
  const excerpt = signal("");
  const line = signal(0);
  effect(() => {
    const step = first.value;
    excerpt.value = "";
    line.value = 0;
    if (!step?.attempt) return;
    const mine = step.key;
    get(
      `${API}/${run.peek().id}/steps/${mine.split("/").map(encodeURIComponent).join("/")}/log?format=json&tail=20&attempt=${step.attempt}`,
    ).then((log) => {
      if (first.peek()?.key !== mine) return;
      const lines = [...log.lines].reverse().map((/** @type {any} */ one) => ({ ...one, text: plain(one.text) }));
      const found = lines.find(
        (/** @type {any} */ one) => /error|fail|panic|exception|refused|denied|not found/i.test(one.text),
      ) ?? lines.find((/** @type {any} */ one) => one.text.trim());
      if (found) {
        excerpt.value = found.text.trim().slice(0, 200);
        line.value = found.n;
      }
    }, () => {});
  });
  return [
    () => first.value && h("div", { class: "notice is-failed" }, h("div", { class: "grow break" },
      h("strong", null, t("First failure: {step}", { step: first.value.key })), " ",
      () => (first.value?.exit_code !== null && first.value?.exit_code !== undefined ? t(
        "exit {code}",
        { code: first.value.exit_code },
      ) : first.value?.message ?? ""),
      () => excerpt.value && h("div", { class: "mono muted break" }, excerpt.value)),
    h(
      "a",
      {
        class: "button",
        href: () => `?step=${first.value?.key ?? ""}${line.value ? `&L=${line.value}` : ""}`,
        on: { click: (/** @type {Event} */ event) => {
      event.preventDefault();
      select(first.peek().key);
      if (line.peek()) setQuery({ L: line.peek() });
      document.getElementById("step")?.scrollIntoView({ block: "start" });
    } } }, () => (line.value ? t("Line {n}", { n: line.value }) : t("Its log")))),
    () => run.value.approvals.filter((one) => one.state === "waiting").map((one) => h("div", { class: "notice is-approval" },
      statusMark("approval"), h("div", { class: "grow break" }, h(
        "strong",
        null,
        one.job ? t("{job} waits for approval.", { job: one.job }) : t("This run waits for approval."),
      ), " ", one.message ?? "",
        one.by.length ? h("span", { class: "muted" }, " ", t("By a {roles}.", { roles: one.by.join(t(" or ")) })) : null),
      h("div", { class: "actions" }, [true, false].map((isYes) => {
        const why = whyNot(run.value.project_id, "developer");
        return h("button", { type: "button", class: ["button", isYes && "is-primary"], disabled: why !== "", title: why || undefined,
          on: { click: () => void answerApproval(
            { ...one, run_id: run.peek().id },
            isYes,
            `${run.peek().pipeline_name} #${run.peek().number}`,
          ) } }, isYes ? t("Approve") : t("Decline"));
      })))),
    () => {
      const reasons = run.value.waiting.filter((one) => !["needs", "approval"].includes(one.kind));
      if (run.value.phase === "finished" || reasons.length === 0) return null;
      return h("div", { class: "notice" }, statusMark("pending", { word: t("Waiting") }), h("ul", { class: "grow" }, reasons.slice(0, 4).map((one) =>
        h("li", { class: "break" }, one.job && h("strong", null, `${one.job}${one.step ? `/${one.step}` : ""}: `), one.message,
          one.candidates.filter((/** @type {any} */ two) => two.lacks).slice(0, 3).map((/** @type {any} */ two) => h(
            "span",
            { class: "muted" },
            " ",
            t("{agent} lacks {labels}.", { agent: two.agent, labels: two.lacks }),
          ))))));
    },
    () => run.value.cancelled_by ? h("div", { class: "notice" }, statusMark("cancelled"), h("span", { class: "break" },
      t("Cancelled by {who}.", { who: run.value.cancelled_by }), run.value.cancel_reason ? ` ${run.value.cancel_reason}` : "")) : null,
    () => (run.value.message && run.value.jobs.length === 0 ? h("div", { class: "notice is-failed break" }, run.value.message) : null),
  ];
}

/**
 * Without terminal colours.
 * @param {string} text
 */
const plain = (text) => text.replace(/\u001b\[[0-9;:]*[A-Za-z]|\u001b\][^\u0007\u001b]*(\u0007|\u001b\\)/g, "");

/** @typedef {import("../core/signal.js").ReadSignal<import("./run-state.js").RunDetail>} ReadRun */

/** @param {ReadRun} run @param {import("../core/signal.js").ReadSignal<any>} graph @param {import("../core/signal.js").ReadSignal<any>} selected @param {(key: string) => void} select */
function views(run, graph, selected, select) {
  const kinds = [["graph", t("Graph")], ["list", t("List")], ["timeline", t("Timeline")]];
  const view = computed(() => {
    const wanted = query.value.get("view") ?? preferences.value.runView;
    return kinds.some(([kind]) => kind === wanted) ? wanted : "graph";
  });
  const isList = computed(() => view.value === "list");
  const choose = (/** @type {string} */ kind) => {
    prefer({ runView: kind });
    setQuery({ view: kind });
  };
  return h("section", { class: "panel", "aria-label": t("Jobs and steps") },
    h("header", null, h("div", { class: "segments", role: "group", "aria-label": t("View") }, kinds.map(([kind = "", label]) =>
      h("button", { type: "button", "aria-pressed": () => String(view.value === kind), on: { click: () => choose(kind) } }, label))),
    h("span", { class: "muted" }, () => progress(run.value))),
    () => (isList.value ? runList(run, selected, select) : runGraph({ graph, selected, select, view })));
}

/** @param {import("./run-state.js").RunDetail} run */
function progress(run) {
  const all = run.jobs.flatMap((job) => job.steps);
  const done = all.filter((step) => step.phase === "finished").length;
  const jobs = plural(run.jobs.length, "one job", "{n} jobs");
  return t("{done} of {all} steps in {jobs}", { done, all: all.length, jobs });
}
