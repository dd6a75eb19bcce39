/**
 * What a rule is: one pure function over a Subject. A rule that needs a fact which the subject lacks says so (`unchecked`)
 * instead of passing. One file, one test beside it, one page in docs/rules.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import type { LuaFacts } from '../formats/lua.ts';
import type { Span } from '../plan/diagnostic.ts';
import type { Draft } from '../plan/plan.ts';
import type { KeyFacts, Target } from '../plan/target.ts';

/** A command as rules see it: parsed, with its place. Unknown values (expressions, the key of a job) are undefined. */
export interface LintCommand {
  readonly argv: Argv;
  /** `commands[3]`, `app.redis:12:1`, `execution_plan.steps[0].steps[2]`. */
  readonly at: string;
  readonly span?: Span;
  /** The block it stands in: a plain line, a pipeline's batch, between MULTI and EXEC, a job's template, a transaction's read. */
  readonly within: 'line' | 'pipeline' | 'transaction' | 'read' | 'job';
}

/** A Lua script as rules see it. `at` and `span` are where its text begins. */
export interface LintScript {
  readonly source: Bytes;
  readonly facts: LuaFacts;
  readonly keys: number | undefined;
  readonly at: string;
  readonly span?: Span;
}

/** Everything that is judged: the commands of a plan or of files, their scripts, and the facts at hand. */
export interface Subject {
  readonly commands: readonly LintCommand[];
  readonly scripts: readonly LintScript[];
  /** Present when a plan is judged. */
  readonly draft?: Draft;
  /** Present when a server was inspected. */
  readonly target?: Target;
}

/** A finding as a rule gives it; code, severity (unless overridden) and url are the rule's. */
export interface Finding {
  readonly message: string;
  readonly at: string;
  readonly why: string;
  readonly fix: string;
  readonly span?: Span;
  /** Where one rule has two weights. */
  readonly severity?: 'error' | 'warning' | 'info';
}

/** What a rule answers: its findings, or why it could not judge (a string). */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** Why part of the subject could not be judged. */
  readonly unchecked?: string;
}

/** One rule. */
export interface Rule {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** One line: what it looks for. */
  readonly title: string;
  /** The E-code of the server's refusal, where the server would refuse. */
  readonly error?: string;
  check(subject: Subject): Verdict;
}

/** The facts of one key, or undefined when it was not inspected. */
export function factsOf(target: Target | undefined, key: Bytes): KeyFacts | undefined {
  const id = JSON.stringify(key);
  return target?.keys.find((facts) => JSON.stringify(facts.key) === id);
}
