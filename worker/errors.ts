import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";

/** The one shape of every error this Worker answers with. */
export const errorBody = (code: string, message: string) => ({ error: { code, message } });

const statusOf = (error: Error): [ContentfulStatusCode, string] => {
  if (error instanceof InvalidInputError) return [400, "invalid_input"];
  if (error instanceof NotFoundError) return [404, "not_found"];
  if (error instanceof UpstreamError) return [error.retryable ? 503 : 502, "upstream_failed"];
  return [503, "unavailable"];
};

/**
 * Errors as HTTP. What is not one of ours means that an agent or the database did not answer: 503, so that whoever
 * sent the request tries again; details go to the log only.
 */
export function onError(error: Error, c: Context): Response {
  if (error instanceof HTTPException) return c.json(errorBody("refused", error.message), error.status);
  const [status, code] = statusOf(error);
  if (code !== "unavailable") return c.json(errorBody(code, error.message), status);
  console.error("a request failed", c.req.method, new URL(c.req.url).pathname, error);
  return c.json(errorBody(code, "CodeSpar could not do this right now. Try again in a moment."), status);
}
