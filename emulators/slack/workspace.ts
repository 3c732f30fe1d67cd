/** What there is in a Slack workspace: people, conversations, messages, files. */

export type Person = { id: string; name: string; realName: string };
export type Metadata = { event_type: string; event_payload: Record<string, unknown> };

export type Message = {
  ts: string;
  channel: string;
  /** Whoever wrote it; the bot has a user too. */
  user: string;
  botId: string | null;
  text: string;
  blocks: unknown[];
  threadTs: string | null;
  metadata: Metadata | null;
  files: StoredFile[];
  edits: number;
  reactions: string[];
  /** Who alone sees it, or null when everybody does. */
  ephemeralFor: string | null;
  /** Whom its text and blocks call: `@here`, `@U…`, `#C…`. */
  calls: string[];
};

export type StoredFile = {
  id: string;
  name: string;
  title: string;
  mediaType: string;
  content: Uint8Array;
};

export type Channel = {
  id: string;
  name: string;
  direct: boolean;
  /** A public channel: apps with the right scope post there without being members. */
  open: boolean;
  members: Set<string>;
  archived: boolean;
};

export class Workspace {
  readonly team = "T0EMULATED";
  readonly appId = "A0EMULATED";
  readonly bot: Person & { botId: string } = {
    id: "U0CODESPAR",
    name: "codespar",
    realName: "CodeSpar",
    botId: "B0CODESPAR",
  };
  readonly people = new Map<string, Person>();
  readonly channels = new Map<string, Channel>();
  readonly files = new Map<string, StoredFile>();
  /** In the order they were written. */
  readonly messages: Message[] = [];
  /** The status shown under a thread, by `channel:ts`. */
  readonly statuses = new Map<string, string>();
  #lastTs = 0;
  #count = 0;

  /** The time as Slack writes it: seconds and microseconds, never twice the same. */
  timestamp(): string {
    this.#lastTs = Math.max(this.#lastTs + 1, Date.now() * 1000);
    const digits = String(this.#lastTs);
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }

  id(prefix: string): string {
    return `${prefix}0${String(++this.#count).padStart(8, "0")}`;
  }

  /** The person of this name, made when there is none. */
  person(name: string): Person {
    for (const person of [...this.people.values(), this.bot])
      if (person.name === name || person.id === name) return person;
    const made = { id: this.id("U"), name, realName: name };
    this.people.set(made.id, made);
    return made;
  }

  /** The channel of this name, made with the bot in it when there is none. */
  channel(name: string): Channel {
    for (const channel of this.channels.values()) if (channel.name === name || channel.id === name) return channel;
    const made: Channel = {
      id: this.id("C"),
      name,
      direct: false,
      open: true,
      members: new Set([this.bot.id]),
      archived: false,
    };
    this.channels.set(made.id, made);
    return made;
  }

  /** The direct conversation of somebody with the bot. */
  direct(user: string): Channel {
    const name = `direct-${user}`;
    for (const channel of this.channels.values()) if (channel.name === name) return channel;
    const made: Channel = {
      id: this.id("D"),
      name,
      direct: true,
      open: false,
      members: new Set([this.bot.id, user]),
      archived: false,
    };
    this.channels.set(made.id, made);
    return made;
  }

  add(message: Pick<Message, "channel" | "user" | "text"> & Partial<Message>): Message {
    const made: Message = {
      ts: this.timestamp(),
      botId: null,
      blocks: [],
      threadTs: null,
      metadata: null,
      files: [],
      edits: 0,
      reactions: [],
      ephemeralFor: null,
      calls: [],
      ...message,
    };
    this.messages.push(made);
    return made;
  }

  find(channel: string, ts: string): Message | undefined {
    return this.messages.find((message) => message.channel === channel && message.ts === ts && !message.ephemeralFor);
  }

  /** A thread: its first message and the replies; or, without `ts`, what stands in the channel itself. */
  list(channel: string, ts: string | null): Message[] {
    return this.messages.filter(
      (message) =>
        message.channel === channel &&
        !message.ephemeralFor &&
        (ts === null ? message.threadTs === null : message.ts === ts || message.threadTs === ts),
    );
  }

  remove(message: Message): void {
    this.messages.splice(this.messages.indexOf(message), 1);
  }
}
