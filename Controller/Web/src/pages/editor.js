// A pipeline's file: text with what is wrong with it as one types, and the graph beside it.

import "../kit.js";
import { ApiError, get, post, send } from "../core/api.js";
import { boot } from "../core/boot.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { guard, go } from "../core/router.js";
import { effect, onCleanup, Scope, signal } from "../core/signal.js";
import { showDialog } from "../ui/dialog.js";
import { toast, toastError } from "../ui/toast.js";
import { loadProjects, whyNot } from "./directory.js";
import { address, crumbs, loadPage, showPage } from "./load.js";
import { complete } from "../edit/complete.js";
import { makeEditor } from "../edit/yaml-editor.js";
import { diffView } from "./history.js";
import { graphModule } from "./run-graph.js";

const WAIT_MS = 250;

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const { project_name: project, pipeline_name: name, pipeline: id, project: projectId } = loaded.place;
  let known = await get(`/api/v1/pipelines/${id}`);
  await loadProjects().catch(() => {});
  const why = whyNot(projectId, "maintainer");
  const saved = signal(known.definition);
  const text = signal(known.definition);
  const verdict = signal(/** @type {any} */ (null));
  const isBusy = signal(false);
  const draftKey = `ansflow.draft.${id}`;
  const base = address("p", project, name);
  let turn = 0;
  /** @type {Promise<any> | null} Asked for with the first word that is typed. */
  let language = null;

  async function validate() {
    const mine = ++turn;
    const given = text.peek();
    if (!given.trim()) return;
    try {
      const answer = await post(
        "/api/v1/pipelines/validate",
        { definition: given, ...(known.repository ? { repository_url: known.repository.url } : {}) },
      );
      if (mine === turn) verdict.value = answer;
    } catch (error) {
      if (mine === turn && error instanceof ApiError && error.status !== 0) toastError(error);
    }
  }
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  effect(() => {
    const value = text.value;
    clearTimeout(timer);
    timer = setTimeout(() => {
      void validate();
      if (value === saved.peek()) localStorage.removeItem(draftKey);
      else localStorage.setItem(draftKey, JSON.stringify({ version: known.version, text: value }));
    }, WAIT_MS);
  });
  onCleanup(() => clearTimeout(timer));
  onCleanup(guard(() => text.peek() === saved.peek()));

  const editor = await makeEditor({
    text: known.definition,
    isReadOnly: why !== "",
    label: t("Definition of {name}", { name }),
    source: boot.editor,
    onChange: (value) => (text.value = value),
    onSave: () => void save(),
    complete: async (value, line, column) => complete(await (language ??= get("/api/v1/pipelines/schema")), value, line, column),
  });
  onCleanup(() => editor.dispose());
  effect(() => editor.mark(verdict.value?.diagnostics ?? []));

  const draft = readDraft(draftKey);
  const offer = signal(draft && draft.text !== known.definition ? draft : null);

  async function store() {
    const response = await send("PATCH", `/api/v1/pipelines/${id}`, { definition: text.peek() }, { headers: { "If-Match": `"${known.version}"` } });
    known = await response.json();
    saved.value = known.definition;
    localStorage.removeItem(draftKey);
    toast(t("Saved as version {n}", { n: known.version }), { href: `${base}/history`, link: t("Versions") });
  }

  async function save() {
    if (why || isBusy.peek()) return;
    isBusy.value = true;
    try {
      await store();
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await merge();
      else toastError(error);
    } finally {
      isBusy.value = false;
    }
  }

  /** Somebody saved meanwhile: nothing of either is lost. */
  async function merge() {
    const theirs = await get(`/api/v1/pipelines/${id}`);
    await showDialog({
      title: t("It was changed meanwhile"), isWide: true, action: t("Save mine over it"), isDanger: true, cancel: t("Go on editing"),
      body: () => [h(
        "p",
        null,
        t("Version {n} was saved since you began. This is how it differs from yours:", { n: theirs.version }),
      ), diffView(lineDiff(theirs.definition, text.peek())),
        h(
          "button",
          {
            type: "button",
            class: "button",
            on: { click: () => void navigator.clipboard.writeText(text.peek()).then(() => toast(t("Yours is copied"))) },
          },
          t("Copy mine"),
        )],
      submit: async () => {
        known = theirs;
        await store();
      },
    });
  }

  const faults = () => (verdict.value?.diagnostics ?? []).filter((/** @type {any} */ one) => one.severity === "error").length;
  showPage(context, loaded, () => [
    crumbs([[t("Projects"), "/projects"], [project, address("p", project)], [name, base], [t("Edit"), null]]),
    h("div", { class: "title" }, h("h1", { class: "break" }, t("Edit {name}", { name })), h(
      "span",
      { class: "muted" },
      () => (text.value === saved.value ? t("version {n}", { n: known.version }) : t("changed, not saved")),
    ),
      h("div", { class: "actions" }, h(
        "button",
        { type: "button", class: "button", on: { click: () => editor.toggle() } },
        t("Plain text"),
      ), h("button", { type: "button", class: "button", on: { click: () => go(base) } }, t("Close")),
        h(
          "button",
          {
            type: "button",
            class: "button is-primary",
            disabled: () => why !== "" || isBusy.value || text.value === saved.value || faults() > 0,
            title: why || undefined,
            on: { click: () => void save() },
          },
          t("Save"),
        ))),
    why ? h("p", { class: "notice is-warning" }, why) : null,
    () => offer.value ? h("div", { class: "notice is-warning" }, h(
      "span",
      { class: "grow" },
      offer.value.version === known.version ? t("This browser has a draft that was not saved.") : t(
        "This browser has a draft of version {n}.",
        { n: offer.value.version },
      ),
    ),
      h(
        "button",
        { type: "button", class: "button", on: { click: () => { editor.set(/** @type {any} */ (offer.peek()).text); offer.value = null; } } },
        t("Take the draft"),
      ), h(
        "button",
        { type: "button", class: "button", on: { click: () => { localStorage.removeItem(draftKey); offer.value = null; } } },
        t("Throw it away"),
      )) : null,
    h("div", { class: "edit-split" },
      h("section", { class: "panel edit-text", "aria-label": t("Text") }, editor.element),
      h("section", { class: "panel edit-side", "aria-label": t("What it says") }, h(
        "header",
        null,
        h("h2", null, t("Check")),
        h(
          "span",
          { class: "muted", role: "status" },
          () => !verdict.value ? t("checking…") : faults() ? plural(faults(), "one error", "{n} errors") : t("good"),
        ),
      ),
        h("ul", { class: "list faults" }, () => (verdict.value?.diagnostics ?? []).map((/** @type {any} */ one) => h("li", { class: "line" }, h(
          "span",
          { class: one.severity === "error" ? "is-failed" : "is-warning" },
          one.severity === "error" ? "✕" : "!",
        ),
          h(
            "button",
            { type: "button", class: "link grow", on: { click: () => editor.go(one.line ?? 1, one.column ?? 1) } },
            one.line ? t("Line {n}: ", { n: one.line }) : "",
            one.message,
            one.hint ? h("span", { class: "muted" }, ` ${one.hint}`) : null,
          )))),
        h("ul", { class: "list" }, () => (verdict.value?.notes ?? []).map((/** @type {string} */ one) => h("li", { class: "line muted" }, one))),
        () => (verdict.value?.graph ? picture(verdict.value.graph) : verdict.value ? h(
          "p",
          { class: "body muted" },
          t("The graph is shown when the text can be read."),
        ) : null))),
  ], { class: "is-full" });
}

/** @param {string} key @returns {{ version: number, text: string } | null} */
function readDraft(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * The graph of what the text says.
 * @param {any} graph
 */
function picture(graph) {
  const host = h("div", { class: "graph-host" });
  const scope = new Scope(null);
  onCleanup(() => scope.dispose());
  void graphModule().then(({ mountGraph }) => {
    if (scope.isDone) return;
    scope.run(() => {
      const mounted = mountGraph(host, { graph, onSelect: () => {} });
      onCleanup(() => mounted.dispose());
    });
  }, toastError);
  return host;
}

/**
 * A difference by lines, as `diff -u` writes it; the longest common part, for texts of some thousand lines.
 * @param {string} from @param {string} to
 */
export function lineDiff(from, to) {
  const [a, b] = [from.split("\n"), to.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const gone = a.slice(start, a.length - end).map((line) => `-${line}`);
  const come = b.slice(start, b.length - end).map((line) => `+${line}`);
  return [`@@ -${start + 1},${gone.length} +${start + 1},${come.length} @@`, ...gone, ...come].join("\n");
}
