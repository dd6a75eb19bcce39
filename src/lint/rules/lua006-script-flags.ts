/**
 * The `#!lua` line (Redis 7.0 and later) tells the server what a script may do. Wrong flags fail at run time; the line
 * itself is a syntax error before 7.0, and without allow-oom a purge is refused exactly when memory is short.
 */
import { commandName, findCommand } from '../../catalog/lookup.ts';
import { isReadOnly, isWrite } from '../../catalog/nature.ts';
import { speaks } from '../facts.ts';
import { argvOfCall, inScript, type Said } from '../findings.ts';
import type { LintScript, Rule, Subject } from '../rule.ts';
import { shown, spoken } from '../words.ts';

/** LUA006: flags that contradict what the script does, or that the server does not know. */
export const lua006: Rule = {
  code: 'LUA006',
  severity: 'warning',
  title: 'the #!lua flags do not fit the script or the server',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) => {
      const said = script.facts.problem ? undefined : judge(subject, script);
      return said ? [inScript(script, { line: 1, column: 1 }, said)] : [];
    }),
  }),
};

/** The flags of scripts, Redis 7.0 and later; from `scripts_flags_def` of its sources. */
const known: ReadonlySet<string> = new Set([
  'no-writes',
  'allow-oom',
  'allow-stale',
  'no-cluster',
  'allow-cross-slot-keys',
]);

function judge(subject: Subject, { facts, file, span }: LintScript): Said | undefined {
  const server = subject.target?.server;
  const calls = facts.calls.map(argvOfCall);
  const writes = calls.find((argv) => argv !== undefined && isWrite(argv));
  if (!facts.shebang) {
    const readsOnly = calls.length > 0 && calls.every((argv) => argv !== undefined && isReadOnly(argv));
    // a one-liner inside an EVAL line is not worth the line
    const inline = span !== undefined && file === undefined;
    if (inline || !server || !speaks(server, '7.0') || !readsOnly) return undefined;
    return {
      message: 'the script only reads and does not say so',
      why: 'With the flag no-writes it runs on replicas and when memory is full, and is refused if it ever writes.',
      fix: 'Begin it with: #!lua flags=no-writes',
      severity: 'info',
    };
  }
  const { flags, name: library } = facts.shebang;
  if (server && !speaks(server, '7.0')) {
    return {
      message: `this server (${server.redis_version}) does not know the #!lua line`,
      why: 'Before Redis 7.0 it is a syntax error: the script does not compile.',
      fix: 'Leave the line out on this server.',
      severity: 'error',
    };
  }
  if (flags.includes('no-writes') && writes) {
    return {
      message: `the script says no-writes and calls ${spoken(commandName(writes))}`,
      why: 'The server refuses the write at run time.',
      fix: 'Remove the flag no-writes.',
      severity: 'error',
    };
  }
  const unknown = flags.find((flag) => !known.has(flag));
  if (unknown !== undefined) {
    return {
      message: `there is no flag ${shown(unknown)}`,
      why: 'The server refuses to load the script.',
      fix: `Use: ${[...known].join(', ')}.`,
      severity: 'error',
    };
  }
  if (library !== undefined) return undefined; // the functions of a library have flags of their own
  const writing = calls.flatMap((argv) => (argv === undefined || !isReadOnly(argv) ? [argv ?? []] : []));
  // what the server itself allows when memory is full only frees: it has no flag denyoom
  const purges = writing.length > 0 && writing.every((argv) => findCommand(argv)?.flags.includes('denyoom') === false);
  if (!purges || flags.includes('allow-oom')) return undefined;
  return {
    message: 'the script only frees memory and is not allowed when memory is full',
    why: 'With a #!lua line but without allow-oom it is refused under OOM, when it is needed most.',
    fix: 'Add the flag: #!lua flags=allow-oom',
  };
}
