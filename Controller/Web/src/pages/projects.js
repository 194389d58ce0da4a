// All projects that one may see.

import { post } from "../core/api.js";
import { boot } from "../core/boot.js";
import { each } from "../core/each.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { go } from "../core/router.js";
import { empty } from "../ui/empty.js";
import { field, showDialog } from "../ui/dialog.js";
import { table } from "../ui/table.js";
import { directory, loadDirectory } from "./directory.js";
import { address, loadPage, showPage } from "./load.js";

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  await loadDirectory(!context.isFirst);
  const why = boot.user?.is_administrator ? "" : t("Only administrators make projects.");
  showPage(context, loaded, () => [
    h("div", { class: "title" }, h("h1", null, t("Projects")), h("div", { class: "actions" },
      h(
        "button",
        { type: "button", class: "button is-primary", disabled: why !== "", title: why || undefined, on: { click: () => void make() } },
        t("New project"),
      ))),
    h("section", { class: "panel", "aria-label": t("List of projects") }, () => directory.value.projects.length === 0
      ? empty(t("No projects"), t("A project holds pipelines, secrets and members. You are member of none: ask an administrator."))
      : table(t("Projects"), [
        t("Project"),
        t("Your role"),
        { name: t("Pipelines"), isNumber: true },
      ], each(() => directory.value.projects, (one) => one.id, (one) => h("tr", null,
        h(
          "td",
          { class: "break" },
          h("a", { class: "strong", href: () => address("p", one.value.name) }, () => one.value.name),
          () => (one.value.state === "active" ? null : [" ", h("span", { class: "tag" }, one.value.state)]),
          () => (one.value.description ? h("div", { class: "muted break" }, one.value.description) : null),
        ),
        h("td", null, () => one.value.role ?? "–"),
        h("td", { class: "num" }, () => directory.value.pipelines.filter((other) => other.project_id === one.value.id).length))))),
  ]);
}

function make() {
  return showDialog({
    title: t("New project"),
    body: () => [
      field({ label: t("Name"), name: "name" }, (props) => h("input", { ...props, class: "input", required: true, autocomplete: "off" })),
      field({ label: t("Description"), name: "description" }, (props) => h("input", { ...props, class: "input" })),
    ],
    action: t("Make"),
    submit: async (form) => {
      const made = await post("/api/v1/projects", { name: form.get("name"), description: form.get("description") ?? "" });
      await loadDirectory(true);
      go(address("p", made.name));
    },
  });
}
