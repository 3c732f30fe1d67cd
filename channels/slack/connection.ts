import { type FetchFunction, LogLevel, WebClient } from "@slack/web-api";
import { mayReceiveToken } from "./pictures.ts";

/** Slack's Web API, unless the deployment says otherwise (SLACK_API_URL). */
export const SLACK_API_URL = "https://slack.com/api/";
const ANSWER_WITHIN_MS = 10_000;
/** As many connections as a Worker may have at once. */
const CONNECTIONS = 6;

/**
 * Slack's own client, as it works in workerd: its `redirect: "error"` is not known there, and a call is tried once, since the outbox
 * tries again and its owner may be gone before the client's half an hour of retries is over.
 */
export function connectToSlack(botToken: string, apiUrl: string): WebClient {
  const toSlack: FetchFunction = async (address, init) => {
    if (!mayReceiveToken(String(address), apiUrl)) throw new Error("The bot's token goes to Slack only.");
    return fetch(address, { ...(init as RequestInit), redirect: "manual" });
  };
  return new WebClient(botToken, {
    slackApiUrl: apiUrl,
    fetch: toSlack,
    timeout: ANSWER_WITHIN_MS,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    maxRequestConcurrency: CONNECTIONS,
    logLevel: LogLevel.ERROR,
    allowAbsoluteUrls: false,
  });
}
