import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { expect, onTestFinished, test, vi } from "vitest";
import { openPrompt, type PromptOptions } from "#cli/prompt.ts";

/** Enough of a terminal to see what a person sees: characters, line feeds, the cursor movements used, erasing. */
function terminal(columns = 40) {
  let lines = [""];
  let row = 0;
  let column = 0;
  let saved: [number, number] = [0, 0];
  const put = (character: string): void => {
    if (column === columns) [row, column] = [row + 1, 0];
    const line = (lines[row] ?? "").padEnd(column);
    lines[row] = line.slice(0, column) + character + line.slice(column + 1);
    column += 1;
  };
  const move = (count: number, code: string): void => {
    if (code === "A") row = Math.max(0, row - count);
    if (code === "B") row += count;
    if (code === "C") column += count;
    if (code === "D") column = Math.max(0, column - count);
    if (code === "G") column = count - 1;
    if (code === "K") lines[row] = (lines[row] ?? "").slice(0, column);
    if (code === "J") lines = [...lines.slice(0, row), (lines[row] ?? "").slice(0, column)];
  };
  // eslint-disable-next-line no-control-regex -- a terminal is made of these
  const tokens = /\u001b\[(\??[\d;]*)([A-Za-z])|\u001b([78])|([\r\n])|([^\u001b])/gu;
  const write = (text: string): void => {
    for (const [, parameter = "", code, cursor, control, character] of text.matchAll(tokens)) {
      if (code !== undefined) move(Number(parameter) || (code === "J" || code === "K" ? 0 : 1), code);
      else if (cursor === "7") saved = [row, column];
      else if (cursor === "8") [row, column] = saved;
      else if (control === "\r") column = 0;
      else if (control === "\n") [row, column] = [row + 1, 0];
      else if (character !== undefined) put(character);
    }
  };
  return {
    write,
    screen: () =>
      lines
        .map((line) => (line ?? "").trimEnd())
        .join("\n")
        .trimEnd(),
  };
}

function open(changes: Partial<PromptOptions> = {}) {
  const seen = terminal();
  const keys = new PassThrough();
  const out = new PassThrough();
  out.on("data", (chunk) => seen.write(String(chunk)));
  const input = Object.assign(keys, { isTTY: true, setRawMode: () => {} }) as unknown as ReadStream;
  const output = Object.assign(out, { isTTY: true, columns: 40, rows: 24 }) as unknown as WriteStream;
  const messages: string[] = [];
  const prompt = openPrompt({
    input,
    output,
    style: { colour: false },
    history: [],
    historySize: 10,
    complete: () => [],
    onMessage: (text) => void messages.push(text),
    onHistory: () => {},
    onLeave: () => {},
    ...changes,
  });
  onTestFinished(() => prompt.close());
  return { prompt, messages, type: (text: string) => keys.write(text), screen: seen.screen };
}

test("what is typed stays below what is printed meanwhile", async () => {
  const { prompt, type, screen } = open();
  type("fix the lo");
  await vi.waitFor(() => expect(screen()).toBe("› fix the lo"));
  prompt.print("✓ Done.");
  expect(screen()).toBe("✓ Done.\n› fix the lo");
  type("gin");
  await vi.waitFor(() => expect(screen()).toBe("✓ Done.\n› fix the login"));
});

test("also when it takes several rows", async () => {
  const { prompt, type, screen } = open();
  type("x".repeat(90));
  await vi.waitFor(() => expect(screen().match(/x/g)).toHaveLength(90));
  prompt.status({ text: "Reading", since: performance.now() });
  prompt.print("✓ Done.");
  prompt.status(undefined);
  expect(screen()).toBe(`✓ Done.\n› ${"x".repeat(38)}\n${"x".repeat(40)}\n${"x".repeat(12)}`);
});

test("progress stands on one line above the prompt, and goes when it is over", async () => {
  const { prompt, type, screen } = open();
  prompt.status({ text: "Reading", since: performance.now() });
  type("sta");
  await vi.waitFor(() => expect(screen()).toMatch(/^\S +0s {2}Reading\n› sta$/));
  prompt.status({ text: "Writing", since: performance.now() });
  expect(screen()).toMatch(/^\S +0s {2}Writing\n› sta$/);
  prompt.status(undefined);
  expect(screen()).toBe("› sta");
});

test("progress is not left behind when a message is sent", async () => {
  const { prompt, messages, type, screen } = open();
  prompt.status({ text: "Reading", since: performance.now() });
  type("status\r");
  await vi.waitFor(() => expect(messages).toEqual(["status"]));
  await vi.waitFor(() => expect(screen()).toMatch(/^› status\n\S +0s {2}Reading\n›$/));
});

test("what is pasted is one message, however many lines it has", async () => {
  const { messages, type } = open();
  type("\u001b[200~fix this:\rline one\rline two\u001b[201~");
  type("\r");
  await vi.waitFor(() => expect(messages).toEqual(["fix this:\nline one\nline two"]));
});

test("Ctrl-C clears the line first, and leaves on an empty one", async () => {
  const onLeave = vi.fn<() => void>();
  const { type, screen } = open({ onLeave });
  type("half a tho");
  await vi.waitFor(() => expect(screen()).toContain("tho"));
  type("\u0003");
  await vi.waitFor(() => expect(screen()).toBe("›"));
  expect(onLeave).not.toHaveBeenCalled();
  type("\u0003");
  await vi.waitFor(() => expect(onLeave).toHaveBeenCalledOnce());
});

test("Ctrl-D leaves, and takes the progress with it", async () => {
  const onLeave = vi.fn<() => void>();
  const { prompt, type, screen } = open({ onLeave });
  prompt.status({ text: "Reading", since: performance.now() });
  type("\u0004");
  await vi.waitFor(() => expect(onLeave).toHaveBeenCalledOnce());
  prompt.close();
  expect(screen()).toBe("›");
});
