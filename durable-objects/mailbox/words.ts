import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import type { PolicyDecision } from "#core/policy.ts";

/** A failure that is foreseen, with words for the person who asked; anything else may pass, or is a defect. */
export const isExpected = (error: unknown): error is UpstreamError | InvalidInputError | NotFoundError =>
  error instanceof UpstreamError || error instanceof InvalidInputError || error instanceof NotFoundError;

/** What a person reads when something failed: what it was and what to do, never a stack. */
export function wordsFor(error: unknown): string {
  if (!isExpected(error)) {
    return "Something inside CodeSpar failed. Nothing more will happen for this message; ask again, and if it fails again look into the Worker's log.";
  }
  return error instanceof UpstreamError && error.retryable ? `${error.message} Ask again in a moment.` : error.message;
}

/** The answer to what a person's approval is needed for, until approvals can be given. */
export function approvalNeeded(what: string, decision: PolicyDecision): string {
  if (decision.effect !== "require_approval") return `\`${what}\` was not done. ${decision.reason}`;
  const people = decision.quorum === 1 ? "one person's approval" : `the approval of ${decision.quorum} people`;
  return `\`${what}\` needs ${people} and was not done: approvals cannot be given in this version yet. ${decision.reason}`;
}

export const notAvailable = (command: string): string =>
  `\`${command}\` is not available in this version; nothing was done. \`help\` lists what is.`;
