/** The lines that structure a reply (edits.ts), read and written in one place. */

const SEARCH = "<<<SEARCH";
const SEPARATOR = "=======";
const REPLACE = ">>>REPLACE";
const END = "===END===";

/** Models also know these from merge conflicts, with up to seven signs and a space. */
const SEARCH_FORM = /^<{3,7} ?SEARCH$/;
const REPLACE_FORM = /^>{3,7} ?REPLACE$/;

export const isSearchStart = (line: string): boolean => line.startsWith("<<<") && SEARCH_FORM.test(line.trimEnd());
export const isReplaceEnd = (line: string): boolean => line.startsWith(">>>") && REPLACE_FORM.test(line.trimEnd());
export const isSeparator = (line: string): boolean => line.startsWith(SEPARATOR) && line.trimEnd() === SEPARATOR;
export const isEnd = (line: string): boolean => line.startsWith(END) && line.trimEnd() === END;

export type FileMarker = { kind: "file" | "delete"; path: string };

/** The path of `===FILE: path===` or `===DELETE: path===`, without quotes around it and `./` before it; null for any other line. */
export function readFileMarker(line: string): FileMarker | null {
  if (!line.startsWith("===")) return null;
  const bare = line.trimEnd();
  for (const [prefix, kind] of [
    ["===FILE:", "file"],
    ["===DELETE:", "delete"],
  ] as const) {
    if (bare.startsWith(prefix) && bare.endsWith("===") && bare.length >= prefix.length + 3) {
      return { kind, path: barePath(bare.slice(prefix.length, -3)) };
    }
  }
  return null;
}

function barePath(written: string): string {
  const path = written.trim();
  const quote = path.at(0);
  const unquoted =
    path.length > 1 && quote !== undefined && "`'\"".includes(quote) && path.endsWith(quote) ? path.slice(1, -1) : path;
  return unquoted.startsWith("./") ? unquoted.slice(2) : unquoted;
}

const isMarker = (line: string): boolean =>
  isSearchStart(line) || isReplaceEnd(line) || isSeparator(line) || isEnd(line) || readFileMarker(line) !== null;

const backslashes = (line: string): number => {
  let count = 0;
  while (line[count] === "\\") count += 1;
  return count;
};

/** A line of a file as it stands in the file: a backslash before a marker is taken off. */
export function literalLine(line: string): string {
  return line.startsWith("\\") && isMarker(line.slice(backslashes(line))) ? line.slice(1) : line;
}

/** A line of a file as it has to be written in a reply. */
function writtenLine(line: string): string {
  return isMarker(line.slice(backslashes(line))) ? `\\${line}` : line;
}

const writtenLines = (text: string): string[] => {
  if (text === "") return [];
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  return lines.map(writtenLine);
};

/** How a file with this content is written in a reply. A content without a line feed at its end gets one. */
export const writeContent = (path: string, content: string): string =>
  [`===FILE: ${path}===`, ...writtenLines(content), END, ""].join("\n");

/** How edits of a file are written in a reply. Texts are whole lines. */
export const writeEdits = (path: string, edits: readonly { search: string; replace: string }[]): string =>
  [
    `===FILE: ${path}===`,
    ...edits.flatMap(({ search, replace }) => [
      SEARCH,
      ...writtenLines(search),
      SEPARATOR,
      ...writtenLines(replace),
      REPLACE,
    ]),
    END,
    "",
  ].join("\n");

export const writeDelete = (path: string): string => `===DELETE: ${path}===\n`;
