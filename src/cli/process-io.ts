/** The real terminal, environment and signals behind Io. */
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Io } from './io.ts';

/** Io of this process. A password in the arguments is taken out of the process title. */
export function processIo(argv: readonly string[]): Io {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', quietly);
  const handlers: (() => void)[] = [];
  const interrupted = (): void => handlers.at(-1)?.();
  if (argv.some((word) => /^(--url=)?[a-z+]+:\/\/([^/]*:[^/]*@|.*[?&]sentinel_password=)/i.test(word)))
    process.title = 'redops';
  return {
    env: { HOME: homedir(), ...process.env },
    cwd: process.cwd(),
    terminal: {
      stdin: process.stdin.isTTY === true,
      stdout: process.stdout.isTTY === true,
      stderr: process.stderr.isTTY === true,
      columns: process.stdout.columns ?? process.stderr.columns ?? 80,
    },
    readStdin,
    stdinChunks: () => process.stdin,
    out: (words) => void process.stdout.write(words),
    err: (words) => void process.stderr.write(words),
    ask,
    askSecret,
    onInterrupt: (handler) => onInterrupt(handlers, interrupted, handler),
    onExit,
    exitNow: (status) => process.exit(status),
    stages: () => import('../agent.ts'),
  };
}

// whoever read our output has gone (| head): that ends no run, and is no error
function quietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function ask(question: string): Promise<string | undefined> {
  return askOn(question, process.stderr);
}

/** readline repeats what is typed on its output, so that goes nowhere; the question and the line's end are written here. */
async function askSecret(question: string): Promise<string | undefined> {
  process.stderr.write(question);
  try {
    return await askOn('', new Writable({ write: (_chunk, _encoding, done) => done() }));
  } finally {
    process.stderr.write('\n');
  }
}

function askOn(question: string, output: NodeJS.WritableStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    const reader = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
    const end = (answer: string | undefined): void => {
      resolve(answer);
      reader.close();
    };
    reader.on('SIGINT', () => end(undefined));
    reader.on('close', () => resolve(undefined));
    reader.question(question, end);
  });
}

function onInterrupt(handlers: (() => void)[], interrupted: () => void, handler: () => void): () => void {
  if (handlers.length === 0) for (const signal of signals) process.on(signal, interrupted);
  handlers.push(handler);
  return () => {
    const at = handlers.lastIndexOf(handler);
    if (at >= 0) handlers.splice(at, 1);
    if (handlers.length === 0) for (const signal of signals) process.off(signal, interrupted);
  };
}

const signals = ['SIGINT', 'SIGTERM'] as const;

function onExit(handler: () => void): () => void {
  process.on('exit', handler);
  return () => process.off('exit', handler);
}
