import { filesOfCommit } from "./comparison.ts";
import {
  accountEndpoint,
  emptyRepository,
  endpoint,
  invalid,
  notFound,
  paginate,
  Refusal,
  type Endpoint,
  type RepositoryCall,
} from "./endpoint.ts";
import { lines, type Commit } from "./git-repository.ts";
import { isRefName, isSha, isTreePath } from "./names.ts";
import {
  apiUrl,
  presentAccount,
  presentCommit,
  presentFile,
  presentMinimalRepository,
  presentRepository,
} from "./present.ts";

/** The commit a `{ref}` names, after following the mirrored repository; refuses as GitHub does when there is none. */
export async function commitNamed(call: RepositoryCall, ref: string): Promise<Commit> {
  const { repository } = call;
  if (!isSha(ref)) await repository.exclusively(() => repository.refresh());
  const commit = await repository.git.commit(ref);
  if (commit !== null) return commit;
  if (await repository.isEmpty()) throw emptyRepository();
  throw new Refusal(422, `No commit found for SHA: ${ref}`);
}

async function freshBranches(call: RepositoryCall): Promise<Map<string, string>> {
  const { repository } = call;
  await repository.exclusively(() => repository.refresh());
  const refs = await repository.git.refs("refs/heads");
  return new Map([...refs].map(([ref, sha]) => [ref.slice("refs/heads/".length), sha]));
}

const KINDS = { blob: "file", tree: "dir", commit: "submodule" } as const;

function contentsItem(
  call: RepositoryCall,
  ref: string,
  item: { path: string; mode: string; type: "blob" | "tree" | "commit"; sha: string; size: number | null },
) {
  const api = apiUrl(call.baseUrl, call.repository);
  const path = item.path.split("/").map(encodeURIComponent).join("/");
  const query = encodeURIComponent(ref);
  const url = `${api}/contents/${path}?ref=${query}`;
  const git = item.type === "commit" ? null : `${api}/git/${item.type}s/${item.sha}`;
  const html = `${call.baseUrl}/${call.repository.fullName}/${item.type}/${query}/${path}`;
  return {
    name: item.path.split("/").at(-1) ?? item.path,
    path: item.path,
    sha: item.sha,
    size: item.size ?? 0,
    type: item.mode === "120000" ? "symlink" : KINDS[item.type],
    url,
    git_url: git,
    html_url: html,
    download_url: item.type === "blob" ? `${call.baseUrl}/${call.repository.fullName}/raw/${query}/${path}` : null,
    _links: { self: url, git, html },
  };
}

/** GitHub leaves the content of larger files out of this answer. */
const MAX_INLINE = 1024 * 1024;

