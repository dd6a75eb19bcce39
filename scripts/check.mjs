/**
 * What a change must pass before it is proposed, in under a minute and without a server:
 *
 *   node scripts/check.mjs             format, lint, types; then the unit tests and the architecture test
 *   node scripts/check.mjs --static    format, lint, types alone
 *
 * Every part runs, also after one that failed.
 */
import { install } from './install.mjs';
import { isMain, local, statusOf } from './steps.mjs';

const parts = [
  { what: 'format and lint', program: 'biome', args: ['check', '--error-on-warnings', '.'], static: true },
  { what: 'types', program: 'tsc', args: ['-p', '.'], static: true },
  { what: 'unit and architecture tests', program: 'vitest', args: ['run', '--project', 'unit'], static: false },
];

async function check(staticOnly) {
  await install();
  const failed = [];
  for (const part of parts.filter((one) => one.static || !staticOnly)) {
    process.stderr.write(`${part.what}\n`);
    if ((await statusOf(local(part.program), part.args, { seconds: 180 })) !== 0) failed.push(part.what);
  }
  process.stderr.write(failed.length === 0 ? 'check passed\n' : `check FAILED: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

if (isMain(import.meta.url)) process.exitCode = await check(process.argv.includes('--static'));
