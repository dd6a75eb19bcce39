/** Chapter 7: purge a cache, priced before and measured after; then try the same on production, which is not so easy. */
import { openAgent } from '../../../agent.ts';
import { formatCount, formatDuration } from '../../../base/units.ts';
import type { RequestInput } from '../../../plan/request.ts';
import { diagnosticLines } from '../../../report/diagnostics-text.ts';
import { apply, type Chapter, ending, plan, type Scene, serverMs, showPlan, showReport } from '../scene.ts';
import { without } from '../screen.ts';
import { seeded } from '../seed.ts';

/** Purges the product cache, then shows that --yes does not delete on production. */
export const batchChapter: Chapter = async (scene) => {
  const { screen, wire, claim } = scene;
  screen.chapter(
    'batch: purge a cache, with a price and an approval',
    'Every key of the product cache goes, page by page, in the order of a SCAN. The digest names exactly this plan.',
  );
  const job = await plan(scene, { operation_type: 'batch', select: { match: 'cache:*' }, do: { action: 'unlink' } });
  screen.command("redops batch unlink --match 'cache:*' --yes");
  showPlan(scene, job, ['Plan', 'keys', 'sends', 'takes', 'nature', 'digest']);
  const before = Number(await wire.ask('DBSIZE'));
  const spentBefore = await serverMs(wire, ['scan', 'unlink']);
  const report = await apply(scene, job);
  const spentMs = (await serverMs(wire, ['scan', 'unlink'])) - spentBefore;
  const gone = before - Number(await wire.ask('DBSIZE'));
  showReport(scene, report, [...ending, 'changed', 'not applied', 'unknown']);
  const { estimate } = job.execution_plan;
  screen.say('');
  screen.say(
    `Priced: ${formatCount(estimate.keys)} keys (${estimate.basis}) and ${formatDuration(estimate.server_ms)} of the server's time. ` +
      `Measured: ${formatCount(report.totals.changed)} keys and ${formatDuration(spentMs)}, by the server's own clock.`,
  );
  claim(
    gone === seeded.cachedProducts && report.totals.changed === gone,
    'every cached product is gone, and nothing else',
  );
  screen.say('');
  screen.say('The same wish on a target tagged production: --yes is not enough there to delete anything.');
  await onProduction(scene);
};

/** The same server under a tag of production. */
async function onProduction({ screen, url, wire, claim, ...scene }: Scene): Promise<void> {
  const agent = await openAgent({ url, name: 'shop-production', tag: 'production' });
  try {
    const production: Scene = { ...scene, screen, url, wire, claim, agent };
    const request: RequestInput = { operation_type: 'batch', select: { match: 'session:*' }, do: { action: 'unlink' } };
    const before = await wire.ask('DBSIZE');
    screen.command("redops batch unlink --match 'session:*' --target shop-production --yes");
    const report = await apply(production, await plan(production, request));
    showReport(production, report, ending);
    for (const one of report.warnings.filter(({ code }) => code === 'APR001')) {
      const text = diagnosticLines(one, { width: screen.width, paint: screen.paint }).join('\n');
      screen.show(without(text, ['why', 'fix', 'docs']));
    }
    claim(report.status === 'needs_approval', '--yes does not approve deleting on production');
    claim((await wire.ask('DBSIZE')) === before, 'nothing was deleted there');
  } finally {
    await agent.close();
  }
}
