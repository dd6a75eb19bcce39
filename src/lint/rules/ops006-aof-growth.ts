/**
 * Every write is written once more to the append-only file. With appendfsync always a batch is not answered before the
 * disk has it, for all clients; with everysec a disk that is slower than the writes makes them wait just as much.
 */
import { formatCount, formatSize } from '../../base/units.ts';
import type { Server } from '../../plan/target.ts';
import { howToGive } from '../facts.ts';
import type { Finding, Rule } from '../rule.ts';
import { isLarge, type StepWrites, sizesUnknown, writesOf } from '../writes.ts';

/** From here on the growth is worth a word: auto-aof-rewrite-min-size is 64 MB. */
const muchBytes = 64 * 1024 * 1024;

/** OPS006: a large write with appendfsync always; an info for 64 MB and more with everysec. */
export const ops006: Rule = {
  code: 'OPS006',
  severity: 'warning',
  title: 'a large write to the append-only file',
  check(subject) {
    const server = subject.target?.server;
    if (!subject.draft || !server) return { findings: [] };
    const { enabled, fsync, bytes } = server.aof ?? {};
    if (enabled === false || fsync === 'no') return { findings: [] };
    const writes = writesOf(subject);
    const large = writes.steps.filter(isLarge).toSorted((a, b) => b.bytes - a.bytes)[0];
    if (!large) {
      const unchecked = sizesUnknown(subject, writes);
      return unchecked === undefined ? { findings: [] } : { findings: [], unchecked };
    }
    if (enabled === undefined || fsync === undefined) {
      return { findings: [], unchecked: `needs appendonly and appendfsync (CONFIG GET): ${howToGive(subject)}` };
    }
    return { findings: judge(large, fsync, bytes) };
  },
};

function judge(
  { at, sent, bytes }: StepWrites,
  fsync: NonNullable<NonNullable<Server['aof']>['fsync']>,
  present: number | undefined,
): readonly Finding[] {
  const now = present === undefined ? '' : `, which has ${formatSize(present)} now`;
  const message = `appendfsync is ${fsync}: ${formatCount(sent)} commands add about ${formatSize(bytes)} to the append-only file${now}`;
  if (fsync === 'always') {
    return [
      {
        at,
        message,
        why: 'The server answers nobody before what a round of its loop wrote is on the disk: everybody waits for the disk as long as this runs.',
        fix: 'Give a rate (--rate 1000), or run it when few others write. Do not change appendfsync for it: what was acknowledged could be lost.',
      },
    ];
  }
  if (bytes < muchBytes) return [];
  return [
    {
      at,
      severity: 'info',
      message,
      why: 'A file that has grown to twice its size is rewritten by a fork; while the disk is behind by two seconds, writes wait for it.',
      fix: 'Look that the disk has room for the growth and a rewrite beside it, and give a rate if it is slow.',
    },
  ];
}
