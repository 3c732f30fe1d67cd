import { UpstreamError } from "#core/errors.ts";
import { type GitHub, type GitHubAuth, createGitHub } from "./github.ts";

/** The bindings that say how to reach GitHub: a token, or an App. */
export type GitHubEnv = {
  GITHUB_API_URL: string;
  /** Milliseconds one request may take. */
  GITHUB_TIMEOUT_MS: string;
  GITHUB_TOKEN?: string;
  GITHUB_APP_ID?: string;
  GITHUB_APP_PRIVATE_KEY?: string;
  GITHUB_APP_INSTALLATION_ID?: string;
};

const DEFAULT_TIMEOUT_MS = 20_000;

/** The host of repositories' addresses on that GitHub: `github.com`, an Enterprise's own, or the emulator's. */
export function gitHubHost(env: GitHubEnv): string {
  const { host } = new URL(env.GITHUB_API_URL);
  return host === "api.github.com" ? "github.com" : host;
}

function authOf(env: GitHubEnv): GitHubAuth | null {
  if (env.GITHUB_TOKEN) return { type: "token", token: env.GITHUB_TOKEN };
  if (env.GITHUB_APP_ID && env.GITHUB_APP_PRIVATE_KEY) {
    return {
      type: "app",
      appId: env.GITHUB_APP_ID,
      privateKey: env.GITHUB_APP_PRIVATE_KEY,
      installationId: env.GITHUB_APP_INSTALLATION_ID || null,
    };
  }
  return null;
}

/** GitHub as the bindings describe it. Throws UpstreamError, in words for people, when they hold no credentials. */
export function gitHubFromEnv(env: GitHubEnv): GitHub {
  const auth = authOf(env);
  if (!auth) {
    throw new UpstreamError(
      "GitHub is not configured. Set the secret GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY (`wrangler secret put NAME`).",
      { service: "GitHub", retryable: false },
    );
  }
  return createGitHub({
    apiUrl: env.GITHUB_API_URL,
    auth,
    timeoutMs: Number(env.GITHUB_TIMEOUT_MS) || DEFAULT_TIMEOUT_MS,
  });
}
