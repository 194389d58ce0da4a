// What is shown where a page can't be.

import { ApiError } from "../core/api.js";
import { focusOn } from "../core/a11y.js";
import { h, mount } from "../core/h.js";
import { t } from "../core/i18n.js";
import { reload } from "../core/router.js";
import { setTitle } from "../ui/title.js";

/** @param {HTMLElement} host @param {string} _path @param {unknown} error */
export function showFailure(host, _path, error) {
  const problem = error instanceof ApiError ? error : null;
  if (error instanceof TypeError && /module|import/i.test(error.message)) void loadAnew();
  const status = error === null ? 404 : problem?.status ?? 0;
  const title = status === 404 ? t("Not found") : status === 410 ? t("Gone") : status === 403 ? t("Not allowed") : t("This page can't be shown");
  setTitle(title);
  mount(host, () => h("div", { class: "page is-narrow" },
    h("h1", null, status ? `${status} · ${title}` : title),
    h("p", { class: "break" }, problem?.message ?? (error instanceof Error ? error.message : t("There is nothing at this address."))),
    problem?.requestId && h("p", { class: "muted small" }, t("Request {id}", { id: problem.requestId })),
    h("p", { class: "actions" },
      h("a", { class: "button is-primary", href: "/" }, t("Dashboard")), h("a", { class: "button", href: "/runs" }, t("Executions")),
      h("button", { type: "button", class: "button", on: { click: () => reload() } }, t("Try again")))));
  focusOn(host.querySelector("h1"));
  if (error && !problem) queueMicrotask(() => { throw error; });
}

/** The controller may have been updated under this tab, and its parts have other names now: then the page loads itself anew, once. */
async function loadAnew() {
  if (sessionStorage.getItem("ansflow.reloaded")) return;
  const answer = await fetch("/health/live").catch(() => null);
  if (!answer?.ok) return;
  sessionStorage.setItem("ansflow.reloaded", "1");
  location.reload();
}
