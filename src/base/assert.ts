/** For bugs only: what a user or a server can cause is a Diagnostic or an OpsError. */

/** Makes a switch over a closed union exhaustive: does not compile while a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** Throws when a condition that the code guarantees does not hold. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
