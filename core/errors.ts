type Options = { cause?: unknown };

/** What was asked for cannot be understood or is not allowed in this form. The message is for the person who asked. */
export class InvalidInputError extends Error {
  override readonly name = "InvalidInputError";
  constructor(message: string, options: Options = {}) {
    super(message, options);
  }
}

/** What was asked for does not exist, or not for the asker. The message is for the person who asked. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
  constructor(message: string, options: Options = {}) {
    super(message, options);
  }
}

/**
 * Another service failed. `retryable` says whether the same call may succeed later, `retryAfterMs` what the
 * service asked for. The message says what failed and what to do, for the person who asked.
 */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly service: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  constructor(
    message: string,
    upstream: { service: string; retryable: boolean; retryAfterMs?: number | null },
    options: Options = {},
  ) {
    super(message, options);
    this.service = upstream.service;
    this.retryable = upstream.retryable;
    this.retryAfterMs = upstream.retryAfterMs ?? null;
  }
}
