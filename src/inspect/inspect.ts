/** Questions in, Target out: the only reading that planning does. */

import { printable, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import type { Target } from '../plan/target.ts';
import type { Connection, Lease } from '../redis/connection.ts';
import { replyText } from '../redis/reply.ts';
import { busyServer, inspectServer, type Where } from './info.ts';
import { inspectKeys } from './keys.ts';
import type { Question } from './questions.ts';
import { inspectSelection } from './select.ts';

/** Answers the questions on a connection of their own. Throws OpsError when the server cannot be inspected or is of a kind that redops does not run on. */
export async function inspect(
  connection: Connection,
  questions: readonly Question[],
  where: Where & { name: string },
): Promise<Target> {
  const lease = await connection.lease();
  try {
    await lease.send(['CLIENT', 'NO-TOUCH', 'ON']); // 7.2 and later; an error reply elsewhere changes nothing
    const { identity, server } = await serverOrBusy(lease, questions, where);
    if (server.busy) return { identity, name: where.name, server, keys: [], selections: [], scripts: [] };
    if (server.cluster) {
      throw new OpsError('unsupported', 'this server is a node of a cluster, and redops does not run on clusters yet', {
        remedy: 'Name a server that is not part of a cluster.',
      });
    }
    const keys = await inspectKeys(
      lease,
      questions.flatMap((question) => (question.ask === 'key' ? [question.key] : [])),
    );
    const selections = [];
    for (const question of questions) {
      if (question.ask === 'selection') selections.push(await inspectSelection(lease, question.selection, server));
    }
    const acl = await permissions(lease, identity.user, questions);
    return {
      identity,
      name: where.name,
      server,
      keys,
      selections,
      scripts: await knownScripts(lease, questions),
      ...(acl ? { acl } : {}),
    };
  } finally {
    await lease.close();
  }
}

/** A plan that asks nothing of the data (SCRIPT KILL) can be made while a script blocks the server. */
async function serverOrBusy(
  lease: Lease,
  questions: readonly Question[],
  where: Where,
): ReturnType<typeof inspectServer> {
  try {
    return await inspectServer(lease, where);
  } catch (error) {
    const needsNothing = questions.every((question) => question.ask === 'permission');
    if (error instanceof OpsError && error.reply === 'BUSY' && needsNothing) return busyServer(where);
    throw error;
  }
}

async function knownScripts(lease: Lease, questions: readonly Question[]): Promise<string[]> {
  const wanted = questions.flatMap((question) => (question.ask === 'script' ? [question.sha1] : []));
  if (wanted.length === 0) return [];
  const reply = await lease.send(['SCRIPT', 'EXISTS', ...wanted]);
  return Array.isArray(reply) ? wanted.filter((_, index) => reply[index] === 1) : [];
}

/** ACL DRYRUN (7.0 and later) tells without running; undefined where it does not exist or is not permitted. */
async function permissions(lease: Lease, user: string, questions: readonly Question[]): Promise<Target['acl']> {
  const wanted = questions.flatMap((question) => (question.ask === 'permission' ? [question.argv] : []));
  if (wanted.length === 0) return [];
  const replies = await Promise.all(wanted.map((argv) => lease.send(['ACL', 'DRYRUN', user, ...argv.map(toBuffer)])));
  if (replies.some((reply) => reply instanceof ReplyError)) return undefined;
  return replies.map((reply, index) => {
    const text = replyText(reply) ?? '';
    const command = printable(wanted[index]![0]!).toLowerCase();
    return text === 'OK' ? { command, allowed: true } : { command, allowed: false, reason: text };
  });
}
