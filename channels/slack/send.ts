import type { WebClient } from "@slack/web-api";
import { array, enum as enumOf, type infer as Infer, nullable, number, object, string } from "zod";
import type { DeliveryResult, NormalizedResponse } from "#core/delivery.ts";
import type { DeliveryMemory } from "../adapter.ts";
import { failureOf, isGone, isNotEditable, isRefusal, isRefusedContent } from "./failures.ts";
import { type Found, METADATA_TYPE, findInSlack } from "./lookup.ts";
import type { SlackBlock } from "./blocks.ts";
import { type SlackFileUpload, type SlackMessage, type SlackRendering, renderForSlack } from "./render.ts";

/**
 * Where a response stands in Slack. `ts` is null from before a message is posted until its answer has come: a sender that
 * finds it so does not know whether the message is there, and looks.
 */
const Reference = object({
  parts: array(object({ ts: nullable(string()), revision: number() })),
  file: enumOf(["none", "posting", "posted"]),
});
type Reference = Infer<typeof Reference>;

function readReference(text: string | null): Reference {
  if (text === null) return { parts: [], file: "none" };
  try {
    return Reference.parse(JSON.parse(text));
  } catch {
    // Not what was written here. Looking before posting is right whatever it was.
    return { parts: [{ ts: null, revision: 0 }], file: "posting" };
  }
}

export type SendSetup = { client: WebClient; memory: DeliveryMemory; botId: () => Promise<string> };

/** Shows a response's newest revision, whatever of it is there already. Failures are values. */
export async function sendToSlack(setup: SendSetup, outgoing: NormalizedResponse): Promise<DeliveryResult> {
  try {
    await new Sending(setup, outgoing, readReference(await setup.memory.get(outgoing.id))).run(
      renderForSlack(outgoing),
    );
    return { ok: true };
  } catch (error) {
    return failureOf(error);
  }
}

/** One try to bring Slack to what a response wants. Every step is written down before and after it is made. */
class Sending {
  readonly #at: SendSetup;
  readonly #outgoing: NormalizedResponse;
  readonly #reference: Reference;
  #found: Promise<Found> | null = null;

  constructor(setup: SendSetup, outgoing: NormalizedResponse, reference: Reference) {
    this.#at = setup;
    this.#outgoing = outgoing;
    this.#reference = reference;
  }

  async run({ messages, file }: SlackRendering): Promise<void> {
    for (const [part, message] of messages.entries()) await this.#show(part, message);
    await this.#removeFrom(messages.length);
    if (file !== null) await this.#attach(file);
  }

  async #show(part: number, message: SlackMessage): Promise<void> {
    const known = this.#reference.parts[part];
    if (known === undefined) return this.#post(part, message);
    const shown =
      known.ts === null ? (await this.#lookUp()).parts.get(part) : { ts: known.ts, revision: known.revision };
    if (shown === undefined) return this.#post(part, message);
    if (shown.revision < this.#outgoing.revision) return this.#edit(part, shown.ts, message);
    await this.#remember(part, shown.ts, shown.revision);
  }

  async #post(part: number, message: SlackMessage): Promise<void> {
    if (this.#reference.parts[part]?.ts !== null) await this.#remember(part, null, this.#outgoing.revision);
    const ts = await this.#create(part, message).catch(async (error: unknown) => {
      // Slack said no, so there is nothing to look for the next time.
      if (isRefusal(error) && part === this.#reference.parts.length - 1) {
        this.#reference.parts.pop();
        await this.#save();
      }
      throw error;
    });
    await this.#remember(part, ts, this.#outgoing.revision);
  }

  async #create(part: number, message: SlackMessage): Promise<string | null> {
    const { id: channel, thread } = this.#outgoing.target.conversation;
    const { postMessage: post } = this.#at.client.chat;
    const { ts } = await withPlainFallback(message.blocks, (blocks) =>
      post({
        channel,
        text: message.text,
        blocks,
        ...(thread === null ? {} : { thread_ts: thread }),
        metadata: this.#metadata(part),
        parse: "none",
        unfurl_links: false,
        unfurl_media: false,
      }),
    );
    return ts ?? null;
  }

  async #edit(part: number, ts: string, message: SlackMessage): Promise<void> {
    try {
      await withPlainFallback(message.blocks, (blocks) =>
        this.#at.client.chat.update({
          channel: this.#outgoing.target.conversation.id,
          ts,
          text: message.text,
          blocks,
          metadata: this.#metadata(part),
          // Unlike a new message's, an edit's text is searched for names to mention unless told not to.
          parse: "none",
          link_names: false,
        }),
      );
    } catch (error) {
      if (!isNotEditable(error)) throw error;
      return this.#post(part, message);
    }
    await this.#remember(part, ts, this.#outgoing.revision);
  }

  /** An earlier revision was longer. */
  async #removeFrom(part: number): Promise<void> {
    while (this.#reference.parts.length > part) {
      const last = this.#reference.parts.length - 1;
      const ts = this.#reference.parts[last]?.ts ?? (await this.#lookUp()).parts.get(last)?.ts;
      try {
        if (ts !== undefined) await this.#at.client.chat.delete({ channel: this.#outgoing.target.conversation.id, ts });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
      this.#reference.parts.pop();
      await this.#save();
    }
  }

  async #attach(file: SlackFileUpload): Promise<void> {
    if (this.#reference.file === "posted") return;
    if (this.#reference.file === "none") {
      this.#reference.file = "posting";
      await this.#save();
      await this.#upload(file);
    } else if (!(await this.#lookUp()).files.has(file.name)) {
      await this.#upload(file);
    }
    this.#reference.file = "posted";
    await this.#save();
  }

  async #upload({ name, title, content }: SlackFileUpload): Promise<void> {
    const { id, thread } = this.#outgoing.target.conversation;
    const upload = { channel_id: id, filename: name, title, content };
    await this.#at.client.filesUploadV2(thread === null ? upload : { ...upload, thread_ts: thread });
  }

  #metadata(part: number) {
    const { id, revision } = this.#outgoing;
    return { event_type: METADATA_TYPE, event_payload: { id, revision, part } };
  }

  async #lookUp(): Promise<Found> {
    this.#found ??= this.#search();
    return this.#found;
  }

  async #search(): Promise<Found> {
    try {
      return await findInSlack(this.#at.client, await this.#at.botId(), this.#outgoing);
    } catch (error) {
      // Where looking is not allowed (a scope is missing, say), an answer twice is better than none.
      if (failureOf(error).retryable) throw error;
      return { parts: new Map(), files: new Set() };
    }
  }

  async #remember(part: number, ts: string | null, revision: number): Promise<void> {
    const before = this.#reference.parts[part];
    if (before?.ts === ts && before.revision === revision) return;
    this.#reference.parts[part] = { ts, revision };
    await this.#save();
  }

  async #save(): Promise<void> {
    await this.#at.memory.set(this.#outgoing.id, JSON.stringify(this.#reference));
  }
}

/** Blocks that Slack refuses (a picture it cannot fetch is enough) must not cost the person the answer: its words are sent. */
async function withPlainFallback<T>(blocks: SlackBlock[], call: (blocks: SlackBlock[]) => Promise<T>): Promise<T> {
  try {
    return await call(blocks);
  } catch (error) {
    if (blocks.length === 0 || !isRefusedContent(error)) throw error;
    return call([]);
  }
}
