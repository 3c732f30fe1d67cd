import type { ChangedFile } from "./comparison.ts";
import { html, type Html } from "./html.ts";

/** More than this is not read by anybody, and slow to lay out. */
const MAX_LINES_PER_FILE = 1000;
const MAX_LINES = 6000;
const MAX_FILES = 200;
const MAX_WIDTH = 2000;

/** The files of a pull request, line by line. What is left out is said. */
export function renderDiff(files: readonly ChangedFile[], texts: readonly (string | null)[]): Html {
  let left = MAX_LINES;
  const shown = files.slice(0, MAX_FILES).map((file, index) => {
    const lines = texts[index]?.split("\n") ?? [];
    const room = Math.min(MAX_LINES_PER_FILE, left);
    const visible = lines.slice(0, room);
    left -= visible.length;
    return html`<section class="box">
      <div class="head">
        <span class="mono">${file.previousPath === null ? "" : `${file.previousPath} → `}${file.path}</span>
        <span class="soft">${file.status}</span>
        <span class="right"
          ><span class="plus">+${file.additions}</span> <span class="minus">−${file.deletions}</span></span
        >
      </div>
      ${
        lines.length === 0
          ? html`<div class="body soft">${file.binary ? "Binary file, not shown." : "No lines changed."}</div>`
          : html`<div class="scroll">
              <table class="diff">
                ${rows(visible)}
              </table>
            </div>`
      }
      ${lines.length > visible.length ? html`<div class="cut">Cut here: ${lines.length - visible.length} more lines are not shown.</div>` : null}
    </section>`;
  });
  return html`${shown}${files.length > MAX_FILES ? html`<div class="cut">Cut here: ${files.length - MAX_FILES} more files are not shown.</div>` : null}`;
}

function rows(lines: readonly string[]): Html[] {
  let before = 0;
  let after = 0;
  return lines.map((line) => {
    const text = line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH)}… (line cut)` : line;
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk !== null) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      return html`<tr class="h">
        <td class="ln"></td>
        <td class="ln"></td>
        <td>${text}</td>
      </tr>`;
    }
    if (line.startsWith("+"))
      return html`<tr class="a">
        <td class="ln"></td>
        <td class="ln">${after++}</td>
        <td>${text}</td>
      </tr>`;
    if (line.startsWith("-"))
      return html`<tr class="d">
        <td class="ln">${before++}</td>
        <td class="ln"></td>
        <td>${text}</td>
      </tr>`;
    if (line.startsWith(" "))
      return html`<tr>
        <td class="ln">${before++}</td>
        <td class="ln">${after++}</td>
        <td>${text}</td>
      </tr>`;
    return html`<tr class="h">
      <td class="ln"></td>
      <td class="ln"></td>
      <td>${text}</td>
    </tr>`;
  });
}
