import { createInterface } from "node:readline";
import { MAX_TEXT_LENGTH } from "#core/message.ts";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import type { Endpoint } from "./api.ts";
import { completeCommand } from "./completion.ts";
import {
  type Connection,
  type ConnectionHandlers,
  DEFAULT_TIMING,
  type ConnectionTiming,
  openConnection,
} from "./connection.ts";
import { Failure } from "./failure.ts";
import { HISTORY_SIZE, loadHistory, saveHistory } from "./history.ts";
import { openPrompt } from "./prompt.ts";
import { paint, plainText, renderBlocks, renderProgress, type Style, styleOf } from "./render.ts";
import type { StateFolder } from "./state-folder.ts";
import { createProgressBoard } from "./progress-board.ts";
import { openProgressOutput } from "./status-line.ts";

export interface ChatOptions {
  endpoint: Endpoint;
  conversation: string;
  timing?: ConnectionTiming;
  /** Aborted, with a `Failure` as its reason, when the far side has ended for good. */
  ended?: AbortSignal;
}

const TOO_LONG = `The message is longer than ${MAX_TEXT_LENGTH} characters. Put the details into a file of the repository and name it.`;
const ACCEPTANCE_MS = 30_000;

/** A message as a person reads it, with a mark in front: the reply's own if it begins with one. */
function renderMessage(message: TerminalMessage, style: Style, updated = false): string {
  const colour = message.kind !== "final" ? "cyan" : message.ok ? "green" : "red";
  const [, own = "●", body = ""] = /^(?:([✓✗⚠])\s*)?(.*)$/su.exec(renderBlocks(message.blocks, style)) ?? [];
  return `${paint(style, colour, own)} ${updated ? "(updated) " : ""}${body}\n`.replace(/\n(?=.)/g, "\n  ");
}

function whenEnded({ ended }: ChatOptions, giveUp: (failure: Failure) => void): void {
  if (ended?.aborted) giveUp(ended.reason as Failure);
  else ended?.addEventListener("abort", () => giveUp(ended.reason as Failure), { once: true });
}

const progressKey = (message: TerminalMessage): string => message.inReplyTo || message.id;

/** Chats until the person leaves. Resolves to the exit code. */
export function chatInteractively(
  options: ChatOptions & {
    folder: StateFolder;
    input: NodeJS.ReadStream;
    output: NodeJS.WriteStream;
    signal?: AbortSignal;
  },
): Promise<number> {
  const { folder, input, output } = options;
  const style = styleOf(output, process.env);
  const board = createProgressBoard();
  const finals = new Set<string>();
  let commands: string[] = [];

  return new Promise((done, failed) => {
    const leave = (): void => {
      connection.close();
      prompt.close();
      done(0);
    };
    const giveUp = (failure: Failure): void => {
      connection.close();
      prompt.close();
      failed(failure);
    };
    const prompt = openPrompt({
      input,
      output,
      style,
      history: loadHistory(folder),
      historySize: HISTORY_SIZE,
      complete: (line) => completeCommand(line, commands),
      onHistory: (history) => saveHistory(folder, history),
      onLeave: leave,
      onMessage(text) {
        if (/^\/?(?:exit|quit)$/i.test(text)) return leave();
        if (text.length > MAX_TEXT_LENGTH) return prompt.print(paint(style, "red", TOO_LONG));
        board.set(connection.send(text), "Sending");
        prompt.status(board.newest());
      },
    });
    const connection = openConnection(
      options.endpoint,
      options.conversation,
      {
        welcome(event) {
          commands = event.commands;
          if (event.again) prompt.print(paint(style, "dim", "Connected again."));
          prompt.status(board.newest());
        },
        message(message) {
          if (message.kind === "progress") {
            board.set(progressKey(message), renderProgress(message.blocks));
          } else {
            if (message.kind === "final") board.end(progressKey(message));
            prompt.print(renderMessage(message, style, finals.has(message.id)));
            finals.add(message.id);
          }
          prompt.status(board.newest());
          return true;
        },
        accepted(id) {
          board.set(id, "Received");
          prompt.status(board.newest());
        },
        rejected(id, reason) {
          board.end(id);
          prompt.print(`${paint(style, "red", "✗")} ${plainText(reason)}`);
          prompt.status(board.newest());
        },
        lost: () =>
          prompt.print(paint(style, "yellow", "The connection is gone; trying again. What you type now is sent then.")),
        failed: giveUp,
      },
      options.timing ?? DEFAULT_TIMING,
    );
    options.signal?.addEventListener("abort", leave, { once: true });
    whenEnded(options, giveUp);
  });
}

