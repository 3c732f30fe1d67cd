import { createInterface, cursorTo, moveCursor, clearScreenDown } from "node:readline";
import type { Style } from "./render.ts";
import { paint } from "./render.ts";
import { animate, drawProgress, type Progress } from "./status-line.ts";

const SAVE_CURSOR = "\u001b7";
const RESTORE_CURSOR = "\u001b8";
const CLEAR_TO_END = "\u001b[K";
const BRACKETED_PASTE = { on: "\u001b[?2004h", off: "\u001b[?2004l" };

export interface PromptOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  style: Style;
  /** Newest first. */
  history: string[];
  historySize: number;
  complete(line: string): string[];
  /** A whole message; several lines when they were pasted. */
  onMessage(text: string): void;
  onHistory: (history: string[]) => void;
  /** Ctrl-D, or Ctrl-C on an empty line. */
  onLeave(): void;
}

/** A line to type on at the bottom of the terminal; what is typed survives whatever is printed above it. */
export interface Prompt {
  print(text: string): void;
  /** One line right above the prompt, with a spinner; undefined removes it. */
  status(progress: Progress | undefined): void;
  close(): void;
}

export function openPrompt(options: PromptOptions): Prompt {
  const { input, output, style } = options;
  const readline = createInterface({
    input,
    output,
    terminal: true,
    prompt: paint(style, "bold", "› "),
    history: [...options.history],
    historySize: options.historySize,
    removeHistoryDuplicates: true,
    escapeCodeTimeout: 50,
    completer: (line: string): [string[], string] => [options.complete(line), line],
  });
  let progress: Progress | undefined;
  let drawn = false; // the row above the prompt is the progress
  let suspended = false; // readline is about to move the prompt by itself
  let closed = false;
  let pasting = false;
  let pasted: string[] = [];

  /** Clears the prompt and what belongs to it, writes `text` there, and draws both again below. */
  function redraw(text: string, showProgress = true): void {
    const rows = readline.getCursorPos().rows + (drawn ? 1 : 0);
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    drawn = progress !== undefined && showProgress;
    output.write(text + (drawn && progress ? `${drawProgress(progress, style)}\n` : ""));
    // readline goes up this many rows before it draws; the cursor is already where the prompt begins.
    Object.assign(readline, { prevRows: 0 });
    readline.prompt(true);
  }

  const tick = (): void => {
    if (closed || suspended || progress === undefined) return;
    if (!drawn) return redraw("");
    const up = readline.getCursorPos().rows + 1;
    output.write(`${SAVE_CURSOR}\u001b[${up}A\r${drawProgress(progress, style)}${CLEAR_TO_END}${RESTORE_CURSOR}`);
  };
  const stopAnimation = animate(tick);

  // Before readline sees the key: these make it write below the prompt, where the progress must not stay behind.
  const beforeKey = (_: unknown, key: { name?: string; ctrl?: boolean } | undefined): void => {
    if (key?.name === "paste-start") pasting = true;
    if (key?.name === "paste-end") pasting = false;
    const moves =
      key?.name === "return" ||
      key?.name === "enter" ||
      key?.name === "tab" ||
      (key?.ctrl && (key.name === "l" || key.name === "d"));
    if (!moves || closed) return;
    if (drawn) redraw("", false);
    suspended = true;
    setImmediate(() => {
      suspended = false;
    });
  };
  input.prependListener("keypress", beforeKey);

  readline.on("line", (line) => {
    if (pasting) {
      pasted.push(line);
      return;
    }
    const text = [...pasted, line].join("\n").trim();
    pasted = [];
    if (text !== "") options.onMessage(text);
    if (!closed) readline.prompt();
  });
  readline.on("history", options.onHistory);
  readline.on("SIGINT", () => {
    if (readline.line === "" && pasted.length === 0) return options.onLeave();
    pasted = [];
    readline.write(null, { ctrl: true, name: "e" });
    readline.write(null, { ctrl: true, name: "u" });
  });
  readline.on("close", () => {
    if (closed) return;
    end(); // readline draws nothing more
    options.onLeave();
  });

  function end(): void {
    closed = true;
    stopAnimation();
    input.off("keypress", beforeKey);
    output.write(`${BRACKETED_PASTE.off}\n`);
  }

  output.write(BRACKETED_PASTE.on);
  readline.prompt();

  return {
    print(text) {
      if (!closed) redraw(`${text}\n`);
    },
    status(next) {
      const before = progress?.text;
      progress = next;
      if (closed || suspended || before === next?.text) return;
      if (drawn && next !== undefined) tick();
      else redraw("");
    },
    close() {
      if (closed) return;
      progress = undefined;
      if (drawn) redraw("");
      end();
      readline.close();
    },
  };
}
