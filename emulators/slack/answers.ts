import type { IncomingMessage } from "node:http";
import { type Arguments, RateLimited, type WebApi } from "./web-api.ts";
import type { Workspace } from "./workspace.ts";

/** A Buffer is sent as it is, anything else as JSON. */
export type Reply = { status: number; headers?: Record<string, string>; body: unknown };

const MAX_BODY = 8 * 1024 * 1024;

const LOGIN_PAGE =
  "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to your workspace</body></html>";

type AnswersSetup = {
  workspace: Workspace /** Null for all. */;
  scopes: ReadonlySet<string> | null;
  botToken: string;
  api: WebApi;
};

/** Answers what is asked of Slack: calls of the Web API, files, and uploads. */
export function createAnswers({ workspace, scopes, botToken, api }: AnswersSetup) {
  const authorised = (request: IncomingMessage, args: Arguments): boolean =>
    (request.headers.authorization ?? `Bearer ${String(args["token"])}`) === `Bearer ${botToken}`;

  function answerCall(request: IncomingMessage, method: string, args: Arguments): Reply {
    if (request.headers.authorization === undefined && args["token"] === undefined) {
      return { status: 200, body: { ok: false, error: "not_authed" } };
    }
    if (!authorised(request, args)) return { status: 200, body: { ok: false, error: "invalid_auth" } };
    try {
      return {
        status: 200,
        headers: { "x-oauth-scopes": [...(scopes ?? [])].join(",") },
        body: api.call(method, args),
      };
    } catch (error) {
      if (!(error instanceof RateLimited)) throw error;
      const headers = { "retry-after": String(error.retryAfter) };
      return { status: 429, headers, body: { ok: false, error: "ratelimited" } };
    }
  }

  function answerFile(request: IncomingMessage, path: string): Reply {
    const id = /^\/files-pri\/[^/]+?-(F\w+)\//.exec(path)?.[1] ?? "";
    const file = workspace.files.get(id);
    // Whoever may not see files is sent to sign in, as in a browser.
    if (!authorised(request, {}) || scopes?.has("files:read") === false) {
      return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body: Buffer.from(LOGIN_PAGE) };
    }
    return file === undefined
      ? { status: 404, headers: { "content-type": "text/plain" }, body: Buffer.from("not found") }
      : { status: 200, headers: { "content-type": file.mediaType }, body: Buffer.from(file.content) };
  }

  return function answer(request: IncomingMessage, path: string, body: Buffer, args: Arguments): Reply {
    if (path.startsWith("/files-pri/")) return answerFile(request, path);
    if (path.startsWith("/upload/v1/")) {
      const taken = api.upload(path.slice("/upload/v1/".length), uploadedContent(request, body));
      const words = Buffer.from(taken ? `OK - ${body.length}` : "no such upload");
      return { status: taken ? 200 : 400, headers: { "content-type": "text/plain" }, body: words };
    }
    if (!path.startsWith("/api/")) return { status: 404, body: { ok: false, error: "not_found" } };
    return answerCall(request, path.slice("/api/".length), args);
  };
}

export function readArguments(request: IncomingMessage, body: Buffer): Arguments {
  if (request.headers["content-type"]?.startsWith("application/json")) {
    try {
      return JSON.parse(body.toString()) as Arguments;
    } catch {
      return {};
    }
  }
  return Object.fromEntries(new URLSearchParams(body.toString()));
}

/** A file comes as it is, or as the one part of a form. */
function uploadedContent(request: IncomingMessage, body: Buffer): Uint8Array {
  const boundary = /multipart\/form-data;.*boundary="?([^";]+)/.exec(request.headers["content-type"] ?? "")?.[1];
  if (boundary === undefined) return body;
  const from = body.indexOf("\r\n\r\n") + 4;
  return body.subarray(from, body.indexOf(`\r\n--${boundary}`, from));
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error("The request's body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
