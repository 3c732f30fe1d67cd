import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import { array, object, string, unknown } from "zod";

/** What was being done when GitHub refused, for words a person can act on. */
export type Attempt = {
  /** `acme/shop` */
  repository: string;
  /** Continues "could not …": "open the pull request". */
  doing: string;
  /** The fine-grained permission it takes: "contents: write". */
  permission: string;
  /** What a 404 means here, when it is not the repository that is missing. */
  notFound?: string;
};

/** GitHub asks to wait at least a minute after a secondary limit that names no time. */
const SECONDARY_LIMIT_MS = 60_000;

const refusal = object({ message: string().catch(""), errors: array(unknown()).catch([]) });
const detail = object({ message: string() });

type Refused = {
  status: number;
  headers: Record<string, unknown>;
  message: string;
  details: string[];
};

/** The refusal inside an Octokit error, or null when no answer came at all. */
export function readRefusal(error: unknown): Refused | null {
  if (
    !(error instanceof Error) ||
    !("response" in error) ||
    typeof error.response !== "object" ||
    error.response === null
  )
    return null;
  const response = error.response as {
    status: number;
    headers?: Record<string, unknown>;
    data?: unknown;
  };
  const body = refusal.safeParse(response.data);
  const details = (body.data?.errors ?? []).flatMap((entry) => {
    if (typeof entry === "string") return [entry];
    const parsed = detail.safeParse(entry);
    return parsed.success ? [parsed.data.message] : [];
  });
  return {
    status: response.status,
    headers: response.headers ?? {},
    message: body.data?.message ?? "",
    details,
  };
}

/** How long GitHub asks to wait, in milliseconds, or null when a 403 or 429 is no rate limit. `now` is epoch milliseconds. */
export function rateLimitDelay(refused: Refused, now: number): number | null {
  if (refused.status !== 403 && refused.status !== 429) return null;
  const retryAfter = Number(refused.headers["retry-after"] ?? Number.NaN);
  if (Number.isFinite(retryAfter) && retryAfter >= 0) return retryAfter * 1000;
  if (Number(refused.headers["x-ratelimit-remaining"] ?? Number.NaN) === 0) {
    const reset = Number(refused.headers["x-ratelimit-reset"] ?? Number.NaN);
    return Number.isFinite(reset) ? Math.max(1000, reset * 1000 - now) : SECONDARY_LIMIT_MS;
  }
  if (refused.status === 429 || /rate limit|abuse/i.test(refused.message)) return SECONDARY_LIMIT_MS;
  return null;
}

/** Turns whatever a call threw into one of CodeSpar's three errors. `now` is epoch milliseconds. */
export function toFailure(error: unknown, attempt: Attempt, now: number): Error {
  if (error instanceof InvalidInputError || error instanceof NotFoundError || error instanceof UpstreamError)
    return error;
  const { repository, doing, permission } = attempt;
  const upstream = (message: string, retryable: boolean, retryAfterMs: number | null = null) =>
    new UpstreamError(message, { service: "GitHub", retryable, retryAfterMs }, { cause: error });
  const refused = readRefusal(error);
  if (refused === null)
    return upstream(
      `GitHub could not be reached to ${doing} in ${repository}. Check the network and GITHUB_API_URL.`,
      true,
    );

  const wait = rateLimitDelay(refused, now);
  if (wait !== null) {
    return upstream(
      `GitHub limits how often it may be asked, and refused to ${doing} in ${repository}. Try again in ${inWords(wait)}.`,
      true,
      wait,
    );
  }
  const said = [refused.message, ...refused.details].filter((text) => text !== "").join(" ");
  switch (refused.status) {
    case 401:
      return upstream(
        "GitHub refused the credentials. Set a valid GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.",
        false,
      );
    case 403:
      return upstream(
        `The token may not ${doing} in ${repository}. It needs the permission ${permission}.${said === "" ? "" : ` GitHub says: ${said}`}`,
        false,
      );
    case 404:
      return new NotFoundError(
        attempt.notFound ??
          `GitHub knows no repository ${repository}, or the token may not see it. Check the name with \`link\`, and that the token or app has access.`,
        { cause: error },
      );
    case 409:
      if (/repository is empty/i.test(refused.message)) {
        return new InvalidInputError(`${repository} has no commits yet. Push a first commit and ask again.`, {
          cause: error,
        });
      }
      return new InvalidInputError(
        `GitHub could not ${doing} in ${repository}: ${said || "it conflicts with the present state"}`,
        { cause: error },
      );
    case 408:
      return upstream(`GitHub took too long to ${doing} in ${repository}. Try again.`, true);
    default:
      if (refused.status >= 500)
        return upstream(`GitHub failed (${refused.status}) to ${doing} in ${repository}. Try again in a moment.`, true);
      return new InvalidInputError(
        `GitHub would not ${doing} in ${repository}: ${said || `it answered ${refused.status}`}`,
        { cause: error },
      );
  }
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
