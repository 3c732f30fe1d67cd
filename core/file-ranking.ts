/** Words that say nothing about which file is meant. */
const STOP_WORDS = new Set(
  "a an and are as at be but by can does doing fix add make change update implement refactor for from has have in into is it its not of on or please should so that the their then there this to too use using was we when where which why will with you".split(
    " ",
  ),
);

const GENERATED =
  /(^|\/)(node_modules|vendor|dist|build|\.git|coverage|__snapshots__)(\/|$)|\.(lock|min\.js|map|snap|png|jpe?g|gif|webp|ico|pdf|zip|gz|woff2?)$|(^|\/)package-lock\.json$/i;

/** Whether a path looks like what programs make, or like no text: nobody reads it to understand a repository. */
export const isGenerated = (path: string): boolean => GENERATED.test(path);

/** The words of an instruction that may name a file or what is in it: lower case, no stop words, each once. */
export const keywordsOf = (instruction: string): string[] => [
  ...new Set(
    instruction
      .slice(0, 20_000)
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word.length > 2 && !STOP_WORDS.has(word)),
  ),
];

/**
 * The paths an instruction is most likely about, best first, at most `limit`. A path that the instruction writes out
 * comes before all others; then the more of its words a path holds, and in its file name rather than its folders,
 * the better. Without any match, what a newcomer would read first.
 */
export function rankPaths(paths: readonly string[], instruction: string, limit: number): string[] {
  const words = keywordsOf(instruction);
  const lowered = instruction.toLowerCase();
  const scored = paths
    .filter((path) => !isGenerated(path))
    .map((path) => ({ path, score: score(path.toLowerCase(), words, lowered) }))
    .toSorted((a, b) => b.score - a.score || a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
  const matching = scored.filter((candidate) => candidate.score > 0);
  return (matching.length > 0 ? matching : scored.filter(({ path }) => !path.includes("/")))
    .slice(0, limit)
    .map(({ path }) => path);
}

function score(path: string, words: readonly string[], instruction: string): number {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (instruction.includes(path)) return 1000;
  if (name.includes(".") && instruction.includes(name)) return 500;
  let total = 0;
  for (const word of words) total += name.includes(word) ? 3 : path.includes(word) ? 1 : 0;
  // Sources before their tests, tests before prose.
  return total === 0
    ? 0
    : total + (/\.(md|txt)$/.test(name) ? 0 : /(^|[./-])(test|spec)s?[./-]/.test(path) ? 0.25 : 0.5);
}
