/** Several generators read at the same time: what each gives is handed on as it comes. */

/** The values of all of them, in the order of each; ends when all have ended, with what each returned. A fault of one is thrown, and the others are told to end. */
export async function* merge<T, R>(sources: readonly AsyncGenerator<T, R>[]): AsyncGenerator<T, R[]> {
  const results: R[] = [];
  const waiting = new Map<number, Promise<{ readonly index: number; readonly result: IteratorResult<T, R> }>>();
  const ask = (index: number): void => {
    const next = sources[index]!.next().then((result) => ({ index, result }));
    next.catch(() => undefined); // the fault is met in the race, or nobody waits for it any more
    waiting.delete(index); // to the end of the line: a race is won by whoever stands first
    waiting.set(index, next);
  };
  try {
    for (const index of sources.keys()) ask(index);
    while (waiting.size > 0) {
      const { index, result } = await Promise.race(waiting.values());
      if (result.done) {
        waiting.delete(index);
        results[index] = result.value;
        continue;
      }
      ask(index);
      yield result.value;
    }
    return results;
  } finally {
    for (const index of waiting.keys()) sources[index]!.return(undefined as R).catch(() => undefined);
  }
}
