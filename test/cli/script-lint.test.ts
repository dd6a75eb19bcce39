/** Script lint as a process: the underlined part at 80 columns, standard input, and status 3 exactly when there is an error. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { redops } from './redops.ts';

const cwd = fileURLToPath(new URL('../fixtures/lua/bad/', import.meta.url));

test('underlines what is meant, by line and column', async () => {
  const { status, out } = await redops(['script', 'lint', 'nil-reply.lua', 'cut-decimals.lua'], {
    cwd,
    env: { NO_COLOR: '1' },
  });
  expect(status).toBe(3);
  expect(out).toContain('error LUA002 at nil-reply.lua:3:4\n');
  expect(out).toContain('  3 | if value == nil then\n    |    ^^^^^^^^^^^^\n');
  expect(out).toContain('  3 | return total / 3\n    |        ^^^^^^^^^\n');
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('a warning alone is no refusal', async () => {
  expect((await redops(['script', 'lint', 'cut-decimals.lua'], { cwd })).status).toBe(0);
});

test('standard input is a script, and lint says the same of the file', async () => {
  const input = "return redis.call('GET', 'user:' .. ARGV[1])\n";
  const piped = await redops(['script', 'lint', '-', '--json'], { input });
  expect(piped.status).toBe(3);
  const { diagnostics, unchecked } = JSON.parse(piped.out);
  expect(diagnostics).toMatchObject([{ code: 'LUA001', at: 'stdin.lua:1:8', span: { length: 37 } }]);
  expect(unchecked).toEqual([]);
  const [one, other] = await Promise.all(
    [['lint'], ['script', 'lint']].map((verb) => redops([...verb, 'undeclared-key.lua', '--json'], { cwd })),
  );
  expect(one).toEqual(other);
});
