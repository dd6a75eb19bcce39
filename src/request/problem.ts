/** The diagnostics of this room: every problem of a request is an error with its place, its reason and its remedy. */
import type { Diagnostic } from '../plan/diagnostic.ts';

/** The codes that a request can be refused with before there is a plan; each has its page in docs/rules. */
export type ProblemCode =
  | 'REQ001'
  | 'REQ002'
  | 'REQ003'
  | 'TXT001'
  | 'CMD001'
  | 'CMD002'
  | 'EXP001'
  | 'ATM001'
  | 'VER001'
  | 'LUA000';

/** What a recipe answers: its value, or the problems that mean "no plan". */
export type Result<T> = { readonly value: T } | { readonly diagnostics: readonly Diagnostic[] };

/** One problem: severity error; `at` is the JSON path (`do.ttl`, `commands[3]`, or `request` for the whole). */
export function problem(code: ProblemCode, at: string, message: string, fix: string, why = reasons[code]): Diagnostic {
  return { code, severity: 'error', message, at, why, fix, url: `docs/rules/${code}.md` };
}

/** A result that is one problem. */
export function refused(...diagnostics: readonly Diagnostic[]): { readonly diagnostics: readonly Diagnostic[] } {
  return { diagnostics };
}

/** At most `limit` problems, the last of which says how many more there are. */
export function capped(diagnostics: readonly Diagnostic[], limit = 100): readonly Diagnostic[] {
  if (diagnostics.length <= limit) return diagnostics;
  const last = diagnostics[limit - 1]!;
  const more = diagnostics.length - limit;
  return [...diagnostics.slice(0, limit - 1), { ...last, message: `${last.message} (and ${more} more problems)` }];
}

const reasons: Readonly<Record<ProblemCode, string>> = {
  REQ001: 'A request is checked before anything is planned, so that a misspelt field is never silently ignored.',
  REQ002: 'Two fields that say different things leave open what is to be done, so nothing is planned.',
  REQ003: 'The content of a file is part of the plan and of its digest, so it is read before planning.',
  TXT001: 'A line is read byte for byte as redis-cli reads it; what does not parse cannot be sent.',
  CMD001: 'The server would refuse the command, in a transaction only at EXEC, after the others were applied.',
  CMD002: 'Such a command changes or holds the connection that other commands share.',
  EXP001: 'An expression is evaluated between the reads and MULTI; every name and place in it is known before.',
  ATM001: 'Atomicity that was asked for is given or refused, never silently dropped.',
  VER001: 'An option that the server does not know would fail at run time, after other commands were applied.',
  LUA000: 'The server would refuse to compile the script.',
};
