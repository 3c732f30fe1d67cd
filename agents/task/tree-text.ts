import { refuseOfPath } from "#core/repository-paths.ts";

type Folder = { path: string; files: string[]; folders: Map<string, Folder>; total: number };

/** Names shown of one folder when not everything fits: a folder of ten thousand fixtures must not hide all others. */
const MAX_NAMES = 100;

/**
 * A repository's files as text of at most `limit` characters: each folder's path on a line of its own, the names of its files
 * indented below. When that does not fit, folders nearer to the root come first, and those left closed say how many files are in them.
 * The same paths in whatever order give the same text. Meant for up to 100,000 paths; one that no change may touch is left out.
 */
export function treeForPrompt(paths: readonly string[], limit: number): string {
  const root = folderTree(paths);
  const whole = wholeText(root);
  if (whole.length <= limit) return whole;
  const open = openFolders(root, limit);
  return cutAtLine(openText(root, open).join("\n"), limit);
}

function folderTree(paths: readonly string[]): Folder {
  const root: Folder = { path: "", files: [], folders: new Map(), total: 0 };
  // By code unit, so that no locale changes what a model sees.
  for (const path of [...new Set(paths)].toSorted()) {
    if (refuseOfPath(path) !== null) continue;
    const names = path.split("/");
    const file = names.pop() ?? "";
    let folder = root;
    folder.total += 1;
    for (const name of names) {
      let next = folder.folders.get(name);
      if (next === undefined) {
        next = { path: `${folder.path}${name}/`, files: [], folders: new Map(), total: 0 };
        folder.folders.set(name, next);
      }
      folder = next;
      folder.total += 1;
    }
    folder.files.push(file);
  }
  return root;
}

const header = (folder: Folder): string[] => (folder.path === "" ? [] : [folder.path]);
const indent = (folder: Folder): string => (folder.path === "" ? "" : "  ");
const closedLine = ({ path, total }: Folder): string => `${path} (${total} ${total === 1 ? "file" : "files"})`;

function wholeText(root: Folder): string {
  const lines: string[] = [];
  const add = (folder: Folder): void => {
    if (folder.files.length > 0) lines.push(...header(folder));
    for (const file of folder.files) lines.push(`${indent(folder)}${file}`);
    for (const inner of folder.folders.values()) add(inner);
  };
  add(root);
  return lines.join("\n");
}

/** The lines of an open folder itself, without those of the folders in it. */
function ownLines(folder: Folder): string[] {
  const left = folder.files.length - MAX_NAMES;
  return [
    ...(folder.files.length > 0 ? header(folder) : []),
    ...folder.files.slice(0, MAX_NAMES).map((file) => `${indent(folder)}${file}`),
    ...(left > 0 ? [`${indent(folder)}… and ${left} more files`] : []),
  ];
}

const lengthOf = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + line.length + 1, 0);

/** Opens folders breadth first as long as they fit. One that does not stays closed, and smaller ones after it may still fit. */
function openFolders(root: Folder, limit: number): ReadonlySet<Folder> {
  const open = new Set<Folder>([root]);
  const closed = (folder: Folder): number => lengthOf([...folder.folders.values()].map(closedLine));
  let used = lengthOf(ownLines(root)) + closed(root);
  const waiting = [...root.folders.values()];
  for (const folder of waiting) {
    const grows = lengthOf(ownLines(folder)) + closed(folder) - lengthOf([closedLine(folder)]);
    if (used + grows > limit) continue;
    used += grows;
    open.add(folder);
    waiting.push(...folder.folders.values());
  }
  return open;
}

function openText(root: Folder, open: ReadonlySet<Folder>): string[] {
  const lines: string[] = [];
  const add = (folder: Folder): void => {
    if (!open.has(folder)) {
      lines.push(closedLine(folder));
      return;
    }
    for (const line of ownLines(folder)) lines.push(line);
    for (const inner of folder.folders.values()) add(inner);
  };
  add(root);
  return lines;
}

/** Only where not even the root's own names fit. */
function cutAtLine(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = text.lastIndexOf("\n", Math.max(0, limit - 2));
  return end <= 0 ? "" : `${text.slice(0, end)}\n…`;
}
