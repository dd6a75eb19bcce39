/**
 * Commands without keys that mean the whole data set or every server: in a cluster each primary gets them, and the report
 * has one result. It says "ok" only where all of them did it; done on some and not on others is told as such.
 */
import type { Bytes } from '../base/bytes.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Decoded } from '../formats/resp.ts';
import type { Outcome, ReplyProblem } from '../plan/report.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import { problem } from './outcome.ts';

/** By name: what all primaries have to do. */
const everywhere: ReadonlySet<string> = new Set(
  `acl|deluser acl|load acl|save acl|setuser bgrewriteaof bgsave config|resetstat config|rewrite config|set dbsize flushall
  flushdb function|delete function|flush function|kill function|load function|restore keys latency|reset memory|purge save
  script|exists script|flush script|kill script|load slowlog|reset`.split(/\s+/),
);

/** By name: reads without keys whose answer is that of one server, whatever stands on the others. */
const ofOneServer: ReadonlySet<string> = new Set(
  `client|list command|count config|get function|dump function|list function|stats info lastsave latency|latest memory|stats randomkey scan slowlog|get
  slowlog|len`.split(/\s+/),
);

/** True for a command that goes to every primary of a cluster. */
export function runsEverywhere(argv: readonly Bytes[]): boolean {
  return everywhere.has(commandName(argv));
}

/** True for a read that tells of one server only, so that one node's answer is not the cluster's. */
export function tellsOfOne(argv: readonly Bytes[]): boolean {
  return ofOneServer.has(commandName(argv));
}

/** How a command ended, on one node or on all. */
export interface Ended {
  readonly outcome: Outcome;
  readonly reply: Reply;
  readonly error?: ReplyProblem;
}

/** What one node made of the command. */
export interface NodeOutcome {
  readonly address: string;
  readonly settled: Ended;
}

/** The one outcome of a command that went to every node. */
export function foldNodes(argv: readonly Bytes[], nodes: readonly NodeOutcome[]): Ended {
  const name = commandName(argv);
  const done = nodes.filter(({ settled }) => settled.outcome === 'ok');
  // most nodes run no script: that is no failure of ending the one that runs
  const idle = (one: NodeOutcome): boolean => name.endsWith('|kill') && one.settled.error?.name === 'NOTBUSY';
  const failed = nodes.filter((one) => one.settled.outcome !== 'ok' && !(done.length > 0 && idle(one)));
  if (failed.length === 0) return { outcome: 'ok', reply: foldReplies(name, done) };
  if (failed.every(({ settled }) => settled.outcome === 'not_sent') && done.length === 0) return failed[0]!.settled;
  const told = failed
    .map(({ address, settled }) => `${address}: ${settled.error?.message ?? settled.outcome}`)
    .join('; ');
  const unknown = failed.some(({ settled }) => settled.outcome === 'unknown');
  if (done.length === 0 && !unknown) {
    const error = failed.find(({ settled }) => settled.error !== undefined)?.settled.error;
    return { outcome: 'error', reply: null, ...(error ? { error: { ...error, message: told } } : {}) };
  }
  const where = done.length === 0 ? 'on no node for certain' : `on ${done.map(({ address }) => address).join(', ')}`;
  return { outcome: 'unknown', reply: null, error: problem('E232', `done ${where}; not known to be done on ${told}`) };
}

/** Counts are added, lists joined, SCRIPT EXISTS holds where it holds on all; what is the same everywhere is said once. */
function foldReplies(name: string, nodes: readonly NodeOutcome[]): Reply {
  const replies = nodes.map(({ settled }) => settled.reply).filter((reply) => !(reply instanceof NotSent)) as Decoded[];
  const first = replies[0] ?? null;
  if (name === 'dbsize' && replies.every((reply) => typeof reply === 'number'))
    return replies.reduce((a, b) => a + b, 0);
  if (replies.every((reply) => Array.isArray(reply))) {
    if (name === 'keys') return replies.flat();
    if (name === 'script|exists') return replies[0]!.map((_, at) => (replies.every((one) => one[at] === 1) ? 1 : 0));
  }
  const texts = new Set(replies.map((reply) => JSON.stringify(reply, bigAsText)));
  return texts.size <= 1 ? first : nodes.map(({ address }, at) => [address, replies[at] ?? null]);
}

function bigAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
