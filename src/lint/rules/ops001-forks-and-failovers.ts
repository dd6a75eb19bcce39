/**
 * A server that saves, loads, hands over to a replica or moves slots is at its most fragile: memory that is written is
 * copied, commands are refused or redirected. What can wait, should.
 */
import { formatCount } from '../../base/units.ts';
import { howToGive } from '../facts.ts';
import type { Said } from '../findings.ts';
import type { Rule, Subject } from '../rule.ts';
import { isLarge, type StepWrites, sizesUnknown, writesOf } from '../writes.ts';

/** OPS001: a large write while a child saves or slots are open; any write during a failover; anything while it loads. */
export const ops001: Rule = {
  code: 'OPS001',
  severity: 'warning',
  title: 'the server is saving, loading, failing over or moving slots',
  check(subject) {
    const server = subject.target?.server;
    if (!subject.draft || subject.draft.steps.length === 0 || !server) return { findings: [] };
    const { load = {}, open_slots } = server;
    if (load.loading) return { findings: [{ at: 'target.server.load', ...loading }] };
    if (load.fork === 'none' && !load.failover && open_slots === undefined) return { findings: [] };
    const writes = writesOf(subject);
    const first = writes.steps[0];
    if (load.failover && first) return { findings: [{ at: first.at, ...failover }] };
    const large = writes.steps.find(isLarge);
    const said = large && pressing(large, load.fork, open_slots?.length ?? 0);
    if (said) return { findings: [{ at: large.at, ...said }] };
    const unchecked = large && load.fork === undefined ? notTold(subject) : sizesUnknown(subject, writes);
    return unchecked === undefined ? { findings: [] } : { findings: [], unchecked };
  },
};

function pressing({ keys }: StepWrites, fork: 'none' | 'rdb' | 'aof' | undefined, openSlots: number): Said | undefined {
  if (fork === 'rdb' || fork === 'aof') {
    return {
      message: `a child process is writing ${fork === 'rdb' ? 'a snapshot' : 'the append-only file anew'}, and the plan writes ${formatCount(keys)} keys`,
      why: 'Every page of memory that is written meanwhile is copied first: at worst the server needs its memory twice, and each first write to a page is slower. A run makes way for it, and takes longer.',
      fix: `Wait until INFO persistence says ${fork === 'rdb' ? 'rdb_bgsave_in_progress' : 'aof_rewrite_in_progress'}:0, then plan again.`,
    };
  }
  if (openSlots === 0) return undefined;
  return {
    message: `${openSlots === 1 ? 'one slot is' : `${formatCount(openSlots)} slots are`} between two nodes, and the plan writes ${formatCount(keys)} keys`,
    why: 'Keys of these slots answer ASK and TRYAGAIN, and what is written makes the migration longer. How many keys a selection has is not known for certain meanwhile.',
    fix: 'Let the resharding end first (redis-cli --cluster check), then plan again.',
  };
}

const loading: Said = {
  message: 'the server is loading its data set',
  why: 'Nearly every command answers LOADING until it has read all of it, and what the plan says of keys is not what will be there.',
  fix: 'Wait until INFO persistence says loading:0, then plan again.',
};

const failover: Said = {
  message: 'a failover is under way, and the plan writes',
  why: 'The primary stops taking writes and becomes a replica; the plan is for the server process that it was made with.',
  fix: 'Wait until INFO replication says master_failover_state:no-failover, then plan again on the new primary.',
};

function notTold(subject: Subject): string {
  return `needs to know whether a child process is saving (INFO persistence): ${howToGive(subject)}`;
}
