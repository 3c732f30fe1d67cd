import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingRequest, Verification } from "../adapter.ts";

/** How far a request's timestamp may be from now, either way: an old request may be a replay. In seconds. */
const WINDOW_S = 5 * 60;

const refused = (reason: string): Verification => ({ ok: false, reason });

/**
 * Slack's signature: HMAC-SHA256 over `v0:timestamp:raw body`, hexadecimal behind `v0=`
 * (docs.slack.dev, "Verifying requests from Slack"). Compared in constant time.
 */
export function verifySlackSignature(request: IncomingRequest, signingSecret: string): Verification {
  // An HMAC with an empty key is one that anybody can make.
  if (signingSecret === "") return refused("No signing secret is configured.");
  const timestamp = request.headers.get("x-slack-request-timestamp");
  const signature = request.headers.get("x-slack-signature");
  if (timestamp === null || signature === null) return refused("The request is not signed.");
  if (!/^\d{1,12}$/.test(timestamp)) return refused("The timestamp is malformed.");
  if (Math.abs(request.now / 1000 - Number(timestamp)) > WINDOW_S) return refused("The timestamp is stale.");
  if (!/^v0=[0-9a-f]{64}$/.test(signature)) return refused("The signature is malformed.");
  const expected = createHmac("sha256", signingSecret).update(`v0:${timestamp}:`).update(request.rawBody).digest("hex");
  const bytes = (text: string) => new TextEncoder().encode(text);
  return timingSafeEqual(bytes(`v0=${expected}`), bytes(signature))
    ? { ok: true }
    : refused("The signature does not fit.");
}
