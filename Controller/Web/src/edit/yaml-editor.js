// The editor of YAML: CodeMirror where it was there when the page was built, else, and whenever one wants, a plain text field.

import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { preferences } from "../core/prefs.js";

/**
 * @typedef {{ severity: string, message: string, line: number | null, column: number | null, end_line: number | null, end_column: number | null }} Diagnostic
 * @typedef {{ element: HTMLElement, set(text: string): void, go(line: number, column: number): void, mark(faults: Diagnostic[]): void, toggle(): void, dispose(): void }} Editor
 */

/**
 * @typedef {(text: string, line: number, column: number) => Promise<import("./complete.js").Completion | null>} Complete
 */

/**
 * @param {{ text: string, isReadOnly: boolean, label: string, source: string | null, onChange: (text: string) => void, onSave: () => void, complete: Complete }} options
 * @returns {Promise<Editor>}
 */
export async function makeEditor(options) {
  const area = h(
    "textarea",
    {
      class: "input code edit-area",
      "aria-label": options.label,
      spellcheck: "false",
      autocapitalize: "off",
      readOnly: options.isReadOnly,
      value: options.text,
      on: { input: typed, keydown },
    },
  );
  const element = h("div", { class: "editor" }, area);
  /** @type {any} */ let rich = null;
  /** @type {any[]} */ let marks = [];
  /** @type {Diagnostic[]} */ let faults = [];

  function typed() {
    options.onChange(area.value);
  }
  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      options.onSave();
    } else if (event.key === "Tab" && !event.shiftKey && !event.altKey && preferences.peek().shortcuts && !leaves) {
      event.preventDefault();
      area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
      typed();
    }
    // Escape, then Tab leaves the field.
    leaves = event.key === "Escape";
  }
  let leaves = false;

  async function enrich() {
    if (!options.source) return;
    const { default: CodeMirror } = await import(/** @type {string} */ (options.source));
    rich = CodeMirror((/** @type {HTMLElement} */ node) => element.append(node), {
      value: area.value, mode: "yaml", lineNumbers: true, inputStyle: "contenteditable", screenReaderLabel: options.label, readOnly: options.isReadOnly, tabSize: 2, indentUnit: 2,
      gutters: ["CodeMirror-linenumbers", "fault-gutter"], viewportMargin: 50,
      extraKeys: {
        Tab: (/** @type {any} */ one) => (leaves ? CodeMirror.Pass : one.execCommand("insertSoftTab")),
        "Shift-Tab": "indentLess",
        "Ctrl-S": () => options.onSave(),
        "Cmd-S": () => options.onSave(),
        "Ctrl-/": "toggleComment",
        "Ctrl-Space": () => hint(),
        Enter: (/** @type {any} */ one) => newLine(one),
      },
    });
    rich.on("inputRead", (/** @type {any} */ one, /** @type {{ text: string[], origin?: string }} */ change) => {
      if (change.origin !== "+input" || one.state.completionActive) return;
      const { line, ch } = one.getCursor();
      if (/[\w]$|(^|\s)- $|: $|[[{,] ?$/.test(one.getLine(line).slice(0, ch))) hint();
    });
    rich.on("change", () => {
      area.value = rich.getValue();
      options.onChange(area.value);
    });
    rich.on(
      "keydown",
      (/** @type {any} */ _one, /** @type {KeyboardEvent} */ event) => (leaves = event.key === "Escape" || (leaves && event.key === "Tab")),
    );
    // It is a field, whatever CodeMirror calls it: only a field may say which word of a list is chosen.
    const field = rich.getInputField();
    field.setAttribute("role", "textbox");
    field.setAttribute("aria-multiline", "true");
    area.hidden = true;
    paint();
    requestAnimationFrame(() => rich?.refresh());
  }

  /** Offers what can stand at the cursor. */
  function hint() {
    if (!rich || options.isReadOnly) return;
    rich.showHint({
      completeSingle: false, container: element, closeCharacters: /[\s()[\]{};:>,]/,
      hint: async (/** @type {any} */ one) => {
        const { line, ch } = one.getCursor();
        const found = await options.complete(one.getValue(), line, ch).catch(() => null);
        if (!found) return null;
        return {
          from: { line, ch: found.from }, to: { line, ch: found.to },
          list: found.choices.map((choice) => ({
            text: choice.text, displayText: choice.label,
            render: (/** @type {HTMLElement} */ row) => {
              row.parentElement?.setAttribute("aria-label", t("What can stand here"));
              row.parentElement?.setAttribute("tabindex", "0");
              row.append(h("span", { class: "hint-name" }, choice.label), h("span", { class: "hint-note" }, choice.note));
            },
          })),
        };
      },
    });
  }

  /**
   * A new line stands where the next word is likely to: below the first letter of this one, and deeper behind a colon.
   * @param {any} one
   */
  function newLine(one) {
    const { line, ch } = one.getCursor();
    const before = one.getLine(line).slice(0, ch);
    const lead = /^(\s*(?:- +)*)/.exec(before)?.[1]?.length ?? 0;
    const isDeeper = /:\s*([|>][+-]?)?\s*(#.*)?$/.test(before) && before.trim() !== "";
    one.replaceSelection("\n" + " ".repeat(lead + (isDeeper ? 2 : 0)), "end", "+input");
  }

  function paint() {
    if (!rich) return;
    rich.operation(() => {
      for (const one of marks) one.clear();
      marks = [];
      rich.clearGutter("fault-gutter");
      for (const fault of faults) {
        if (!fault.line) continue;
        const from = { line: fault.line - 1, ch: (fault.column ?? 1) - 1 };
        const to = fault.end_line && fault.end_column ? { line: fault.end_line - 1, ch: fault.end_column - 1 } : { line: fault.line - 1, ch: 10_000 };
        marks.push(rich.markText(from, to, { className: fault.severity === "error" ? "fault-text" : "warn-text", title: fault.message }));
        rich.setGutterMarker(
          fault.line - 1,
          "fault-gutter",
          h("span", { class: fault.severity === "error" ? "is-failed" : "is-warning", title: fault.message }, fault.severity === "error" ? "✕" : "!"),
        );
      }
    });
  }

  await enrich().catch(() => {});
  return {
    element,
    set(text) {
      area.value = text;
      if (rich) rich.setValue(text);
      options.onChange(text);
    },
    go(line, column) {
      if (rich) {
        rich.focus();
        rich.setCursor({ line: line - 1, ch: column - 1 });
        rich.scrollIntoView(null, 120);
        return;
      }
      const before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      area.focus();
      area.setSelectionRange(before + column - 1, before + column - 1);
    },
    mark(found) {
      faults = found;
      paint();
    },
    toggle() {
      if (rich) {
        rich.getWrapperElement().remove();
        rich = null;
        area.hidden = false;
        area.focus();
      } else {
        void enrich().then(() => rich?.focus());
      }
    },
    dispose() {
      rich = null;
      element.remove();
    },
  };
}
