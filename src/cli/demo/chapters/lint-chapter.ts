/** Chapter 1: what a tired human pastes, judged on the live data before anything runs. */
import { lintFiles } from '../../../agent.ts';
import { diagnosticLines } from '../../../report/diagnostics-text.ts';
import type { Chapter } from '../scene.ts';
import { without } from '../screen.ts';
import { bigHash } from '../seed.ts';

/** Each line, and the finding that it must get. */
const pasted = [
  { line: 'KEYS *', code: 'KEY001' },
  { line: `DEL ${bigHash}`, code: 'DEL001' },
  { line: 'SET cache:home:v2 "<html>the home page</html>"', code: 'TTL001' },
  { line: `EVAL "return redis.call('GET', 'user:' .. ARGV[1])" 0 42`, code: 'LUA001' },
];

/** Lints four lines, each of which would have hurt. */
export const lintChapter: Chapter = async ({ screen, url, server, claim }) => {
  screen.chapter(
    'lint: before anything runs',
    'Four lines that somebody tired pastes at night. None of them is run: redops asks the live data how bad each would have been.',
  );
  const source = Buffer.from(`${pasted.map(({ line }) => line).join('\n')}\n`);
  const { diagnostics } = await lintFiles([{ name: 'tonight.redis', source }], { url });
  screen.command('redops lint tonight.redis');
  for (const [index, { line, code }] of pasted.entries()) {
    const found = diagnostics.find((one) => one.code === code && one.span?.line === index + 1);
    screen.show(screen.paint.bold(line));
    if (found === undefined) {
      const lazy = code === 'DEL001' && server.lazyfree.del === true;
      if (lazy) screen.show('  no finding: this server frees it in the background (lazyfree-lazy-user-del)');
      claim(lazy, `lint finds ${code} in "${line}"`);
      continue;
    }
    const text = diagnosticLines(found, { width: screen.width, paint: screen.paint }).join('\n');
    screen.show(without(text, index === 0 ? ['docs'] : ['why', 'docs']));
  }
};
