// A project's members, environments, secrets, hooks and settings.

import { del, get, patch, post, put } from "../core/api.js";
import { boot } from "../core/boot.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { go } from "../core/router.js";
import { signal } from "../core/signal.js";
import { clearFaults, confirmDialog, field, showDialog, showFaults } from "../ui/dialog.js";
import { command, copyButton, empty } from "../ui/empty.js";
import { part, source } from "../ui/fetched.js";
import { row, table } from "../ui/table.js";
import { since } from "../ui/time.js";
import { toast, toastError } from "../ui/toast.js";
import { directory, loadDirectory, whyNot } from "./directory.js";
import { address } from "./load.js";

const roles = ["viewer", "developer", "maintainer", "owner"];

/** @typedef {import("../core/signal.js").Signal<any>} Project */

/**
 * A panel with a heading and, where one may, a button.
 * @param {string} title @param {import("../core/h.js").Child} action @param {import("../core/h.js").Child} content
 */
const panel = (title, action, content) => h(
  "section",
  { class: "panel" },
  h("header", null, h("h2", null, title), h("div", { class: "actions" }, action)),
  content,
);

/** @param {string} label @param {string} why @param {() => void} run @param {string} [look] */
const action = (label, why, run, look = "button is-small") => h(
  "button",
  { type: "button", class: look, disabled: why !== "", title: why || undefined, on: { click: run } },
  label,
);

/** @param {number} id */
export function membersPart(id) {
  const all = source(() => `/api/v1/projects/${id}/members?per_page=100`);
  const why = whyNot(id, "owner");
  const add = () => void showDialog({
    title: t("Add a member"),
    body: () => [
      field(
        { label: t("User"), name: "user", hint: t("The user's name, or number.") },
        (props) => h("input", { ...props, class: "input", required: true, autocomplete: "off" }),
      ),
      field(
        { label: t("Role"), name: "role" },
        (props) => h("select", { ...props, class: "input" }, roles.map((one) => h("option", { value: one }, one))),
      ),
    ],
    action: t("Add"),
    submit: async (form) => {
      const given = String(form.get("user") ?? "");
      let user = /^\d+$/.test(given) ? Number(given) : 0;
      if (!user) {
        if (!boot.user?.is_administrator) throw new Error(t("Only administrators can look users up by name: give the number."));
        const found = await get(`/api/v1/users?q=${encodeURIComponent(given)}&per_page=100`);
        user = found.items.find((/** @type {any} */ one) => one.username === given)?.id ?? 0;
        if (!user) throw new Error(t("There is no user {name}.", { name: given }));
      }
      await put(`/api/v1/projects/${id}/members/${user}`, { role: form.get("role") });
      all.again();
    },
  });
  return panel(t("Members"), action(t("Add a member"), why, add), part(all, (/** @type {any} */ { items }) => items.length === 0
    ? empty(t("No members"), t("Administrators see every project without being its members. Add those who work on this one."))
    : table(t("Members"), [t("User"), t("Role"), t("Since"), ""], items.map((/** @type {any} */ one) => row(one.username ?? one.name,
      h("select", { class: "input", "aria-label": t("Role of {name}", { name: one.username }), disabled: why !== "", value: one.role,
        on: { change: (/** @type {Event} */ event) => void put(
          `/api/v1/projects/${id}/members/${one.user_id}`,
          { role: /** @type {HTMLSelectElement} */ (event.target).value },
        ).then(() => toast(t("Role changed")), (error) => { toastError(error); all.again(); }) } },
      roles.map((role) => h("option", { value: role, selected: role === one.role }, role))), since(one.added_at ?? one.created_at),
      h("td", { class: "num" }, action(t("Remove"), why, () => void confirmDialog({ title: t("Remove {name}?", { name: one.username }), text: t(
        "They lose sight of the project at once.",
      ), action: t("Remove"),
        submit: () => del(`/api/v1/projects/${id}/members/${one.user_id}`).then(all.again) }), "button is-small is-danger")))))));
}

/** @param {number} id */
export function environmentsPart(id) {
  const all = source(() => `/api/v1/projects/${id}/environments`);
  return panel(t("Environments"), null, part(all, (/** @type {any} */ { items }) => items.length === 0
    ? empty(t("No environments"), t("An environment appears here when a job that names one (`environment: production`) has run."))
    : table(t("Environments"), [
      t("Environment"),
      t("Deployed"),
      t("By"),
      t("When"),
    ], items.map((/** @type {any} */ one) => row(h("strong", null, one.name),
      one.current ? h(
        "a",
        { href: `/executions/${one.current.run_id}` },
        `${one.current.pipeline_name ?? ""} #${one.current.run_number ?? one.current.run_id}`,
      ) : "–", one.current?.actor ?? "–", one.current?.finished_at ? since(one.current.finished_at) : "–")))));
}