export const repositoryEndpoints: Endpoint[] = [
  accountEndpoint("GET /user", async ({ baseUrl, caller }) => ({
    status: 200,
    body: presentAccount(baseUrl, caller.login),
  })),

  endpoint("GET ", async ({ baseUrl, repository, caller }) => {
    await repository.exclusively(async () => {
      await repository.refresh();
      await repository.deliver();
    });
    return {
      status: 200,
      body: presentRepository(baseUrl, repository, await repository.defaultBranch(), caller.permissions),
    };
  }),

  endpoint("GET /branches", async (call) => {
    const api = apiUrl(call.baseUrl, call.repository);
    const branches = [...(await freshBranches(call))].map(([name, sha]) => ({
      name,
      commit: { sha, url: `${api}/commits/${sha}` },
      protected: false,
    }));
    const { items, headers } = paginate(call, branches, `/repos/${call.repository.fullName}/branches`);
    return { status: 200, body: items, headers };
  }),

  endpoint("GET /branches/{branch}", async (call) => {
    const { repository, baseUrl } = call;
    const name = call.params["branch"] ?? "";
    await repository.exclusively(() => repository.refresh());
    const commit = await repository.git.branch(name);
    if (commit === null) throw new Refusal(404, "Branch not found");
    const self = `${apiUrl(baseUrl, repository)}/branches/${encodeURIComponent(name)}`;
    return {
      status: 200,
      body: {
        name,
        commit: presentCommit(baseUrl, repository, commit),
        _links: { self, html: `${baseUrl}/${repository.fullName}/tree/${encodeURIComponent(name)}` },
        protected: false,
        protection: { enabled: false },
        protection_url: `${self}/protection`,
      },
    };
  }),

  endpoint("GET /commits/{ref}", async (call) => {
    const { repository, baseUrl } = call;
    const commit = await commitNamed(call, call.params["ref"] ?? "");
    const all = await filesOfCommit(repository.git, commit.sha);
    const { items: files, headers } = paginate(call, all, `/repos/${repository.fullName}/commits/${commit.sha}`);
    const additions = all.reduce((sum, file) => sum + file.additions, 0);
    const deletions = all.reduce((sum, file) => sum + file.deletions, 0);
    return {
      status: 200,
      headers,
      body: {
        ...presentCommit(baseUrl, repository, commit),
        stats: { additions, deletions, total: additions + deletions },
        files: files.map((file) => presentFile(baseUrl, repository, file, null, commit.sha)),
      },
    };
  }),

  endpoint("GET /contents/{path}", async (call) => {
    const { repository } = call;
    const path = (call.params["path"] ?? "").replace(/\/+$/, "");
    const ref = call.query.get("ref") ?? (await repository.defaultBranch());
    if (!isSha(ref)) await repository.exclusively(() => repository.refresh());
    if (await repository.isEmpty()) throw new Refusal(404, "This repository is empty.");
    const commit = await repository.git.commit(ref);
    if (commit === null) throw new Refusal(404, `No commit found for the ref ${ref}`);
    if (!isTreePath(path)) throw notFound();
    const { text } = await repository.git.run(["ls-tree", "-z", "-l", commit.sha, "--", path]);
    const [mode = "", type = "", sha = "", size = "-"] = (text.split("\t")[0] ?? "").split(/ +/);
    if (sha === "") throw notFound();
    if (type === "tree") {
      const items = await repository.git.list(sha, false);
      return {
        status: 200,
        body: items.map((item) => contentsItem(call, ref, { ...item, path: `${path}/${item.path}` })),
      };
    }
    const item = contentsItem(call, ref, {
      path,
      mode,
      type: type as "blob" | "commit",
      sha,
      size: size === "-" ? null : Number(size),
    });
    if (type === "commit") return { status: 200, body: { ...item, submodule_git_url: null } };
    const [blob] = await repository.git.read([sha]);
    if (!blob) throw notFound();
    if (mode === "120000") return { status: 200, body: { ...item, target: blob.data.toString() } };
    const fits = blob.data.length <= MAX_INLINE;
    return {
      status: 200,
      body: { ...item, encoding: fits ? "base64" : "none", content: fits ? wrapBase64(blob.data) : "" },
    };
  }),

  accountEndpoint("GET /search/code", async (call) => {
    const q = call.query.get("q") ?? "";
    const repo = /(?:^|\s)repo:(\S+)/.exec(q)?.[1];
    const text = q
      .replace(/(^|\s)\w+:\S+/g, " ")
      .trim()
      .replace(/^"(.*)"$/, "$1");
    if (text === "") throw invalid("Search", "q", "missing");
    const repository = call.repositories().find((one) => one.fullName.toLowerCase() === repo?.toLowerCase());
    if (repository === undefined) throw invalid("Search", "q");
    const branch = await repository.defaultBranch();
    const commit = await repository.git.branch(branch);
    const hits = commit === null ? [] : await grep(repository.git, commit.sha, text);
    const { items, headers } = paginate(call, hits, "/search/code");
    const objects = await repository.git.read(items.map((path) => `${commit?.sha}:${path}`));
    const body = items.map((path, index) => {
      const item = contentsItem({ ...call, repository }, commit?.sha ?? branch, {
        path,
        mode: "100644",
        type: "blob",
        sha: objects[index]?.sha ?? "",
        size: null,
      });
      const { name, sha, url, git_url, html_url } = item;
      return {
        name,
        path,
        sha,
        url,
        git_url,
        html_url,
        score: 1,
        repository: presentMinimalRepository(call.baseUrl, repository),
      };
    });
    return { status: 200, body: { total_count: hits.length, incomplete_results: false, items: body }, headers };
  }),
];

/** Paths of text files that hold every word. */
async function grep(git: RepositoryCall["repository"]["git"], commit: string, text: string): Promise<string[]> {
  const words = text.split(/\s+/).flatMap((word, index) => [...(index === 0 ? [] : ["--and"]), "-e", word]);
  const { stdout } = await git.run(["grep", "-l", "-z", "-I", "-i", "-F", ...words, commit], { accept: [1] });
  return lines(stdout.toString().replaceAll("\0", "\n")).map((line) => line.slice(commit.length + 1));
}

export function wrapBase64(data: Uint8Array): string {
  return Buffer.from(data).toString("base64").replace(/.{60}/g, "$&\n");
}

export function isWritableRef(ref: string): boolean {
  return isRefName(ref) && /^refs\/(heads|tags)\/./.test(ref);
}
