/**
 * With notify-keyspace-events the server publishes a message for every key that is changed, and with CLIENT TRACKING it
 * tells every cache that holds the key: a job over a million keys is a million messages to each listener.
 */
import { formatCount } from '../../base/units.ts';
import { findCommand } from '../../catalog/lookup.ts';
import type { Server } from '../../plan/target.ts';
import { deadlineOf } from '../expiry.ts';
import { howToGive } from '../facts.ts';
import type { LintCommand, Rule } from '../rule.ts';
import { isLarge, type StepWrites, sizesUnknown, writesOf } from '../writes.ts';

/** OPS005: a large write whose events somebody listens to. */
export const ops005: Rule = {
  code: 'OPS005',
  severity: 'warning',
  title: 'listeners to keyspace events or CLIENT TRACKING get a message per key',
  check(subject) {
    const server = subject.target?.server;
    if (!subject.draft || !server) return { findings: [] };
    const events = server.events ?? {};
    const { notify, subscriptions, tracking } = events;
    const known = tracking !== undefined && (notify !== undefined || subscriptions === 0);
    if (known && tracking === 0 && (notify === '' || subscriptions === 0)) return { findings: [] };
    const writes = writesOf(subject);
    const large = writes.steps.filter(isLarge);
    if (large.length === 0) {
      const unchecked = sizesUnknown(subject, writes);
      return unchecked === undefined ? { findings: [] } : { findings: [], unchecked };
    }
    for (const step of large) {
      const heard = [...notified(step, events), ...tracked(tracking)];
      if (heard.length > 0) return { findings: [{ at: step.at, ...say(step, heard) }] };
    }
    if (known) return { findings: [] };
    return {
      findings: [],
      unchecked: `needs notify-keyspace-events (CONFIG GET) and the clients that track keys: ${howToGive(subject)}`,
    };
  },
};

type Events = NonNullable<Server['events']>;

/** What the class A of notify-keyspace-events stands for. */
const everything = 'g$lshzxetd';

/** Whether the events of the step are published and anybody is subscribed to anything. */
function notified({ commands }: StepWrites, { notify, subscriptions = 1 }: Events): readonly string[] {
  if (notify === undefined || subscriptions === 0 || !/[KE]/.test(notify)) return [];
  const sent = notify.replace('A', everything);
  // what a script writes is not known
  const wanted = commands.length === 0 ? everything : commands.map(classesOf).join('');
  return [...wanted].some((one) => sent.includes(one)) ? [`notify-keyspace-events is "${notify}"`] : [];
}

function tracked(tracking = 0): readonly string[] {
  return tracking === 0
    ? []
    : [`${tracking === 1 ? 'one client tracks' : `${formatCount(tracking)} clients track`} keys`];
}

/** The classes of events that a command sends, as notify-keyspace-events names them. */
function classesOf({ argv }: LintCommand): string {
  const group = findCommand(argv)?.group ?? '';
  // a deadline is an event now, and another one when the key is gone
  return `${classes[group] ?? everything}${deadlineOf(argv) === undefined ? '' : 'gx'}`;
}

const classes: Readonly<Record<string, string>> = {
  generic: 'g',
  string: '$',
  bitmap: '$',
  hyperloglog: '$',
  list: 'l',
  set: 's',
  hash: 'h',
  'sorted-set': 'z',
  geo: 'z',
  stream: 't',
  module: 'd',
};

function say({ keys }: StepWrites, heard: readonly string[]) {
  return {
    message: `${heard.join(', and ')}: the plan sends about ${formatCount(keys)} messages to each listener`,
    why: 'They arrive as fast as the keys are written. A listener that is slower has them wait in its output buffer, until client-output-buffer-limit cuts it off; caches that track keys are emptied of them all at once.',
    fix: 'Give a rate that the listeners can take (--rate 1000), or tell those who run them beforehand.',
  };
}
