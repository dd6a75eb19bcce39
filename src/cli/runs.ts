/** The runs that are kept, looked at, gone on with, ended and removed. */
import type { ResumeOptions } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import { parseDuration } from '../base/units.ts';
import { Steering } from '../plan/steering.ts';
import { counted } from '../report/layout.ts';
import { runsText, runText, verifiedText } from '../report/run-text.ts';
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

/** Goes on with a run: shows its plan where someone has to be asked, and reports. Rejects with OpsError usage, refused, drift, tampered, state. */
export async function resume(io: Io, runId: string, options: ResumeCliOptions): Promise<number> {
  const stateDir = stateDirectory(io.env);
  const { isPaused, steerRun, planToResume } = await kept(io);
  if (await isPaused(stateDir, runId)) {
    const steering = await steerRun(stateDir, runId, { paused: false });
    if (options.json) printJson(io, { run_id: runId, ...steering });
    else say(io, `Run ${runId} goes on, in the process that it was paused in.`);
    return 0;
  }
  const { plan, approved } = await planToResume(stateDir, runId);
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

/** Pauses a run in motion. Rejects with OpsError usage, refused, state. */
export async function pause(io: Io, runId: string, { json }: RunOptions): Promise<number> {
  const steering = await (await kept(io)).steerRun(stateDirectory(io.env), runId, { paused: true });
  if (json) printJson(io, { run_id: runId, ...steering });
  else say(io, `Run ${runId} pauses after what is under way. redops runs resume ${runId} lets it go on.`);
  return 0;
}

/** Changes the limits of a run in motion. Rejects with OpsError usage, refused, state. */
export async function set(io: Io, runId: string, { rate, slo, json }: SetOptions): Promise<number> {
  if (rate === undefined && slo === undefined) {
    throw new OpsError('usage', 'nothing is to be changed', { remedy: 'Give --rate or --slo: a number, or off.' });
  }
  const wanted = Steering.omit({ paused: true }).parse({
    ...(rate === undefined ? {} : { rate: limitOf('--rate', rate, Number.isSafeInteger) }),
    ...(slo === undefined ? {} : { slo_p99_ms: limitOf('--slo', slo, (ms) => ms <= 60_000) }),
  });
  const steering = await (await kept(io)).steerRun(stateDirectory(io.env), runId, wanted);
  if (json) printJson(io, { run_id: runId, ...steering });
  else say(io, `Run ${runId} takes that up within a second. redops runs show ${runId} says how it stands.`);
  return 0;
}

function limitOf(option: string, text: string, fits: (value: number) => boolean): number | null {
  if (text === 'off') return null;
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && fits(value)) return value;
  throw new OpsError('usage', `${option} ${JSON.stringify(text)} is not a limit`, {
    remedy: option === '--rate' ? 'Write commands a second, or off.' : 'Write milliseconds, at most 60000, or off.',
  });
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

/** Looks whether a job did what it was for. 0: nothing is left; 1: something is, or that is not proven. Rejects with OpsError usage, refused, drift, state. */
export async function verify(io: Io, runId: string, options: ResumeCliOptions): Promise<number> {
  return withAgent(io, options, undefined, async (agent) => {
    const found = await agent.verify(runId, options.sameData ? { sameData: true } : {});
    if (options.json) printJson(io, found);
    else io.out(`${verifiedText(found, viewFor(io, 'stdout'))}\n`);
    return found.walked?.left === 0 && found.unproven.length === 0 ? 0 : 1;
  });
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
