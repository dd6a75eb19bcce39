/** In a cluster one command works on keys of one slot only. */

import type { Bytes } from '../../base/bytes.ts';
import { errorOf } from '../../catalog/errors.ts';
import { keysOf } from '../../catalog/keys.ts';
import { commandName } from '../../catalog/lookup.ts';
import { unlistedCommands } from '../../plan/unlisted.ts';
import { clusterUnknown, isCluster, severalSlots } from '../clusters.ts';
import { at, eachCall } from '../findings.ts';
import type { Finding, Rule, Subject } from '../rule.ts';
import { keyArguments } from '../script-keys.ts';
import { spoken } from '../words.ts';

/** CLU001: one command, or one call of a script, with keys of several slots, on a cluster. */
export const clu001: Rule = {
  code: 'CLU001',
  severity: 'error',
  title: 'one command with keys of several slots, in a cluster',
  error: errorOf('CROSSSLOT').code,
  check(subject) {
    if (isCluster(subject) === false) return { findings: [] };
    const findings = [...inCommands(subject), ...inScriptSteps(subject), ...inCalls(subject)];
    if (findings.length === 0 || isCluster(subject)) return { findings };
    return { findings: [], unchecked: clusterUnknown(subject) };
  },
};

function inCommands(subject: Subject): readonly Finding[] {
  const more = unlistedCommands(subject.target);
  return subject.commands.flatMap((command) => {
    const keys = (keysOf(command.argv, more) ?? []).flatMap(({ key }) => (key === undefined ? [] : [key]));
    // the keys of WATCH and of the commands after it are one matter: TX005
    const name = commandName(command.argv);
    const slots = name === 'watch' ? undefined : severalSlots(keys);
    return slots === undefined ? [] : [at(command, say(spoken(name), slots))];
  });
}

function inScriptSteps(subject: Subject): readonly Finding[] {
  return (subject.draft?.steps ?? []).flatMap((step, index) => {
    const keys: readonly Bytes[] = step.kind === 'script' ? step.keys : [];
    const slots = severalSlots(keys);
    return slots === undefined ? [] : [{ at: `execution_plan.steps[${index}].keys`, ...say('the script', slots) }];
  });
}

/** Keys that the script names itself; where KEYS[1] and KEYS[2] lie is not known. */
function inCalls(subject: Subject): readonly Finding[] {
  return eachCall(subject, (name, _argv, call) => {
    const keys = keyArguments(call).flatMap((argument) => (argument.from === 'constant' ? [argument.value] : []));
    const slots = severalSlots(keys);
    return slots === undefined ? undefined : say(spoken(name), slots);
  });
}

function say(what: string, slots: string): Omit<Finding, 'at'> {
  return {
    message: `${what} has keys of several slots: ${slots}`,
    why: 'A cluster refuses it with CROSSSLOT; nothing is done.',
    fix: 'Give the keys one hash tag, such as {user:1}:name and {user:1}:mail, or send one command for each key.',
  };
}
