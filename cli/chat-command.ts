import { chatInteractively, chatWith, linesOf } from "./chat.ts";
import { terminalEndpoint, type Whereabouts } from "./endpoint.ts";

/** `codespar chat`: with a person on a terminal, or with what is piped in. Resolves to the exit code. */
export async function chatCommand(
  options: Whereabouts & { conversation?: string; once?: string; timeoutMs: number },
): Promise<number> {
  const { folder, ...where } = await terminalEndpoint(options);
  const { stdin, stdout, stderr } = process;
  const toStreams = { ...where, output: stdout, errors: stderr, timeoutMs: options.timeoutMs };
  if (options.once !== undefined) return chatWith([options.once], { ...toStreams, everything: false });
  if (!stdin.isTTY || !stdout.isTTY) return chatWith(linesOf(stdin), { ...toStreams, everything: true });
  stdout.write(
    `${where.endpoint.url}, conversation ${where.conversation}. Type a message; help shows the commands, Ctrl-D leaves.\n`,
  );
  return chatInteractively({ ...where, folder, input: stdin, output: stdout });
}
