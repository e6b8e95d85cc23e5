// Which known word somebody may have meant who wrote an unknown one.

const mostMistakes = 2;
const shortestBeginning = 2;

/**
 * The known word with the fewest mistakes, or else the longest that the unknown one begins with.
 */
export function similar(unknown: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((word) => ({ word, mistakes: mistakesBetween(unknown, word) }))
    .filter(({ word, mistakes }) => mistakes <= Math.min(mostMistakes, word.length / 2))
    .sort((a, b) => a.mistakes - b.mistakes);
  const beginnings = known
    .filter((word) => word.length >= shortestBeginning && unknown.startsWith(word))
    .sort((a, b) => b.length - a.length);
  return ranked[0]?.word ?? beginnings[0];
}

/** Letters to insert, delete or replace (the distance of Levenshtein). */
function mistakesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
