import { boolean, object, string, type ZodType } from "zod";
import { describeError, Failure, usageFailure } from "./failure.ts";

/** A CodeSpar to talk to: its address and a bearer token. */
export interface Endpoint {
  readonly url: string;
  readonly token: string;
}

const ErrorBody = object({ error: object({ code: string(), message: string() }) });

export const SetupAnswer = object({ project: string(), conversation: string(), created: boolean() });
export const TokenAnswer = object({ token: string() });
export const ClaimCodeAnswer = object({ code: string(), expiresAt: string() });

/** Checks an address given by a person; without a trailing slash. */
export function endpointUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw usageFailure(`--url must be an http or https address, not “${given}”.`);
  }
  return url.href.replace(/\/+$/, "");
}

export const notThere = (url: string, cause?: unknown): Failure =>
  new Failure(`No CodeSpar answers at ${url}. Start one with \`npm start\`, or give --url.`, { cause });

/** What a refusal (status ≥ 400) means for the person. */
export async function refusal(response: Response, url: string): Promise<Failure> {
  const text = await response.text().catch(() => "");
  const said = messageIn(text);
  if (response.status === 401) {
    return new Failure(`${url} refused the token${said ? `: ${said}` : "."} Give the right one with --token.`);
  }
  return new Failure(said ?? `${url} answered with status ${response.status}, in a way CodeSpar does not.`);
}

function messageIn(body: string): string | undefined {
  try {
    return ErrorBody.parse(JSON.parse(body)).error.message;
  } catch {
    return undefined;
  }
}

/** One request; throws `Failure` when nobody answers or the answer is a refusal. */
export async function request(endpoint: Endpoint, method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(`${endpoint.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${endpoint.token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw notThere(endpoint.url, error);
  });
  if (!response.ok) throw await refusal(response, endpoint.url);
  return response;
}

/** One request whose JSON answer fits `schema`. */
export async function call<T>(
  schema: ZodType<T>,
  endpoint: Endpoint,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await request(endpoint, method, path, body);
  try {
    return schema.parse(await response.json());
  } catch (error) {
    throw new Failure(`${endpoint.url}${path} gave an answer CodeSpar does not understand: ${describeError(error)}`, {
      cause: error,
    });
  }
}
