/** What a plan can touch, counted the way its caps are: distinct keys of its commands and scripts, and the high end of each selection. */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { isWrite } from '../catalog/nature.ts';
import { unlistedCommands } from '../plan/unlisted.ts';
import { selectionFacts } from './facts.ts';
import type { Subject } from './rule.ts';

/** How many keys a plan may write at most. `unknown`: places whose number is not known, which leaves `keys` too low. */
export interface Reach {
  readonly keys: number;
  readonly unknown: readonly string[];
}

/** The keys that the plan writes. Reading is not capped. */
export function reachOf(subject: Subject): Reach {
  const named = new Map<string, Bytes>();
  const unknown: string[] = [];
  let selected = 0;
  const more = unlistedCommands(subject.target);
  for (const command of subject.commands) {
    if (!isWrite(command.argv, more)) continue;
    if (command.selection) {
      const facts = selectionFacts(subject, command.selection);
      if (facts) selected += facts.high;
      else unknown.push(command.at);
      continue;
    }
    for (const { key } of keysOf(command.argv, more) ?? []) if (key !== undefined) named.set(bytesId(key), key);
  }
  for (const step of subject.draft?.steps ?? []) {
    if (step.kind === 'stream') selected += behindTheSample(subject, step.source.path);
    if (step.kind === 'script' && !step.read_only) for (const key of step.keys) named.set(bytesId(key), key);
  }
  return { keys: named.size + selected, unknown };
}

/** Of a file: what its commands behind those that were read may write, by the command with the most keys among those. */
function behindTheSample(subject: Subject, path: string): number {
  const facts = subject.target?.sources?.find((source) => source.path === path);
  const written = (facts?.sample ?? []).filter(({ argv }) => isWrite(argv));
  if (facts === undefined || written.length === 0) return 0;
  const most = written.reduce((keys, { argv }) => Math.max(keys, keysOf(argv)?.length ?? 1), 1);
  return Math.max(0, facts.high - facts.sampled) * most;
}
