import { array, boolean, type infer as Infer, number, object, record, string } from "zod";
import type { Risk } from "./permissions.ts";

const DAY_MINUTES = 24 * 60;
const minuteOfDay = number()
  .int()
  .min(0)
  .max(DAY_MINUTES - 1);

/** `*` stands for every environment. */
const environment = string().min(1).max(60);

/**
 * What an owner can set for a project. Guardrails are not here: no policy lifts them.
 * - `quorum`: votes an approval needs, by environment; `*` for all that are not named. At least 1, because a request that
 *   needs an approval and zero votes would be none.
 * - `expiryMinutes`: how long a request waits; `critical` for critical risk.
 * - `freezes`: no deploys from `from` until before `to` (milliseconds since the epoch).
 * - `windows`: where an environment has any, it is deployed to only within one. Times are UTC; `days` counts from 0, Sunday,
 *   and names the day on which the window opens; one whose `toMinute` is not after its `fromMinute` ends the day after.
 */
export const Policies = object({
  quorum: record(environment, number().int().min(1).max(50)),
  expiryMinutes: object({
    standard: number()
      .int()
      .min(1)
      .max(7 * DAY_MINUTES),
    critical: number().int().min(1).max(DAY_MINUTES),
  }),
  freezes: array(object({ environment, from: number(), to: number(), reason: string().max(300) })).max(100),
  windows: array(
    object({ environment, days: array(number().int().min(0).max(6)), fromMinute: minuteOfDay, toMinute: minuteOfDay }),
  ).max(100),
  /** Lets owners approve their own unguarded requests. */
  ownerSelfApproval: boolean(),
  /** An organisation of one person: its owner may approve their own guarded requests too, by typing the token. */
  solo: boolean(),
});
export type Policies = Infer<typeof Policies>;

export const DEFAULT_POLICIES: Policies = {
  quorum: { staging: 1, production: 2, "*": 1 },
  expiryMinutes: { standard: 60, critical: 15 },
  freezes: [],
  windows: [],
  ownerSelfApproval: false,
  solo: false,
};

/** `below` is what people only try things in; `other` has a name that says nothing, so nothing is made easier for it. */
export type EnvironmentClass = "production" | "staging" | "below" | "other";

const CLASSES: ReadonlyMap<string, EnvironmentClass> = new Map([
  ["production", "production"],
  ["prod", "production"],
  ["prd", "production"],
  ["live", "production"],
  ["staging", "staging"],
  ["stage", "staging"],
  ["preview", "below"],
  ["development", "below"],
  ["dev", "below"],
  ["testing", "below"],
  ["test", "below"],
  ["qa", "below"],
  ["local", "below"],
]);

/**
 * What kind of environment a name means. A name with production in it (`prod-eu`, also `pre-prod`) counts as production:
 * a wrong guess in that direction costs a vote, in the other an outage.
 */
export function environmentClass(name: string): EnvironmentClass {
  const known = CLASSES.get(name);
  if (known !== undefined) return known;
  const lowered = name.toLowerCase();
  if (lowered.split(/[-_./ ]/).some((part) => CLASSES.get(part) === "production")) return "production";
  return CLASSES.get(lowered) ?? "other";
}

/** Votes needed for an action there. No environment takes the policy for all others. Never below 1. */
export function quorumOf(policies: Policies, name: string | null): number {
  const { quorum } = policies;
  const others = quorum["*"] ?? 1;
  if (name === null) return Math.max(1, others);
  const kind = environmentClass(name);
  // The name's own value first, then that of its kind: `prod-eu` needs what `production` needs.
  const byKind =
    kind === "production" ? (quorum["production"] ?? 2) : kind === "staging" ? (quorum["staging"] ?? 1) : others;
  const own = Object.hasOwn(quorum, name) ? quorum[name] : undefined;
  return Math.max(1, own ?? byKind);
}

/** Seconds until a request for approval expires. */
export const expiryOf = (policies: Policies, risk: Risk): number =>
  60 * (risk === "critical" ? policies.expiryMinutes.critical : policies.expiryMinutes.standard);

const concerns = (scope: string, name: string): boolean =>
  scope === "*" || scope === name || scope === environmentClass(name);

/** Why there may be no deploy now, or null. `now` in milliseconds since the epoch. */
export function refusalByTime(policies: Policies, name: string, now: number): string | null {
  for (const freeze of policies.freezes) {
    // Written so that an unusable time counts as inside the freeze.
    const outside = now < freeze.from || now >= freeze.to;
    if (!outside && concerns(freeze.environment, name)) {
      return `Deploys to ${name} are frozen until ${isoMinute(freeze.to)}: ${freeze.reason}`;
    }
  }
  let hasWindow = false;
  for (const window of policies.windows) {
    if (!concerns(window.environment, name)) continue;
    if (isWithin(window, now)) return null;
    hasWindow = true;
  }
  return hasWindow
    ? `It is outside the hours in which ${name} is deployed to. Ask again within them, or let an owner change them.`
    : null;
}

const isoMinute = (time: number): string =>
  Number.isFinite(time) && Math.abs(time) <= 8.64e15
    ? `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`
    : "an owner ends it";

function isWithin({ days, fromMinute, toMinute }: Policies["windows"][number], now: number): boolean {
  const minutes = Math.floor(now / 60_000);
  const minute = ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  // 1 January 1970 was a Thursday, day 4.
  const day = (((Math.floor(minutes / DAY_MINUTES) + 4) % 7) + 7) % 7;
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  return (days.includes(day) && minute >= fromMinute) || (days.includes((day + 6) % 7) && minute < toMinute);
}
