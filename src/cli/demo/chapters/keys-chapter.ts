/** Chapter 2: a hash of 200,000 fields has to go, without anybody noticing. Its twin is deleted the usual way, to compare. */
import { formatCount, formatDuration } from '../../../base/units.ts';
import { inspectText } from '../../../report/tables.ts';
import type { Wire } from '../../../throwaway.ts';
import { apply, type Chapter, ending, plan, serverMs, showPlan, showReport } from '../scene.ts';
import { bigHash, seeded, twinHash } from '../seed.ts';

/** Inspects both hashes, deletes one by redops, the other by DEL, and compares what the server says it took. */
export const keysChapter: Chapter = async (scene) => {
  const { screen, wire, claim } = scene;
  screen.chapter(
    'key_management: delete something big',
    `Two hashes of ${formatCount(seeded.statsFields)} fields have to go. redops looks at them first.`,
  );
  const look = await plan(scene, { operation_type: 'key_management', action: 'inspect', keys: [bigHash, twinHash] });
  screen.command(`redops keys inspect ${bigHash} ${twinHash}`);
  screen.show(inspectText(await apply(scene, look), { width: screen.width, paint: screen.paint }));

  const removal = await plan(scene, { operation_type: 'key_management', action: 'delete', keys: [bigHash] });
  screen.command(`redops keys delete ${bigHash} --yes`);
  showPlan(scene, removal, ['Plan', 'sends', 'takes', 'because']);
  const before = await serverMs(wire, ['unlink']);
  const report = await apply(scene, removal);
  const unlinkMs = (await serverMs(wire, ['unlink'])) - before;
  showReport(scene, report, [...ending, 'changed']);
  claim(report.totals.changed === 1 && (await wire.ask('EXISTS', bigHash)) === 0, `${bigHash} is gone`);

  const delMs = await deleteTwin(wire);
  screen.say('');
  screen.say(
    `By the server's own clock (INFO commandstats), UNLINK held it for ${formatDuration(unlinkMs)}, and DEL of the twin for ${formatDuration(delMs)}. ${comparison(scene.server.lazyfree.del === true, unlinkMs, delMs)}`,
  );
  claim((await wire.ask('EXISTS', twinHash)) === 0, `${twinHash} is gone`);
};

/** DEL as it was pasted; resolves to what it took, in milliseconds. */
async function deleteTwin(wire: Wire): Promise<number> {
  const before = await serverMs(wire, ['del']);
  await wire.ask('DEL', twinHash);
  return (await serverMs(wire, ['del'])) - before;
}

function comparison(lazy: boolean, unlinkMs: number, delMs: number): string {
  if (lazy) return 'This server frees in the background either way (lazyfree-lazy-user-del).';
  return `Nobody else was answered in that time, ${formatCount(delMs / Math.max(0.001, unlinkMs))} times as long.`;
}
