import { COMMANDS } from "./command-table.ts";

const MOST = 3;
/** Longer words are no typos of a command. Bounds the work, whatever was written. */
const LONGEST = 16;

const CANDIDATES = COMMANDS.filter(({ available }) => available).flatMap(({ name, aliases }) =>
  [name, ...aliases].map((word) => ({ word, name })),
);

/**
 * The available commands a word may have been meant for, nearest first, at most three; none when nothing is near. `word` is in lower case.
 * Near: one slip (a letter more, less, other, or two swapped) in words of up to four letters, two in longer ones, or the first
 * three letters and more.
 */
export function suggestionsFor(word: string): string[] {
  if (word.length < 2 || word.length > LONGEST) return [];
  const limit = word.length <= 4 ? 1 : 2;
  const near: { name: string; distance: number }[] = [];
  for (const candidate of CANDIDATES) {
    const distance = editDistance(word, candidate.word);
    if (distance <= limit) near.push({ name: candidate.name, distance });
    else if (word.length >= 3 && candidate.word.startsWith(word))
      near.push({ name: candidate.name, distance: limit + 1 });
  }
  near.sort((a, b) => a.distance - b.distance);
  return [...new Set(near.map(({ name }) => name))].slice(0, MOST);
}

/** Optimal string alignment: Levenshtein's distance with swaps of neighbours as one slip. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
