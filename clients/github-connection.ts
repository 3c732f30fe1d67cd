import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { createPrivateKey } from "node:crypto";
import { number, object, type ZodType } from "zod";
import { toFailure, type Attempt } from "./github-errors.ts";
import type { GitHubAuth, GitHubOptions, RepositoryName } from "./github-types.ts";

type Answer = { data: unknown; headers: Record<string, unknown> };

/** One Octokit with authentication, timeout and error mapping; what every GitHub call goes through. */
export type Connection = {
  octokit: Octokit;
  /** Sends one request, checks the answer's form, and maps every failure. */
  call: <T>(attempt: Attempt, send: (octokit: Octokit) => Promise<Answer>, schema: ZodType<T>) => Promise<T>;
};

const silent = { debug: noop, info: noop, warn: noop, error: noop };
function noop(): void {}

export const nameOf = (repo: RepositoryName): string => `${repo.owner}/${repo.name}`;

export function connect(options: GitHubOptions): Connection {
  const givenFetch = options.fetch;
  const octokit = new Octokit({
    baseUrl: options.apiUrl.replace(/\/+$/, ""),
    userAgent: "codespar",
    log: silent,
    // workerd's fetch wants to be called as a plain function, not as a method of Octokit's options.
    request: {
      fetch: (url: string, init: RequestInit) => (givenFetch ?? globalThis.fetch)(url, init),
      log: silent,
    },
  });
  const authorise =
    options.auth.type === "token" ? tokenAuthorisation(options.auth.token) : appAuthorisation(octokit, options.auth);

  octokit.hook.wrap("request", async (request, parameters) => {
    // The app's own requests carry their authorisation already, and each has a time limit of its own.
    parameters.headers.authorization ??= await authorise.header(repositoryOf(parameters));
    const signal = AbortSignal.timeout(options.timeoutMs);
    try {
      parameters.request = { ...parameters.request, signal };
      const response = await request(parameters);
      if (signal.aborted && typeof response.data === "string")
        throw new Error("The answer's body did not arrive in time.");
      return response;
    } catch (error) {
      if (isRefusal(error)) {
        if (error.response?.status === 401) authorise.forget();
        throw error;
      }
      if (!signal.aborted) throw error;
      throw new UpstreamError(
        `GitHub did not answer within ${options.timeoutMs} ms. Try again in a moment.`,
        { service: "GitHub", retryable: true },
        { cause: error },
      );
    }
  });

  return {
    octokit,
    async call(attempt, send, schema) {
      let answer: Answer;
      try {
        answer = await send(octokit);
      } catch (error) {
        throw toFailure(error, attempt, Date.now());
      }
      const parsed = schema.safeParse(answer.data);
      if (parsed.success) return parsed.data;
      throw new UpstreamError(
        `GitHub's answer could not be understood (asked to ${attempt.doing} in ${attempt.repository}). If GITHUB_API_URL is right, try again in a moment.`,
        { service: "GitHub", retryable: true },
        { cause: parsed.error },
      );
    },
  };
}

type Authorisation = {
  /** The Authorization header's value for a request about a repository. */
  header(repo: RepositoryName | null): Promise<string>;
  /** The last header was refused: make a new one next time. */
  forget(): void;
};

function tokenAuthorisation(token: string): Authorisation {
  return { header: async () => `token ${token}`, forget: noop };
}

/**
 * Octokit's own app strategy repeats refused requests by itself; only its token cache is used here, so that one call
 * stays one attempt.
 */
function appAuthorisation(octokit: Octokit, auth: Extract<GitHubAuth, { type: "app" }>): Authorisation {
  const installations = new Map<string, number>();
  let app: ReturnType<typeof createAppAuth> | undefined;
  let refresh = false;

  async function installationOf(repo: RepositoryName): Promise<number> {
    const key = nameOf(repo).toLowerCase();
    const known = installations.get(key);
    if (known !== undefined) return known;
    const jwt = await authenticate().then((strategy) => strategy({ type: "app" }));
    const answer = await octokit.request("GET /repos/{owner}/{repo}/installation", {
      owner: repo.owner,
      repo: repo.name,
      headers: { authorization: `bearer ${jwt.token}` },
    });
    const { id } = object({ id: number() }).parse(answer.data);
    installations.set(key, id);
    return id;
  }

  async function authenticate(): Promise<ReturnType<typeof createAppAuth>> {
    return (app ??= createAppAuth({
      appId: auth.appId,
      privateKey: toPkcs8(auth.privateKey),
      request: octokit.request,
      log: silent,
    }));
  }

  return {
    async header(repo) {
      const fullName = repo === null ? "the repository" : nameOf(repo);
      try {
        if (auth.installationId === null && repo === null)
          throw new InvalidInputError("A GitHub App acts on a repository. Name one.");
        const strategy = await authenticate();
        const installationId =
          auth.installationId === null ? await installationOf(repo as RepositoryName) : Number(auth.installationId);
        const { token } = await strategy({ type: "installation", installationId, refresh });
        refresh = false;
        return `token ${token}`;
      } catch (error) {
        const failure = toFailure(
          error,
          {
            repository: fullName,
            doing: "sign in as the GitHub App",
            permission: "metadata: read",
            notFound: `The GitHub App is not installed on ${fullName}. Install it there, and check GITHUB_APP_ID.`,
          },
          Date.now(),
        );
        // It may have been installed anew since, under another number.
        if (failure instanceof NotFoundError) installations.delete(fullName.toLowerCase());
        throw failure;
      }
    },
    forget() {
      refresh = true;
    },
  };
}

/** GitHub hands out PKCS#1 keys, WebCrypto reads PKCS#8. Secrets often arrive with `\n` spelled out. */
function toPkcs8(privateKey: string): string {
  try {
    return createPrivateKey(privateKey.replaceAll("\\n", "\n")).export({ type: "pkcs8", format: "pem" }).toString();
  } catch {
    // Without the cause: it could quote the key.
    throw new UpstreamError(
      "GITHUB_APP_PRIVATE_KEY is no PEM private key. Set the whole file that GitHub let you download.",
      {
        service: "GitHub",
        retryable: false,
      },
    );
  }
}

function repositoryOf(parameters: object): RepositoryName | null {
  const { owner, repo } = parameters as { owner?: unknown; repo?: unknown };
  return typeof owner === "string" && typeof repo === "string" ? { owner, name: repo } : null;
}

function isRefusal(error: unknown): error is Error & { response?: { status: number } } {
  return error instanceof Error && "response" in error && error.response !== undefined;
}
