import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from "@slack/web-api";
import type { DeliveryResult } from "#core/delivery.ts";

type Failure = Extract<DeliveryResult, { ok: false }>;

/** What no second try changes until somebody acts, and what they can do. Slack's error codes (docs.slack.dev, "chat.postMessage"). */
const ADVICE: Record<string, string> = {
  not_in_channel: "The bot is not in this channel. Invite it: /invite @codespar.",
  channel_not_found: "Slack knows no such channel, or the bot may not see it. Invite it: /invite @codespar.",
  is_archived: "The channel is archived.",
  restricted_action: "The workspace does not let the bot post here.",
  restricted_action_read_only_channel: "Nobody but its managers may post in this channel.",
  restricted_action_thread_only_channel: "Only replies are allowed in this channel.",
  thread_not_found: "The thread is not there any more.",
  cannot_reply_to_message: "This message cannot be replied to.",
  invalid_auth: "Slack does not accept the bot's token. Put the one of the installed app into SLACK_BOT_TOKEN.",
  not_authed: "No bot token is configured. Put the one of the installed app into SLACK_BOT_TOKEN.",
  account_inactive: "The app was removed from the workspace. Install it again, and put its token into SLACK_BOT_TOKEN.",
  token_revoked: "The bot's token was revoked. Install the app again, and put its token into SLACK_BOT_TOKEN.",
  token_expired:
    "The bot's token has expired. Turn token rotation off, install the app again, and put its token into SLACK_BOT_TOKEN.",
  team_access_not_granted: "The app is not installed in this workspace.",
};

/** Slack's own passing faults. */
const PASSING = new Set([
  "ratelimited",
  "rate_limited",
  "message_limit_exceeded",
  "fatal_error",
  "internal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
  "accesslimited",
  "external_channel_migrating",
]);

/** Of those, the ones that may come after the work was done. */
const UNCERTAIN = new Set(["fatal_error", "internal_error", "service_unavailable", "request_timeout"]);

/** Slack does not want the blocks: their words may still do. */
const REFUSED_CONTENT = new Set(["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"]);
/** The message is not there to be edited, or not to be edited any more: a new one takes its place. */
const NOT_EDITABLE = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);

/** Slack's codes look like this; a page of something in between does not. */
const isCode = (text: string): boolean => /^[a-z0-9_]{1,60}$/.test(text);

const codeOf = (error: unknown): string | null => (error instanceof WebAPIPlatformError ? error.data.error : null);

export const isRefusedContent = (error: unknown): boolean => REFUSED_CONTENT.has(codeOf(error) ?? "");
export const isNotEditable = (error: unknown): boolean => NOT_EDITABLE.has(codeOf(error) ?? "");
/** Slack took the call and did nothing; after any other failure it may have done what was asked. */
export const isRefusal = (error: unknown): boolean => {
  if (error instanceof WebAPIRateLimitedError) return true;
  const code = codeOf(error);
  return code !== null && isCode(code) && !UNCERTAIN.has(code);
};
export const isGone = (error: unknown): boolean => codeOf(error) === "message_not_found";

const failure = (reason: string, retryable: boolean, retryAfterMs: number | null = null): Failure => ({
  ok: false,
  retryable,
  retryAfterMs,
  reason,
});

/** What a failed call means: whether to try again, when, and what to do. Never says the token. */
export function failureOf(error: unknown): Failure {
  if (error instanceof WebAPIRateLimitedError) {
    return failure("Slack asks for fewer messages.", true, Math.max(1, error.retryAfter) * 1000);
  }
  if (error instanceof WebAPIHTTPError) {
    // 4xx but for the two that pass: the address or a proxy in between is wrong.
    const passing = error.statusCode >= 500 || error.statusCode === 408 || error.statusCode === 429;
    return failure(`Slack answered ${error.statusCode}.`, passing);
  }
  if (error instanceof WebAPIRequestError) return failure("Slack could not be reached, or its answer was lost.", true);
  if (error instanceof WebAPIPlatformError) return platformFailure(error);
  // A 429 that does not say when, among others.
  return failure("The call to Slack failed.", true);
}

function platformFailure({ data }: WebAPIPlatformError): Failure {
  const code = data.error;
  const after = data.response_metadata?.retryAfter;
  if (PASSING.has(code)) {
    return failure(`Slack has a passing fault (${code}).`, true, after === undefined ? null : after * 1000);
  }
  if (code === "missing_scope") {
    const needed = "needed" in data ? String(data.needed) : "one more";
    return failure(`The app lacks a scope (${needed}). Add it, and install the app again.`, false);
  }
  const advice = ADVICE[code];
  if (advice !== undefined) return failure(advice, false);
  if (!isCode(code)) return failure("Slack's answer could not be read.", true);
  return failure(`Slack refused the message (${code}).`, false);
}