/** @param {number} id */
export function secretsPart(id) {
  const all = source(() => `/api/v1/projects/${id}/secrets`);
  const why = whyNot(id, "maintainer");
  const base = `/api/v1/projects/${id}/secrets`;
  /** @param {string} [name] */
  const set = (name) => void showDialog({
    title: name ? t("Replace {name}", { name }) : t("New secret"),
    body: () => [
      name ? null : field(
        { label: t("Name"), name: "name", hint: t("Letters, digits and _, such as DEPLOY_KEY.") },
        (props) => h("input", { ...props, class: "input mono", required: true, autocomplete: "off", spellcheck: "false" }),
      ),
      field(
        { label: t("Value"), name: "value", hint: t("It goes in and never comes out; logs show *** in its place.") },
        (props) => h("textarea", { ...props, class: "input code", required: true, autocomplete: "off", spellcheck: "false", rows: 3 }),
      ),
    ],
    action: t("Save"),
    submit: async (form) => {
      if (name) await put(`${base}/${encodeURIComponent(name)}`, { value: form.get("value") });
      else await post(base, { name: form.get("name"), value: form.get("value") });
      all.again();
      toast(t("Saved"));
    },
  });
  return panel(t("Secrets"), action(t("New secret"), why, () => set()), part(all, (/** @type {any} */ { items }) => items.length === 0
    ? empty(t("No secrets"), t("Steps get a secret only where they name it: `secrets: { API_KEY: DEPLOY_KEY }`."))
    : table(
      t("Secrets"),
      [t("Name"), t("Changed"), t("By"), ""],
      items.map(
        (/** @type {any} */ one) => row(
          h("code", { class: "break" }, one.name),
          since(one.updated_at ?? one.created_at),
          one.updated_by ?? one.created_by ?? "–",
      h(
        "td",
        { class: "num" },
        h("div", { class: "actions is-end" }, action(t("Replace"), why, () => set(one.name)), action(t("Delete"), why, () => void confirmDialog({
        title: t("Delete {name}?", { name: one.name }), text: t(
          "Steps that ask for it fail from now on.",
        ), action: t("Delete"), submit: () => del(`${base}/${encodeURIComponent(one.name)}`).then(all.again) }), "button is-small is-danger"))))))));
}

/** @param {number} id */
export function hooksPart(id) {
  const all = source(() => `/api/v1/projects/${id}/hooks`);
  const events = source(() => `/api/v1/webhook-events?project_id=${id}&per_page=20`, { everyMs: 10_000 });
  const why = whyNot(id, "maintainer");
  const base = `/api/v1/projects/${id}/hooks`;
  const add = () => void loadDirectory().then(() => showDialog({
    title: t("New hook"),
    body: () => [
      field(
        { label: t("Name"), name: "name" },
        (props) => h("input", { ...props, class: "input", required: true, autocomplete: "off", spellcheck: "false" }),
      ),
      field(
        { label: t("From"), name: "source" },
        (props) => h(
          "select",
          { ...props, class: "input" },
          ["github", "gitlab", "gitea", "bitbucket", "jenkins", "generic"].map((one) => h("option", { value: one }, one)),
        ),
      ),
      h("fieldset", { class: "field", data: { field: "pipelines" } }, h("legend", { class: "label strong" }, t("Pipelines")),
        h("div", { class: "checks" }, directory.peek().pipelines.filter((one) => one.project_id === id).map((one) => h("label", { class: "check" },
          h("input", { type: "checkbox", name: "pipelines", value: String(one.id) }), h("span", { class: "break" }, one.name)))),
        h("div", { class: "hint" }, t("Which it may start; hooks of jenkins and generic need at least one.")), h("div", { class: "fault", hidden: true })),
    ],
    action: t("Make"),
    submit: async (form) => {
      const pipelines = form.getAll("pipelines").map(Number);
      const made = await post(base, { name: form.get("name"), source: form.get("source"), ...(pipelines.length ? { pipelines } : {}) });
      all.again();
      queueMicrotask(() => shownOnce(made));
    },
  }), toastError);
  return [
    panel(t("Hooks"), action(t("New hook"), why, add), part(all, (/** @type {any} */ { items }) => items.length === 0
      ? empty(t("No hooks"), t("A hook takes deliveries of a forge or another system and starts pipelines by them."))
      : table(
        t("Hooks"),
        [t("Name"), t("From"), t("State"), ""],
        items.map((/** @type {any} */ one) => row(h("strong", null, one.name), one.source, one.enabled ? t("on") : t("off"),
        h("td", { class: "num" }, h("div", { class: "actions is-end" },
          action(
            t("Test"),
            why,
            () => void post(`${base}/${one.id}/test`).then(() => { toast(t("Stored; it is judged next")); events.again(); }, toastError),
          ),
          action(
            one.enabled ? t("Switch off") : t("Switch on"),
            why,
            () => void patch(`${base}/${one.id}`, { enabled: !one.enabled }).then(all.again, toastError),
          ),
          action(
            t("Delete"),
            why,
            () => void confirmDialog({
              title: t("Delete {name}?", { name: one.name }),
              text: t("Its deliveries are refused from now on."),
              action: t("Delete"),
              submit: () => del(`${base}/${one.id}`).then(all.again),
            }),
            "button is-small is-danger",
          )))))))),
    panel(t("Deliveries"), null, part(events, (/** @type {any} */ { items }) => items.length === 0 ? h(
      "div",
      { class: "body muted" },
      t("Nothing has come yet."),
    )
      : table(t("Deliveries"), [
        t("When"),
        t("Hook"),
        t("Event"),
        t("Outcome"),
        "",
      ], items.map((/** @type {any} */ one) => row(since(one.received_at), one.hook_name ?? one.source, h(
        "code",
        null,
        one.event ?? one.kind ?? "–",
      ), h(
        "span",
        { class: "break" },
        outcome(one),
      ),
        h(
          "td",
          { class: "num" },
          action(
            t("Replay"),
            whyNot(id, "developer"),
            () => void post(`/api/v1/webhook-events/${one.id}/replay`).then(
              () => { toast(t("Judged once more, as a new delivery")); events.again(); },
              toastError,
            ),
          ),
        )))))),
  ];
}

