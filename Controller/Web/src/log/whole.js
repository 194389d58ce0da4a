// A line that is too long for the list, in a window of its own.

import { send } from "../core/api.js";
import { bytes } from "../core/fmt.js";
import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { showDialog } from "../ui/dialog.js";
import { toastError } from "../ui/toast.js";
import { visible } from "./ansi.js";

/** More than this makes browsers slow; the rest is in the file. */
export const SHOWN_MAX = 1024 * 1024;

/**
 * @param {ReadableStream<Uint8Array>} stream
 * @returns {Promise<{ text: string, isAll: boolean }>}
 */
export async function readSome(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isAll: true };
    const room = SHOWN_MAX - size;
    size += value.length;
    text += decoder.decode(value.subarray(0, room), { stream: true });
    if (size <= SHOWN_MAX) continue;
    await reader.cancel();
    return { text, isAll: false };
  }
}

/** @param {import("./source.js").Source} source @param {number} line */
export async function showWhole(source, line) {
  try {
    const { body } = await send("GET", source.whole(line), undefined, { headers: { Accept: "*/*" } });
    if (!body) return;
    const { text, isAll } = await readSome(body);
    await showDialog({
      title: t("Line {n}", { n: line }), isWide: true,
      body: () => [
        isAll ? null : h("p", { class: "notice is-warning" }, t("These are its first {size}. All of it is in the file.", { size: bytes(SHOWN_MAX) })),
        h("textarea", { class: "input code log-whole", readOnly: true, spellcheck: "false", aria: { label: t("Line {n}", { n: line }) }, value: visible(text.replace(/\r?\n$/, "")) }),
        h("p", null, h("a", { class: "button", href: source.whole(line), download: `line-${line}.txt` }, t("Download the line"))),
      ],
    });
  } catch (error) {
    toastError(error);
  }
}
