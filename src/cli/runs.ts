/** The runs that are kept, looked at, gone on with, ended and removed. */
import type { ResumeOptions } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import { parseDuration } from '../base/units.ts';
import { counted } from '../report/layout.ts';
import { runsText, runText } from '../report/run-text.ts';
import type { Io } from './io.ts';
import { runAndReport, withAgent } from './operate.ts';
import type { RunOptions } from './options.ts';
import { printJson, say, viewFor } from './output.ts';
import { stateDirectory } from './settings.ts';
import type { PruneOptions, ResumeCliOptions, SetOptions } from './verbs/runs.ts';

/** Prints all runs, newest first. */
export async function list(io: Io, { json }: RunOptions): Promise<number> {
  const runs = await (await kept(io)).listRuns(stateDirectory(io.env));
  if (json) printJson(io, { runs });
  else if (runs.length === 0) say(io, 'No run is kept.');
  else io.out(`${runsText(runs, Date.now(), listView(io))}\n`);
  return 0;
}

/** Prints one run. Rejects with OpsError usage when there is none. */
export async function show(io: Io, runId: string, { json }: RunOptions): Promise<number> {
  const { run, plan } = await (await kept(io)).showRun(stateDirectory(io.env), runId);
  if (json) printJson(io, run);
  else io.out(`${runText(run, plan, viewFor(io, 'stdout'))}\n`);
  return 0;
}

/** Goes on with a run: one that is paused in its own process, else here: shows its plan where someone has to be asked, and reports. Rejects with OpsError usage, refused, drift, tampered, state. */
export async function resume(io: Io, runId: string, options: ResumeCliOptions): Promise<number> {
  const runs = await kept(io);
  const going = await runs.goOn(stateDirectory(io.env), runId);
  if (going) {
    if (options.json) printJson(io, going);
    else say(io, `Run ${runId} is told to go on: its own process reports.`);
    return 0;
  }
  const { plan, approved } = await runs.planToResume(stateDirectory(io.env), runId);
  const more: ResumeOptions = options.sameData ? { sameData: true } : {};
  return withAgent(io, options, undefined, (agent) => {
    // whoever typed the name for this run is not asked for it again, only whether it shall go on
    const asked = approved
      ? {
          ...agent.target,
          tag: 'dev' as const,
          reason: 'this run was approved when it began, so only a word is missing',
        }
      : agent.target;
    return runAndReport(io, options, asked, plan, ({ dryRun: _, ...granted }) =>
      agent.resume(runId, { ...granted, ...more }),
    );
  });
}

/** Lets a run wait. Rejects with OpsError usage, refused, state. */
export async function pause(io: Io, runId: string, { json }: RunOptions): Promise<number> {
  const run = await (await kept(io)).pauseRun(stateDirectory(io.env), runId);
  if (json) printJson(io, run);
  else
    say(
      io,
      `Run ${runId} is told to wait: it holds within about a second, after what is under way.\nTo let it go on: redops runs resume ${runId}`,
    );
  return 0;
}

/** Changes the rate or the SLO of a run. Rejects with OpsError usage, refused, state. */
export async function set(io: Io, runId: string, { rate, slo, json }: SetOptions): Promise<number> {
  if (rate === undefined && slo === undefined) {
    throw new OpsError('usage', 'nothing says what to set', {
      remedy: 'Give --rate N, --slo MS, or both; off takes the limit away.',
    });
  }
  const run = await (await kept(io)).setRun(stateDirectory(io.env), runId, {
    ...(rate === undefined ? {} : { rate }),
    ...(slo === undefined ? {} : { slo_p99_ms: slo }),
  });
  if (json) printJson(io, run);
  else say(io, `Run ${runId} is told so: it holds from the next chunk on, within about a second.`);
  return 0;
}

/** Ends a run. Rejects with OpsError usage, refused, state. */
export async function cancel(io: Io, runId: string, { json }: RunOptions): Promise<number> {
  const run = await (await kept(io)).cancelRun(stateDirectory(io.env), runId);
  if (json) printJson(io, run);
  else if (run.status === 'running' || run.status === 'paused')
    say(io, `Run ${runId} is told to stop: it ends after what is under way, and reports.`);
  else say(io, `Run ${runId} is cancelled: it cannot be resumed any more.`);
  return 0;
}

/** Removes what has ended, or says what it would remove. Rejects with OpsError usage, state. */
export async function prune(io: Io, { olderThan, yes = false, json }: PruneOptions): Promise<number> {
  const ms = parseDuration(olderThan);
  if (ms === undefined) {
    throw new OpsError('usage', `--older-than ${JSON.stringify(olderThan)} is not a duration`, {
      remedy: 'Write 30d or 12h.',
    });
  }
  const runs = await (await kept(io)).pruneRuns(stateDirectory(io.env), ms, yes);
  if (json) {
    printJson(io, { removed: yes, runs });
    return 0;
  }
  if (runs.length > 0) io.out(`${runsText(runs, Date.now(), listView(io))}\n`);
  if (yes) say(io, `Removed ${counted(runs.length, 'run')}.`);
  else say(io, `Would remove ${counted(runs.length, 'run')}${runs.length > 0 ? ': --yes removes them' : ''}.`);
  return 0;
}

async function kept(io: Io) {
  return (await io.stages()).loadRuns();
}

// a list that is piped on is cut nowhere
function listView(io: Io): ReturnType<typeof viewFor> {
  const view = viewFor(io, 'stdout');
  return io.terminal.stdout ? view : { ...view, width: 1_000 };
}
