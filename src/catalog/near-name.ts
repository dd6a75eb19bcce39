/** "Did you mean": the closest of the names that exist, for messages about names that do not. */

/** The name within two typing errors of a word (one for words of up to four letters); undefined when none is that close. */
export function nearName(word: string, names: Iterable<string>): string | undefined {
  const limit = word.length <= 4 ? 1 : 2;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - word.length) > limit) continue;
    const distance = typingErrors(word, name);
    if (distance <= limit && distance < (best?.distance ?? limit + 1)) best = { name, distance };
  }
  return best?.name;
}

/** The number of letters to add, drop, change or swap with their neighbour (optimal string alignment distance). */
export function typingErrors(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const above = rows[i - 1]!;
      row.push(
        Math.min(
          above[j]! + 1,
          row[j - 1]! + 1,
          above[j - 1]! + (same ? 0 : 1),
          swapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
