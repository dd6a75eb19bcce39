/**
 * `atomicity_required`: a pipeline of named keys becomes one MULTI/EXEC where that is possible; everything else is
 * refused with what would do. Atomicity is given or refused, never silently dropped.
 */
import { type Bytes, bytesId, printable } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';
import type { Draft } from '../plan/plan.ts';
import type { CommandStep } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { literal } from '../plan/values.ts';
import { problem, type Result, refused } from './problem.ts';

const at = 'atomicity_required';
const mostCommands = 1000;

/** The draft as one transaction where the request asks for atomicity, or ATM001 with the way out. */
export function atomic(draft: Draft, target: Target | undefined): Result<Draft> {
  if (!draft.request.atomicity_required || draft.steps.length === 0) return { value: draft };
  const [step] = draft.steps;
  switch (step!.kind) {
    case 'scan':
      return refused(problem('ATM001', at, 'a listing by SCAN is no snapshot', 'Remove atomicity_required.', scanWhy));
    case 'for_each':
      return refused(problem('ATM001', at, 'a job over a match is atomic per key, not as a whole', jobFix, scanWhy));
    case 'stream':
      return refused(
        problem('ATM001', at, 'a file is streamed, each command with its own outcome', streamFix, streamWhy),
      );
    case 'pipeline':
      return together(draft, step!.steps, target);
    case 'command':
    case 'script':
    case 'transaction':
      return { value: { ...draft, reasons: [...draft.reasons, 'Atomic already: it is one step on the server.'] } };
  }
}

const scanWhy = 'Keys come and go while SCAN walks the keyspace, so there is no instant at which all of them are seen.';
const streamWhy =
  'A stream is sent while it is read; one MULTI/EXEC would hold all of it in memory, and all other clients.';
const streamFix = `Give the commands (commands, at most ${mostCommands}), or remove atomicity_required.`;
const jobFix = `Name the keys (keys, at most ${mostCommands}), or remove atomicity_required.`;

function together(draft: Draft, steps: readonly CommandStep[], target: Target | undefined): Result<Draft> {
  if (steps.length > mostCommands)
    return refused(
      problem(
        'ATM001',
        at,
        `${steps.length} commands are too many for one MULTI/EXEC: ${mostCommands} is the most`,
        `Split the request into transactions of at most ${mostCommands} commands, or remove atomicity_required.`,
        'All other clients wait while EXEC runs, and the replies are held in memory until it ends.',
      ),
    );
  const scattered = slotsOf(steps);
  if (target?.server.cluster === true && scattered !== 'one') return refused(scatteredProblem(scattered));
  return {
    value: {
      ...draft,
      strategy: 'transaction',
      steps: [{ kind: 'transaction', watch: [], reads: [], steps: [...steps] }],
      batch_size: steps.length,
      reasons: [
        'One MULTI/EXEC, because atomicity_required is set: no other client sees a part of it; a command that fails does not undo the others.',
        ...(scattered === 'one' ? [] : ['The keys have no common slot: a cluster would refuse this transaction.']),
        ...draft.reasons.filter((reason) => !reason.startsWith('Batches of ')),
      ],
    },
  };
}

type Scattered = 'unknown' | readonly Bytes[];

/** 'one' slot (or no key at all); else one key of each of the first slots; 'unknown' where a command's keys are not known. */
function slotsOf(steps: readonly CommandStep[]): 'one' | Scattered {
  const bySlot = new Map<number, Bytes>();
  for (const step of steps) {
    const uses = keysOf(step.argv.map((argument) => literal(argument)));
    if (uses === undefined) return 'unknown';
    for (const { key } of uses) {
      if (key === undefined) return 'unknown';
      const slot = slotOf(key);
      if (!bySlot.has(slot)) bySlot.set(slot, key);
    }
  }
  return bySlot.size <= 1 ? 'one' : [...bySlot.values()].slice(0, 3);
}

function scatteredProblem(scattered: Scattered) {
  const why = 'A cluster runs a transaction on one node, and only for keys of one slot (CROSSSLOT otherwise).';
  if (scattered === 'unknown')
    return problem('ATM001', at, 'the keys of a command are not known, so neither is their slot', 'Remove it.', why);
  const listed = scattered.map((key) => `${printable(key)} (slot ${slotOf(key)})`).join(', ');
  const tagged = taggedNames(scattered).map((name) => printable(name));
  const fix = `Name the keys with one hash tag, such as ${tagged.join(' and ')}, or remove atomicity_required.`;
  return { ...problem('ATM001', at, `the keys lie in different slots: ${listed}`, fix, why), error: 'E204' };
}

/** The keys with their longest common prefix of whole parts as hash tag: user:1:a, user:1:b -> {user:1}:a, {user:1}:b. */
export function taggedNames(keys: readonly Bytes[]): readonly string[] {
  const names = keys.map((key) => (typeof key === 'string' ? key.replace(/[{}]/g, '') : 'key'));
  const parts = names.map((name) => name.split(':'));
  let common = 0;
  while (parts.every((part) => part.length > common + 1 && part[common] === parts[0]![common])) common += 1;
  const tag = parts[0]!.slice(0, common).join(':') || 'tag';
  return [
    ...new Map(parts.map((part) => part.slice(common).join(':')).map((rest) => [bytesId(rest), rest])).values(),
  ].map((rest) => `{${tag}}:${rest}`);
}
