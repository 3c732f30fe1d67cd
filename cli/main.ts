import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { describeError, Failure, systemErrorCode, usageFailure } from "./failure.ts";

// What a command needs is imported when it runs: `parse` must not wait for a runtime to load.
const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const WHERE = { url: text, token: text };
const HELP = { help: { type: "boolean", short: "h" } } as const;

function read<const Options extends ParseArgsOptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options: { ...HELP, ...options }, allowPositionals: true, strict: true });
  } catch (error) {
    if (systemErrorCode(error)?.startsWith("ERR_PARSE_ARGS")) {
      const [sentence] = (error instanceof Error ? error.message : "").split(". To specify");
      throw usageFailure(sentence ?? "These options are not known.");
    }
    throw error;
  }
}

/** The options that were given, without those that were not. */
const given = <T extends Record<string, unknown>>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };

function timeoutMs(seconds: string | undefined): number {
  if (seconds === undefined) return 600_000;
  const value = Number(seconds);
  if (!Number.isFinite(value) || value <= 0 || value > 86_400)
    throw usageFailure("--timeout takes a number of seconds, 86400 at most.");
  return value * 1000;
}

function onceText(once: string | undefined): string | undefined {
  if (once !== undefined && once.trim() === "") throw usageFailure("--once takes the message to send.");
  return once;
}

/** The Worker takes these names only (and tells a WebSocket client no reason). */
function conversationName(name: string | undefined): string | undefined {
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,98}$/.test(name)) return name;
  throw usageFailure(`A conversation's name has letters, digits and . _ - (at most 99), not “${name}”.`);
}

function noMore(positionals: string[]): void {
  if (positionals.length > 0) throw usageFailure(`“${positionals[0]}” is not expected here.`);
}

async function showUsage(): Promise<number> {
  console.log((await import("./usage.ts")).USAGE);
  return 0;
}

const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  help: showUsage,

  async start(args) {
    const { values, positionals } = read(args, { repo: text, github: text, once: text, timeout: text });
    if (values.help) return showUsage();
    noMore(positionals);
    const { repo, github } = values;
    const options = { ...given({ repo, github, once: onceText(values.once) }), timeoutMs: timeoutMs(values.timeout) };
    return (await import("./start.ts")).start(options);
  },

  async chat(args) {
    const { values, positionals } = read(args, {
      ...WHERE,
      project: text,
      conversation: text,
      once: text,
      timeout: text,
    });
    if (values.help) return showUsage();
    noMore(positionals);
    const { url, token } = values;
    const where = given({ url, token, conversation: conversationName(values.conversation ?? values.project) });
    return (await import("./chat-command.ts")).chatCommand({
      ...where,
      ...given({ once: onceText(values.once) }),
      timeoutMs: timeoutMs(values.timeout),
    });
  },

  async parse(args) {
    const { values, positionals } = read(args, { json: flag });
    if (values.help) return showUsage();
    if (positionals.length === 0) throw usageFailure("parse takes the message to read.");
    return (await import("./parse.ts")).parseText(positionals.join(" "), values.json === true);
  },

  async audit([action, ...args]) {
    if (action === "export") {
      const { values, positionals } = read(args, { ...WHERE, project: text, organisation: flag });
      if (values.help) return showUsage();
      noMore(positionals);
      const { url, token, project, organisation = false } = values;
      if (organisation && project !== undefined)
        throw usageFailure("Give either --project or --organisation, not both.");
      return (await import("./audit.ts")).exportAudit(
        { ...given({ url, token, project }), organisation },
        process.stdout,
      );
    }
    if (action === "verify") {
      const { values, positionals } = read(args, { head: text });
      if (values.help) return showUsage();
      const [file, ...more] = positionals;
      if (file === undefined) throw usageFailure("audit verify takes the file to check.");
      noMore(more);
      return (await import("./audit.ts")).verifyAudit(file, given({ head: values.head }));
    }
    if (action === "--help" || action === "-h") return showUsage();
    throw usageFailure("audit is followed by export or verify.");
  },

  async token(args) {
    const { values, positionals } = read(args, WHERE);
    if (values.help) return showUsage();
    const [account, ...more] = positionals;
    if (account === undefined || account.trim() === "") throw usageFailure("token takes the account the token is for.");
    noMore(more);
    return (await import("./administration.ts")).createToken(account, given({ url: values.url, token: values.token }));
  },

  async "claim-code"(args) {
    const { values, positionals } = read(args, WHERE);
    if (values.help) return showUsage();
    noMore(positionals);
    return (await import("./administration.ts")).createClaimCode(given({ url: values.url, token: values.token }));
  },
};

async function main([name, ...args]: string[]): Promise<number> {
  if (name === "--help" || name === "-h") return showUsage();
  if (name === "--version") {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    console.log(version);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command(args);
  console.error((await import("./usage.ts")).USAGE);
  throw usageFailure(name === undefined ? "Say what to do." : `There is no command “${name}”.`);
}

enableCompileCache();
// `codespar … | head` is no failure.
process.stdout.on("error", (error) => process.exit(systemErrorCode(error) === "EPIPE" ? 0 : 1));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = error instanceof Failure ? error.exitCode : 1;
  if (error instanceof Failure) console.error(error.message);
  else
    console.error(
      process.env["CODESPAR_DEBUG"]
        ? error
        : `Something went wrong in CodeSpar: ${describeError(error)} (CODESPAR_DEBUG=1 shows where)`,
    );
}
// Not before what was printed is out: to a pipe it is written asynchronously.
for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write("", done));
process.exit();
