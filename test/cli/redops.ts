/** Runs the built command as a process of its own, bounded, with an environment that holds nothing of the machine's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The entry of the built command. */
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a process ended. */
export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** What a call may set. */
export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Standard input is left open for the caller. */
  readonly keepOpen?: boolean;
  /** It is a server, which the caller ends. */
  readonly patient?: boolean;
}

/** Runs `redops ...argv` to its end; killed after 25 s (status null). */
export function redops(argv: readonly string[], options: CallOptions = {}): Promise<Ended> {
  return start(process.execPath, [main, ...argv], options).ended;
}

/** Starts any program as `redops` is started. */
export function start(program: string, argv: readonly string[], options: CallOptions = {}): Running {
  const child = spawn(program, argv, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    let out = '';
    let err = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), options.patient ? 280_000 : 25_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, out, err });
    });
  });
  child.stdin.on('error', () => undefined); // it may end without reading its input
  if (!options.keepOpen) child.stdin.end(options.input ?? '');
  return { child, ended };
}
