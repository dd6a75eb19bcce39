/** Chapter 4: hundreds of commands in one go, one of which is wrong. */
import { formatCount } from '../../../base/units.ts';
import type { Outcome } from '../../../plan/report.ts';
import { apply, type Chapter, ending, plan, showPlan, showReport } from '../scene.ts';

const commandCount = 600;
const wrongAt = 341;

/** Sends a night's bookkeeping and accounts for every command of it. */
export const pipeliningChapter: Chapter = async (scene) => {
  const { screen, wire, claim } = scene;
  screen.chapter(
    'pipelining: one of many goes wrong',
    `${formatCount(commandCount)} commands in a file; one pushes onto a counter as if it were a list. A pipeline that throws would hide what became of the others.`,
  );
  const visits = Number(await wire.ask('GET', 'hits:home'));
  const job = await plan(scene, { operation_type: 'pipelining', commands: bookkeeping() });
  screen.command('redops pipe night.redis --yes');
  showPlan(scene, job, ['Plan', 'how', 'takes']);
  const report = await apply(scene, job);
  showReport(scene, report, [...ending, 'changed', 'not applied', 'unknown', 'not sent', 'E2', 'LPUSH', 'do']);

  const of = (outcome: Outcome): number => report.results.filter((result) => result.outcome === outcome).length;
  screen.say('');
  screen.say(
    `${formatCount(report.results.length)} outcomes for ${formatCount(commandCount)} commands, in order: ${of('ok')} ok, ${of('error')} error (number ${report.results.find(({ outcome }) => outcome === 'error')?.index}), ${of('not_sent')} not sent, ${of('unknown')} unknown.`,
  );
  const added = Number(await wire.ask('GET', 'hits:home')) - visits;
  claim(report.results.length === commandCount && of('ok') === commandCount - 1, 'every other command was applied');
  claim(report.results[wrongAt]?.error?.name === 'WRONGTYPE', `command ${wrongAt} failed with WRONGTYPE`);
  claim(added === commandCount / 2, 'the counter has counted every visit once');
};

function bookkeeping(): string[] {
  return Array.from({ length: commandCount }, (_, n) => {
    if (n === wrongAt) return 'LPUSH hits:home late';
    return n % 2 === 0 ? 'INCR hits:home' : `HINCRBY user:${n} visits 1`;
  });
}
