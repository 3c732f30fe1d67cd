import { RepositoryName, RepositoryOwner } from "./command.ts";

export type RepositoryAddress = { owner: string; name: string; host: string | null };

/**
 * Reads how people write a repository: `owner/repo`, `https://host/owner/repo` (with or without `.git` or a slash at the end),
 * `host.tld/owner/repo`, `git@host:owner/repo.git`; a chat platform's `<…>` around it is taken off. Null for anything else, so also for
 * an address with a user or password in it, which does not belong in a chat.
 */
export function parseRepositoryAddress(written: string): RepositoryAddress | null {
  if (written.length > 500) return null;
  const { host, path } = splitHost(unwrapped(written));
  if (host !== null && !/^[a-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-f:.]+\](?::\d{1,5})?$/.test(host)) return null;
  const segments = (path.endsWith("/") ? path.slice(0, -1) : path).split("/");
  const [owner = "", last = ""] = segments;
  const name = last.endsWith(".git") ? last.slice(0, -4) : last;
  if (segments.length !== 2 || !RepositoryOwner.safeParse(owner).success || !RepositoryName.safeParse(name).success)
    return null;
  return { owner, name, host };
}

/** Slack writes `<https://…>` and `<https://…|label>`. */
function unwrapped(written: string): string {
  if (!written.startsWith("<") || !written.endsWith(">")) return written;
  const inner = written.slice(1, -1);
  const bar = inner.indexOf("|");
  return bar === -1 ? inner : inner.slice(0, bar);
}

function splitHost(address: string): { host: string | null; path: string } {
  const lowered = address.toLowerCase();
  for (const scheme of ["https://", "http://"]) {
    if (lowered.startsWith(scheme)) return splitAt(address.slice(scheme.length), "/");
  }
  if (lowered.startsWith("git@")) return splitAt(address.slice("git@".length), ":");
  const first = address.slice(0, Math.max(0, address.indexOf("/")));
  // Owners have no dots: `github.com/owner/repo` names its host.
  return first.includes(".") ? splitAt(address, "/") : { host: null, path: address };
}

function splitAt(address: string, separator: string): { host: string; path: string } {
  const index = address.indexOf(separator);
  return index === -1
    ? { host: "", path: "" }
    : { host: address.slice(0, index).toLowerCase(), path: address.slice(index + 1) };
}
