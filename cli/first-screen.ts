import type { ReadyInstance } from "./instance.ts";
import { paint, type Style } from "./render.ts";

// Lines that fit 80 columns behind their label.
const SIMULATION = `simulation: no model is connected (set ANTHROPIC_API_KEY). All is real
but the change itself, one file that says what would be done`;
const MODEL = "a real model changes code, and each task says what it cost";

/** The API of the GitHub everybody means. */
export const GITHUB_API_URL = "https://api.github.com";

/** Where a GitHub shows its pages, by the address of its API. Enterprise Server: `/api/v3`; Enterprise Cloud: `api.` in front. */
function pagesOf(apiUrl: string): string {
  const { protocol, host, origin, pathname } = new URL(apiUrl);
  if (pathname === "/api/v3") return origin;
  if (pathname === "/" && /^api\.(?:github\.com|[a-z0-9-]+\.ghe\.com)$/.test(host))
    return `${protocol}//${host.slice("api.".length)}`;
  return apiUrl;
}

function describeGitHub({ emulated, githubUrl }: ReadyInstance): string {
  if (emulated) return `emulated on this machine, ${githubUrl}`;
  return githubUrl === GITHUB_API_URL ? "the real one" : `${githubUrl} (from GITHUB_API_URL)`;
}

/** What runs, where to look, and what to type. */
export function firstScreen(instance: ReadyInstance, stateFolder: string, isSample: boolean, style: Style): string {
  const page = `${pagesOf(instance.githubUrl)}/${instance.repository}`;
  const rows: [string, string][] = [
    ["Mode", instance.model ? MODEL : SIMULATION],
    ["Repository", instance.repository],
    ["Its page", page],
    ["Pull requests", `${page}/pulls`],
    ["GitHub", describeGitHub(instance)],
    ["Worker", instance.url],
    ["State", stateFolder],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 4;
  const examples = isSample
    ? ["fix the login timeout", "status"]
    : ["instruct add a section on getting started to the README", "status"];
  return [
    paint(style, "bold", "CodeSpar runs on this machine."),
    "",
    ...rows.map(
      ([label, value]) =>
        `  ${paint(style, "dim", label.padEnd(width - 2))}${value.replaceAll("\n", `\n${" ".repeat(width)}`)}`,
    ),
    "",
    `Type a message, for example:`,
    ...examples.map((example) => `  ${paint(style, "cyan", example)}`),
    `${paint(style, "cyan", "help")} shows all commands, Tab completes them, Ctrl-D leaves.`,
    "",
  ].join("\n");
}
