/** Chapter 3: sessions that never end get a deadline, spread so that they do not end together. */
import { formatCount } from '../../../base/units.ts';
import type { Report } from '../../../plan/report.ts';
import { auditText } from '../../../report/tables.ts';
import { apply, type Chapter, ending, plan, type Scene, showPlan, showReport } from '../scene.ts';
import { seeded } from '../seed.ts';

/** Audits every TTL, sets those of the sessions, and audits the sessions again. */
export const expirationChapter: Chapter = async (scene) => {
  const { screen, claim } = scene;
  screen.chapter(
    'expiration: memory that never comes back',
    'Who has no TTL? An audit reads and changes nothing; then the sessions get one, each at its own moment.',
  );
  screen.command('redops ttl audit');
  const before = await audit(scene, '*');
  screen.show(auditText(before.audit ?? [], { width: screen.width, paint: screen.paint }));

  // EXPIRE has its conditions since 7.0; here no session has a TTL that one could shorten
  const conditional = Number.parseInt(scene.server.redis_version, 10) >= 7;
  const job = await plan(scene, {
    operation_type: 'expiration',
    action: 'set',
    match: 'session:*',
    strategy: 'session',
    jitter: '10%',
    ...(conditional ? { condition: 'nx' as const } : {}),
  });
  const flags = conditional ? '--only-without-ttl --yes' : '--yes';
  screen.command("redops ttl set --match 'session:*' --strategy session --jitter 10%", flags);
  showPlan(scene, job, ['Plan', 'keys', 'sends', 'takes', 'because'], { reasons: 3, samples: 2 });
  const report = await apply(scene, job);
  showReport(scene, report, [...ending, 'changed', 'unchanged', 'not applied', 'unknown']);

  screen.command("redops ttl audit 'session:*'");
  const after = await audit(scene, 'session:*');
  screen.show(auditText(after.audit ?? [], { width: screen.width, paint: screen.paint }));
  claim(withoutTtl(before) === seeded.sessions, `${formatCount(seeded.sessions)} sessions have no TTL before`);
  claim(report.totals.changed === seeded.sessions, 'every session was given one');
  claim(withoutTtl(after) === 0, 'no session is without a TTL afterwards');
};

async function audit(scene: Scene, match: string): Promise<Report> {
  return apply(scene, await plan(scene, { operation_type: 'expiration', action: 'audit', match }));
}

/** Sessions without a TTL; NaN when the audit saw no session. */
function withoutTtl(report: Report): number {
  return report.audit?.find(({ prefix }) => prefix === 'session:')?.without_ttl ?? Number.NaN;
}