export interface SendOptions extends ChatOptions {
  output: NodeJS.WriteStream;
  errors: NodeJS.WriteStream;
  /** For the final replies, from when everything has been said. */
  timeoutMs: number;
  /** Also announcements, and replies to what others asked, as a chat does. */
  everything: boolean;
  acceptanceMs?: number;
}

/**
 * Sends each text as it comes, and waits for all the final replies: these go to `output`, progress to `errors`.
 * Resolves to 0 when every one of them is ok, else 1.
 */
export async function chatWith(texts: AsyncIterable<string> | Iterable<string>, options: SendOptions): Promise<number> {
  const style = styleOf(options.output, process.env);
  const progress = openProgressOutput(options.errors, styleOf(options.errors, process.env));
  const board = createProgressBoard();
  const waiting = new Set<string>();
  const unaccepted = new Set<string>();
  const { promise: over, resolve, reject } = Promise.withResolvers<number>();
  let said = false;
  let code = 0;

  const tell = (text: string): void => {
    progress.clear();
    options.errors.write(`${text}\n`);
  };
  const showProgress = (): void => {
    const newest = board.newest();
    if (newest === undefined) progress.clear();
    else progress.show(newest);
  };
  const end = (id: string, ok: boolean): void => {
    waiting.delete(id);
    unaccepted.delete(id);
    board.end(id);
    if (!ok) code = 1;
    if (said && waiting.size === 0) resolve(code);
  };
  const handlers: ConnectionHandlers = {
    welcome({ again }) {
      if (again) tell("Connected again.");
    },
    message(message) {
      const mine = waiting.has(message.inReplyTo);
      if (!mine && !options.everything) return false;
      if (message.kind === "progress") {
        board.set(progressKey(message), renderProgress(message.blocks));
        showProgress();
        return true;
      }
      progress.clear();
      options.output.write(`${renderBlocks(message.blocks, style)}\n`);
      // The acknowledgement first: `end` may close the connection.
      if (mine && message.kind === "final") queueMicrotask(() => end(message.inReplyTo, message.ok));
      return true;
    },
    accepted: (id) => void unaccepted.delete(id),
    rejected(id, reason) {
      tell(plainText(reason));
      if (waiting.has(id)) end(id, false);
    },
    lost: () => tell("The connection is gone; trying again."),
    failed: reject,
  };

  const connection: Connection = openConnection(
    options.endpoint,
    options.conversation,
    handlers,
    options.timing ?? DEFAULT_TIMING,
  );
  whenEnded(options, reject);
  const timers: NodeJS.Timeout[] = [];
  try {
    await Promise.race([over, sendAll()]);
    said = true;
    if (waiting.size === 0) resolve(code);
    timers.push(
      setTimeout(() => {
        if (unaccepted.size > 0) reject(noAnswer(unaccepted.size, options));
      }, options.acceptanceMs ?? ACCEPTANCE_MS),
      setTimeout(() => reject(noFinal(options)), options.timeoutMs),
    );
    return await over;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    progress.clear();
    connection.close();
  }

  async function sendAll(): Promise<void> {
    for await (const given of texts) {
      const text = given.trim();
      if (text === "") continue;
      if (text.length > MAX_TEXT_LENGTH) {
        code = 1;
        tell(TOO_LONG);
        continue;
      }
      const id = connection.send(text);
      waiting.add(id);
      unaccepted.add(id);
    }
  }
}

const noAnswer = (count: number, { endpoint }: SendOptions): Failure =>
  new Failure(
    `${endpoint.url} did not accept ${count === 1 ? "the message" : `${count} messages`} in time. Try again.`,
  );

const noFinal = ({ timeoutMs }: SendOptions): Failure =>
  new Failure(
    `There was no final reply within ${timeoutMs / 1000} s. It goes on while CodeSpar runs: \`npm start\` or \`codespar chat\` shows how it ends.`,
  );

/** The messages of an input that is no terminal: one on each line. */
export const linesOf = (input: NodeJS.ReadStream): AsyncIterable<string> =>
  createInterface({ input, crlfDelay: Infinity });
