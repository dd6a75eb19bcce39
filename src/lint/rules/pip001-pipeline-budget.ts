/** A pipeline's batch is held in memory on both sides, commands and replies: beyond about 1,000 more costs and gains nothing. */
import { byteLength } from '../../base/bytes.ts';
import { formatCount, formatSize } from '../../base/units.ts';
import type { PipelineStep, Step } from '../../plan/step.ts';
import { literal } from '../../plan/values.ts';
import type { Finding, Rule, Subject } from '../rule.ts';

const mostCommands = 1_000;
// the further the server, the more must be under way to keep it busy: up to 2,000 on a round trip of 10 ms and more
const mostCommandsFarAway = 2_000;
const farAwayMs = 10;
const mostBytes = 1024 * 1024;

/** PIP001: a pipeline with more in flight than 1,000 commands or 1 MB. */
export const pip001: Rule = {
  code: 'PIP001',
  severity: 'warning',
  title: 'a pipeline batch over 1,000 commands or 1 MB',
  check: (subject) => ({
    findings: (subject.draft?.steps ?? []).flatMap((step, index) =>
      judge(subject, step, `execution_plan.steps[${index}]`),
    ),
  }),
};

function judge(subject: Subject, step: Step, at: string): readonly Finding[] {
  if (step.kind !== 'pipeline' && step.kind !== 'for_each') return [];
  const roundTrip = subject.target?.server.round_trip_ms ?? 0;
  const limit = roundTrip >= farAwayMs ? mostCommandsFarAway : mostCommands;
  const count = step.kind === 'pipeline' ? Math.min(step.batch_size, step.steps.length) : step.batch_size;
  const bytes = step.kind === 'pipeline' ? heaviestBatch(step) : 0;
  const over = [
    ...(count > limit ? [`${formatCount(count)} commands`] : []),
    ...(bytes > mostBytes ? [formatSize(bytes)] : []),
  ];
  if (over.length === 0) return [];
  return [
    {
      message: `up to ${over.join(' and ')} in flight at once`,
      at,
      why: "What is in flight is held in memory on both sides and delays everybody else's commands; beyond this it is hardly faster.",
      fix: 'Use a smaller batch: performance_mode latency_optimized, or fewer bytes in each value.',
    },
  ];
}

/** Bytes of the arguments of the heaviest `batch_size` commands in a row. */
function heaviestBatch(step: PipelineStep): number {
  const sizes = step.steps.map(({ argv }) =>
    argv.reduce((sum, argument) => sum + byteLength(literal(argument) ?? ''), 0),
  );
  let sum = 0;
  let most = 0;
  for (const [index, size] of sizes.entries()) {
    sum += size - (sizes[index - step.batch_size] ?? 0);
    most = Math.max(most, sum);
  }
  return most;
}
