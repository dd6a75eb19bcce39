/** The real terminal, environment and signals behind Io. */
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import type { Io } from './io.ts';

/** Io of this process. A password in the arguments is taken out of the process title. */
export function processIo(argv: readonly string[]): Io {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', quietly);
  if (argv.some((word) => /^(--url=)?[a-z+]+:\/\/[^/]*:[^/]*@/i.test(word))) process.title = 'redops';
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
    out: (words) => void process.stdout.write(words),
    err: (words) => void process.stderr.write(words),
    ask,
    onInterrupt,
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
  return new Promise((resolve) => {
    const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: true });
    const end = (answer: string | undefined): void => {
      resolve(answer);
      reader.close();
    };
    reader.on('SIGINT', () => end(undefined));
    reader.on('close', () => resolve(undefined));
    reader.question(question, end);
  });
}

function onInterrupt(handler: () => void): () => void {
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return () => {
    process.off('SIGINT', handler);
    process.off('SIGTERM', handler);
  };
}
