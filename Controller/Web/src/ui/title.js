// The tab's title and icon: they tell the state of what is open to those who look at other tabs.

/** @type {Record<string, [string, string]>} */
const marks = {
  success: ["✓", "#057b6b"],
  failed: ["✕", "#871027"],
  running: ["◐", "#102e91"],
  warning: ["!", "#8d5b00"],
  approval: ["✋", "#7a3ea8"],
};
let standard = "";

/** @param {string} text @param {string} [state] */
export function setTitle(text, state) {
  const mark = state ? marks[state] : undefined;
  document.title = `${mark ? `${mark[0]} ` : ""}${text ? `${text} · ` : ""}AnsFlow`;
  const icon = document.getElementById("icon");
  if (!(icon instanceof HTMLLinkElement)) return;
  standard ||= icon.href;
  const wanted = mark ? dot(mark[1]) : standard;
  if (icon.href !== wanted) icon.href = wanted;
}

/**
 * The usual icon with a dot in the state's colour.
 * @param {string} color
 */
function dot(color) {
  const mark = `<circle cx='12' cy='12' r='3.6' fill='${color}' stroke='white' stroke-width='1'/>`;
  return standard.replace("%3C/svg%3E", `${encodeURIComponent(mark)}%3C/svg%3E`);
}
