/**
 * The fault tests alone:
 *
 *   node scripts/test-faults.mjs [--full] [vitest argument...]
 *
 * --full: at full counts (test/faults/counts.ts) instead of a tenth, which takes about a quarter of an hour. What was
 * counted is printed again at the end.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bootstrap } from './bootstrap.mjs';
import { isMain, local, root } from './steps.mjs';

/** One run of vitest over test/faults; resolves to its exit status and the lines of what was counted. */
function faults({ server, full, args }) {
  return new Promise((resolve, reject) => {
    const limits = full ? ['--testTimeout', '120000', '--hookTimeout', '120000'] : [];
    const child = spawn(local('vitest'), ['run', '--project', 'server', ...limits, 'test/faults', ...args], {
      cwd: fileURLToPath(root),
      env: { ...process.env, REDOPS_SERVER: server, REDOPS_FAULTS: full ? 'full' : 'tenth' },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const lines = [];
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      process.stderr.write(text);
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.filter((line) => line.startsWith('counted: ')));
    });
    const stop = (signal) => child.kill(signal);
    process.once('SIGTERM', stop).once('SIGINT', stop);
    child.once('error', reject);
    child.once('close', (status) => resolve({ status: status ?? 1, lines }));
  });
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  const full = args.includes('--full');
  const { server } = await bootstrap();
  const { status, lines } = await faults({ server, full, args: args.filter((arg) => arg !== '--full') });
  for (const line of lines) process.stdout.write(`${line}\n`);
  process.exitCode = status;
}
