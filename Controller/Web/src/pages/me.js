// One's own account.

import { del, post, queryText } from "../core/api.js";
import { boot } from "../core/boot.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { prefer, preferLook, preferences } from "../core/prefs.js";
import { signal } from "../core/signal.js";
import { clearFaults, confirmDialog, field, showDialog, showFaults } from "../ui/dialog.js";
import { copyButton, empty } from "../ui/empty.js";
import { part, source } from "../ui/fetched.js";
import { logOut } from "../ui/header.js";
import { markRead, noticeList } from "../ui/notices.js";
import { row, table } from "../ui/table.js";
import { at, since } from "../ui/time.js";
import { toast, toastError } from "../ui/toast.js";
import { loadPage, showPage } from "./load.js";

/** @type {[string, string][]} */
const tabs = [["profile", "Profile"], ["tokens", "API keys"], ["sessions", "Sessions"], ["notifications", "Notices"], ["preferences", "Preferences"]];

/** @type {import("../core/router.js").Page} */
export async function page(context) {
  const loaded = await loadPage(context);
  const tab = context.parameters.tab ?? "profile";
  const name = t(tabs.find(([id]) => id === tab)?.[1] ?? "Account");
  showPage(context, { ...loaded, title: name, section: "" }, () => [
    h("div", { class: "title" }, h("h1", null, t("Account"), h("span", { class: "hidden" }, `: ${name}`))),
    h(
      "nav",
      { class: "tabs", "aria-label": t("Account") },
      tabs.map(([id, label]) => h("a", { class: "tab", href: `/me/${id}`, "aria-current": id === tab ? "page" : undefined }, t(label))),
    ),
    tab === "tokens" ? keys() : tab === "sessions" ? sessions() : tab === "preferences" ? looks() : tab === "notifications" ? notices() : profile(),
  ], { class: "is-narrow" });
}

/** @param {string} title @param {...import("../core/h.js").Child} content */
const panel = (title, ...content) => h("section", { class: "panel" }, h("header", null, h("h2", null, title)), ...content);

const NOTICES_EACH = 25;

function notices() {
  const isUnread = signal(false);
  const number = signal(1);
  const total = signal(0);
  const last = () => Math.max(1, Math.ceil(total.value / NOTICES_EACH));
  const turn = (/** @type {number} */ way) => h("button", {
    type: "button", class: "button", disabled: () => (way < 0 ? number.value <= 1 : number.value >= last()), on: { click: () => (number.value += way) },
  }, way < 0 ? t("‹ Newer") : t("Older ›"));
  return h("section", { class: "panel" },
    h("header", null, h("h2", null, t("Notices")), h("div", { class: "actions" },
      h("label", { class: "check" }, h("input", { type: "checkbox", on: { change: (/** @type {Event} */ event) => {
        isUnread.value = /** @type {HTMLInputElement} */ (event.target).checked;
        number.value = 1;
      } } }), t("Unread only")),
      h("button", { type: "button", class: "button is-small", on: { click: () => void markRead("all").catch(toastError) } }, t("Mark all as read")))),
    noticeList(
      () => `/api/v1/notifications${queryText({ per_page: NOTICES_EACH, unread: isUnread.value && "true", page: number.value > 1 ? number.value : "" })}`,
      undefined, (all) => (total.value = all),
    ),
    h("footer", { class: "pager", hidden: () => last() < 2 }, h("span", null, () => t("Page {n} of {last}", { n: number.value, last: last() })), h("div", { class: "actions" }, turn(-1), turn(1))));
}

function profile() {
  const user = boot.user;
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    clearFaults(form);
    if (data.get("new_password") !== data.get("repeated")) {
      showFaults(form, [{ path: "repeated", message: t("The two differ.") }]);
      return;
    }
    try {
      await post("/api/v1/auth/password", { current_password: data.get("current_password"), new_password: data.get("new_password") });
      form.reset();
      toast(t("Password changed. All other sessions have ended."));
    } catch (error) {
      if (!showFaults(form, /** @type {any} */ (error).errors ?? [])) toastError(error);
    }
  };
  /** @param {string} name @param {string} label @param {string} complete @param {string} [hint] */
  const secret = (name, label, complete, hint) => field(
    { label, name, hint },
    (props) => h("input", { ...props, class: "input", type: "password", autocomplete: complete, required: true }),
  );
  return [
    panel(t("Who you are"), h(
      "div",
      { class: "body" },
      h(
        "dl",
        { class: "pairs" },
        h("dt", null, t("User name")),
        h("dd", null, user?.username),
        h("dt", null, t("Administrator")),
        h("dd", null, user?.is_administrator ? t("yes") : t("no")),
      ),
    ),
      h("footer", null, h("button", { type: "button", class: "button", on: { click: logOut } }, t("Log out")))),
    panel(t("Password"), h("form", { class: "body form", on: { submit: save } }, h(
      "input",
      { class: "hidden", autocomplete: "username", value: user?.username ?? "", "aria-hidden": "true", tabindex: -1, readOnly: true },
    ),
      secret("current_password", t("Present password"), "current-password"), secret(
        "new_password",
        t("New password"),
        "new-password",
        t("At least 8 characters."),
      ), secret("repeated", t("New password again"), "new-password"),
      h("div", { class: "actions" }, h("button", { type: "submit", class: "button is-primary" }, t("Change password"))))),
  ];
}

