/** One attempt of a compare-and-set as the one command that the server has for it: nothing is watched, and nothing can conflict. */
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { commandName } from '../catalog/lookup.ts';
import { ReplyError } from '../formats/resp.ts';
import type { CommandStep, TransactionStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { LostConnection } from '../redis/connection.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import { lostAround, nothingRan, refusedBefore, type Tried } from './exec-block.ts';
import type { OwnConnection } from './own-connection.ts';
import { decide } from './reads.ts';
import type { RunContext } from './session.ts';
import { bind, toWire } from './wire.ts';

/** Sends the step's native command. Never rejects for what the server or the network did. */
export async function attemptNative(
  context: RunContext,
  own: OwnConnection,
  step: TransactionStep,
  native: CommandStep,
): Promise<Tried> {
  const sent = bind(native.argv, { runId: context.runId });
  try {
    const lease = await own.open();
    const reply = await lease.send(toWire(sent));
    return judge(step, native, reply);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    if (error instanceof LostConnection && error.sent)
      return { ...(await lostAround(error, 1, context, 'the command was')), reason: error.code, words: [sent] };
    return { ...nothingRan(1, 'redirected'), reason: error.code, words: [], fault: error };
  }
}

function judge(step: TransactionStep, native: CommandStep, reply: Reply): Tried {
  const words = [native.argv.map((argument) => literal(argument) ?? '')];
  if (reply instanceof NotSent) return { ...nothingRan(1, undefined), words };
  if (reply instanceof ReplyError) {
    const redirected = errorOf(reply.code).redirect;
    const ran = refusedBefore(1, reply);
    return { ...ran, words: redirected ? [] : words };
  }
  if (commandName(words[0]!) !== 'set') {
    if (reply === 0) return { ...nothingRan(1, 'not_met'), words: [] };
    return { outcome: 'committed', settled: [{ outcome: 'ok', reply }], words };
  }
  // with GET the reply is the value that was compared: the same expression says what came of it, and why
  const decision = decide(step, [{ name: step.reads[0]!.name, reply }]);
  const { reads } = decision;
  if (decision.kind === 'go') return { outcome: 'committed', settled: [{ outcome: 'ok', reply }], words, reads };
  if (decision.kind === 'not_met') return { ...nothingRan(1, 'not_met'), words: [], reads };
  const settled = [{ outcome: 'not_sent' as const, reply: null, error: decision.problem }];
  return { outcome: 'aborted', settled, words: [], reads };
}
