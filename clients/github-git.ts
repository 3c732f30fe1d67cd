import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import { array, boolean, enum as enumOf, literal, nullish, number, object, string, union, unknown } from "zod";
import { nameOf, type Connection } from "./github-connection.ts";
import { readRefusal } from "./github-errors.ts";
import type { GitHub } from "./github-types.ts";

const sha = string().regex(/^[0-9a-f]{40}$/);
const repositoryAnswer = object({
  full_name: string(),
  default_branch: string(),
  html_url: string(),
  private: boolean(),
  permissions: nullish(object({ push: boolean() })),
});
const commitAnswer = object({ sha, commit: object({ tree: object({ sha }) }) });
const treeAnswer = object({
  tree: array(
    object({
      path: string(),
      mode: string(),
      type: enumOf(["blob", "tree", "commit"]),
      sha,
      size: nullish(number()),
    }),
  ),
  truncated: boolean(),
});
const created = object({ sha });
const refAnswer = object({ object: object({ sha }) });
const base64 = string().regex(/^[A-Za-z0-9+/=\s]*$/);
const blob = object({ content: base64, encoding: literal("base64"), sha, size: number() });
const contentsAnswer = union([
  array(unknown()),
  object({ type: literal("file"), sha, size: number(), encoding: enumOf(["base64", "none"]), content: base64 }),
  object({ type: enumOf(["symlink", "submodule"]) }),
]);

const searchAnswer = object({ items: array(object({ path: string() })) });

type GitMethods = Pick<
  GitHub,
  "repository" | "head" | "tree" | "file" | "searchCode" | "commit" | "createBranch" | "branch" | "deleteBranch"
>;

