import type { Courier, Delivery } from "./delivery.ts";
import { presentEvent, presentFile, presentMessage } from "./present.ts";
import type { Message, StoredFile, Workspace } from "./workspace.ts";

/** Something a person wrote, and what became of handing it to the app: all tries of all its events. */
export type Written = { channel: string; ts: string; threadTs: string | null; delivered: Promise<Delivery[]> };
export type WriteOptions = {
  /** In this thread: the `ts` of its first message. */
  thread?: string;
  files?: { name: string; mediaType: string; content: Uint8Array }[];
};

export type PeopleSetup = {
  workspace: Workspace;
  courier: Courier;
  appUrl: () => string | null;
  baseUrl: () => string;
  /** Tells that a delivery is under way, so that closing waits for it. */
  track: <T>(work: Promise<T>) => Promise<T>;
};

/** What people do in Slack, as the app hears of it. */
export class People {
  readonly #at: PeopleSetup;

  constructor(setup: PeopleSetup) {
    this.#at = setup;
  }

  /** Writes in a channel. `@codespar` in the text is a mention, which comes as two events. */
  write(person: string, channel: string, text: string, options: WriteOptions = {}): Written {
    const { workspace } = this.#at;
    const at = workspace.channel(channel);
    const user = workspace.person(person).id;
    at.members.add(user);
    return this.#send(at.id, user, text, options);
  }

  /** Writes to the bot directly. */
  direct(person: string, text: string, options: WriteOptions = {}): Written {
    const user = this.#at.workspace.person(person).id;
    return this.#send(this.#at.workspace.direct(user).id, user, text, options);
  }

  /** Changes what somebody wrote. Mentions that come in this way are told too. */
  edit(channel: string, ts: string, text: string): Promise<Delivery[]> {
    const message = this.#message(channel, ts);
    const before = { ...message };
    Object.assign(message, { text: this.#encoded(text), edits: message.edits + 1 });
    return this.changed(message, before);
  }

  remove(channel: string, ts: string): Promise<Delivery[]> {
    const message = this.#message(channel, ts);
    this.#at.workspace.remove(message);
    return this.#tell({
      type: "message",
      subtype: "message_deleted",
      channel: message.channel,
      channel_type: this.#typeOf(message.channel),
      ts: this.#at.workspace.timestamp(),
      deleted_ts: ts,
      hidden: true,
      previous_message: this.#present(message),
    });
  }

  /** Clicks a button of a message, by its label. Throws when there is none. */
  async click(person: string, channel: string, ts: string, label: string): Promise<Delivery> {
    const { workspace, courier } = this.#at;
    const message = this.#message(channel, ts);
    const { id, name } = workspace.person(person);
    const action = buttonOf(message.blocks, label);
    if (action === null) throw new Error(`There is no button “${label}” on that message.`);
    const trigger = workspace.id("13.");
    const payload = {
      type: "block_actions",
      user: { id, username: name, name, team_id: workspace.team },
      api_app_id: workspace.appId,
      token: "deprecated-verification-token",
      container: {
        type: "message",
        message_ts: ts,
        channel_id: message.channel,
        is_ephemeral: false,
        ...threadOf(message),
      },
      trigger_id: trigger,
      team: { id: workspace.team, domain: "emulated" },
      enterprise: null,
      is_enterprise_install: false,
      channel: { id: message.channel, name: workspace.channel(message.channel).name },
      message: this.#present(message),
      state: { values: {} },
      response_url: `${this.#at.baseUrl()}/actions/${trigger}`,
      actions: [{ ...action, type: "button", block_id: "b1", action_ts: workspace.timestamp() }],
    };
    return this.#at.track(courier.form(this.#url(), "interaction", trigger, { payload: JSON.stringify(payload) }));
  }

  /** Types `/codespar …` in a channel, or in the direct conversation without one. */
  async slash(person: string, channel: string | null, text: string): Promise<Delivery> {
    const { workspace, courier } = this.#at;
    const { id, name } = workspace.person(person);
    const at = channel === null ? workspace.direct(id) : workspace.channel(channel);
    const trigger = workspace.id("13.");
    const fields = {
      token: "deprecated-verification-token",
      team_id: workspace.team,
      team_domain: "emulated",
      channel_id: at.id,
      channel_name: at.direct ? "directmessage" : at.name,
      user_id: id,
      user_name: name,
      command: "/codespar",
      text,
      api_app_id: workspace.appId,
      is_enterprise_install: "false",
      response_url: `${this.#at.baseUrl()}/commands/${trigger}`,
      trigger_id: trigger,
    };
    return this.#at.track(courier.form(this.#url(), "command", trigger, fields));
  }

