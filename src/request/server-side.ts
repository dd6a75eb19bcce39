/** Whether a scan job may act on the server, by a script that scans and acts: keys then never leave it. Whether it does is decided when it runs, by the server that is met. */
import { commandName } from '../catalog/lookup.ts';
import { chunkSha1 } from '../plan/chunk-script.ts';
import type { Request } from '../plan/request.ts';
import type { CommandStep, ForEachStep, Selection } from '../plan/step.ts';
import { literal } from '../plan/values.ts';

/** The member of the step that allows it, and the reason; neither when the step has to be done from here. */
export function serverSide(
  request: Request,
  selection: Selection,
  step: CommandStep,
): { readonly step: Pick<ForEachStep, 'server_side'>; readonly reasons: readonly string[] } {
  const filtered = Object.keys(selection).some((filter) => filter !== 'match' && filter !== 'type');
  if (request.performance_mode === 'latency_optimized' || filtered) return no;
  if (!actions.has(commandName(step.argv.map(literal)))) return no;
  return {
    step: { server_side: { sha1: chunkSha1 } },
    reasons: [
      'A script may scan and act on the server, chunk by chunk, so that keys do not travel: on a single server nearby (Redis 7 or 8, Valkey 8 or 9), where scripts are allowed; else the same is done from here.',
    ],
  };
}

const no = { step: {}, reasons: [] };

const actions: ReadonlySet<string> = new Set(['unlink', 'persist', 'pexpireat', 'touch']);
