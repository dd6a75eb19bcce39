/**
 * A plan that does not fit into maxmemory ends half-way with OOM, for every other client too; or the server makes room
 * for it, and throws away what others count on. Both can be seen before the first command.
 */
import { bytesId } from '../../base/bytes.ts';
import { formatSize } from '../../base/units.ts';
import { errorOf } from '../../catalog/errors.ts';
import { commandName } from '../../catalog/lookup.ts';
import { deletesKeys } from '../../catalog/nature.ts';
import type { Server } from '../../plan/target.ts';
import { factsReader, howToGive } from '../facts.ts';
import { exceedsItsWords, type Growth, growthOf, isRefusedWhenFull, mostOf } from '../growth.ts';
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
  const byWords = steps.reduce((bytes, step) => bytes + mostOf(step), 0) / nodes;
  if (byWords <= room && !steps.some(({ commands }) => commands.some(({ argv }) => exceedsItsWords(argv)))) return [];
  const facts = factsReader(subject);
  const grown = steps.map((step) => ({ step, growth: growthOfStep(step, facts.of) }));
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
  if (sum('least') > room && certain()) return [say(step, refused(sum('least'), room, ends), 'error')];
  return more > room && (ends || much) ? [say(step, refused(more, room, ends))] : [];
}

/** A policy that evicts keys with a TTL evicts nothing where none has one. */
function evicts({ maxmemory_policy, keys_with_ttl }: Server): boolean {
  return maxmemory_policy !== 'noeviction' && !(maxmemory_policy.startsWith('volatile-') && keys_with_ttl === 0);
}

/** Of a file only a part is known: what it takes at least is half of what its first commands make likely. */
function growthOfStep({ commands, times }: StepWrites, of: ReturnType<typeof factsReader>['of']): Growth {
  // a key that is written twice takes memory once
  const least = new Map<string, number>();
  let most = 0;
  for (const { argv } of commands) {
    const growth = growthOf(argv, of);
    most += growth.most;
    const key = argv[commandName(argv) === 'copy' ? 2 : 1];
    const id = key === undefined ? '' : bytesId(key);
    if (growth.least > (least.get(id) ?? 0)) least.set(id, growth.least);
  }
  const surely = [...least.values()].reduce((sum, one) => sum + one, 0);
  const likely = surely * times * (least.size / commands.length);
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

function refused(growth: number, room: number, ends: boolean): Words {
  return {
    message: `the plan takes about ${formatSize(growth)}, and maxmemory leaves ${formatSize(room)}`,
    why: ends ? `${refuses} The plan would end half-way.` : refuses,
    fix: makeRoom,
  };
}

function evicted(growth: number, room: number, { maxmemory_policy }: Server): Words {
  return {
    message: `the plan takes about ${formatSize(growth)}, and maxmemory leaves ${formatSize(room)}: the rest is made room for by eviction`,
    why: `maxmemory-policy is ${maxmemory_policy}: the server drops other keys, perhaps some that the plan itself wrote, and says so nowhere but in evicted_keys.`,
    fix: makeRoom,
  };
}
