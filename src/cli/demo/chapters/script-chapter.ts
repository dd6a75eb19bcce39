/** Chapter 6: the specification's compare-and-set, first as it is often written, then as it should be. */
import { lintFiles } from '../../../agent.ts';
import { diagnosticLines } from '../../../report/diagnostics-text.ts';
import { replyWords } from '../../../report/words.ts';
import { apply, type Chapter, plan, type Scene, showPlan } from '../scene.ts';
import { without } from '../screen.ts';

const bad = [
  "local key = 'deploy:' .. ARGV[1]",
  "if redis.call('GET', key) == ARGV[2] then",
  "  return redis.call('SET', key, ARGV[3])",
  'end',
];
const good = [
  "local current = redis.call('GET', KEYS[1])",
  'if current == ARGV[1] then',
  "  return redis.call('SET', KEYS[1], ARGV[2])",
  'end',
  'return nil',
];

/** Lints the bad script, runs the good one, and runs it again when what it expects is no longer there. */
export const scriptChapter: Chapter = async (scene) => {
  const { screen, wire, claim } = scene;
  screen.chapter(
    'lua_script: compare and set',
    'Switch the active deployment from blue to green, only if it is blue. The first version builds its key inside the script.',
  );
  screen.command('redops script lint cas-first.lua');
  const { diagnostics } = await lintFiles([{ name: 'cas-first.lua', source: Buffer.from(bad.join('\n')) }]);
  const found = diagnostics.find(({ code }) => code === 'LUA001');
  claim(found !== undefined, 'lint finds the key that the script builds');
  const sources = new Map([['cas-first.lua', bad.join('\n')]]);
  if (found) {
    const options = { width: screen.width, paint: screen.paint, sources };
    screen.show(without(diagnosticLines(found, options).join('\n'), ['why', 'docs']));
  }

  screen.command('redops script run cas.lua --keys deploy:active --args blue green --yes');
  const first = await compareAndSet(scene, true);
  screen.show(first);
  screen.command('redops script run cas.lua --keys deploy:active --args blue green --yes');
  screen.show(screen.paint.dim('# the same again, now that it is green'));
  const second = await compareAndSet(scene, false);
  screen.show(second);
  claim(first === 'OK' && second === '(nil)', 'the first call switches, the second changes nothing');
  claim((await wire.ask('GET', 'deploy:active')) === 'green', 'deploy:active is green');
};

async function compareAndSet(scene: Scene, show: boolean): Promise<string> {
  const job = await plan(scene, {
    operation_type: 'lua_script',
    action: 'run',
    script: good.join('\n'),
    keys: ['deploy:active'],
    args: ['blue', 'green'],
  });
  if (show) showPlan(scene, job, ['Plan', 'sends', 'because']);
  const report = await apply(scene, job);
  return replyWords(report.results[0]?.reply ?? null);
}
