/**
 * One attempt of a transaction by its script (plan/transaction-script.ts): one round trip and no conflict. The script
 * returns what it read, and the same code as for WATCH says what follows from that. Where it did not begin, or left the
 * transaction alone, nothing was written and WATCH goes on; where its reply was lost, all of it was applied or nothing.
 */
import { invariant } from '../base/assert.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { TransactionStep } from '../plan/step.ts';
import { SCRIPT_DONE, type TransactionScript } from '../plan/transaction-script.ts';
import { type Lease, LostConnection } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';
import { inside, lostAround } from './exec-block.ts';
import { decide, type Read } from './reads.ts';
import type { RunContext } from './session.ts';
import { nothing, stopped, type Tried } from './transaction-attempt.ts';
import { bind, toWire } from './wire.ts';

/** What an attempt by script came to: as by WATCH, or nothing was written and WATCH is to go on, and why. */
export type ScriptTried = Tried | { readonly leave: string };

/** A script and the words it is sent with, made once. */
export interface ScriptCall {
  readonly script: TransactionScript;
  readonly wire: readonly WireArgument[];
}

/** The call of a script. */
export function callOf(script: TransactionScript): ScriptCall {
  const words = toWire([...script.keys, ...script.args]);
  return { script, wire: ['EVALSHA', script.sha1, String(script.keys.length), ...words] };
}

/** Calls the script once, and once more after SCRIPT LOAD where the server does not have it. Never rejects for what the server or the network did. */
export async function attemptScript(
  context: RunContext,
  open: () => Lease | Promise<Lease>,
  step: TransactionStep,
  call: ScriptCall,
): Promise<ScriptTried> {
  let sent = false; // a LOAD that was lost has written nothing, nor has a connection that was never made
  try {
    const lease = await open();
    sent = true;
    let reply = await lease.send(call.wire);
    if (reply instanceof ReplyError && reply.code === 'NOSCRIPT') {
      sent = false;
      const loaded = await lease.send(['SCRIPT', 'LOAD', call.script.source]);
      if (loaded instanceof ReplyError) return { leave: loaded.code };
      sent = true;
      reply = await lease.send(call.wire);
    }
    return judge(context, step, call, reply);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    if (sent && error instanceof LostConnection)
      return { ...(await lostAround(error, step.steps.length, context, 'the script was')), words: [] };
    return { ...nothing(step, 'redirected'), reason: error.code, fault: error };
  }
}

/** What an error that the script raised, rather than the server instead of it, ends with from 7.0 on. */
const raised = / script: \S+, on @\S+\.?$|^ERR Error running script/;

function judge(context: RunContext, step: TransactionStep, { script }: ScriptCall, reply: Reply): ScriptTried {
  if (reply instanceof ReplyError) {
    // it catches everything that a command answers, so this is the server's own, before its first line
    if (!raised.test(reply.message))
      return errorOf(reply.code).redirect
        ? { ...nothing(step, 'redirected'), reason: reply.code }
        : { leave: reply.code };
    const end = inside(reply);
    const error = { ...end.error!, message: `${reply.message} (the script may have written before it failed)` };
    return { ...nothing(step, 'unknown'), settled: step.steps.map(() => ({ outcome: 'unknown', reply: null, error })) };
  }
  invariant(Array.isArray(reply), 'the script of a transaction answers with a list');
  const reads: Read[] = step.reads.map(({ name }, index) => ({ name, reply: reply[index + 1] ?? null }));
  if (reply[0] !== SCRIPT_DONE) return left(step, replyText(reply[0] ?? null) ?? '', reads);
  const first = 1 + reads.length;
  const replies = reply.slice(first, first + step.steps.length);
  for (const [index, counter] of script.counters.entries()) {
    const text = replyText(reply[first + step.steps.length + index] ?? null);
    if (text !== undefined) replies[counter] = BigInt(text);
  }
  const settled = replies.map((one) => inside(one));
  const decision = decide(step, reads, context.parse);
  const go = decision.kind === 'go' ? decision.values : undefined;
  return {
    outcome: settled.some((end) => end.outcome === 'error') ? 'partial' : 'committed',
    settled,
    words: go ? step.steps.map(({ argv }) => bind(argv, { runId: context.runId, values: go })) : [],
    reads: decision.reads,
  };
}

/** Nothing was written: what the values say, else what WATCH may do better. */
function left(step: TransactionStep, why: string, reads: readonly Read[]): ScriptTried {
  if (why !== 'stop') return { leave: why === 'range' ? 'integer_range' : why };
  const decision = decide(step, reads);
  return decision.kind === 'go' ? { leave: 'stop' } : { ...stopped(step, decision), reads: decision.reads };
}
