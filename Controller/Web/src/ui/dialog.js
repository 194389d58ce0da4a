// Dialogs on <dialog>: focus, Escape and the ground behind are the browser's.

import { ApiError } from "../core/api.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { Scope, signal } from "../core/signal.js";
import { uniqueId } from "../core/a11y.js";

/**
 * @typedef {{ title: string, body: () => import("../core/h.js").Child, action?: string, isDanger?: boolean, cancel?: string,
 *   submit?: (form: FormData) => (Promise<unknown> | unknown), isWide?: boolean }} DialogOptions
 */

/**
 * Shows a dialog. `submit` may throw an ApiError: its text is shown, and those of its fields beside the fields of that name.
 * @param {DialogOptions} options
 * @returns {Promise<boolean>} whether it was submitted
 */
export function showDialog(options) {
  const scope = new Scope(null);
  const opener = document.activeElement;
  return new Promise((resolve) => {
    scope.run(() => {
      const fault = signal("");
      const isBusy = signal(false);
      const id = uniqueId("dialog");
      let isDone = false;
      const form = h("form", { method: "dialog", novalidate: true, on: { submit } },
        h("header", null, h("h2", { id }, options.title)),
        h("div", { class: "body" }, options.body(), () => fault.value && h("p", { class: "notice is-failed", role: "alert" }, fault.value)),
        h("footer", null,
          h(
            "button",
            { type: "button", class: "button", on: { click: () => dialog.close() } },
            options.cancel ?? (options.submit ? t("Cancel") : t("Close")),
          ),
          options.submit && h(
            "button",
            { type: "submit", class: ["button is-primary", options.isDanger && "is-danger"], disabled: () => isBusy.value },
            options.action ?? t("OK"),
          )));
      const dialog = h("dialog", { class: options.isWide ? "is-wide" : "", aria: { labelledby: id }, on: { close } }, form);

      async function submit(/** @type {Event} */ event) {
        event.preventDefault();
        if (isBusy.peek() || !options.submit) return;
        isBusy.value = true;
        fault.value = "";
        clearFaults(form);
        try {
          await options.submit(new FormData(form));
          isDone = true;
          dialog.close();
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          const isShown = error instanceof ApiError && showFaults(form, error.errors);
          if (!isShown) fault.value = error.message;
        } finally {
          isBusy.value = false;
        }
      }

      function close() {
        dialog.remove();
        scope.dispose();
        if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
        resolve(isDone);
      }

      document.body.append(dialog);
      dialog.showModal();
    });
  });
}

/**
 * Asks before something that can't be undone. The question names the object and what happens to it.
 * @param {{ title: string, text: string, action: string, submit: () => Promise<unknown> }} options
 */
export const confirmDialog = (options) =>
  showDialog({ title: options.title, body: () => h("p", null, options.text), action: options.action, isDanger: true, submit: options.submit });

/**
 * A labelled control with its hint and its fault.
 * @param {{ label: string, name: string, hint?: import("../core/h.js").Child }} options
 * @param {(attributes: Record<string, any>) => import("../core/h.js").Child} control
 */
export function field(options, control) {
  const id = uniqueId("field");
  const described = [options.hint ? `${id}-hint` : "", `${id}-fault`].filter(Boolean).join(" ");
  return h("div", { class: "field", data: { field: options.name } },
    h("label", { for: id }, options.label),
    control({ id, name: options.name, "aria-describedby": described }),
    options.hint && h("div", { class: "hint", id: `${id}-hint` }, options.hint),
    h("div", { class: "fault", id: `${id}-fault`, hidden: true }));
}

/** @param {HTMLElement} form */
export function clearFaults(form) {
  for (const place of form.querySelectorAll(".fault")) {
    place.textContent = "";
    place.setAttribute("hidden", "");
  }
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}

/**
 * Puts each fault beside the field of its name, and the focus on the first.
 * @param {HTMLElement} form
 * @param {{ path: string, message: string }[]} faults
 * @returns {boolean} whether all of them have a place
 */
export function showFaults(form, faults) {
  let found = 0;
  for (const fault of faults) {
    const place = [...form.querySelectorAll("[data-field]")].find((one) => one.getAttribute("data-field") === fault.path);
    const text = place?.querySelector(".fault");
    if (!place || !text) continue;
    text.textContent = fault.message;
    text.removeAttribute("hidden");
    const control = place.querySelector("input, select, textarea");
    control?.setAttribute("aria-invalid", "true");
    if (found === 0 && control instanceof HTMLElement) control.focus();
    found++;
  }
  return faults.length > 0 && found === faults.length;
}
