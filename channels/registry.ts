import type { ChannelName } from "#core/message.ts";
import type { Namespace, TerminalGatewayRpc } from "#core/rpc.ts";
import type { ChannelReceiver, ChannelRegistry, DeliveryMemory } from "./adapter.ts";
import { createSlackReceiver, createSlackSender } from "./slack.ts";
import { createTerminalAdapter } from "./terminal.ts";

/** The bindings that say which platforms are connected. */
export type ChannelsEnv = {
  TERMINAL_GATEWAY: Namespace<TerminalGatewayRpc>;
  SLACK_SIGNING_SECRET?: string;
  SLACK_BOT_TOKEN?: string;
  /** Root of Slack's Web API, where it is not Slack's own. */
  SLACK_API_URL?: string;
};

/** What sends to each connected platform. `memory` keeps what a sender has to know of a message it sent. */
export function sendersFromEnv(env: ChannelsEnv, memory: DeliveryMemory): ChannelRegistry {
  const { SLACK_BOT_TOKEN: botToken, SLACK_API_URL: apiUrl } = env;
  return {
    terminal: createTerminalAdapter(env.TERMINAL_GATEWAY),
    ...(botToken ? { slack: createSlackSender({ botToken, apiUrl: apiUrl || undefined, memory }) } : {}),
  };
}

/** What takes a platform's webhooks, or null where its secrets are missing: then the channel is off. */
export function receiverFromEnv(channel: ChannelName, env: ChannelsEnv): ChannelReceiver | null {
  if (channel !== "slack" || !env.SLACK_SIGNING_SECRET || !env.SLACK_BOT_TOKEN) return null;
  return createSlackReceiver({ signingSecret: env.SLACK_SIGNING_SECRET });
}

/** Which platforms are connected, and what is missing where one is not, for people. */
export function channelsInWords(env: ChannelsEnv): string {
  const missing = (["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"] as const).filter((name) => !env[name]);
  return missing.length === 0
    ? "terminal, Slack"
    : `terminal; Slack is not configured (${missing.join(" and ")} missing)`;
}
