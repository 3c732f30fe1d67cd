import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { ZodType } from "zod";
import { describeError, Failure, systemErrorCode } from "./failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where CodeSpar keeps what it must remember on this machine (XDG base directories, overridable). */
export function stateFolderPath(env: Environment = process.env): string {
  if (env["CODESPAR_STATE_DIR"]) return resolve(env["CODESPAR_STATE_DIR"]);
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "codespar");
}

/** A folder only its owner can read, with small files in it. Every method throws `Failure` in words for people. */
export interface StateFolder {
  readonly path: string;
  file(name: string): string;
  /** undefined when there is no such file. */
  readText(name: string): string | undefined;
  writeText(name: string, content: string): void;
  /** Reads `content`, which came from the file `name`, as JSON that fits `schema`. */
  parse<T>(name: string, content: string, schema: ZodType<T>): T;
  readJson<T>(name: string, schema: ZodType<T>): T | undefined;
  writeJson(name: string, value: unknown): void;
  /** Writes the file unless it exists; false when it does. Atomic: of two at once, one wins. */
  createText(name: string, content: string): boolean;
  remove(name: string): void;
  /** Removes the file if that is still its content: what another process has written since is kept. */
  removeIfStill(name: string, content: string): void;
}

const damaged = (path: string, cause?: unknown): Failure =>
  new Failure(`${path} is damaged. Delete it and try again; CodeSpar writes a new one.`, { cause });

/** Opens the folder, making it (mode 0700) if needed. */
export function openStateFolder(path: string = stateFolderPath()): StateFolder {
  const file = (name: string) => join(path, name);
  const unusable = (error: unknown) =>
    new Failure(
      `The state folder ${path} cannot be used: ${describeError(error)}. Make it writable, or set CODESPAR_STATE_DIR to another folder.`,
      { cause: error },
    );
  const attempt = <T>(operation: () => T): T => {
    try {
      return operation();
    } catch (error) {
      throw error instanceof Failure ? error : unusable(error);
    }
  };
  const temporary = () => file(`.${randomBytes(6).toString("hex")}.tmp`);

  attempt(() => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stats = statSync(path);
    if (!stats.isDirectory()) throw new Error("it is not a folder");
    if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o700);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  });

  const readText = (name: string): string | undefined =>
    attempt(() => {
      try {
        return readFileSync(file(name), "utf8");
      } catch (error) {
        if (systemErrorCode(error) === "ENOENT") return undefined;
        throw new Failure(`${file(name)} cannot be read: ${describeError(error)}.`, { cause: error });
      }
    });

  const writeText = (name: string, content: string): void =>
    attempt(() => {
      const part = temporary();
      writeFileSync(part, content, { mode: 0o600, flag: "wx" });
      renameSync(part, file(name));
    });

  const createText = (name: string, content: string): boolean =>
    attempt(() => {
      const part = temporary();
      writeFileSync(part, content, { mode: 0o600, flag: "wx" });
      try {
        linkSync(part, file(name));
        return true;
      } catch (error) {
        if (systemErrorCode(error) === "EEXIST") return false;
        throw error;
      } finally {
        rmSync(part, { force: true });
      }
    });

  const parse = <T>(name: string, content: string, schema: ZodType<T>): T => {
    try {
      return schema.parse(JSON.parse(content));
    } catch (error) {
      throw damaged(file(name), error);
    }
  };

  const readJson = <T>(name: string, schema: ZodType<T>): T | undefined => {
    const content = readText(name);
    return content === undefined ? undefined : parse(name, content, schema);
  };

  const removeIfStill = (name: string, content: string): void =>
    attempt(() => {
      const aside = temporary();
      try {
        renameSync(file(name), aside);
      } catch (error) {
        if (systemErrorCode(error) === "ENOENT") return;
        throw error;
      }
      const found = readFileSync(aside, "utf8");
      if (found !== content) createText(name, found);
      rmSync(aside, { force: true });
    });

  return {
    path,
    file,
    readText,
    writeText,
    parse,
    readJson,
    writeJson: (name, value) => writeText(name, `${JSON.stringify(value, null, 2)}\n`),
    createText,
    remove: (name) => attempt(() => rmSync(file(name), { force: true })),
    removeIfStill,
  };
}

const API_TOKEN_FILE = "api-token";
const TOKEN = /^[0-9a-f]{64}$/;

/** The admin token of the local Worker: made at random once, then kept. */
export function localApiToken(folder: StateFolder): string {
  folder.createText(API_TOKEN_FILE, `${randomBytes(32).toString("hex")}\n`);
  const token = folder.readText(API_TOKEN_FILE)?.trim() ?? "";
  if (!TOKEN.test(token)) throw damaged(folder.file(API_TOKEN_FILE));
  return token;
}
