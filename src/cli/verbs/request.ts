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

/** `keys`, or `match` and `type`. Throws OpsError usage for both or neither. */
export function eitherKeysOrMatch(
  keys: readonly string[],
  options: { readonly match?: string; readonly type?: string },
): Record<string, unknown> {
  if (keys.length > 0 === (options.match !== undefined))
    throw new OpsError('usage', keys.length > 0 ? 'keys and --match are both given' : 'no keys are given', {
      remedy: 'Name the keys, or give --match PATTERN, not both.',
    });
  if (options.match === undefined && options.type !== undefined)
    throw new OpsError('usage', '--type needs --match', {
      remedy: 'Keys that are named are taken whatever their type.',
    });
  return keys.length > 0 ? { keys } : defined({ match: options.match, type: options.type });
}

/** Unix seconds as a number, anything else as it is written. */
export function instant(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
