/**
 * The commands of a plan as a reader sees them: what goes to the server, in order. The template of a job and the call of
 * a scan stand there once; what redops asks for its own safety (ROLE, TIME, run_id) does not.
 */
import { byteLength } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';
import { filterCommands } from '../plan/filters.ts';
import { guardedCommand } from '../plan/guarded-command.ts';
import { type Draft, type PlannedCommand, type SampledCommand, shownSample } from '../plan/plan.ts';
import type { Request } from '../plan/request.ts';
import type { Selection, Step } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import type { Argument } from '../plan/values.ts';
import { literal } from '../plan/values.ts';

/** How many commands of a file stand in a plan. */
const streamedShown = 10;

/** The commands of a draft; of a file the first ones that were `sampled`. On a cluster each with its slot where its keys are known. */
export function plannedCommands(
  { steps, request }: Pick<Draft, 'steps' | 'request'>,
  server: Pick<Target['server'], 'cluster' | 'redis_version'>,
  sampled: readonly SampledCommand[] = [],
): PlannedCommand[] {
  const streamed = shownSample(sampled, streamedShown).map(({ argv }) => [...argv]);
  const looks = looksAgain(request);
  return [...steps.flatMap((step) => commandsOfStep(step, server, looks)), ...streamed].map((argv) =>
    planned(argv, server.cluster),
  );
}

/** Requests whose commands redops itself words, and so may put into a script that looks again. */
export function looksAgain({ operation_type }: Pick<Request, 'operation_type'>): boolean {
  return operation_type === 'expiration' || operation_type === 'batch' || operation_type === 'key_management';
}

/** `SCAN 0 MATCH pattern COUNT n TYPE t`: the first call. */
export function scanArgv(selection: Selection, count: number): Argument[] {
  return [
    'SCAN',
    '0',
    ...(selection.match === '*' ? [] : ['MATCH', selection.match]),
    'COUNT',
    String(count),
    ...(selection.type === undefined ? [] : ['TYPE', selection.type]),
  ];
}

/** The commands of a step, in order; those of a job once. `looks`: conditions may go inside a script. */
export function commandsOfStep(
  step: Step,
  server: Pick<Target['server'], 'redis_version'>,
  looks: boolean,
): Argument[][] {
  switch (step.kind) {
    case 'command':
      return [step.argv];
    case 'script':
      return [['EVALSHA', step.sha1, String(step.keys.length), ...step.keys, ...step.args]];
    case 'scan':
      return [
        scanArgv(step.selection, step.count),
        ...filterArgvs(step.selection),
        ...(step.collect === 'ttl' ? [['PTTL', { param: 'key' as const }]] : []),
        ...(step.export ? [['TYPE', { param: 'key' as const }]] : []),
      ];
    case 'pipeline':
      return step.steps.map(({ argv }) => (looks ? [...guardedCommand(argv, undefined, server)] : argv));
    case 'transaction':
      if (step.native) return [step.native.argv];
      return [
        ...(step.watch.length === 0 ? [] : [['WATCH', ...step.watch]]),
        ...step.reads.map((read) => read.command.argv),
        ['MULTI'],
        ...step.steps.map((command) => command.argv),
        ['EXEC'],
        ...(step.wait ? [['WAIT', String(step.wait.replicas), String(step.wait.timeout_ms)]] : []),
      ];
    case 'stream':
      return [];
    case 'for_each':
      return [
        ...(step.selection.keys_file === undefined ? [scanArgv(step.selection, step.count)] : []),
        ...filterArgvs(step.selection),
        [...guardedCommand(step.do.argv, step.selection, server)],
      ];
  }
}

/** What is asked of each key that SCAN gives; the size by the command of its type. */
function filterArgvs(selection: Selection): Argument[][] {
  return filterCommands(selection).map((words) => [...words, { param: 'key' as const }]);
}

function planned(argv: Argument[], cluster: boolean): PlannedCommand {
  const first = cluster ? keysOf(argv.map((argument) => literal(argument)))?.[0]?.key : undefined;
  return first === undefined || byteLength(first) === 0 ? { argv } : { argv, slot: slotOf(first) };
}
