/**
 * The one scan of redops: preview, job and audit all walk the keyspace through here. One cursor on one connection, since
 * a cursor means something only to the process that gave it out (the hash seed is random per process); with every page
 * the server is asked for its run_id in the same packet, so that a page from another process is never taken for ours.
 */
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { Selection } from '../plan/step.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';

/** One SCAN reply. A key can come twice, a page can be empty: both are normal. */
export interface Page {
  readonly keys: readonly Bytes[];
  /** The cursor to go on with; "0" at the end. Compared as text: it is an unsigned 64-bit number. */
  readonly next: string;
  /** run_id of the process that answered; undefined when INFO is not permitted. */
  readonly runId: string | undefined;
}

/** One page from a cursor. An error reply is thrown as OpsError server_error; a lost connection as it comes. */
export async function scanPage(lease: Lease, selection: Selection, cursor: string, count: number): Promise<Page> {
  const [reply, info] = await Promise.all([
    lease.send(scanCommand(selection, cursor, count)),
    lease.send(['INFO', 'server']),
  ]);
  return { ...pageOf(reply), runId: /^run_id:(\w+)/m.exec(replyText(info) ?? '')?.[1] };
}

/** `SCAN cursor MATCH pattern COUNT count [TYPE type]`; MATCH is left out for `*`, which matches everything. */
export function scanCommand(selection: Selection | undefined, cursor: string, count: number): WireArgument[] {
  const argv: WireArgument[] = ['SCAN', cursor];
  if (selection && selection.match !== '*') argv.push('MATCH', toBuffer(selection.match));
  argv.push('COUNT', String(count));
  if (selection?.type) argv.push('TYPE', selection.type);
  return argv;
}

/** The cursor and the keys of a SCAN reply. */
export function pageOf(reply: Reply): { keys: Bytes[]; next: string } {
  if (reply instanceof ReplyError) {
    throw new OpsError(reply.code === 'NOPERM' ? 'auth' : 'server_error', `SCAN was refused: ${reply.message}`, {
      reply: reply.code,
    });
  }
  const [cursor, keys] = Array.isArray(reply) ? reply : [];
  const next = cursor === undefined ? undefined : replyText(cursor);
  if (next === undefined || !/^\d+$/.test(next) || !Array.isArray(keys)) {
    throw new OpsError('server_error', 'SCAN answered with something that is not a page');
  }
  return { next, keys: keys.filter((key) => Buffer.isBuffer(key)).map((key) => fromBuffer(key)) };
}
