/** What a reply means for the report: its problem in words, and whether it changed anything. */

import type { Argv } from '../catalog/command.ts';
import { errorByCode, errorOf } from '../catalog/errors.ts';
import { commandName } from '../catalog/lookup.ts';
import { isWrite } from '../catalog/nature.ts';
import { ReplyError } from '../formats/resp.ts';
import type { ReplyProblem } from '../plan/report.ts';
import type { ReplyValue } from '../plan/values.ts';
import { NotSent, type Reply, toReplyValue } from '../redis/reply.ts';

/** The code and name of an error reply (docs/errors.md), with the server's own words. */
export function problemOf(error: ReplyError): ReplyProblem {
  const info = errorOf(error.code);
  return { code: info.code, name: info.name, message: error.message };
}

/** A problem that is not a reply: connection_timeout, connection_lost, outcome_unknown, drift, cap. */
export function problem(code: 'E230' | 'E231' | 'E232' | 'E233' | 'E234', message: string): ReplyProblem {
  return { code, name: errorByCode(code)?.name ?? code, message };
}

/** A reply as it stands in the report. */
export function replyValue(reply: Reply): ReplyValue {
  return toReplyValue(reply, problemOf);
}

/** What SCRIPT KILL and FUNCTION KILL come to on a server that runs neither (NOTBUSY): nothing is left to be done. */
export const noScriptRuns = 'no script is running';

/** They write no key, and yet end somebody's work, or find none to end. */
const kills: ReadonlySet<string> = new Set(['script|kill', 'function|kill']);

/** True for the refusal by which a server says that there was nothing to kill. */
export function isIdle(argv: Argv, reply: ReplyError): boolean {
  return reply.code === 'NOTBUSY' && kills.has(commandName(argv));
}

/** Commands whose 0 or nil says that nothing was changed. HSET's 0 is not of the kind: it overwrote. */
const zeroIsNothing = new Set(
  `copy del expire expireat getdel hdel hsetnx incrbyfloat lpushx ltrim move msetnx persist pexpire pexpireat pfadd rename renamenx
  rpushx sadd set setnx smove spop srem touch unlink zpopmax zpopmin zrem lpop rpop lrem xack xdel xtrim zremrangebylex
  zremrangebyrank zremrangebyscore`.split(/\s+/),
);

/** Whether an ok reply means a change. Reads have no effect. */
export function effectOf(argv: Argv, reply: Reply): 'changed' | 'unchanged' | 'none' {
  return effectByRule(effectRule(argv), reply);
}

/** What decides the effect of a command: nothing (a read), that it ran, or its reply. */
export type EffectRule = 'none' | 'changed' | 'by_reply';

/** The rule of a command, which its name and subcommand alone decide. */
export function effectRule(argv: Argv): EffectRule {
  const name = commandName(argv);
  if (!isWrite(argv)) return name === 'touch' || kills.has(name) ? 'by_reply' : 'none';
  return zeroIsNothing.has(name) ? 'by_reply' : 'changed';
}

/** The effect of an ok reply by the rule of its command. */
export function effectByRule(rule: EffectRule, reply: Reply): 'changed' | 'unchanged' | 'none' {
  if (rule === 'none' || reply instanceof NotSent) return 'none';
  return rule === 'changed' ? 'changed' : zeroOr(reply);
}

function zeroOr(reply: Reply): 'changed' | 'unchanged' {
  if (reply === noScriptRuns) return 'unchanged';
  return reply === 0 || reply === null || (Array.isArray(reply) && reply.length === 0) ? 'unchanged' : 'changed';
}

/** True when a reply says that the command was refused before it did anything: any error reply of a command that is no script. */
export function isRefusal(reply: Reply): reply is ReplyError {
  return reply instanceof ReplyError;
}
