import { callsOf, refusedBlocks, refusedMetadata, refusedText } from "./limits.ts";
import { presentFile, presentMessage } from "./present.ts";
import { type Answer, type Arguments, answerPage, nested, refusal, refuse, textOf } from "./arguments.ts";
import type { Channel, Message, Metadata, Workspace } from "./workspace.ts";

export type { Arguments } from "./arguments.ts";

export type WebApiSetup = {
  workspace: Workspace;
  baseUrl: () => string;
  /** Null for all. */
  scopes: ReadonlySet<string> | null;
  /** Seconds to wait, when there were too many calls of this kind in this channel; else null. */
  pace: (kind: "post" | "edit", channel: string) => number | null;
  posted: (message: Message) => void;
  edited: (message: Message, before: Message) => void;
};

export class RateLimited extends Error {
  readonly retryAfter: number;
  constructor(retryAfter: number) {
    super("ratelimited");
    this.retryAfter = retryAfter;
  }
}

const SCOPES: Record<string, string> = {
  "chat.postMessage": "chat:write",
  "chat.update": "chat:write",
  "chat.delete": "chat:write",
  "chat.postEphemeral": "chat:write",
  "conversations.history": "channels:history",
  "conversations.replies": "channels:history",
  "conversations.info": "channels:read",
  "conversations.open": "im:write",
  "users.info": "users:read",
  "reactions.add": "reactions:write",
  "files.info": "files:read",
  "files.getUploadURLExternal": "files:write",
  "files.completeUploadExternal": "files:write",
  "assistant.threads.setStatus": "chat:write",
};

