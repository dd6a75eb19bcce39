/**
 * Commands without keys that mean the whole data set or every server: in a cluster each primary gets them, and the report
 * has one result. It says "ok" only where all of them did it; done on some and not on others is told as such.
 */
import type { Bytes } from '../base/bytes.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Decoded } from '../formats/resp.ts';
import type { Outcome, ReplyProblem } from '../plan/report.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import { noScriptRuns, problem } from './outcome.ts';

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
  const failed = nodes.filter(({ settled }) => settled.outcome !== 'ok');
  if (failed.length === 0) return { outcome: 'ok', reply: foldReplies(name, nodes) };
  // a node without a script had nothing to end: beside one that refuses, that is no half of the work
  const done = nodes.filter(({ settled }) => settled.outcome === 'ok' && settled.reply !== noScriptRuns);
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

/** Counts are added, lists joined; what is the same everywhere is said once, and what differs (SCRIPT EXISTS) for each node: [address, reply]. */
function foldReplies(name: string, nodes: readonly NodeOutcome[]): Reply {
  const replies = nodes.map(({ settled }) => settled.reply).filter((reply) => !(reply instanceof NotSent)) as Decoded[];
  const first = replies[0] ?? null;
  if (name === 'dbsize' && replies.every((reply) => typeof reply === 'number'))
    return replies.reduce((a, b) => a + b, 0);
  if (name === 'keys' && replies.every((reply) => Array.isArray(reply))) return replies.flat();
  const texts = new Set(replies.map((reply) => JSON.stringify(reply, bigAsText)));
  return texts.size <= 1 ? first : nodes.map(({ address }, at) => [address, replies[at] ?? null]);
}

function bigAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
