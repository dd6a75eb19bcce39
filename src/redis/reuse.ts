/**
 * One connection for all who need it at the same time. Whoever asks while it is being opened waits for that opening: when
 * a server comes back, a thousand waiting readers open one socket, not a thousand.
 */

/** The connection kept under `key`: opened when there is none and when the last was lost (or is not `usable`). A failed opening fails for all who waited for it, and is not kept. */
export function reuse<Open extends { readonly lost: unknown }>(
  kept: Map<string, Promise<Open>>,
  key: string,
  open: () => Promise<Open>,
  usable: (one: Open) => boolean = () => true,
): Promise<Open> {
  const before = kept.get(key);
  if (before === undefined) return keep(kept, key, open);
  return before.then((one) => {
    if (!one.lost && usable(one)) return one;
    return kept.get(key) === before ? keep(kept, key, open) : reuse(kept, key, open, usable);
  });
}

function keep<Open>(kept: Map<string, Promise<Open>>, key: string, open: () => Promise<Open>): Promise<Open> {
  const opening = open();
  kept.set(key, opening);
  opening.catch(() => {
    if (kept.get(key) === opening) kept.delete(key);
  });
  return opening;
}

/** Closes what is kept; an opening that fails had nothing to close. */
export async function closeKept(kept: Map<string, Promise<{ close(): Promise<void> }>>): Promise<void> {
  const open = await Promise.all([...new Set(kept.values())].map((one) => one.catch(() => undefined)));
  kept.clear();
  for (const one of new Set(open)) await one?.close();
}
