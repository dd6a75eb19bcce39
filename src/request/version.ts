/** Versions of the server as recipes ask for them. */
import type { Target } from '../plan/target.ts';

/** True when the target is known and its Redis compatibility version is below `minimum` ("7.0"); false when it is not known, as of a server that is busy with a script. */
export function olderThan(target: Target | undefined, minimum: string): boolean {
  if (target === undefined || target.server.busy) return false;
  const [major = 0, minor = 0] = numbers(target.server.redis_version);
  const [minMajor = 0, minMinor = 0] = numbers(minimum);
  return major < minMajor || (major === minMajor && minor < minMinor);
}

function numbers(version: string): readonly number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}
