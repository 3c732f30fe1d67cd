import type { Message, StoredFile, Workspace } from "./workspace.ts";

/** Records as Slack writes them (docs.slack.dev, "Events API", "conversations.history"). */

export function presentFile(file: StoredFile, workspace: Workspace, baseUrl: string): Record<string, unknown> {
  const address = `${baseUrl}/files-pri/${workspace.team}-${file.id}/${encodeURIComponent(file.name)}`;
  return {
    id: file.id,
    name: file.name,
    title: file.title,
    mimetype: file.mediaType,
    filetype: file.name.split(".").at(-1) ?? "",
    size: file.content.byteLength,
    mode: "hosted",
    file_access: "visible",
    url_private: address,
    url_private_download: address,
  };
}

export function presentMessage(
  message: Message,
  workspace: Workspace,
  baseUrl: string,
  withMetadata: boolean,
): Record<string, unknown> {
  const replies = workspace.messages.filter((one) => one.channel === message.channel && one.threadTs === message.ts);
  return {
    type: "message",
    user: message.user,
    text: message.text,
    ts: message.ts,
    team: workspace.team,
    ...(message.botId === null ? {} : { bot_id: message.botId, app_id: workspace.appId }),
    ...(message.blocks.length === 0 ? {} : { blocks: message.blocks }),
    ...(message.threadTs === null
      ? {}
      : { thread_ts: message.threadTs, parent_user_id: parentUser(message, workspace) }),
    ...(replies.length === 0 ? {} : { thread_ts: message.ts, reply_count: replies.length }),
    ...(message.files.length === 0
      ? {}
      : { files: message.files.map((file) => presentFile(file, workspace, baseUrl)), upload: false }),
    ...(message.edits === 0 ? {} : { edited: { user: message.user, ts: message.ts } }),
    ...(withMetadata && message.metadata !== null ? { metadata: message.metadata } : {}),
  };
}

const parentUser = (message: Message, workspace: Workspace): string | undefined =>
  workspace.find(message.channel, message.threadTs ?? "")?.user;

/** The envelope of an event. The same event keeps its id when it is sent again. */
export function presentEvent(event: Record<string, unknown>, workspace: Workspace): Record<string, unknown> {
  return {
    token: "deprecated-verification-token",
    team_id: workspace.team,
    api_app_id: workspace.appId,
    event,
    type: "event_callback",
    event_id: workspace.id("Ev"),
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: workspace.team,
        user_id: workspace.bot.id,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: "4-emulated",
  };
}