/** The methods of Slack's Web API that a chat bot uses, with Slack's own error codes (docs.slack.dev, "Web API methods"). */
export function createWebApi({ workspace, baseUrl, scopes, pace, posted, edited }: WebApiSetup) {
  const uploads = new Map<string, { name: string; length: number; content: Uint8Array | null }>();
  const present = (message: Message, withMetadata: boolean) =>
    presentMessage(message, workspace, baseUrl(), withMetadata);
  const limited = (kind: "post" | "edit", channel: string) => {
    const wait = pace(kind, channel);
    if (wait !== null) throw new RateLimited(wait);
  };

  function conversation(args: Arguments): Channel | null {
    const id = textOf(args["channel"]) || textOf(args["channel_id"]);
    return workspace.channels.get(id) ?? (workspace.people.has(id) ? workspace.direct(id) : null);
  }

  /** What a message may hold, checked as for posting. */
  function contentOf(
    args: Arguments,
    edit: boolean,
  ): { text: string; blocks: unknown[] | null; metadata: Metadata | null } | Answer {
    const text = textOf(args["text"]);
    const blocks = args["blocks"] === undefined ? null : nested(args["blocks"]);
    const metadata = args["metadata"] === undefined ? null : nested(args["metadata"]);
    if (text === "" && (!Array.isArray(blocks) || blocks.length === 0)) return refuse("no_text");
    const wrong =
      (blocks === null ? null : refusedBlocks(blocks)) ??
      refusedText(text, edit) ??
      (metadata === null ? null : refusedMetadata(metadata));
    if (wrong !== null) return refusal(wrong);
    return { text, blocks: blocks as unknown[] | null, metadata: metadata as Metadata | null };
  }

  function mayPost(channel: ReturnType<typeof conversation>): Answer | null {
    if (channel === null) return refuse("channel_not_found");
    if (channel.archived) return refuse("is_archived");
    return channel.members.has(workspace.bot.id) || (channel.open && scopes?.has("chat:write.public") !== false)
      ? null
      : refuse("not_in_channel");
  }

  function post(args: Arguments, ephemeralFor: string | null): Answer {
    const channel = conversation(args);
    const wrong = mayPost(channel);
    if (wrong !== null || channel === null) return wrong ?? refuse("channel_not_found");
    const made = contentOf(args, false);
    if ("ok" in made) return made;
    const thread = textOf(args["thread_ts"]) || null;
    const parent = thread === null ? undefined : workspace.find(channel.id, thread);
    if (thread !== null && parent === undefined) return refuse("thread_not_found");
    limited("post", channel.id);
    const message = workspace.add({
      channel: channel.id,
      user: workspace.bot.id,
      botId: workspace.bot.botId,
      text: made.text,
      blocks: made.blocks ?? [],
      metadata: made.metadata,
      // A reply to a reply belongs to the thread.
      threadTs: parent?.threadTs ?? thread,
      ephemeralFor,
      calls: callsOf(made.text, made.blocks, textOf(args["parse"]) || "none"),
    });
    if (ephemeralFor !== null) return { ok: true, message_ts: message.ts };
    if (thread !== null) workspace.statuses.delete(`${channel.id}:${thread}`);
    posted(message);
    return {
      ok: true,
      channel: channel.id,
      ts: message.ts,
      message: presentMessage(message, workspace, baseUrl(), true),
    };
  }

  function own(args: Arguments, otherwise: string): Message | Answer {
    const channel = conversation(args);
    if (channel === null) return refuse("channel_not_found");
    const message = workspace.find(channel.id, textOf(args["ts"]));
    if (message === undefined) return refuse("message_not_found");
    return message.botId === workspace.bot.botId ? message : refuse(otherwise);
  }

  const methods: Record<string, (args: Arguments) => Answer> = {
    "auth.test": () => ({
      ok: true,
      url: `${baseUrl()}/`,
      team: "Emulated",
      user: workspace.bot.name,
      team_id: workspace.team,
      user_id: workspace.bot.id,
      bot_id: workspace.bot.botId,
      is_enterprise_install: false,
    }),
    "chat.postMessage": (args) => post(args, null),
    "chat.postEphemeral": (args) => {
      const user = textOf(args["user"]);
      return workspace.people.has(user) ? post(args, user) : refuse("user_not_in_channel");
    },
    "chat.update": (args) => {
      const message = own(args, "cant_update_message");
      if ("ok" in message) return message;
      const made = contentOf(args, true);
      if ("ok" in made) return made;
      limited("edit", message.channel);
      const before = { ...message };
      Object.assign(message, {
        text: made.text,
        // What is not given stays, as at Slack.
        blocks: made.blocks ?? message.blocks,
        metadata: made.metadata ?? message.metadata,
        edits: message.edits + 1,
        calls: callsOf(made.text, made.blocks, textOf(args["parse"]) || "client"),
      });
      edited(message, before);
      return { ok: true, channel: message.channel, ts: message.ts, text: message.text };
    },
    "chat.delete": (args) => {
      const message = own(args, "cant_delete_message");
      if ("ok" in message) return message;
      workspace.remove(message);
      return { ok: true, channel: message.channel, ts: message.ts };
    },
    "conversations.history": (args) => {
      const channel = conversation(args);
      return channel === null
        ? refuse("channel_not_found")
        : answerPage(args, workspace.list(channel.id, null).toReversed(), present);
    },
    "conversations.replies": (args) => {
      const channel = conversation(args);
      if (channel === null) return refuse("channel_not_found");
      const thread = textOf(args["ts"]);
      return workspace.find(channel.id, thread) === undefined
        ? refuse("thread_not_found")
        : answerPage(args, workspace.list(channel.id, thread), present);
    },
    "conversations.info": (args) => {
      const channel = conversation(args);
      if (channel === null) return refuse("channel_not_found");
      const { id, archived, members } = channel;
      return {
        ok: true,
        channel: { id, is_archived: archived, is_member: members.has(workspace.bot.id), is_im: id.startsWith("D") },
      };
    },
    "conversations.open": (args) => {
      const user = textOf(args["users"]);
      return workspace.people.has(user)
        ? { ok: true, channel: { id: workspace.direct(user).id } }
        : refuse("user_not_found");
    },
    "users.info": (args) => {
      const person = [...workspace.people.values(), workspace.bot].find(({ id }) => id === args["user"]);
      if (person === undefined) return refuse("user_not_found");
      const { id, name, realName } = person;
      const profile = { display_name: name, real_name: realName };
      return {
        ok: true,
        user: { id, team_id: workspace.team, name, real_name: realName, is_bot: id === workspace.bot.id, profile },
      };
    },
    "reactions.add": (args) => {
      const message = workspace.find(conversation(args)?.id ?? "", textOf(args["timestamp"]));
      const name = textOf(args["name"]);
      if (message === undefined) return refuse("message_not_found");
      if (!/^[a-z0-9_+-]{1,100}$/.test(name)) return refuse("invalid_name");
      if (message.reactions.includes(name)) return refuse("already_reacted");
      message.reactions.push(name);
      return { ok: true };
    },
    "assistant.threads.setStatus": (args) => {
      const channel = conversation(args);
      if (channel === null) return refuse("channel_not_found");
      const thread = textOf(args["thread_ts"]);
      if (workspace.find(channel.id, thread) === undefined) return refuse("invalid_thread_ts");
      workspace.statuses.set(`${channel.id}:${thread}`, textOf(args["status"]));
      return { ok: true };
    },
    "files.getUploadURLExternal": (args) => {
      const name = textOf(args["filename"]);
      const length = Number(args["length"]);
      if (name === "" || !(length > 0)) return refuse("invalid_arguments");
      const id = workspace.id("F");
      uploads.set(id, { name, length, content: null });
      return { ok: true, upload_url: `${baseUrl()}/upload/v1/${id}`, file_id: id };
    },
    "files.completeUploadExternal": (args) => {
      const files = nested(args["files"]);
      const channel = conversation(args);
      if (!Array.isArray(files) || files.length === 0) return refuse("invalid_arguments");
      const wrong = mayPost(channel);
      if (wrong !== null || channel === null) return wrong ?? refuse("channel_not_found");
      const stored = (files as { id: string; title?: string }[]).flatMap(({ id, title }) => {
        const upload = uploads.get(id);
        if (!upload?.content) return [];
        uploads.delete(id);
        return [
          { id, name: upload.name, title: title ?? upload.name, mediaType: "text/plain", content: upload.content },
        ];
      });
      if (stored.length !== files.length) return refuse("file_not_found");
      for (const file of stored) workspace.files.set(file.id, file);
      const message = workspace.add({
        channel: channel.id,
        user: workspace.bot.id,
        botId: workspace.bot.botId,
        text: textOf(args["initial_comment"]),
        threadTs: textOf(args["thread_ts"]) || null,
        files: stored,
      });
      posted(message);
      return { ok: true, files: stored.map((file) => presentFile(file, workspace, baseUrl())) };
    },
    "files.info": (args) => {
      const file = workspace.files.get(textOf(args["file"]));
      return file === undefined
        ? refuse("file_not_found")
        : { ok: true, file: presentFile(file, workspace, baseUrl()) };
    },
  };

  return {
    /** Answers a call; throws RateLimited. The token has been checked. */
    call(method: string, args: Arguments): Answer {
      const handle = methods[method];
      if (handle === undefined) return refuse("unknown_method", { req_method: method });
      const wanted = SCOPES[method];
      // Reading has a scope for each kind of conversation.
      const direct = textOf(args["channel"]).startsWith("D");
      const needed = wanted === "channels:history" && direct ? "im:history" : wanted;
      if (scopes !== null && needed !== undefined && !scopes.has(needed)) {
        return refuse("missing_scope", { needed, provided: [...scopes].join(",") });
      }
      return handle(args);
    },
    /** Takes a file's content at the address that was handed out for it; false when there is none, or the length differs. */
    upload(id: string, content: Uint8Array): boolean {
      const upload = uploads.get(id);
      if (upload === undefined || upload.content !== null || upload.length !== content.byteLength) return false;
      upload.content = content;
      return true;
    },
  };
}

export type WebApi = ReturnType<typeof createWebApi>;
