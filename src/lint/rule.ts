/**
 * What a rule is: one pure function over a Subject. A rule that needs a fact which the subject lacks says so (`unchecked`)
 * instead of passing. One file, one test beside it, one page in docs/rules.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import type { LuaFacts } from '../formats/lua.ts';
import type { Severity, Span } from '../plan/diagnostic.ts';
import type { ByteOffset } from '../plan/lint-result.ts';
import type { Draft } from '../plan/plan.ts';
import type { Selection } from '../plan/step.ts';
import type { Convention, Target } from '../plan/target.ts';

/** A command as rules see it: parsed, with its place. Unknown values (expressions, the key of a job) are undefined. */
export interface LintCommand {
  readonly argv: Argv;
  /** `commands[3]`, `app.redis:12:1`, `execution_plan.steps[0].steps[2]`. */
  readonly at: string;
  readonly span?: Span;
  /** Of a file without lines: the bytes before the command. */
  readonly bytes?: ByteOffset;
  /** Where the word at that index of argv stands, for findings about one argument; left out where only the command has a place. */
  readonly wordAt?: (argument: number) => Span | undefined;
  /** How it is sent: a plain line, a pipeline's batch, between MULTI and EXEC, a job's template, a transaction's read. */
  readonly within: 'line' | 'pipeline' | 'transaction' | 'read' | 'job';
  /** Commands of the same pipeline, transaction, job or file share it. */
  readonly block: string;
  /** A deadline that redops fixes when the command is first sent: so long after that, and up to so much more. */
  readonly lasting?: { readonly after_ms: number; readonly jitter_ms: number };
  /** The keys that a job runs the command for. */
  readonly selection?: Selection;
}

/** A Lua script as rules see it. `at` and `span` are where its text begins. */
export interface LintScript {
  readonly source: Bytes;
  readonly facts: LuaFacts;
  /** The number of KEYS that the call gives, where there is a call. */
  readonly keys: number | undefined;
  readonly at: string;
  readonly span?: Span;
  /** The file that is the script as a whole: places inside it are lines of that file. */
  readonly file?: string;
}

/** Everything that is judged: the commands of a plan or of files, their scripts, and the facts at hand. */
export interface Subject {
  readonly commands: readonly LintCommand[];
  readonly scripts: readonly LintScript[];
  /** Present when a plan is judged. */
  readonly draft?: Draft;
  /** Present when a server was inspected and could answer. */
  readonly target?: Target;
  /** The server was busy with a script: it was reached, and told nothing. */
  readonly busy?: true;
  /** What keys are meant to be, by redops.yaml. */
  readonly conventions?: readonly Convention[];
  /** Unix time in milliseconds, where the caller gives it: what a fixed deadline is compared with. */
  readonly now?: number;
}

/** A finding as a rule gives it; code, severity (unless overridden) and url are the rule's. */
export interface Finding {
  readonly message: string;
  readonly at: string;
  readonly why: string;
  readonly fix: string;
  readonly span?: Span;
  readonly bytes?: ByteOffset;
  /** The index in argv of the word that it is about, where it is about one: that word is underlined. */
  readonly argument?: number;
  /** Where one rule has two weights. */
  readonly severity?: Severity;
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
  /** The weight of a finding that names none of its own. */
  readonly severity: Severity;
  /** One line: what it looks for. */
  readonly title: string;
  /** The E-code of the server's refusal, where the server would refuse. */
  readonly error?: string;
  check(subject: Subject): Verdict;
}