function keys() {
  const all = source(() => "/api/v1/api-keys");
  const make = () => void showDialog({
    title: t("New API key"),
    body: () => [
      field(
        { label: t("Name"), name: "name", hint: t("What it is for.") },
        (props) => h("input", { ...props, class: "input", required: true, autocomplete: "off" }),
      ),
      h("fieldset", { class: "field", data: { field: "scopes" } }, h(
        "legend",
        { class: "label strong" },
        t("It may"),
      ), (boot.user?.scopes ?? []).concat("webhook").map((scope) =>
        h(
          "label",
          { class: "check" },
          h("input", { type: "checkbox", name: "scopes", value: scope, checked: scope === "read" }),
          scope,
        )), h("div", { class: "fault", hidden: true })),
      field({ label: t("Expires"), name: "expires", hint: t("Empty for never.") }, (props) => h("input", { ...props, class: "input", type: "date" })),
    ],
    action: t("Make"),
    submit: async (form) => {
      const made = await post(
        "/api/v1/api-keys",
        { name: form.get("name"), scopes: form.getAll("scopes"), ...(form.get("expires") ? { expires_at: `${form.get("expires")}T23:59:59Z` } : {}) },
      );
      all.again();
      queueMicrotask(() => void showDialog(
        {
          title: t("API key {name}", { name: made.name }),
          body: () => [
            h("p", null, t("Copy it now: it is shown this once.")),
            h("div", { class: "command" }, h("code", { tabindex: 0 }, made.key), copyButton(() => made.key)),
          ],
        },
      ));
    },
  });
  return h("section", { class: "panel" }, h(
    "header",
    null,
    h("h2", null, t("API keys")),
    h("div", { class: "actions" }, h("button", { type: "button", class: "button is-small", on: { click: make } }, t("New API key"))),
  ),
    part(all, (/** @type {any} */ { items }) => items.length === 0 ? empty(
      t("No API keys"),
      t("A key lets a program do what you may, or less: `Authorization: Bearer KEY`."),
    )
      : table(t("API keys"), [
        t("Name"),
        t("Begins with"),
        t("May"),
        t("Used"),
        t("Expires"),
        "",
      ], items.map(
        (/** @type {any} */ one) => row(
          h("span", { class: "break" }, one.name),
          h("code", null, one.prefix),
          one.scopes.join(", "),
          since(one.last_used_at),
          at(one.expires_at),
        h(
          "td",
          { class: "num" },
          h(
            "button",
            {
              type: "button",
              class: "button is-small is-danger",
              "aria-label": t("Delete {name}", { name: one.name }),
              on: { click: () => void confirmDialog(
                {
                  title: t("Delete {name}?", { name: one.name }),
                  text: t("Programs that use it are refused at once."),
                  action: t("Delete"),
                  submit: () => del(`/api/v1/api-keys/${one.id}`).then(all.again),
                },
              ) },
            },
            t("Delete"),
          ),
        ))))));
}

function sessions() {
  const all = source(() => "/api/v1/auth/sessions");
  return panel(t("Where you are logged in"), part(all, (/** @type {any} */ { items }) => table(t("Sessions"), [
    t("Kind"),
    t("From"),
    t("Begun"),
    t("Used"),
    "",
  ], items.map((/** @type {any} */ one) => row(
    [one.kind, one.current ? [" ", h("span", { class: "tag" }, t("this one"))] : null], one.remote, at(one.created_at), since(one.last_used_at),
    h(
      "td",
      { class: "num" },
      one.current ? null : h(
        "button",
        {
          type: "button",
          class: "button is-small is-danger",
          on: { click: () => void del(`/api/v1/auth/sessions/${one.id}`).then(() => { all.again(); toast(t("Session ended")); }, toastError) },
        },
        t("End"),
      ),
    ))))));
}

function looks() {
  const root = document.documentElement;
  /** @param {string} label @param {string} name @param {string} current @param {[string, string][]} options @param {(value: string) => void} choose */
  const pick = (label, name, current, options, choose) => field({ label, name }, (props) => h("select", {
    ...props,
    class: "input",
    value: current,
    on: { change: (/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value) },
  },
    options.map(([value, text]) => h("option", { value, selected: value === current }, text))));
  return panel(t("How pages look"), h("div", { class: "body form" },
    h("div", { class: "row" },
      pick(
        t("Theme"),
        "theme",
        root.dataset.theme ?? "auto",
        [["auto", t("As the system")], ["light", t("Light")], ["dark", t("Dark")]],
        (value) => preferLook("theme", value),
      ),
      pick(
        t("Density"),
        "density",
        root.dataset.density ?? "comfortable",
        [["comfortable", t("Comfortable")], ["compact", t("Compact")]],
        (value) => preferLook("density", value),
      )),
    h(
      "label",
      { class: "check" },
      h(
        "input",
        {
          type: "checkbox",
          checked: preferences.peek().shortcuts,
          on: { change: (/** @type {Event} */ event) => prefer({ shortcuts: /** @type {HTMLInputElement} */ (event.target).checked }) },
        },
      ),
      t("Shortcuts of single keys, such as g r and n"),
    ),
    h("p", { class: "muted" }, t("Press ? for the list. Shortcuts with Ctrl stay either way."))));
}
