/** What the scripts share: where the checkout is, running a program within a time, and one readable line per step. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout, as a file URL that ends in a slash. */
export const root = new URL('../', import.meta.url);

/** Whether the module is what node was started with. */
export function isMain(url) {
  return process.argv[1] === fileURLToPath(url);
}

/** Runs the work; prints what it is and how long it took. A failure is one line, and ends the process with status 1. */
export async function step(what, work) {
  const started = Date.now();
  try {
    const result = await work();
    process.stderr.write(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${what}: FAILED: ${error.message}\n`);
    process.exit(1);
  }
}

/** Runs a program in the checkout, its output shown; rejects when it fails or does not end in time. */
export async function run(program, args, { seconds, env = {} }) {
  const status = await statusOf(program, args, { seconds, env });
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}`);
}

/**
 * Runs a program in the checkout as if it had been started in our place: same terminal, its exit status is the result.
 * `seconds`: then it is killed (vitest workers end with it).
 */
export function statusOf(program, args, { seconds, env = {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: fileURLToPath(root),
      env: { ...process.env, ...env },
      stdio: ['inherit', 'inherit', 'inherit'],
    });
    // Ctrl-C reaches the child by itself (same terminal): we stay to pass on how it ended.
    const ignore = () => {};
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', ignore).on('SIGTERM', pass);
    const timer = seconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    const finish = () => {
      clearTimeout(timer);
      process.off('SIGINT', ignore).off('SIGTERM', pass);
    };
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('exit', (status, signal) => {
      finish();
      resolve(status ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Path of a program of node_modules/.bin. */
export function local(name) {
  return fileURLToPath(new URL(`node_modules/.bin/${name}`, root));
}
