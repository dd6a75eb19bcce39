/** What the sugar verbs share: keys or a pattern, and the way to the one function that acts. */
import { OpsError } from '../../base/ops-error.ts';
import type { Finish, Io } from '../io.ts';
import { defined, type RunOptions } from '../options.ts';

/** Plans, shows, asks, applies a request; with --json a fault is a report too. `stdin`: what the file "-" stands for. */
export async function runRequest(
  io: Io,
  finish: Finish,
  options: RunOptions,
  request: unknown,
  stdin?: () => Promise<Uint8Array>,
): Promise<void> {
  await finish(
    async () => {
      const { operate } = await import('../operate.ts');
      return operate(io, options, request, await stdin?.());
    },
    await reportOfFault(options),
  );
}

/** How a fault looks on standard output: a report with --json, nothing without. */
export async function reportOfFault(options: RunOptions): Promise<((error: OpsError) => unknown) | undefined> {
  if (!options.json) return undefined;
  const { faultReport } = await import('../../report/fault-report.ts');
  return (error) => faultReport(error, undefined);
}

/** `keys`, or `match` or `keys_file`, and `type`. Throws OpsError usage for several or none. */
export function eitherKeysOrMatch(
  keys: readonly string[],
  options: { readonly match?: string; readonly keysFile?: string; readonly type?: string },
): Record<string, unknown> {
  const { match, keysFile, type } = options;
  const given = [
    ...(keys.length > 0 ? ['keys'] : []),
    ...(match === undefined ? [] : ['--match']),
    ...(keysFile === undefined ? [] : ['--keys-file']),
  ];
  if (given.length !== 1)
    throw new OpsError('usage', given.length === 0 ? 'no keys are given' : `${given.join(' and ')} are both given`, {
      remedy: 'Name the keys, or give --match PATTERN or --keys-file FILE: one of them.',
    });
  if (keys.length > 0 && type !== undefined)
    throw new OpsError('usage', '--type needs --match or --keys-file', {
      remedy: 'Keys that are named are taken whatever their type.',
    });
  return keys.length > 0 ? { keys } : defined({ match, keys_file: keysFile, type });
}

/** Unix seconds as a number, anything else as it is written. */
export function instant(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
