import type { NormalizedResponse } from "#core/delivery.ts";
import { toPlainText } from "#core/response.ts";
import { TerminalMessage } from "#core/terminal-protocol.ts";
import { createTerminalAdapter } from "#channels/terminal.ts";
import { describeChannel } from "./conformance.ts";

const SESSION = encodeURIComponent(JSON.stringify({ account: "ada", name: "ada", conversation: "shop" }));

describeChannel<unknown>({
  name: "terminal",
  fixtures: "terminal",
  now: 1_515_449_530_000,
  sign: () => ({ "x-terminal-session": SESSION }),
  forgeries: {
    "a connection whose token was not checked": (genuine) => ({ ...genuine, headers: new Headers() }),
    "a session that names nobody": (genuine) => ({
      ...genuine,
      headers: new Headers({ "x-terminal-session": encodeURIComponent('{"account":"","name":"","conversation":""}') }),
    }),
    "a session that is none": (genuine) => ({ ...genuine, headers: new Headers({ "x-terminal-session": "%E0%A4%A" }) }),
  },
  // The terminal takes away escape sequences and controls itself, where it draws (cli/render.ts).
  problems: (rendered) =>
    TerminalMessage.safeParse(rendered).success ? [] : ["not a message of the terminal protocol"],
  read(rendered) {
    const { blocks } = TerminalMessage.parse(rendered);
    const actions = blocks.flatMap((block) => (block.type === "actions" ? block.actions : []));
    return { words: toPlainText(blocks), actions: actions.map(({ value }) => value) };
  },
  async start() {
    // As a terminal shows messages: by id, the newest revision.
    const shown = new Map<string, TerminalMessage>();
    let reachable = true;
    let lose = false;
    const gateways = {
      getByName: () => ({
        async deliver(message: TerminalMessage) {
          if (!reachable) throw new Error("The object was reset.");
          if ((shown.get(message.id)?.revision ?? 0) < message.revision) shown.set(message.id, message);
          if (lose) {
            lose = false;
            throw new Error("The connection was lost.");
          }
        },
      }),
    };
    const target: NormalizedResponse["target"] = {
      channel: "terminal",
      conversation: { workspace: "terminal", id: "ada:shop", thread: null },
      replyTo: null,
    };
    return {
      adapter: createTerminalAdapter(gateways),
      restarted: () => createTerminalAdapter(gateways),
      target,
      conversation: () => [...shown.values()].map(({ blocks }) => toPlainText(blocks)),
      loseNextAnswer() {
        lose = true;
      },
      unreachable() {
        reachable = false;
        return () => {
          reachable = true;
        };
      },
      async end() {},
    };
  },
});
