import { paint, type Style } from "./render.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const CLEAR_LINE = "\r\u001b[2K";
// Without line wrap the terminal cuts what does not fit, however wide its characters are.
const NO_WRAP = "\u001b[?7l";
const WRAP = "\u001b[?7h";

/** What is under way, and for how long. `since` is of performance.now(). */
export interface Progress {
  text: string;
  since: number;
}

/** `⠋ Reading the repository 3s`, on exactly one row of a terminal. */
export function drawProgress({ text, since }: Progress, style: Style): string {
  const now = performance.now();
  const frame = FRAMES[Math.floor(now / FRAME_MS) % FRAMES.length] ?? "";
  const elapsed = `${Math.floor((now - since) / 1000)}s`;
  return `${NO_WRAP}${paint(style, "cyan", frame)} ${paint(style, "dim", `${elapsed.padStart(3)}  ${text}`)}${WRAP}`;
}

/** Calls `draw` as often as the spinner turns, until the returned function is called. */
export function animate(draw: () => void): () => void {
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Progress where no prompt is in the way: in place on a terminal, else a line for each change. */
export interface ProgressOutput {
  show(progress: Progress): void;
  clear(): void;
}

export function openProgressOutput(stream: NodeJS.WriteStream, style: Style): ProgressOutput {
  let progress: Progress | undefined;
  let stop: (() => void) | undefined;
  const draw = () => {
    if (progress) stream.write(CLEAR_LINE + drawProgress(progress, style));
  };
  return {
    show(next) {
      if (progress?.text === next.text) return;
      progress = next;
      if (!stream.isTTY) {
        stream.write(`${next.text}\n`);
        return;
      }
      stop ??= animate(draw);
      draw();
    },
    clear() {
      stop?.();
      stop = undefined;
      if (progress && stream.isTTY) stream.write(CLEAR_LINE);
      progress = undefined;
    },
  };
}
