/**
 * limits.prefixes fences a plan in: every key it names and every key its pattern can select must begin with an allowed
 * prefix. What cannot be proven to stay inside is outside.
 */
import { type Bytes, beginsWith, toBuffer } from '../../base/bytes.ts';
import type { CommandInfo } from '../../catalog/command.ts';
import { keysOf } from '../../catalog/keys.ts';
import { commandName, findCommand } from '../../catalog/lookup.ts';
import { isWrite } from '../../catalog/nature.ts';
import { readPrefixes } from '../../catalog/read-patterns.ts';
import { unlistedCommands } from '../../plan/unlisted.ts';
import { selectionFacts } from '../facts.ts';
import { at, inScript } from '../findings.ts';
import { literalPrefix } from '../glob.ts';
import type { Finding, LintCommand, LintScript, Rule, Subject } from '../rule.ts';
import { declaration, keyArguments } from '../script-keys.ts';
import { listed, shown, spoken } from '../words.ts';

/** CAP003: a key or a pattern outside limits.prefixes. */
export const cap003: Rule = {
  code: 'CAP003',
  severity: 'error',
  title: 'a key or pattern is outside limits.prefixes',
  check(subject) {
    const prefixes = subject.draft?.request.limits.prefixes;
    if (!prefixes) return { findings: [] };
    const more = unlistedCommands(subject.target);
    const fence: Fence = { allowed: prefixes.map(toBuffer), listed: listed(prefixes.map(shown)), more };
    return {
      findings: [
        ...subject.commands.flatMap((command) => inCommand(command, fence)),
        ...subject.commands.flatMap((command) => inFile(command, subject, fence)),
        ...scans(subject, fence),
        ...scriptKeys(subject, fence),
        ...subject.scripts.flatMap((script) => inScripts(script, fence)),
      ],
    };
  },
};

interface Fence {
  readonly allowed: readonly Buffer[];
  readonly listed: string;
  /** Commands that only the server knows. */
  readonly more: readonly CommandInfo[];
}

function isInside(key: Buffer, fence: Fence): boolean {
  return fence.allowed.some((prefix) => beginsWith(key, prefix));
}

function inCommand(command: LintCommand, fence: Fence): readonly Finding[] {
  if (command.selection && command.selection.keys_file === undefined) {
    const { match } = command.selection;
    if (!isInside(literalPrefix(match), fence))
      return [at(command, outside(`the pattern ${shown(match)} can select keys`, fence))];
  }
  const name = commandName(command.argv);
  if (wholeDatabase.has(name)) return [at(command, outside(`${spoken(name)} acts on keys`, fence))];
  const uses = keysOf(command.argv, fence.more);
  if (uses === undefined) {
    const isScript = findCommand(command.argv, fence.more)?.flags.includes('movablekeys') === true;
    return isScript || isWrite(command.argv, fence.more)
      ? [at(command, outside(`${spoken(name)} may use keys`, fence))]
      : [];
  }
  const named = uses.flatMap(({ key }) => (key === undefined || isInside(toBuffer(key), fence) ? [] : [key]));
  const hidden = !command.selection && uses.some(({ key }) => key === undefined);
  if (named.length > 0)
    return [at(command, outside(`${listed(named.map(shown))} ${named.length === 1 ? 'is' : 'are'}`, fence))];
  if (readPrefixes(command.argv).some((read) => read === undefined || !isInside(toBuffer(read), fence)))
    return [at(command, outside('a pattern of BY or GET reads keys', fence))];
  return hidden ? [at(command, outside('a key that is not known before the run may be', fence))] : [];
}

/** Every key of the file was compared with the prefixes when it was read. */
function inFile(command: LintCommand, subject: Subject, fence: Fence): readonly Finding[] {
  const file = command.selection?.keys_file;
  if (command.selection === undefined || file === undefined) return [];
  const facts = selectionFacts(subject, command.selection)?.listed;
  if (facts === undefined) return [at(command, outside(`keys of ${file.path} may be`, fence))];
  if (facts.outside === undefined) return [];
  const { key, line } = facts.outside;
  return [at(command, outside(`${shown(key)} (${file.path}:${line}) is`, fence))];
}

const wholeDatabase: ReadonlySet<string> = new Set(['flushall', 'flushdb', 'swapdb']);

function scans(subject: Subject, fence: Fence): readonly Finding[] {
  return (subject.draft?.steps ?? []).flatMap((step, index) => {
    if (step.kind !== 'scan' || isInside(literalPrefix(step.selection.match), fence)) return [];
    const what = `the pattern ${shown(step.selection.match)} can select keys`;
    return [{ at: `execution_plan.steps[${index}]`, ...outside(what, fence) }];
  });
}

function scriptKeys(subject: Subject, fence: Fence): readonly Finding[] {
  return (subject.draft?.steps ?? []).flatMap((step, index) => {
    const keys: readonly Bytes[] = step.kind === 'script' ? step.keys : [];
    const named = keys.filter((key) => !isInside(toBuffer(key), fence));
    if (named.length === 0) return [];
    return [
      {
        at: `execution_plan.steps[${index}].keys`,
        ...outside(`${listed(named.map(shown))} ${named.length === 1 ? 'is' : 'are'}`, fence),
      },
    ];
  });
}

// KEYS of the call are judged as keys; whatever else the script names is only inside when it is a constant that is
function inScripts(script: LintScript, fence: Fence): readonly Finding[] {
  return script.facts.calls.flatMap((call) => {
    const stray = keyArguments(call).find(
      (argument) =>
        declaration(argument) !== 'declared' &&
        !(argument.from === 'constant' && isInside(Buffer.from(argument.value), fence)),
    );
    if (call.command !== undefined && !stray && !wholeDatabase.has(call.command)) return [];
    return [inScript(script, call, outside('the script may use keys', fence))];
  });
}

function outside(what: string, fence: Fence): Omit<Finding, 'at'> {
  return {
    message: `${what} outside limits.prefixes (${fence.listed})`,
    why: 'The limit says that the plan stays within these prefixes; what cannot be proven to stay inside counts as outside.',
    fix: 'Begin the key or pattern with an allowed prefix, or widen limits.prefixes.',
  };
}
