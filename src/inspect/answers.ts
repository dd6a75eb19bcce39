/** Answers that one server gives whole: how it is, which scripts it has, what the user may do. */
import { printable, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import type { Target } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { replyText } from '../redis/reply.ts';
import { busyServer, inspectServer, type Where } from './info.ts';
import type { Question } from './questions.ts';

/** A plan that asks nothing of the data (SCRIPT KILL) can be made while a script blocks the server. */
export async function serverOrBusy(
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

/** Those of the wanted scripts that the server has. */
export async function knownScripts(lease: Lease, questions: readonly Question[]): Promise<string[]> {
  const wanted = questions.flatMap((question) => (question.ask === 'script' ? [question.sha1] : []));
  if (wanted.length === 0) return [];
  const reply = await lease.send(['SCRIPT', 'EXISTS', ...wanted]);
  return Array.isArray(reply) ? wanted.filter((_, index) => reply[index] === 1) : [];
}

/** ACL DRYRUN (7.0 and later) tells without running; undefined where it does not exist or is not permitted. */
export async function permissions(lease: Lease, user: string, questions: readonly Question[]): Promise<Target['acl']> {
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
