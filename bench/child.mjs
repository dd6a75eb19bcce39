/**
 * Every measured program is a process of its own, bounded in time, timed by the shell that starts it: from fork to exit,
 * with the processor time of all its threads, which node cannot tell of its children. The shell's own start is outside.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';

/** Prints the time to descriptor 3, so that it stays apart from what the program prints. */
const script =
  'TIMEFORMAT="%3U %3S"; s=$EPOCHREALTIME; { time "$@" 2>&4; } 4>&2 2>&3; c=$?; echo "$s $EPOCHREALTIME" >&3; exit $c';

/**
 * Runs a program to its end; resolves to { wallMs, cpuMs, start, end, stdout }. Rejects when it takes longer than `seconds`
 * (its whole process group is killed) or ends with a status that is not among `statuses`, with the end of what it said.
 * `input`: text for its standard input, or `inputFile`: the file that it is. `outputFile`: where its output goes instead.
 */
export async function timed(program, args, options) {
  const { seconds, input, inputFile, outputFile, statuses = [0] } = options;
  const files = [inputFile && openSync(inputFile, 'r'), outputFile && openSync(outputFile, 'w')];
  const child = spawn('bash', ['-c', script, 'bash', program, ...args], {
    detached: true,
    stdio: [files[0] ?? 'pipe', files[1] ?? 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  for (const file of files) if (file !== undefined) closeSync(file);
  const texts = [1, 2, 3].map((index) => collect(child.stdio[index]));
  child.stdin?.on('error', () => {}); // a program that ends early does not read its input: its status tells
  child.stdin?.end(input);
  const { status, late } = await ended(child, -child.pid, seconds);
  const [stdout, stderr, times] = texts.map((text) => text());
  const name = [basename(program), ...args].join(' ').slice(0, 200);
  if (late) throw new Error(`${name}: not done after ${seconds} s\n${tail(stdout, stderr)}`);
  if (!statuses.includes(status)) throw new Error(`${name}: ended with ${status}\n${tail(stdout, stderr)}`);
  const [user, system, start, end] = times.trim().split(/\s+/).map(Number);
  if (!Number.isFinite(user + system + end - start)) throw new Error('bash 5 is needed, to time programs');
  return { wallMs: (end - start) * 1000, cpuMs: (user + system) * 1000, start: start * 1000, end: end * 1000, stdout };
}

/**
 * Starts a program that talks: its first line says that it is ready. Resolves to { ready, stop }: stop() closes its
 * standard input, by which it ends, and resolves to the JSON on its last line. `seconds` bound its whole life.
 */
export async function companion(program, args, { seconds }) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const text = collect(child.stdout);
  const end = ended(child, child.pid, seconds);
  const first = new Promise((resolve) => {
    child.stdout.on('data', () => text().includes('\n') && resolve(text().split('\n')[0]));
  });
  const ready = await Promise.race([first, end.then(() => undefined)]);
  if (ready === undefined) throw new Error(`${args.join(' ')}: ended before it was ready\n${text()}`);
  return {
    ready,
    async stop() {
      child.stdin.end();
      const { status, late } = await end;
      if (late || status !== 0) throw new Error(`${args.join(' ')}: ${late ? 'too late' : `ended with ${status}`}`);
      return JSON.parse(text().trim().split('\n').at(-1));
    },
  };
}

/** `victim`: whom to kill, a process or, negative, the group that a detached child leads: the shell and what it started. */
async function ended(child, victim, seconds) {
  let late = false;
  const kill = () => {
    try {
      process.kill(victim, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, seconds * 1000);
  process.once('exit', kill);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status, late }));
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
  }
}

function collect(stream) {
  const chunks = [];
  stream?.on('data', (chunk) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

function tail(...texts) {
  return texts.join('\n').trim().split('\n').slice(-5).join('\n');
}