/** Repositories, commits and branches. */
export function gitMethods({ call }: Connection): GitMethods {
  const branch: GitHub["branch"] = async (repo, name) => {
    try {
      const answer = await call(
        {
          repository: nameOf(repo),
          doing: `read the branch ${name}`,
          permission: "contents: read",
        },
        (octokit) => octokit.rest.git.getRef({ owner: repo.owner, repo: repo.name, ref: `heads/${name}` }),
        refAnswer,
      );
      return { commitSha: answer.object.sha };
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  };

  return {
    branch,

    async deleteBranch(repo, name) {
      if ((await branch(repo, name)) === null) return;
      await call(
        { repository: nameOf(repo), doing: `delete the branch ${name}`, permission: "contents: write" },
        (octokit) => octokit.rest.git.deleteRef({ owner: repo.owner, repo: repo.name, ref: `heads/${name}` }),
        unknown(),
      );
    },

    async repository(repo) {
      const answer = await call(
        { repository: nameOf(repo), doing: "read the repository", permission: "metadata: read" },
        (octokit) => octokit.rest.repos.get({ owner: repo.owner, repo: repo.name }),
        repositoryAnswer,
      );
      return {
        fullName: answer.full_name,
        defaultBranch: answer.default_branch,
        htmlUrl: answer.html_url,
        private: answer.private,
        canPush: answer.permissions?.push ?? null,
      };
    },

    async head(repo, name) {
      const missing = `${nameOf(repo)} has no branch ${name}, or the token may not see the repository.`;
      try {
        // This endpoint gives commit and tree in one answer, and tells an empty repository from a missing branch.
        const answer = await call(
          {
            repository: nameOf(repo),
            doing: `read the branch ${name}`,
            permission: "contents: read",
            notFound: missing,
          },
          (octokit) =>
            octokit.rest.repos.getCommit({
              owner: repo.owner,
              repo: repo.name,
              ref: `heads/${name}`,
              per_page: 1,
            }),
          commitAnswer,
        );
        return { commitSha: answer.sha, treeSha: answer.commit.tree.sha };
      } catch (error) {
        const refused = error instanceof InvalidInputError ? readRefusal(error.cause) : null;
        if (refused?.status === 422) throw new NotFoundError(missing, { cause: error });
        throw error;
      }
    },

    async tree(repo, treeSha) {
      const answer = await call(
        {
          repository: nameOf(repo),
          doing: "read the file tree",
          permission: "contents: read",
          notFound: `${nameOf(repo)} has no tree ${treeSha}, or the token may not see the repository.`,
        },
        (octokit) =>
          octokit.rest.git.getTree({
            owner: repo.owner,
            repo: repo.name,
            tree_sha: treeSha,
            recursive: "1",
          }),
        treeAnswer,
      );
      return {
        entries: answer.tree.map((entry) => ({ ...entry, size: entry.size ?? null })),
        truncated: answer.truncated,
      };
    },

    async file(repo, path, ref) {
      const attempt = {
        repository: nameOf(repo),
        doing: `read ${path}`,
        permission: "contents: read",
      };
      let answer;
      try {
        answer = await call(
          attempt,
          (octokit) => octokit.rest.repos.getContent({ owner: repo.owner, repo: repo.name, path, ref }),
          contentsAnswer,
        );
      } catch (error) {
        if (error instanceof NotFoundError) return null;
        throw error;
      }
      if (Array.isArray(answer)) throw new InvalidInputError(`${path} is a directory in ${nameOf(repo)}. Name a file.`);
      if (answer.type !== "file")
        throw new InvalidInputError(`${path} is a ${answer.type} in ${nameOf(repo)}. Name a file.`);
      if (answer.encoding === "base64") return decode(answer);
      // Past 1 MB the contents endpoint leaves the content out, and the blob has it.
      const { sha: fileSha } = answer;
      const whole = await call(
        attempt,
        (octokit) => octokit.rest.git.getBlob({ owner: repo.owner, repo: repo.name, file_sha: fileSha }),
        blob,
      );
      return decode(whole);
    },

    async searchCode(repo, words, limit) {
      if (words.length === 0) return [];
      const found = await call(
        { repository: nameOf(repo), doing: "search the code", permission: "contents: read" },
        (octokit) => octokit.rest.search.code({ q: `${words.join(" ")} repo:${nameOf(repo)}`, per_page: limit }),
        searchAnswer,
      );
      return found.items.map(({ path }) => path);
    },

    async commit(repo, { base, message, author, files }) {
      const attempt = {
        repository: nameOf(repo),
        doing: "write a commit",
        permission: "contents: write",
      };
      const target = { owner: repo.owner, repo: repo.name };
      const entries = files.map(({ path, content, mode = "100644" as const }) =>
        content === null
          ? { path, mode, type: "blob" as const, sha: null }
          : { path, mode, type: "blob" as const, content },
      );
      const tree = await call(
        attempt,
        (octokit) => octokit.rest.git.createTree({ ...target, base_tree: base.treeSha, tree: entries }),
        created,
      );
      const commit = await call(
        attempt,
        (octokit) =>
          octokit.rest.git.createCommit({
            ...target,
            message,
            tree: tree.sha,
            parents: [base.commitSha],
            author,
            committer: author,
          }),
        created,
      );
      return { commitSha: commit.sha };
    },

    async createBranch(repo, name, commitSha) {
      try {
        await call(
          {
            repository: nameOf(repo),
            doing: `create the branch ${name}`,
            permission: "contents: write",
          },
          (octokit) =>
            octokit.rest.git.createRef({
              owner: repo.owner,
              repo: repo.name,
              ref: `refs/heads/${name}`,
              sha: commitSha,
            }),
          refAnswer,
        );
        return "created";
      } catch (error) {
        const refused = error instanceof InvalidInputError ? readRefusal(error.cause) : null;
        if (refused?.status !== 422 || !/already exists/i.test(refused.message)) throw error;
        const found = await branch(repo, name);
        if (found?.commitSha === commitSha) return "exists";
        if (found === null) {
          throw new UpstreamError(
            `GitHub says that the branch ${name} exists in ${nameOf(repo)}, and does not find it. Try again in a moment.`,
            { service: "GitHub", retryable: true },
            { cause: error },
          );
        }
        throw new InvalidInputError(
          `The branch ${name} already exists in ${nameOf(repo)} at another commit (${found.commitSha.slice(0, 10)}). Delete or rename it, and ask again.`,
          { cause: error },
        );
      }
    },
  };
}

function decode(answer: { content: string; sha: string; size: number }) {
  const bytes = Uint8Array.from(atob(answer.content), (character) => character.charCodeAt(0));
  const text = textOf(bytes);
  return { text, binary: text === null, sha: answer.sha, size: answer.size };
}

/** Null for what git would call binary, and for what is not UTF-8 and would not survive being written back. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.subarray(0, 8000).includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