/**
 * What became of a delivery: the runs that it started, or the reason why there are none.
 * @param {any} one
 */
const outcome = (one) => [h("span", { class: "tag" }, one.state), " ", one.runs.length
  ? [t("started "), one.runs.map((/** @type {number} */ run, /** @type {number} */ at) => [at ? ", " : "", h("a", { href: `/executions/${run}` }, t("execution {n}", { n: run }))])]
  : h("span", { class: "muted" }, one.message ?? "")];

/**
 * What is shown this one time.
 * @param {any} made
 */
function shownOnce(made) {
  const secret = made.secret ?? made.secrets?.[0]?.secret ?? "";
  void showDialog({ title: t("Hook {name}", { name: made.name }), body: () => [
    h("p", null, t("Give the sender this address and secret. The secret is shown this once.")),
    h("h3", null, t("Address")), command(
      `${location.origin}${made.path ?? made.url ?? `/webhooks/${made.source}?hook=${made.id}`}`.replace(`${location.origin}http`, "http"),
    ),
    secret ? [h("h3", null, t("Secret")), h("div", { class: "command" }, h("code", { tabindex: 0 }, secret), copyButton(() => secret))] : null,
  ] });
}

/** @param {number} id @param {Project} one */
export function settingsPart(id, one) {
  const why = whyNot(id, "owner");
  const isArchived = () => one.value.state === "archived";
  const note = signal("");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    clearFaults(form);
    try {
      const before = one.peek().name;
      one.value = await patch(`/api/v1/projects/${id}`, { name: data.get("name"), description: data.get("description") });
      await loadDirectory(true);
      toast(t("Saved"));
      if (one.peek().name !== before) go(`${address("p", one.peek().name)}/-/settings`, { replace: true });
    } catch (error) {
      if (!showFaults(form, /** @type {any} */ (error).errors ?? [])) toastError(error);
    }
  };
  const archive = () => void confirmDialog({
    title: isArchived() ? t("Make {name} active again?", { name: one.peek().name }) : t("Archive {name}?", { name: one.peek().name }),
    text: isArchived() ? t("Pipelines start again by their triggers.") : t(
      "Everything stays readable; nothing of it changes and nothing starts.",
    ), action: isArchived() ? t("Make active") : t("Archive"),
    submit: async () => {
      one.value = await patch(`/api/v1/projects/${id}`, { archived: !isArchived() });
      await loadDirectory(true);
    },
  });
  const remove = () => void showDialog({
    title: t("Delete {name}?", { name: one.peek().name }),
    body: () => [h("p", null, t("Its pipelines, secrets, hooks and members go for good. A project that has runs can only be archived.")),
      field(
        { label: t("The project's name, to confirm"), name: "confirm" },
        (props) => h("input", { ...props, class: "input", autocomplete: "off" }),
      )],
    action: t("Delete for good"), isDanger: true,
    submit: async (form) => {
      await del(`/api/v1/projects/${id}?confirm=${encodeURIComponent(String(form.get("confirm") ?? ""))}`);
      await loadDirectory(true);
      go("/projects");
    },
  });
  return [
    panel(t("Name and description"), null, h("form", { class: "body form", on: { submit: save } },
      field(
        { label: t("Name"), name: "name" },
        (props) => h("input", { ...props, class: "input", value: one.peek().name, disabled: why !== "", required: true, autocomplete: "off" }),
      ),
      field(
        { label: t("Description"), name: "description" },
        (props) => h("textarea", { ...props, class: "input", value: one.peek().description, disabled: why !== "" }),
      ),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "submit", class: "button is-primary", disabled: why !== "", title: why || undefined }, t("Save")),
        h("span", { class: "muted", role: "status" }, () => note.value),
      ))),
    panel(
      t("Archive or delete"),
      null,
      h("div", { class: "body form" }, h(
        "p",
        { class: "muted" },
        () => isArchived() ? t("The project is archived: it can be read, and nothing of it starts.")
          : t("An archived project stays readable, and nothing of it starts. Only a project without runs can be deleted."),
      ), h(
        "div",
        { class: "actions" },
        () => action(isArchived() ? t("Make active again…") : t("Archive…"), why, archive, "button"),
        action(t("Delete…"), why, remove, "button is-danger"),
      )),
    ),
  ];
}
