/** Something the person at the terminal has to read and act on. It ends the command; `exitCode` is 2 for wrong usage. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.exitCode = options.exitCode ?? 1;
  }
}

export const usageFailure = (message: string): Failure =>
  new Failure(`${message}\nSee \`codespar help\`.`, { exitCode: 2 });

/** The `code` of a system error (`ENOENT`, …), if it is one. */
export const systemErrorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** What a system error says, in words; the message of any other error. */
export function describeError(error: unknown): string {
  switch (systemErrorCode(error)) {
    case "ENOENT":
      return "it does not exist";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
      return "the disk is full";
    case "EEXIST":
      return "it is a file";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "part of the path is not a folder";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
