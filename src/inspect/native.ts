/** Which commands that compare and then act the server has: asked of its command table, since versions and forks part here. */
import { ReplyError } from '../formats/resp.ts';
import type { NativeCommand } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';
import type { Question } from './questions.ts';

/** Those that the server has and the user may run, where somebody asks; undefined where nobody does. COMMAND DOCS and ACL DRYRUN are 7.0 and later: before that there is none. */
export async function nativeCommands(
  lease: Pick<Lease, 'send'>,
  user: string,
  questions: readonly Question[],
): Promise<NativeCommand[] | undefined> {
  if (!questions.some(({ ask }) => ask === 'native')) return undefined;
  const [docs, info, delifeq, delex] = await Promise.all([
    lease.send(['COMMAND', 'DOCS', 'SET']),
    lease.send(['COMMAND', 'INFO', 'DELIFEQ', 'DELEX']),
    lease.send(['ACL', 'DRYRUN', user, 'DELIFEQ', 'key', 'value']),
    lease.send(['ACL', 'DRYRUN', user, 'DELEX', 'key', 'IFEQ', 'value']),
  ]);
  const [hasDelifeq, hasDelex] = Array.isArray(info) ? info.map((entry) => Array.isArray(entry)) : [];
  return [
    ...(names(docs, 'IFEQ') ? (['set_ifeq'] as const) : []),
    ...(hasDelifeq && permits(delifeq) ? (['delifeq'] as const) : []),
    ...(hasDelex && permits(delex) ? (['delex'] as const) : []),
  ];
}

/** The token of an option stands by itself somewhere in the description of the arguments. */
function names(docs: Reply, token: string): boolean {
  if (docs instanceof ReplyError) return false;
  if (Array.isArray(docs)) return docs.some((part) => names(part, token));
  if (docs instanceof Map) return names([...docs].flat(), token);
  return replyText(docs) === token;
}

/** A refusal for the key that stands for all says nothing of the real one. */
function permits(dryRun: Reply): boolean {
  const text = replyText(dryRun);
  return text === 'OK' || (text?.includes('key') ?? false);
}
