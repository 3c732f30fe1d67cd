import { array, enum as enumOf, literal, nullish, object, optional, string, union, boolean, type output } from "zod";
import {
  emptyRepository,
  endpoint,
  invalid,
  notFound,
  parseBody,
  Refusal,
  type Endpoint,
  type RepositoryCall,
} from "./endpoint.ts";
import { fromIso, parseCommit, ZERO, type Identity } from "./git-repository.ts";
import { isAncestor } from "./comparison.ts";
import { isSha, isTreePath } from "./names.ts";
import { apiUrl, nodeId, presentGitCommit } from "./present.ts";
import { isWritableRef, wrapBase64 } from "./routes-repository.ts";

const sha = string();
const person = object({ name: string(), email: string(), date: optional(string()) });
const treeBody = object({
  base_tree: nullish(sha),
  tree: array(
    object({
      path: string(),
      mode: enumOf(["100644", "100755", "040000", "160000", "120000"]),
      type: optional(enumOf(["blob", "tree", "commit"])),
      sha: optional(union([sha, literal(null)])),
      content: optional(string()),
    }),
  ),
});
const commitBody = object({
  message: string(),
  tree: sha,
  parents: optional(array(sha)),
  author: optional(person),
  committer: optional(person),
});
const refBody = object({ ref: string(), sha });
const moveBody = object({ sha, force: optional(boolean()) });
const blobBody = object({ content: string(), encoding: optional(enumOf(["utf-8", "base64"])) });

const badObject = (): Refusal => new Refusal(422, "GitRPC::BadObjectState");

async function requireCommits({ repository }: RepositoryCall): Promise<void> {
  if (await repository.isEmpty()) throw emptyRepository();
}

function presentRef({ baseUrl, repository }: RepositoryCall, ref: string, commit: string) {
  const api = apiUrl(baseUrl, repository);
  return {
    ref,
    node_id: nodeId("Ref", `${repository.fullName}:${ref}`),
    url: `${api}/git/${ref}`,
    object: { sha: commit, type: "commit", url: `${api}/git/commits/${commit}` },
  };
}

async function presentTree(call: RepositoryCall, tree: string, recursive: boolean) {
  const { repository, baseUrl, effects } = call;
  const api = apiUrl(baseUrl, repository);
  const items = await repository.git.list(tree, recursive);
  const truncated = effects.some((effect) => effect.kind === "truncated-tree");
  const kept = truncated ? items.slice(0, Math.floor(items.length / 2)) : items;
  return {
    sha: tree,
    url: `${api}/git/trees/${tree}`,
    tree: kept.map(({ size, ...item }) => ({
      ...item,
      ...(size === null ? {} : { size }),
      ...(item.type === "commit" ? {} : { url: `${api}/git/${item.type}s/${item.sha}` }),
    })),
    truncated,
  };
}

/** Author and committer as given; what is left out is the caller, now. */
function identities(call: RepositoryCall, body: output<typeof commitBody>): { author: Identity; committer: Identity } {
  const read = (field: string, given: output<typeof person> | undefined, fallback: Identity): Identity => {
    if (given === undefined) return fallback;
    const date = given.date === undefined ? fallback.date : fromIso(given.date);
    if (date === null || given.name.trim() === "" || given.email.trim() === "") throw invalid("Commit", field);
    return { name: given.name, email: given.email, date };
  };
  const { login } = call.caller;
  const self = { name: login, email: `${login}@users.noreply.github.com`, date: fromIso(call.now) ?? "0 +0000" };
  const author = read("author", body.author, self);
  return { author, committer: read("committer", body.committer, author) };
}

async function afterMove({ repository, now }: RepositoryCall, ref: string): Promise<void> {
  repository.record.updatedAt = now;
  await repository.settlePulls(now);
  await repository.deliver([ref.replace("refs/heads/", "")]);
}

