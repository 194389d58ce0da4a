// The log's keys. Single letters can be switched off in the preferences; they act only while the focus is inside the log.

import { h } from "../core/h.js";
import { t } from "../core/i18n.js";

const HELP = /** @type {[string, string][]} */ ([
  ["/ , Ctrl+F", "Find; again for the browser's own"], ["Enter , Shift+Enter", "Next or previous match, in the field"],
  ["n , p", "Next or previous match, else next or previous error"], ["j , k", "A line down or up"], ["Space , Page Down , Page Up", "A page"],
  ["Home , g", "First line"], ["End , G", "Last line, and follow"], ["[ , ]", "Previous or next section"], ["o , O", "Open or close a section; all"],
  ["f", "Follow"], ["w", "Wrap"], ["t", "Times: none, elapsed, clock"], ["y", "Copy the link to the chosen lines"], ["Ctrl+A , Ctrl+C", "Select all; copy"], ["Esc", "Let go of selection and lines"],
]);

/** @param {import("./view.js").LogView} view */
export function listenToKeys(view) {
  /** @type {Record<string, () => void>} */
  const plain = {
    "ArrowDown": () => view.moveBy(20), "ArrowUp": () => view.moveBy(-20), "PageDown": () => view.moveBy(view.scroll.viewport - 40),
    "PageUp": () => view.moveBy(40 - view.scroll.viewport), "Home": () => view.toStart(), "End": () => view.goOn(),
    "ArrowLeft": () => view.scroller.scrollBy(-80, 0), "ArrowRight": () => view.scroller.scrollBy(80, 0), "Escape": () => clear(view),
  };
  /** @type {Record<string, () => void>} */
  const letters = {
    "j": () => view.moveBy(20), "k": () => view.moveBy(-20), " ": () => view.moveBy(view.scroll.viewport - 40), "g": () => view.toStart(), "G": () => view.goOn(),
    "/": () => view.focusFind(), "n": () => (view.find.query ? void view.stepFind(1) : view.nextProblem(1)),
    "p": () => (view.find.query ? void view.stepFind(-1) : view.nextProblem(-1)), "N": () => (view.find.query ? void view.stepFind(-1) : view.nextProblem(-1)),
    "[": () => view.nextSection(-1), "]": () => view.nextSection(1), "o": () => toggleHere(view), "O": () => toggleAll(view),
    "w": () => view.setWrap(!view.isWrapped), "t": () => view.nextTimes(), "f": () => view.toggleFollow(), "y": () => void view.copyLink(), "?": () => view.help(),
  };
  view.element.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const isField = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "f" && !isField) take(event, () => view.focusFind());
      else if (event.key.toLowerCase() === "a" && !isField) take(event, () => view.pointer.selectAll());
      else if (event.key === "Home" && !isField) take(event, () => view.toStart());
      else if (event.key === "End" && !isField) take(event, () => view.goOn());
      return;
    }
    // Buttons keep their own keys.
    if (isField || (target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter"))) return;
    const run = plain[event.key] ?? (view.options.keysAreOn() ? letters[event.key] : undefined);
    if (run) take(event, run);
  }, { signal: view.controller.signal });
}

/** @param {KeyboardEvent} event @param {() => void} run */
function take(event, run) {
  event.preventDefault();
  event.stopPropagation();
  run();
}

/** @param {import("./view.js").LogView} view */
function clear(view) {
  if (view.selection.range) view.pointer.clear();
  else if (view.find.query) void view.startFind("", { isRegex: false, matchesCase: false }).then(() => (view.bar.field.value = ""));
  else if (view.linked) view.choose(null);
}

/** @param {import("./view.js").LogView} view */
function toggleHere(view) {
  const line = view.linked?.[0] ?? view.rows.lineAt(view.scroll.rowAt(1));
  const section = view.folds.at(line) ?? view.folds.around(line).pop();
  if (section) view.toggleSection(section);
}

/** @param {import("./view.js").LogView} view */
function toggleAll(view) {
  const isAnyClosed = view.folds.sections.some((section) => !view.folds.isOpen(section));
  view.stay();
  view.folds.chooseAll(isAnyClosed);
  view.rebuild();
}

/** @param {HTMLElement} host */
export function helpDialog(host) {
  const dialog = h("dialog", { class: "log-help", aria: { label: t("Keys of the log") } },
    h("h2", null, t("Keys of the log")),
    h("dl", null, ...HELP.flatMap(([keys, text]) => [h("dt", null, ...keys.split(" , ").flatMap((key, at) => (at ? [" ", h("kbd", null, key)] : [h("kbd", null, key)]))), h("dd", null, t(text))])),
    h("form", { method: "dialog" }, h("button", { class: "button", type: "submit" }, t("Close"))));
  host.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
