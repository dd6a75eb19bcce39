/** Keys that get one deadline expire together: the server deletes them in one burst and the caches behind them are asked at once. */
import type { Bytes } from '../../base/bytes.ts';
import { formatCount } from '../../base/units.ts';
import type { CommandStep, Step } from '../../plan/step.ts';
import type { Argument } from '../../plan/values.ts';
import { literal } from '../../plan/values.ts';
import { deadlineOf } from '../expiry.ts';
import { howToGive, selectionFacts } from '../facts.ts';
import type { Finding, Rule, Subject } from '../rule.ts';

const many = 1_000;

/** TTL005: more than 1,000 keys get the same deadline. */
export const ttl005: Rule = {
  code: 'TTL005',
  severity: 'warning',
  title: 'many keys get the same deadline, without jitter',
  check(subject) {
    const judged = (subject.draft?.steps ?? []).map((step, index) =>
      judge(subject, step, `execution_plan.steps[${index}]`),
    );
    const findings = judged.filter((one) => typeof one === 'object');
    const reason = judged.find((one) => typeof one === 'string');
    return reason === undefined ? { findings } : { findings, unchecked: reason };
  },
};

function judge(subject: Subject, step: Step, at: string): Finding | string | undefined {
  switch (step.kind) {
    case 'for_each': {
      if (sharedDeadline(step.do) === undefined) return undefined;
      const facts = selectionFacts(subject, step.selection);
      if (!facts) return `needs the number of keys that ${at} selects: ${howToGive(subject)}`;
      return facts.high > many ? say(facts.keys, at, byRedops) : undefined;
    }
    case 'pipeline':
    case 'transaction':
      return together(step.steps, at);
    case 'stream': {
      const inFile = subject.commands.filter(({ block }) => block === step.source.path);
      const known = inFile.flatMap(({ argv }) => (argv.includes(undefined) ? [] : [{ argv: argv.flatMap(present) }]));
      return together(known, step.source.path);
    }
    case 'command':
    case 'script':
    case 'scan':
      return undefined;
  }
}

function together(commands: readonly Pick<CommandStep, 'argv'>[], at: string): Finding | undefined {
  const counts = new Map<string, number>();
  for (const command of commands) {
    const deadline = sharedDeadline(command);
    if (deadline !== undefined) counts.set(deadline, (counts.get(deadline) ?? 0) + 1);
  }
  const most = Math.max(0, ...counts.values());
  return most > many ? say(most, at, byHand) : undefined;
}

function present(word: Bytes | undefined): Bytes[] {
  return word === undefined ? [] : [word];
}

/** What makes two commands end at the same moment; undefined when the command spreads its deadline or gives none. */
function sharedDeadline({ argv }: Pick<CommandStep, 'argv'>): string | undefined {
  const fixed = argv.map(deadlineArgument).find((deadline) => deadline !== undefined);
  if (fixed) return fixed.jitter_ms === 0 ? `after ${fixed.after_ms}` : undefined;
  const deadline = deadlineOf(argv.map(literal));
  return deadline?.ms === undefined ? undefined : `${deadline.kind} ${deadline.ms}`;
}

function deadlineArgument(argument: Argument) {
  return typeof argument === 'object' && 'deadline' in argument ? argument.deadline : undefined;
}

const byRedops = 'Spread it: --jitter 10% (in a request: "jitter": "10%").';
const byHand = 'Add a random part of some percent to each TTL; redops ttl set does it: --jitter 10%.';

function say(keys: number, at: string, fix: string): Finding {
  return {
    message: `${formatCount(keys)} keys get the same deadline`,
    at,
    why: 'They expire in one burst: the server spends its time deleting, and what they cached is asked for all at once.',
    fix,
  };
}
