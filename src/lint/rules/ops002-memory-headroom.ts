/**
 * A plan that does not fit into maxmemory ends half-way with OOM, for every other client too; or the server makes room
 * for it, and throws away what others count on. Both can be seen before the first command.
 */
import { bytesId } from '../../base/bytes.ts';
import { formatSize } from '../../base/units.ts';
import { errorOf } from '../../catalog/errors.ts';
import { keysOf } from '../../catalog/keys.ts';
import { deletesKeys } from '../../catalog/nature.ts';
import {
  isRefusedWhenFull,
  type Known,
  memoryChange,
  mostOfTables,
  mostOfWords,
  takesItsWords,
} from '../../plan/memory-change.ts';
import type { Server } from '../../plan/target.ts';
import { factsReader, howToGive } from '../facts.ts';
import type { Finding, Rule, Subject } from '../rule.ts';
import { type StepWrites, sizesUnknown, type Writes, writesOf } from '../writes.ts';

/** OPS002: the plan writes more than maxmemory leaves; an error where nothing can be evicted and it cannot fit. */
export const ops002: Rule = {
  code: 'OPS002',
  severity: 'warning',
  title: 'what the plan writes does not fit into maxmemory',
  error: errorOf('OOM').code,
  check(subject) {
    const server = subject.target?.server;
    if (!subject.draft) return { findings: [] };
    if (server && (server.maxmemory === 0 || server.role === 'slave')) return { findings: [] };
    const writes = writesOf(subject);
    if (!server) {
      const grows = writes.steps.some(({ commands }) => commands.some(({ argv }) => isRefusedWhenFull(argv)));
      return grows ? { findings: [], unchecked: `needs maxmemory: ${howToGive(subject)}` } : { findings: [] };
    }
    const findings = judge(subject, writes, server);
    const unchecked = findings.length === 0 ? sizesUnknown(subject, writes) : undefined;
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

function judge(subject: Subject, { steps }: Writes, server: Server): readonly Finding[] {
  const left = server.maxmemory - (server.used_memory - (server.uncounted_memory ?? 0));
  const room = Math.max(0, left);
  const nodes = server.nodes?.length ?? 1;
  if (surelyFits(subject, steps, room * nodes)) return [];
  const known = { of: factsReader(subject).of, now: server.time_ms };
  const met = new Map<string, Met>();
  const grown = steps.map((step) => ({ step, growth: growthOfStep(step, known, met) }));
  const most = grown.toSorted((a, b) => b.growth.most - a.growth.most)[0];
  if (!most || most.growth.most === 0) return [];
  const { step } = most;
  const sum = (of: 'least' | 'most'): number => grown.reduce((all, { growth }) => all + growth[of], 0) / nodes;
  const more = sum('most');
  const much = more >= server.maxmemory / 100;
  if (evicts(server)) return more > room && much ? [say(step, evicted(more, room, server))] : [];
  // what is freed on the way may be enough, and which node of a cluster takes it is not known
  const certain = (): boolean => !server.cluster && !subject.commands.some(({ argv }) => deletesKeys(argv));
  const ends = steps.some(isRefused);
  if (ends && left < 0 && certain()) return [say(step, full(server), 'error')];
  if (sum('least') > room && certain())
    return [say(step, refused(`at least ${formatSize(sum('least'))}`, room, ends), 'error')];
  return more > room && (ends || much) ? [say(step, refused(`up to ${formatSize(more)}`, room, ends))] : [];
}

/** Most plans fit many times over: that is seen without looking at each command's keys. */
function surelyFits(subject: Subject, steps: readonly StepWrites[], room: number): boolean {
  const tables = (subject.target?.keys ?? []).reduce((bytes, facts) => bytes + mostOfTables(facts), 0);
  const most = steps.reduce((bytes, step) => bytes + mostOfWords(step), tables);
  return most <= room && steps.every(({ commands }) => commands.every(({ argv }) => takesItsWords(argv)));
}

/** A policy that evicts keys with a TTL evicts nothing where none has one. */
function evicts({ maxmemory_policy, keys_with_ttl }: Server): boolean {
  return maxmemory_policy !== 'noeviction' && !(maxmemory_policy.startsWith('volatile-') && keys_with_ttl === 0);
}

/** Bytes of memory. */
interface Growth {
  readonly least: number;
  readonly most: number;
}

/** What a key that the plan wrote to has taken: for certain, and beyond what its later commands bring. */
interface Met {
  least: number;
  room: number;
}

/** Of a file only a part is known: what it takes at least is half of what its first commands make likely. `met`: the keys that the steps before have written to. */
function growthOfStep({ commands, times }: StepWrites, known: Known, met: Map<string, Met>): Growth {
  let keys = 0;
  let surely = 0;
  let most = 0;
  for (const { argv } of commands) {
    const change = memoryChange(argv, known);
    if (change === undefined) continue;
    const uses = (keysOf(argv) ?? []).filter(({ key }) => key !== undefined);
    const written = uses.filter(({ access }) => access !== 'RO').map(({ key }) => bytesId(key!));
    const { takes, again = takes, net } = change;
    const [low, high] = [net?.low ?? 0, Math.max(0, net?.high ?? takes)];
    if (!uses.some(({ key }) => met.has(bytesId(key!)))) {
      surely += low;
      most += high;
      if (low > 0) keys += 1;
      for (const key of written) met.set(key, { least: low, room: Math.max(0, high - again) });
      continue;
    }
    // a key that is written twice takes memory once, and makes room for what comes after it once
    const before = met.get(written[0] ?? '') ?? { least: Number.POSITIVE_INFINITY, room: 0 };
    most += again + Math.max(0, high - again - before.room);
    before.room = Math.max(before.room, high - again);
    // of several keys, or of a copy of what was written before, nothing is certain any more
    if (uses.length === 1 && low > Math.max(0, before.least)) {
      surely += low - Math.max(0, before.least);
      before.least = low;
    }
    for (const key of written) met.set(key, before);
  }
  const likely = (surely * times * keys) / commands.length;
  return { least: times === 1 ? surely : Math.max(surely, likely / 2), most: most * times };
}

function isRefused({ commands }: StepWrites): boolean {
  return commands.some(({ argv }) => isRefusedWhenFull(argv));
}

type Words = Pick<Finding, 'message' | 'why' | 'fix'>;

function say({ at }: StepWrites, words: Words, severity: 'error' | 'warning' = 'warning'): Finding {
  return { at, ...words, severity };
}

const refuses =
  'At maxmemory the server evicts nothing here and answers OOM to every command that may need memory, of every client.';
const makeRoom = 'Free memory or raise maxmemory first, or write less.';

function full({ used_memory, maxmemory }: Server): Words {
  return {
    message: `memory is full: ${formatSize(used_memory)} of ${formatSize(maxmemory)}`,
    why: refuses,
    fix: makeRoom,
  };
}

function refused(growth: string, room: number, ends: boolean): Words {
  return {
    message: `the plan takes ${growth}, and maxmemory leaves ${formatSize(room)}`,
    why: ends ? `${refuses} The plan would end half-way.` : refuses,
    fix: makeRoom,
  };
}

function evicted(growth: number, room: number, { maxmemory_policy }: Server): Words {
  return {
    message: `the plan takes up to ${formatSize(growth)}, and maxmemory leaves ${formatSize(room)}: the rest is made room for by eviction`,
    why: `maxmemory-policy is ${maxmemory_policy}: the server drops other keys, perhaps some that the plan itself wrote, and says so nowhere but in evicted_keys.`,
    fix: makeRoom,
  };
}