export const gitEndpoints: Endpoint[] = [
  endpoint("GET /git/ref/{ref}", async (call) => {
    const { repository } = call;
    const ref = `refs/${call.params["ref"] ?? ""}`;
    await repository.exclusively(() => repository.refresh());
    await requireCommits(call);
    const commit = isWritableRef(ref) ? await repository.git.commit(ref.slice("refs/".length)) : null;
    const exists = commit !== null && (await repository.git.refs(ref)).get(ref) === commit.sha;
    if (!exists) throw notFound();
    return { status: 200, body: presentRef(call, ref, commit.sha) };
  }),

  endpoint("POST /git/refs", async (call) => {
    const body = parseBody(refBody, call.body);
    const { git } = call.repository;
    await requireCommits(call);
    if (!isWritableRef(body.ref)) throw new Refusal(422, `${body.ref} is not a valid ref name.`);
    if ((await git.refs(body.ref)).has(body.ref)) throw new Refusal(422, "Reference already exists");
    if (!isSha(body.sha) || (await git.commit(body.sha)) === null) throw new Refusal(422, "Object does not exist");
    if (!(await git.moveRef(body.ref, body.sha, ZERO))) throw new Refusal(422, "Reference cannot be created");
    await afterMove(call, body.ref);
    return { status: 201, body: presentRef(call, body.ref, body.sha) };
  }),

  endpoint("PATCH /git/refs/{ref}", async (call) => {
    const body = parseBody(moveBody, call.body);
    const { git } = call.repository;
    const ref = `refs/${call.params["ref"] ?? ""}`;
    const old = isWritableRef(ref) ? (await git.refs(ref)).get(ref) : undefined;
    if (old === undefined) throw new Refusal(422, "Reference does not exist");
    if (!isSha(body.sha) || (await git.commit(body.sha)) === null) throw new Refusal(422, "Object does not exist");
    if (body.force !== true && !(await isAncestor(git, old, body.sha)))
      throw new Refusal(422, "Update is not a fast forward");
    if (!(await git.moveRef(ref, body.sha, old))) throw new Refusal(422, "Reference cannot be updated");
    await afterMove(call, ref);
    return { status: 200, body: presentRef(call, ref, body.sha) };
  }),

  endpoint("DELETE /git/refs/{ref}", async (call) => {
    const { git } = call.repository;
    const ref = `refs/${call.params["ref"] ?? ""}`;
    const old = isWritableRef(ref) ? (await git.refs(ref)).get(ref) : undefined;
    if (old === undefined || !(await git.moveRef(ref, ZERO, old))) throw new Refusal(422, "Reference does not exist");
    await afterMove(call, ref);
    return { status: 204 };
  }),

  endpoint("POST /git/commits", async (call) => {
    const body = parseBody(commitBody, call.body);
    const { git } = call.repository;
    await requireCommits(call);
    const parents = body.parents ?? [];
    if (![body.tree, ...parents].every(isSha))
      throw new Refusal(422, "Invalid SHA: each must be exactly 40 characters of 0-9 and a-f.");
    const [tree, ...found] = await git.read([body.tree, ...parents]);
    if (tree?.type !== "tree") throw new Refusal(422, "Tree SHA does not exist");
    if (!found.every((object) => object?.type === "commit"))
      throw new Refusal(422, "Parent SHA does not exist or is not a commit object");
    const commit = { tree: body.tree, parents, message: body.message, ...identities(call, body) };
    const written = await git.writeCommit(commit);
    const [object] = await git.read([written]);
    if (!object) throw badObject();
    return { status: 201, body: presentGitCommit(call.baseUrl, call.repository, parseCommit(object)) };
  }),

  endpoint("GET /git/commits/{commit_sha}", async (call) => {
    const name = call.params["commit_sha"] ?? "";
    await requireCommits(call);
    const commit = isSha(name) ? await call.repository.git.commit(name) : null;
    if (commit === null) throw notFound();
    return { status: 200, body: presentGitCommit(call.baseUrl, call.repository, commit) };
  }),

  endpoint("POST /git/trees", async (call) => {
    const body = parseBody(treeBody, call.body);
    const { git } = call.repository;
    await requireCommits(call);
    if (body.tree.length === 0) throw new Refusal(422, "Invalid tree info");
    for (const entry of body.tree) {
      if (!isTreePath(entry.path))
        throw new Refusal(422, `tree.path contains a malformed path component: ${entry.path}`);
      const given = [entry.sha !== undefined, entry.content !== undefined].filter(Boolean).length;
      if (given !== 1) throw new Refusal(422, "Must supply either tree.sha or tree.content");
    }
    const base = body.base_tree ?? null;
    const named = body.tree.flatMap((entry) => (entry.sha && entry.mode !== "160000" ? [entry.sha] : []));
    if (named.length > 0 || base !== null) {
      if (![...named, ...(base === null ? [] : [base])].every(isSha)) throw badObject();
      const found = await git.read([...named, ...(base === null ? [] : [`${base}^{tree}`])]);
      if (found.some((object) => object === null)) throw badObject();
    }
    const contents = body.tree.flatMap((entry) => (entry.content === undefined ? [] : [Buffer.from(entry.content)]));
    const written = await git.writeBlobs(contents);
    const entries = body.tree.map((entry) => ({
      path: entry.path,
      mode: entry.mode,
      sha: entry.content === undefined ? (entry.sha ?? null) : (written.shift() ?? null),
    }));
    const tree = await git.writeTree(base, entries);
    if (tree === null) throw badObject();
    return { status: 201, body: await presentTree(call, tree, false) };
  }),

  endpoint("GET /git/trees/{tree_sha}", async (call) => {
    await requireCommits(call);
    const name = call.params["tree_sha"] ?? "";
    const commit = isSha(name) ? null : await call.repository.git.commit(name);
    const [tree] = isSha(name) || commit ? await call.repository.git.read([`${commit?.sha ?? name}^{tree}`]) : [null];
    if (!tree) throw notFound();
    return { status: 200, body: await presentTree(call, tree.sha, call.query.has("recursive")) };
  }),

  endpoint("POST /git/blobs", async (call) => {
    const body = parseBody(blobBody, call.body);
    await requireCommits(call);
    const [written = ""] = await call.repository.git.writeBlobs([Buffer.from(body.content, body.encoding ?? "utf-8")]);
    return {
      status: 201,
      body: { sha: written, url: `${apiUrl(call.baseUrl, call.repository)}/git/blobs/${written}` },
    };
  }),

  endpoint("GET /git/blobs/{file_sha}", async (call) => {
    await requireCommits(call);
    const name = call.params["file_sha"] ?? "";
    const [blob] = isSha(name) ? await call.repository.git.read([name]) : [null];
    if (blob?.type !== "blob") throw notFound();
    return {
      status: 200,
      body: {
        sha: blob.sha,
        node_id: nodeId("Blob", blob.sha),
        size: blob.data.length,
        url: `${apiUrl(call.baseUrl, call.repository)}/git/blobs/${blob.sha}`,
        encoding: "base64",
        content: wrapBase64(blob.data),
      },
    };
  }),
];
