// Ctrl+K: jumps to any page, project, pipeline or run.

import { get } from "../core/api.js";
import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { go } from "../core/router.js";
import { batch, computed, Scope, signal } from "../core/signal.js";
import { uniqueId } from "../core/a11y.js";
import { directory, loadDirectory, runAddress } from "../pages/directory.js";
import { statusGlyph } from "./status.js";

/** @typedef {{ id: string, label: string, kind: string, href: string, glyph?: string, words: string }} Choice */

const pages = [
  ["Dashboard", "/"], ["Executions", "/runs"], ["Pipelines", "/pipelines"], ["Projects", "/projects"], ["Agents", "/agents"], ["Queue", "/queue"],
  ["Profile", "/me/profile"], ["API keys", "/me/tokens"], ["Sessions", "/me/sessions"], ["Notices", "/me/notifications"], ["Preferences", "/me/preferences"],
  ["Failed executions", "/runs?state=failed"], ["Running executions", "/runs?state=running"],
];
const SHOWN_MAX = 13;
const NAMED_MAX = 6;
const WAIT_MS = 150;
let isOpen = false;

/**
 * How well `words` fits; 0 for not at all.
 * @param {string} text @param {string} words lower case
 */
export function score(text, words) {
  if (!text) return 1;
  const at = words.indexOf(text);
  if (at === 0) return 4;
  if (at > 0) return /[\s/\-_#.]/.test(words[at - 1] ?? "") ? 3 : 2;
  // Letters in order, as in `rdb` for `run-db`.
  let from = 0;
  for (const letter of text) {
    from = words.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return text.length > 1 ? 0.5 : 0;
}

export function openPalette() {
  if (isOpen) return;
  isOpen = true;
  const opener = document.activeElement;
  const scope = new Scope(null);
  scope.run(() => {
    const text = signal("");
    const at = signal(0);
    const found = signal(/** @type {Choice[]} */ ([]));
    const list = uniqueId("options");
    void loadDirectory();

    const choices = computed(() => {
      const wanted = text.value.trim().toLowerCase();
      const { projects, pipelines } = directory.value;
      /** @type {Choice[]} */
      const all = pages.map(([label, href]) => (
        { id: `page ${href}`, label: t(label ?? ""), kind: t("Page"), href: href ?? "/", words: t(label ?? "").toLowerCase() }
      ));
      for (const one of pipelines) {
        const project = projects.find((other) => other.id === one.project_id)?.name ?? "";
        all.push({ id: `pipeline ${one.id}`, label: `${project} / ${one.name}`, kind: t("Pipeline"),
          href: `/p/${encodeURIComponent(project)}/${encodeURIComponent(one.name)}`, words: `${one.name} ${project}`.toLowerCase() });
      }
      for (const one of projects) {
        all.push({
          id: `project ${one.id}`,
          label: one.name,
          kind: t("Project"),
          href: `/p/${encodeURIComponent(one.name)}`,
          words: one.name.toLowerCase(),
        });
      }
      const scored = all.map((one) => ({ one, by: score(wanted, one.words) })).filter(({ by }) => by > 0);
      scored.sort((a, b) => b.by - a.by);
      // What is called like that comes before its runs, and these before what only has the letters in it.
      const isNamed = (/** @type {number} */ by) => wanted !== "" && by >= 3;
      return [
        ...scored.filter(({ by }) => isNamed(by)).map(({ one }) => one).slice(0, NAMED_MAX), ...found.value,
        ...scored.filter(({ by }) => !isNamed(by)).map(({ one }) => one),
      ].slice(0, SHOWN_MAX);
    });

    /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
    function changed(/** @type {Event} */ event) {
      const value = /** @type {HTMLInputElement} */ (event.target).value;
      batch(() => {
        text.value = value;
        at.value = 0;
        found.value = [];
      });
      clearTimeout(timer);
      if (value.trim().length > 0) timer = setTimeout(() => void search(value.trim()), WAIT_MS);
    }

    async function search(/** @type {string} */ value) {
      const number = /^#?(\d+)$/.exec(value)?.[1];
      const answer = await get(
        `/api/v1/pipeline-runs?per_page=${number ? 100 : 5}${number ? "" : `&q=${encodeURIComponent(value)}`}`,
      ).catch(() => null);
      if (!answer || text.peek().trim() !== value) return;
      const runs = number ? answer.items.filter((/** @type {any} */ run) => String(run.number) === number) : answer.items;
      found.value = runs.slice(0, 5).map((/** @type {any} */ run) => ({
        id: `run ${run.id}`, label: `${run.pipeline_name} #${run.number}`, kind: run.branch || run.event, href: runAddress(run), glyph: run.status, words: "",
      }));
    }

    function keydown(/** @type {KeyboardEvent} */ event) {
      const count = choices.peek().length;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && count > 0) {
        event.preventDefault();
        at.value = (at.peek() + step + count) % count;
        document.getElementById(`${list}-${at.peek()}`)?.scrollIntoView({ block: "nearest" });
      } else if (event.key === "Enter") {
        event.preventDefault();
        const chosen = choices.peek()[at.peek()];
        if (chosen) choose(chosen);
      }
    }

    function choose(/** @type {Choice} */ one) {
      dialog.close();
      go(one.href);
    }

    const dialog = h("dialog", { class: "is-palette", "aria-label": t("Search or jump"), on: { close } },
      h("input", {
        class: "palette-input", type: "text", placeholder: t(
          "Pages, projects, pipelines, runs such as #12",
        ), role: "combobox", "aria-expanded": "true",
        "aria-controls": list, "aria-autocomplete": "list", "aria-label": t("Search or jump"), autocomplete: "off", spellcheck: "false",
        "aria-activedescendant": () => (choices.value.length ? `${list}-${at.value}` : undefined), on: { input: changed, keydown },
      }),
      h("div", { class: "options", role: "listbox", id: list, "aria-label": t("Places") },
        each(() => choices.value.map((one, index) => ({ ...one, index })), (one) => one.id, (one) =>
          h("div", { role: "option", id: () => `${list}-${one.value.index}`, "aria-selected": () => String(one.value.index === at.value),
            on: { click: () => choose(one.value), mousemove: () => (at.value = one.value.index) } },
          // Where some have a state, the names of all stand below each other.
          () => (one.value.glyph ? statusGlyph(one.value.glyph) : found.value.length > 0 && h("span", { class: "glyph" })), h(
            "span",
            { class: "cut" },
            () => one.value.label,
          ), h("span", { class: "kind" }, () => one.value.kind))),
        () => choices.value.length === 0 && h("p", { class: "muted", role: "option", "aria-selected": "false" }, t("Nothing is called like that."))),
      h("span", { class: "hidden", role: "status" }, () => plural(choices.value.length, "one place", "{n} places")));

    function close() {
      isOpen = false;
      dialog.remove();
      scope.dispose();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    }

    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
