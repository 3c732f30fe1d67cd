import { checkMethods } from "./github-checks.ts";
import { connect } from "./github-connection.ts";
import { gitMethods } from "./github-git.ts";
import { pullMethods } from "./github-pulls.ts";
import type { GitHub, GitHubOptions } from "./github-types.ts";

export type * from "./github-types.ts";

/** GitHub's REST API through one Octokit. Makes no request until a method is called. */
export function createGitHub(options: GitHubOptions): GitHub {
  const connection = connect(options);
  return { ...gitMethods(connection), ...pullMethods(connection), ...checkMethods(connection) };
}
