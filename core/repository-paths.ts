const MAX_PATH = 400;
/** What common file systems take for one name. */
const MAX_NAME = 255;

/** Characters that HFS+ leaves out when it compares names: with one inside, `.git` is still `.git` there. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** Control characters, and those that turn the direction of what follows, so that a path reads as another. */
const UNSEEN = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/**
 * Why a path must not be written to in a repository, for people and models, or null when it may be. Refused is what leaves the
 * repository, what git keeps for itself (on whatever file system it is checked out: CVE-2014-9390, CVE-2019-1353), and what no
 * reviewer could read. What needs a person's approval is another question: guards.ts.
 */
export function refuseOfPath(path: string): string | null {
  if (path === "") return "The path is empty.";
  if (path.length > MAX_PATH) return `The path has more than ${MAX_PATH} characters.`;
  if (UNSEEN.test(path)) return "The path has a control character in it.";
  if (!path.isWellFormed()) return "The path has half a character in it.";
  if (path.includes("\\")) return "The path has a backslash in it: folders are separated by /.";
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) return "The path is absolute: it has to start in the repository.";
  for (const name of path.split("/")) {
    if (name === "") return "The path names no file.";
    if (name === "." || name === "..") return "The path has . or .. in it: write it from the repository's root.";
    if (name.length > MAX_NAME) return `A name in the path has more than ${MAX_NAME} characters.`;
    if (isGitFolder(name)) return "The path is inside .git, which belongs to git.";
  }
  return null;
}

/** Windows ignores dots and spaces at a name's end and what follows a colon, and knows `.git` as `git~1` too. */
function isGitFolder(name: string): boolean {
  const [base = ""] = name.replaceAll(IGNORED, "").toLowerCase().split(":", 1);
  let end = base.length;
  while (end > 0 && (base[end - 1] === "." || base[end - 1] === " ")) end -= 1;
  const bare = base.slice(0, end);
  return bare === ".git" || bare === "git~1";
}