  /** Checks the app's address, as Slack does when it is entered. */
  handshake(): Promise<Delivery[]> {
    const challenge = this.#at.workspace.id("challenge");
    const payload = { token: "deprecated-verification-token", challenge, type: "url_verification" };
    return this.#at.track(this.#at.courier.event(this.#url(), payload));
  }

  /** Tells the app of a message, as Slack does of everybody's and of its own. */
  posted(message: Message): Promise<Delivery[]> {
    const { workspace } = this.#at;
    const type = this.#typeOf(message.channel);
    const shared = { ...this.#present(message), channel: message.channel, event_ts: message.ts };
    const subtype = message.files.length === 0 ? {} : { subtype: "file_share" };
    const told = [this.#tell({ ...shared, ...subtype, channel_type: type })];
    const mentions = message.botId === null && message.text.includes(`<@${workspace.bot.id}>`);
    if (type === "channel" && mentions) told.push(this.#tell({ ...shared, type: "app_mention" }));
    return Promise.all(told).then((tries) => tries.flat());
  }

  changed(message: Message, before: Message): Promise<Delivery[]> {
    return this.#tell({
      type: "message",
      subtype: "message_changed",
      channel: message.channel,
      channel_type: this.#typeOf(message.channel),
      ts: this.#at.workspace.timestamp(),
      hidden: true,
      message: this.#present(message),
      previous_message: this.#present(before),
    });
  }

  #send(channel: string, user: string, text: string, { thread, files = [] }: WriteOptions): Written {
    const { workspace } = this.#at;
    const stored = files.map((file): StoredFile => ({ ...file, id: workspace.id("F"), title: file.name }));
    for (const file of stored) workspace.files.set(file.id, file);
    const message = workspace.add({
      channel,
      user,
      text: this.#encoded(text),
      threadTs: thread ?? null,
      files: stored,
    });
    return { channel, ts: message.ts, threadTs: thread ?? null, delivered: this.posted(message) };
  }

  /** As Slack's client sends what is typed: escaped, with mentions and addresses marked. */
  #encoded(text: string): string {
    const { workspace } = this.#at;
    return text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replace(/@([a-z][a-z0-9-]*)/g, (typed, name: string) => {
        const person = [workspace.bot, ...workspace.people.values()].find((one) => one.name === name);
        return person === undefined ? typed : `<@${person.id}>`;
      })
      .replace(/https?:\/\/[^\s<>]+/g, (address) => `<${address}>`);
  }

  #tell(event: Record<string, unknown>): Promise<Delivery[]> {
    const url = this.#at.appUrl();
    if (url === null) return Promise.resolve([]);
    return this.#at.track(this.#at.courier.event(url, presentEvent(event, this.#at.workspace)));
  }

  #present(message: Message): Record<string, unknown> {
    const presented = presentMessage(message, this.#at.workspace, this.#at.baseUrl(), true);
    const files = message.files.map((file) => presentFile(file, this.#at.workspace, this.#at.baseUrl()));
    return files.length === 0 ? presented : { ...presented, files };
  }

  #typeOf(channel: string): string {
    return channel.startsWith("D") ? "im" : "channel";
  }

  #message(channel: string, ts: string): Message {
    const message = this.#at.workspace.find(this.#at.workspace.channel(channel).id, ts);
    if (message === undefined) throw new Error("There is no such message.");
    return message;
  }

  #url(): string {
    const url = this.#at.appUrl();
    if (url === null) throw new Error("The emulator was not told where the app is: appUrl.");
    return url;
  }
}

const threadOf = ({ threadTs }: Message): { thread_ts?: string } => (threadTs === null ? {} : { thread_ts: threadTs });

type Button = { action_id: string; value?: string; text: { type: string; text: string } };

function buttonOf(blocks: readonly unknown[], label: string): Button | null {
  for (const block of blocks as { type?: string; elements?: Button[] }[]) {
    if (block.type !== "actions") continue;
    for (const button of block.elements ?? []) if (button.text.text === label) return button;
  }
  return null;
}
