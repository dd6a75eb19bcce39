/** Plans are inert data: frozen when made, so that nothing downstream can change what was approved. */

/** Freezes a value and everything in it, in place, and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
