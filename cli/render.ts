import type { Block } from "#core/response.ts";

/** How the output can show things; decided once from the stream. */
export interface Style {
  readonly colour: boolean;
}

/** Colour only on a terminal, and never against the person's wish (no-color.org). */
export const styleOf = (stream: { isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Style => ({
  colour: stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb",
});

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

export const paint = (style: Style, colour: Colour, text: string): string =>
  style.colour && text !== "" ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;

// ECMA-48: CSI …; OSC, DCS, SOS, PM and APC up to their terminator; then any other two-character escape.
const ESCAPE_SEQUENCES =
  // eslint-disable-next-line no-control-regex -- control characters are the point
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
// eslint-disable-next-line no-control-regex -- as above
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
// Marks that reorder or hide text ("Trojan Source"): what is read must be what is there.
const HIDING = /[\p{Bidi_Control}\u00ad\u200b\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text that can only be read: no escape sequence, control, reordering or invisible character is left but newline and tab. */
export const plainText = (text: string): string =>
  text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(ESCAPE_SEQUENCES, "")
    .replace(CONTROLS, "")
    .replace(HIDING, "");

/** The same on one line. */
export const plainLine = (text: string): string => plainText(text).replace(/\s+/g, " ").trim();

function renderDiffLine(line: string, style: Style): string {
  if (line.startsWith("+++") || line.startsWith("---")) return paint(style, "bold", line);
  if (line.startsWith("@@")) return paint(style, "cyan", line);
  if (line.startsWith("+")) return paint(style, "green", line);
  if (line.startsWith("-")) return paint(style, "red", line);
  return line;
}

const indented = (text: string, each: (line: string) => string = (line) => line): string =>
  text
    .split("\n")
    .map((line) => `  ${each(line)}`)
    .join("\n");

function renderBlock(block: Block, style: Style): string {
  switch (block.type) {
    case "text":
      return plainText(block.text);
    case "fields": {
      const labels = block.fields.map(({ label }) => plainLine(label));
      const width = Math.max(0, ...labels.map((label) => label.length));
      return block.fields
        .map(({ value }, index) => {
          const label = (labels[index] ?? "").padEnd(width);
          const [first = "", ...more] = plainText(value).split("\n");
          return [
            `${paint(style, "dim", label)}  ${first}`,
            ...more.map((line) => `${" ".repeat(width + 2)}${line}`),
          ].join("\n");
        })
        .join("\n");
    }
    case "code":
      return indented(plainText(block.code), (line) => paint(style, "cyan", line));
    case "diff":
      return indented(plainText(block.diff), (line) => renderDiffLine(line, style));
    case "link":
      return `${plainLine(block.label)}: ${paint(style, "blue", plainLine(block.url))}`;
    case "image":
      return `${plainLine(block.alt)}: ${paint(style, "blue", plainLine(block.url))}`;
    case "actions":
      return block.actions
        .map(({ label, value }) => `${plainLine(label)}: type ${paint(style, "bold", plainLine(value))}`)
        .join("\n");
    case "divider":
      return paint(style, "dim", "———");
  }
}

/** The blocks for a terminal, one under the other, without a newline at the end. */
export const renderBlocks = (blocks: readonly Block[], style: Style): string =>
  blocks.map((block) => renderBlock(block, style).trimEnd()).join("\n");

/** The gist of a progress message: what is under way now, on one line. */
export const renderProgress = (blocks: readonly Block[]): string => plainLine(renderBlocks(blocks, { colour: false }));
