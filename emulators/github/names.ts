/** Whether git takes this as a full ref name (git-check-ref-format's rules). */
export function isRefName(ref: string): boolean {
  if (!ref.startsWith("refs/") || ref.length > 250 || ref.endsWith("/") || ref.endsWith(".")) return false;
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\//.test(ref)) return false;
  return ref
    .split("/")
    .every(
      (part) =>
        part !== "" && part !== "@" && !part.startsWith(".") && !part.startsWith("-") && !part.endsWith(".lock"),
    );
}

export function isSha(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Whether a path may be in a tree: relative, normal, and not in `.git`. */
export function isTreePath(path: string): boolean {
  if (path === "" || path.includes("\0") || path.length > 4096) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !isDotGit(part));
}

/** `.git` as any file system might spell it: other case, HFS+ ignorables, NTFS short name, trailing dots and spaces. */
function isDotGit(part: string): boolean {
  const plain = part.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, "").replace(/[. ]+$/, "");
  return /^(\.git|git~1)$/i.test(plain);
}

/** Owner and name as GitHub allows them; also what keeps them safe as file names. */
export function isRepositoryName(text: string): boolean {
  return /^[A-Za-z0-9_.-]{1,100}$/.test(text) && !/^\.{1,2}$/.test(text) && !/\.git$/i.test(text);
}
