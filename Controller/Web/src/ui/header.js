// The header that the server wrote, brought to life.

import { get } from "../core/api.js";
import { boot } from "../core/boot.js";
import { announce } from "../core/a11y.js";
import { clock } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { allShortcuts, shortcut } from "../core/keys.js";
import { preferLook, preferences } from "../core/prefs.js";
import { go, path } from "../core/router.js";
import { effect, signal } from "../core/signal.js";
import { live } from "../core/ws.js";
import { showDialog } from "./dialog.js";
import { menuButton } from "./menu.js";
import { startNotices } from "./notices.js";
import { openPalette } from "./palette.js";

/** The path of the navigation's entry that the page belongs to. */
const section = signal(boot.section);

/**
 * Scrolls a bar sideways to one of its entries.
 * @param {Element} entry
 */
export function bringIntoSight(entry) {
  const bar = entry.parentElement;
  if (!bar || bar.scrollWidth <= bar.clientWidth) return;
  const [own, around] = [entry.getBoundingClientRect(), bar.getBoundingClientRect()];
  bar.scrollLeft += own.left + own.width / 2 - around.left - around.width / 2;
}

/** @param {string} path */
export function setSection(path) {
  section.value = path;
}

export function startHeader() {
  effect(() => {
    for (const link of document.querySelectorAll("#nav a")) {
      if (link.getAttribute("href") === section.value) {
        link.setAttribute("aria-current", "page");
        bringIntoSight(link);
      }
      else link.removeAttribute("aria-current");
    }
  });
  const search = document.getElementById("open-search");
  search?.addEventListener("click", () => openPalette());
  userMenu();
  liveMark();
  startNotices();
  shortcut("Ctrl+k", t("Search or jump"), () => openPalette());
  shortcut("/", t("Search or jump"), () => openPalette());
  /** @type {[string, string, string][]} */
  const jumps = [["g d", "Dashboard", "/"], ["g r", "Executions", "/runs"], ["g p", "Pipelines", "/pipelines"], ["g o", "Projects", "/projects"],
    ["g a", "Agents", "/agents"], ["g q", "Queue", "/queue"]];
  for (const [keys, name, target] of jumps) shortcut(keys, t("Go to: {page}", { page: t(name) }), () => go(target));
  shortcut("?", t("Keyboard shortcuts"), showShortcuts);
}

function userMenu() {
  const link = document.getElementById("user");
  if (!link || !boot.user) return;
  const button = menuButton({ label: t("Account of {name}", { name: boot.user.username }), class: "button is-plain",
    content: [h("span", { class: "cut user-name" }, boot.user.username), h("span", { aria: { hidden: true } }, "▾")] }, () => [
    { label: t("Profile"), href: "/me/profile" },
    { label: t("API keys"), href: "/me/tokens" },
    { label: t("Sessions"), href: "/me/sessions" },
    { label: t("Notices"), href: "/me/notifications" },
    { label: t("Preferences"), href: "/me/preferences" },
    "line",
    { label: t("Theme: {name}", { name: themeName() }), run: nextTheme },
    { label: t("Keyboard shortcuts"), run: showShortcuts },
    { label: t("API description"), href: "/redoc" },
    "line",
    { label: t("Log out"), run: logOut },
  ]);
  link.replaceWith(button);
}

const themes = ["auto", "light", "dark"];
const themeName = () => t({ auto: "as the system", light: "light", dark: "dark" }[document.documentElement.dataset.theme ?? "auto"] ?? "");

function nextTheme() {
  const at = themes.indexOf(document.documentElement.dataset.theme ?? "auto");
  preferLook("theme", themes[(at + 1) % themes.length] ?? "auto");
  announce(t("Theme: {name}", { name: themeName() }));
}

/** A form, so that the answer can clear what the browser keeps. */
export function logOut() {
  const form = h(
    "form",
    { method: "post", action: "/logout", hidden: true },
    h("input", { type: "hidden", name: "csrf", value: boot.user?.csrf_token ?? "" }),
  );
  document.body.append(form);
  form.submit();
}

function liveMark() {
  const mark = document.getElementById("live");
  if (!mark) return;
  const connection = live();
  const word = mark.querySelector(".word");
  /** @type {HTMLElement | null} */ let banner = null;
  let wasAway = false;
  // The page's own topic keeps the connection open wherever one is.
  connection.subscribe("system", {});
  effect(() => {
    const state = connection.state.value;
    const since = connection.staleSince.value;
    mark.dataset.state = state;
    if (word) word.textContent = { off: "", connecting: t("Connecting"), live: t("Live"), stale: t("Stale") }[state];
    if (state === "stale" && since !== null) {
      banner ??= h("div", { class: "banner", role: "status" });
      banner.textContent = t("No connection to the controller. What you see is as of {time}; it comes back by itself.", { time: clock(since) });
      document.querySelector(".header")?.after(banner);
    } else {
      banner?.remove();
      banner = null;
    }
    if (state === "live" && wasAway) void offerReload();
    wasAway = state === "stale" || (wasAway && state !== "live");
  });
}

/** A page that is older than the controller that came back goes on, and says that there is a newer one. */
async function offerReload() {
  const { version } = await get("/api/v1/status").catch(() => ({ version: "" }));
  if (!version || version === boot.version || document.querySelector(".banner.is-update")) return;
  document.querySelector(".header")?.after(h("div", { class: "banner is-update", role: "status" },
    t("AnsFlow was updated to {version}.", { version }),
    h("button", { type: "button", class: "button is-small", on: { click: () => location.reload() } }, t("Reload the page"))));
}

function showShortcuts() {
  void showDialog({
    title: t("Keyboard shortcuts"),
    body: () => [
      preferences.peek().shortcuts ? null : h("p", { class: "notice is-warning" }, t("Single keys are switched off in your preferences.")),
      h("dl", { class: "keys" }, allShortcuts().filter((one, at, all) => all.findIndex((other) => other.keys === one.keys) === at).map((one) => [
        h("dt", null, one.keys.split(" ").map((key, at) => [at ? " " : "", h("kbd", null, key)])), h("dd", null, one.label)])),
    ],
  });
}

// Kept for pages that want to know where they are.
export { path };
