/**
 * A map of what came lately: two generations, of which the older is dropped when the younger is full. It never holds more
 * than twice its size, and costs what a map costs; taking out the oldest entries of one map one by one would not.
 */

/** The entries of two generations. */
export interface Recent<T> {
  get(id: string): T | undefined;
  set(id: string, value: T): void;
  delete(id: string): void;
  clear(): void;
  /** Drops the older generation and begins a new one. */
  rotate(): void;
  /** The older entries first. */
  values(): Iterable<T>;
}

/** A map that begins a new generation after so many entries. `dropped`: told of every entry that leaves by age. */
export function recent<T>(size: number, dropped?: (value: T) => void): Recent<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const rotate = (): void => {
    if (dropped) for (const value of old.values()) dropped(value);
    old = young;
    young = new Map();
  };
  return {
    get: (id) => young.get(id) ?? old.get(id),
    set: (id, value) => {
      if (young.size >= size) rotate();
      old.delete(id);
      young.set(id, value);
    },
    delete: (id) => {
      if (!young.delete(id)) old.delete(id);
    },
    clear: () => {
      young.clear();
      old.clear();
    },
    rotate,
    values: function* () {
      yield* old.values();
      yield* young.values();
    },
  };
}
