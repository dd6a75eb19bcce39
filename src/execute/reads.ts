/** What a transaction's reads mean: the values that its condition and its arguments are computed from. */
import type { Bytes } from '../base/bytes.ts';
import { type ExprValue, fromExprValue, parseExpression, toExprValue } from '../formats/expr.ts';
import type { ReplyProblem } from '../plan/report.ts';
import type { TransactionStep } from '../plan/step.ts';
import type { ReplyValue } from '../plan/values.ts';
import type { Reply } from '../redis/reply.ts';
import { replyValue } from './outcome.ts';

/** One read with its reply. */
export interface Read {
  readonly name: string;
  readonly reply: Reply;
}

/** go: with the bytes of every expression; not_met: the condition is false; aborted: a value does not fit what is done with it. */
export type Decision =
  | {
      readonly kind: 'go';
      readonly values: ReadonlyMap<string, Bytes>;
      readonly reads: Readonly<Record<string, ReplyValue>>;
    }
  | { readonly kind: 'not_met'; readonly reads: Readonly<Record<string, ReplyValue>> }
  | { readonly kind: 'aborted'; readonly problem: ReplyProblem; readonly reads: Readonly<Record<string, ReplyValue>> };

/** Reads the text of an expression. */
export type Parse = typeof parseExpression;

/** Decides from the replies whether and with which values the transaction goes on. `parse`: of a caller that remembers. */
export function decide(step: TransactionStep, replies: readonly Read[], parse: Parse = parseExpression): Decision {
  const reads: Record<string, ReplyValue> = {};
  for (const { name, reply } of replies) reads[name] = replyValue(reply);
  const names: Record<string, ExprValue> = {};
  const abort = (message: string): Decision => ({
    kind: 'aborted',
    problem: { code: 'E225', name: 'ERR', message },
    reads,
  });
  for (const { name, reply } of replies) {
    if (
      typeof reply !== 'string' &&
      typeof reply !== 'number' &&
      typeof reply !== 'bigint' &&
      reply !== null &&
      !Buffer.isBuffer(reply)
    ) {
      return abort(
        `let ${name}: the command answers with a list, and an expression can use integers, strings and nil only`,
      );
    }
    const text = reads[name];
    names[name] = toExprValue(typeof text === 'string' ? text : reply); // the bytes are read once
  }
  if (step.guard) {
    const met = compute(parse, step.guard.expr, names);
    if ('problem' in met) return abort(`when "${step.guard.expr}": ${met.problem}`);
    if (typeof met.value !== 'boolean') return abort(`when "${step.guard.expr}": the result is not true or false`);
    if (!met.value) return { kind: 'not_met', reads };
  }
  const values = new Map<string, Bytes>();
  for (const { argv } of step.steps) {
    for (const argument of argv) {
      if (typeof argument !== 'object' || !('expr' in argument)) continue;
      const result = compute(parse, argument.expr, names);
      if ('problem' in result) return abort(`{{ ${argument.expr} }}: ${result.problem}`);
      const bytes = fromExprValue(result.value);
      if (bytes === undefined)
        return abort(
          `{{ ${argument.expr} }}: the result is ${String(result.value)}, which is no argument of a command`,
        );
      values.set(argument.expr, bytes);
    }
  }
  return { kind: 'go', values, reads };
}

function compute(
  parse: Parse,
  source: string,
  names: Readonly<Record<string, ExprValue>>,
): { value: ExprValue } | { problem: string } {
  const parsed = parse(source);
  return 'problem' in parsed ? { problem: parsed.problem.message } : parsed.expression.evaluate(names);
}
