/** redops runs: the runs that are kept, going on with one, ending one, removing old ones. */
import type { Command } from 'commander';
import type { OpsError } from '../../base/ops-error.ts';
import type { Finish, Io } from '../io.ts';
import { type RunOptions, withTarget } from '../options.ts';
import { reportOfFault } from './request.ts';

/** What the options give. */
export interface ResumeCliOptions extends RunOptions {
  readonly sameData?: boolean;
}

/** What `prune` is told. */
export interface PruneOptions {
  readonly olderThan: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What `set` is told. */
export interface SetOptions {
  readonly rate?: string;
  readonly slo?: string;
  readonly json?: boolean;
}

/** Adds the verb. */
export function addRuns(program: Command, io: Io, finish: Finish): void {
  const runs = program
    .command('runs')
    .description('list, show, pause, resume, set, verify, cancel, prune the runs that are kept');
  const load = () => import('../runs.ts');
  runs
    .command('list')
    .description('every run, newest first')
    .option('--json', 'print them as JSON')
    .action((options: RunOptions) => finish(async () => (await load()).list(io, options), faults(options)));
  runs
    .command('show <run>')
    .description('a run: its plan, what it did so far, where it stands, how to go on')
    .option('--json', 'print it as JSON')
    .action((run: string, options: RunOptions) =>
      finish(async () => (await load()).show(io, run, options), faults(options)),
    );
  runs
    .command('pause <run>')
    .description('let a run in motion wait: nothing more is sent until it is resumed')
    .option('--json', 'print what is wanted of it now as JSON')
    .action((run: string, options: RunOptions) =>
      finish(async () => (await load()).pause(io, run, options), faults(options)),
    );
  runs
    .command('set <run>')
    .description('change the limits of a run in motion')
    .option('--rate <commands>', 'commands a second, or off')
    .option('--slo <ms>', 'milliseconds that the p99 of other clients may rise by, or off: as its mode has it')
    .option('--json', 'print what is wanted of it now as JSON')
    .action((run: string, options: SetOptions) =>
      finish(async () => (await load()).set(io, run, options), faults(options)),
    );
  withTarget(
    runs
      .command('resume <run>')
      .description('let a paused run go on, or go on with a job that ended early, on the server that it began on'),
  )
    .option('--json', 'print the report as JSON')
    .option('--yes', 'approve what may be approved without a person, and what a person approved for this run')
    .option('--approve <approval>', 'a signed approval of exactly this plan (redops approve)')
    .option('--same-data', 'it is the same data set, although the server has a new replication id')
    .option('--no-progress', 'no progress line')
    .action(async (run: string, options: ResumeCliOptions) =>
      finish(async () => (await load()).resume(io, run, options), await reportOfFault(options)),
    );
  withTarget(runs.command('verify <run>').description('walk the selection of an ended job again, for what is left'))
    .option('--json', 'print what was found as JSON')
    .option('--same-data', 'it is the same data set, although the server has a new replication id')
    .action((run: string, options: ResumeCliOptions) =>
      finish(async () => (await load()).verify(io, run, options), faults(options)),
    );
  runs
    .command('cancel <run>')
    .description('end a run: one in motion stops, one that is not can no longer be resumed')
    .option('--json', 'print it as JSON')
    .action((run: string, options: RunOptions) =>
      finish(async () => (await load()).cancel(io, run, options), faults(options)),
    );
  runs
    .command('prune')
    .description('remove the folders of runs that have ended; without --yes only say which')
    .requiredOption('--older-than <duration>', 'that wrote nothing for so long: 30d, 12h')
    .option('--yes', 'remove them')
    .option('--json', 'print them as JSON')
    .action((options: PruneOptions) => finish(async () => (await load()).prune(io, options), faults(options)));
}

function faults({ json }: { readonly json?: boolean }): ((error: OpsError) => unknown) | undefined {
  if (!json) return undefined;
  return ({ code, message, remedy }) => ({ error: { code, message, ...(remedy && { remedy }) } });
}
