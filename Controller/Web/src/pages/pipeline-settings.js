// A pipeline's name, repository and life.

import { del, get, patch } from "../core/api.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { go } from "../core/router.js";
import { signal } from "../core/signal.js";
import { clearFaults, confirmDialog, field, showFaults } from "../ui/dialog.js";
import { toast, toastError } from "../ui/toast.js";
import { loadDirectory, loadProjects, whyNot } from "./directory.js";
import { address, crumbs, loadPage, showPage } from "./load.js";

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const { project_name: project, pipeline_name: name, pipeline: id, project: projectId } = loaded.place;
  await loadProjects().catch(() => {});
  const one = signal(await get(`/api/v1/pipelines/${id}`));
  const why = whyNot(projectId, "maintainer");
  const path = `/api/v1/pipelines/${id}`;
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    clearFaults(form);
    const url = String(data.get("repository.url") ?? "");
    try {
      one.value = await patch(
        path,
        { name: data.get("name"), ...(url ? { repository: { ...(one.peek().repository ?? {}), url, ref: data.get("repository.ref") ?? "" } } : {}) },
      );
      await loadDirectory(true);
      toast(t("Saved"));
      if (one.peek().name !== name) go(`${address("p", project, one.peek().name)}/settings`, { replace: true });
    } catch (error) {
      if (!showFaults(form, /** @type {any} */ (error).errors ?? [])) toastError(error);
    }
  };
  const pause = async () => {
    try {
      one.value = await patch(path, { enabled: !one.peek().enabled });
      await loadDirectory(true);
    } catch (error) {
      toastError(error);
    }
  };
  /** @param {string} label @param {string} field_ @param {string} value */
  const input = (label, field_, value) => field(
    { label, name: field_ },
    (props) => h("input", { ...props, class: "input", value, disabled: why !== "", autocomplete: "off", spellcheck: "false" }),
  );
  showPage(context, loaded, () => [
    crumbs([[t("Projects"), "/projects"], [project, address("p", project)], [name, address("p", project, name)], [t("Settings"), null]]),
    h("div", { class: "title" }, h("h1", { class: "break" }, t("Settings of {name}", { name }))),
    h("section", { class: "panel" }, h(
      "header",
      null,
      h("h2", null, t("Name and repository")),
    ), h("form", { class: "body form", on: { submit: save } },
      input(t("Name"), "name", one.peek().name), h(
        "div",
        { class: "row" },
        input(t("Repository"), "repository.url", one.peek().repository?.url ?? ""),
        input(t("Branch, tag or commit"), "repository.ref", one.peek().repository?.ref ?? ""),
      ),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "submit", class: "button is-primary", disabled: why !== "", title: why || undefined }, t("Save")),
      ))),
    h("section", { class: "panel" }, h("header", null, h("h2", null, t("Pause or delete"))), h("div", { class: "body form" },
      h("p", { class: "muted" }, () => (one.value.enabled ? t("A paused pipeline is started by nothing and nobody; what runs goes on.") : t("The pipeline is paused: nothing starts it."))),
      h("div", { class: "actions" },
      h(
        "button",
        { type: "button", class: "button", disabled: why !== "", title: why || undefined, on: { click: () => void pause() } },
        () => (one.value.enabled ? t("Pause") : t("Resume")),
      ),
      h(
        "button",
        {
          type: "button",
          class: "button is-danger",
          disabled: why !== "",
          title: why || undefined,
          on: { click: () => void confirmDialog(
            {
              title: t("Delete {name}?", { name }),
              text: t("Its runs stay readable; nothing starts any more."),
              action: t("Delete"),
              submit: async () => { await del(path); await loadDirectory(true); go(address("p", project)); },
            },
          ) },
        },
        t("Delete…"),
      )))),
  ], { class: "is-narrow" });
}
