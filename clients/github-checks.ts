import { array, nullish, number, object, string } from "zod";
import { nameOf, type Connection } from "./github-connection.ts";
import type { Checks, CheckState, GitHub } from "./github-types.ts";

const PAGE = 100;
/** GitHub keeps at most 1,000 of either for a commit. */
const MAX_PAGES = 10;

const runsAnswer = object({
  check_runs: array(
    object({
      id: number(),
      name: string(),
      status: string(),
      conclusion: nullish(string()),
      html_url: nullish(string()),
      app: nullish(object({ id: nullish(number()) })),
    }),
  ),
});
const statusAnswer = object({
  statuses: array(object({ context: string(), state: string(), target_url: nullish(string()) })),
});

type Item = Checks["items"][number];

/** What continuous integration says of a commit. */
export function checkMethods({ call }: Connection): Pick<GitHub, "checks"> {
  return {
    async checks(repo, sha) {
      const target = { owner: repo.owner, repo: repo.name, ref: sha, per_page: PAGE };
      const notFound = `${nameOf(repo)} has no commit ${sha}, or the token may not see the repository.`;

      async function runs(): Promise<Item[]> {
        const newest = new Map<string, { id: number; item: Item }>();
        for (let page = 1; page <= MAX_PAGES; page++) {
          const { check_runs: found } = await call(
            {
              repository: nameOf(repo),
              doing: "read the checks",
              permission: "checks: read",
              notFound,
            },
            (octokit) => octokit.rest.checks.listForRef({ ...target, filter: "latest", page }),
            runsAnswer,
          );
          for (const run of found) {
            // Two apps may use one name; the newest counts of each.
            const key = `${run.app?.id ?? ""}/${run.name}`;
            if ((newest.get(key)?.id ?? -1) > run.id) continue;
            newest.set(key, {
              id: run.id,
              item: {
                name: run.name,
                state: runState(run.status, run.conclusion ?? null),
                url: run.html_url ?? null,
              },
            });
          }
          if (found.length < PAGE) break;
        }
        return [...newest.values()].map(({ item }) => item);
      }

      async function statuses(): Promise<Item[]> {
        const newest = new Map<string, Item>();
        for (let page = 1; page <= MAX_PAGES; page++) {
          const { statuses: found } = await call(
            {
              repository: nameOf(repo),
              doing: "read the commit statuses",
              permission: "commit statuses: read",
              notFound,
            },
            (octokit) => octokit.rest.repos.getCombinedStatusForRef({ ...target, page }),
            statusAnswer,
          );
          for (const { context, state, target_url: url } of found) {
            if (!newest.has(context))
              newest.set(context, { name: context, state: statusState(state), url: url ?? null });
          }
          if (found.length < PAGE) break;
        }
        return [...newest.values()];
      }

      const items = (await Promise.all([runs(), statuses()])).flat();
      return { state: overall(items), items };
    },
  };
}

/** One failure fails all; one that is not done yet leaves all pending. */
function overall(items: Item[]): Checks["state"] {
  if (items.some((item) => item.state === "failed")) return "failed";
  if (items.some((item) => item.state === "pending")) return "pending";
  return items.length === 0 ? "none" : "passed";
}

function runState(status: string, conclusion: string | null): CheckState {
  if (status !== "completed") return "pending";
  return conclusion === "success" || conclusion === "neutral" || conclusion === "skipped" ? "passed" : "failed";
}

function statusState(state: string): CheckState {
  if (state === "success") return "passed";
  return state === "pending" ? "pending" : "failed";
}
