/** An error as the API answers it: thrown wherever one is found. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  constructor(status: number, message: string, type: string = TYPES[status] ?? "api_error") {
    super(message);
    this.status = status;
    this.type = type;
  }
}

const TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  504: "timeout_error",
  529: "overloaded_error",
};

export const invalid = (message: string): Refusal => new Refusal(400, message);

/** The body of an error, alone or as an event of a stream. */
export const errorBody = (type: string, message: string, requestId: string) => ({
  type: "error" as const,
  error: { type, message, details: null },
  request_id: requestId,
});
