/** Runs exactly the plan's steps, in order, and says what happened as a stream of events. Nothing here decides what to run. */
import { assertNever } from '../base/assert.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { ReadProblem } from '../formats/reader.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Event } from '../plan/event.ts';
import { isJob } from '../plan/plan.ts';
import type { Status } from '../plan/report.ts';
import type { Step } from '../plan/step.ts';
import { runListing } from './listing.ts';
import { type Ending, runPipeline } from './pipeline.ts';
import { runExport } from './run-export.ts';
import { runStream } from './run-stream.ts';
import { runSaved } from './save-reply.ts';
import { runScript } from './script.ts';
import { type RunContext, Session } from './session.ts';
import { runTransaction } from './transaction.ts';
import { runJob } from './verify-job.ts';

/** Runs a plan. `keptBack` tells what a recording connection has not sent: that is a dry run. The last event is run_finished; a bug throws, everything else is told. */
export async function* execute(context: RunContext, keptBack?: () => number): AsyncGenerator<Event> {
  const dryRun = keptBack !== undefined;
  const { plan, clock } = context;
  yield { kind: 'run_started', run_id: context.runId, plan_digest: plan.digest, dry_run: dryRun, at_ms: clock.now() };
  const session = new Session(context);
  let problems = 0;
  let ending: Ending = { end: 'done' };
  let index = 0;
  try {
    for (const step of plan.execution_plan.steps) {
      const run: AsyncGenerator<Event, Ending> =
        ending.end === 'done' ? runStep(session, step, index) : skipStep(step, index);
      try {
        for (let next: IteratorResult<Event, Ending> = await run.next(); ; next = await run.next()) {
          if (next.done) {
            ending = ending.end === 'done' ? next.value : ending;
            break;
          }
          if (isProblem(next.value, dryRun)) problems += 1;
          yield next.value;
        }
      } finally {
        await run.return({ end: 'interrupted' }); // a caller that stopped reading: files and connections are closed
      }
      index += commandCount(step);
    }
    for (const reason of await session.concerns()) yield { kind: 'unproven', reason };
  } finally {
    await session.close();
  }
  if (session.unsureOfChange > 0) yield { kind: 'notice', diagnostic: repeatedNotice(session.unsureOfChange) };
  if (ending.end === 'fault') yield { kind: 'notice', diagnostic: faultNotice(ending.fault) };
  if (ending.end === 'fault') yield { kind: 'unproven', reason: `stopped early: ${ending.fault.message}` };
  if (ending.end === 'interrupted') yield { kind: 'unproven', reason: interruptedBy(context.signal) };
  yield {
    kind: 'run_finished',
    status: statusOf(ending, problems),
    at_ms: clock.now(),
    ...(keptBack ? { would_send: keptBack() } : {}),
    ...(context.journal && isJob(plan) && canGoOn(ending, context.signal) ? { resumable: true } : {}),
  };
}

/** Not what would stop at once again: more keys than the plan or the request allows; not what somebody cancelled. */
function canGoOn(ending: Ending, { reason }: AbortSignal): boolean {
  if (ending.end === 'fault') return ending.fault.reply !== 'E233' && ending.fault.reply !== 'E234';
  return ending.end === 'interrupted' && !(reason instanceof OpsError);
}

function interruptedBy({ reason }: AbortSignal): string {
  return reason instanceof OpsError ? reason.message : 'interrupted before the end';
}

function runStep(session: Session, step: Step, index: number): AsyncGenerator<Event, Ending> {
  switch (step.kind) {
    case 'command':
      if (step.save_to !== undefined) return runSaved(session, { ...step, save_to: step.save_to }, index);
      return runPipeline(session, [step], 1, index);
    case 'pipeline':
      return runPipeline(session, step.steps, step.batch_size, index);
    case 'transaction':
      return runTransaction(session.context, step, index);
    case 'script':
      return runScript(session, step, index);
    case 'scan':
      return step.export ? runExport(session, { ...step, export: step.export }) : runListing(session, step);
    case 'for_each':
      return runJob(session, step);
    case 'stream':
      return runStream(session, step, index);
    default:
      return assertNever(step);
  }
}

/** The commands of a step that the run did not come to: each is told as not sent. */
async function* skipStep(step: Step, index: number): AsyncGenerator<Event, Ending> {
  const commands =
    step.kind === 'command' ? [step] : step.kind === 'pipeline' || step.kind === 'transaction' ? step.steps : [];
  for (const [offset, { argv }] of commands.entries()) {
    yield { kind: 'result', effect: 'none', result: { index: index + offset, argv, outcome: 'not_sent', reply: null } };
  }
  return { end: 'done' };
}

function commandCount(step: Step): number {
  if (step.kind === 'pipeline' || step.kind === 'transaction') return step.steps.length;
  return step.kind === 'command' || step.kind === 'script' ? 1 : 0;
}

function isProblem(event: Event, dryRun: boolean): boolean {
  if (event.kind === 'transaction') return event.outcome !== 'committed' && event.outcome !== 'not_met';
  if (event.kind !== 'result') return false;
  const { outcome, error } = event.result;
  return outcome === 'error' || outcome === 'unknown' || (outcome === 'not_sent' && error !== undefined && !dryRun);
}

/** succeeded: everything planned was done; partial: it ran to its end with problems; failed: it had to stop. */
function statusOf(ending: Ending, problems: number): Status {
  if (ending.end === 'interrupted') return 'interrupted';
  if (ending.end === 'fault') return 'failed';
  return problems === 0 ? 'succeeded' : 'partial';
}

function repeatedNotice(commands: number): Diagnostic {
  return {
    code: 'E231',
    severity: 'info',
    message: `${formatCount(commands)} of the commands counted as unchanged were sent twice, since a connection was lost before their reply`,
    at: 'the run',
    why: 'The first sending may have made the change, so the second found nothing left to do. The data is as the plan wanted.',
    fix: 'Nothing has to be done; do not read the count of changed as exact.',
    url: 'docs/errors.md#e231',
  };
}

function faultNotice(fault: OpsError): Diagnostic {
  const code = faultCode(fault);
  return {
    code,
    severity: 'error',
    message: fault.message,
    at: 'the run',
    why: 'What comes after this point was not sent.',
    fix: fault.remedy ?? 'See docs/errors.md.',
    url: code.startsWith('E2') ? `docs/errors.md#${code.toLowerCase()}` : `docs/rules/${code}.md`,
  };
}

/** A file that cannot be read on, or that holds what may not be sent, has the code that it would have had in planning. */
function faultCode(fault: OpsError): string {
  if (fault.cause instanceof ReadProblem) return fault.code === 'refused' ? 'CMD002' : 'TXT001';
  if (fault.code === 'drift') return 'E233';
  return fault.reply === 'E234' ? 'E234' : 'E231';
}
