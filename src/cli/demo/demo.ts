/**
 * The tour: a Redis with 200,000 keys that lives for a few seconds, and one request of every operation type planned,
 * explained, approved and applied on it. Every number on the screen comes from the run; what the demo says of it is
 * checked, and when it does not hold the demo says so and fails.
 */
import { type Agent, openAgent } from '../../agent.ts';
import { OpsError } from '../../base/ops-error.ts';
import { formatCount, formatDuration, formatSize } from '../../base/units.ts';
import type { Server } from '../../plan/target.ts';
import type { Paint } from '../../report/layout.ts';
import { openWire, type Wire } from '../../throwaway.ts';
import type { Environment } from '../server-program.ts';
import { batchChapter } from './chapters/batch-chapter.ts';
import { expirationChapter } from './chapters/expiration-chapter.ts';
import { keysChapter } from './chapters/keys-chapter.ts';
import { lintChapter } from './chapters/lint-chapter.ts';
import { pipeliningChapter } from './chapters/pipelining-chapter.ts';
import { scriptChapter } from './chapters/script-chapter.ts';
import { transactionChapter } from './chapters/transaction-chapter.ts';
import { type Chapter, interrupted } from './scene.ts';
import { createScreen, type Screen } from './screen.ts';
import { seedCommands } from './seed.ts';
import { openStage, type Stage } from './stage.ts';

const everyChapter: readonly Chapter[] = [
  lintChapter,
  keysChapter,
  expirationChapter,
  pipeliningChapter,
  transactionChapter,
  scriptChapter,
  batchChapter,
];

/** What the demo takes from its surroundings; everything has a default, the process's own. */
export interface DemoOptions {
  readonly write?: (text: string) => void;
  readonly env?: Environment;
  /** Columns; more than 80 are not used. */
  readonly width?: number;
  readonly paint?: Paint;
}

/** Shows the tour. Resolves to the exit status: 0, 1 when something it says does not hold, 130 when interrupted. Throws OpsError when there is no server. */
export async function runDemo(options: DemoOptions = {}, chapters = everyChapter): Promise<number> {
  const write = options.write ?? ((text: string) => void process.stdout.write(text));
  const stop = new AbortController();
  const screen = createScreen(write, {
    width: options.width ?? process.stdout.columns ?? 80,
    chapters: chapters.length,
    signal: stop.signal,
    ...(options.paint ? { paint: options.paint } : {}),
  });
  const stage = await openStage(options.env ?? process.env);
  const release = onInterrupt(stage, stop);
  try {
    const broken = await Promise.race([play(stage, chapters, screen, stop.signal), abandoned(stop.signal)]);
    if (stop.signal.aborted) throw interrupted();
    const { clean, words } = await stage.strike();
    if (clean && broken.length === 0) farewell(screen, words);
    else screen.say(clean ? `Nothing was left behind: ${words}.` : screen.paint.red(`Left behind: ${words}.`));
    return clean && broken.length === 0 ? 0 : 1;
  } catch (error) {
    const { clean, words } = await stage.strike();
    if (!stop.signal.aborted) throw error;
    write(`\nInterrupted. ${clean ? 'Nothing was left behind: ' : ''}${words}.\n`);
    return 130;
  } finally {
    release();
  }
}

/** Plays every chapter; resolves to what was claimed and does not hold. */
async function play(
  stage: Stage,
  chapters: readonly Chapter[],
  screen: Screen,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const broken: string[] = [];
  let wire: Wire | undefined;
  let agent: Agent | undefined;
  try {
    screen.say(
      'redops turns what you ask for into a plan, lints it, prices it on the live data, and then runs exactly that plan.',
    );
    if (stage.declined) screen.say(`Not on REDIS_URL: ${stage.declined}.`);
    wire = await openWire(stage.url);
    const started = performance.now();
    await wire.load(seedCommands(), signal);
    const seconds = formatDuration(performance.now() - started);
    agent = await openAgent({ url: stage.url, name: 'shop' });
    const server = await serverOf(agent);
    const size = `${formatCount(server.keys)} keys, ${formatSize(server.used_memory)}`;
    screen.say(`Here on ${stage.description}: ${server.engine} ${server.version}, ${size}, filled in ${seconds}.`);
    const claim = (holds: boolean, what: string): void => {
      if (holds) return;
      broken.push(what);
      screen.say(screen.paint.red(`This does not hold: ${what}.`));
    };
    for (const chapter of chapters) {
      if (signal.aborted) throw interrupted();
      await chapter({ url: stage.url, agent, server, wire, screen, signal, claim });
    }
    return broken;
  } finally {
    await agent?.close();
    await wire?.close();
  }
}

/** What planning learns of the server. */
async function serverOf(agent: Agent): Promise<Server> {
  const { plan } = await agent.plan({ operation_type: 'key_management', action: 'inspect', keys: ['user:1'] });
  if (!plan) throw new OpsError('server_error', 'the server of the demo cannot be inspected');
  return plan.target.server;
}

const next = [
  ['redops ttl audit --url redis://localhost:6379', 'who has no TTL; only reads'],
  ["redops explain 'DEL some:key' --url redis://...", 'what it would cost'],
  ['redops lint commands.redis script.lua', 'needs no server'],
] as const;

function farewell(screen: Screen, words: string): void {
  screen.say('');
  screen.say(screen.paint.bold('Now yours'));
  for (const [command, what] of next) screen.show(`${command.padEnd(50)}${screen.paint.dim(what)}`);
  screen.say('');
  screen.say(`Nothing was left behind: ${words}.`);
}

/** How long an interrupted chapter may take to stop by itself, in milliseconds. */
const patienceMs = 3_000;

/** Rejects a while after the interruption: what does not stop by itself is left alone then. */
function abandoned(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const late = (): void => reject(interrupted());
    signal.addEventListener('abort', () => setTimeout(late, patienceMs).unref(), { once: true });
  });
}

/** The first signal stops the tour, the second one everything at once. Returns what takes the handlers away again. */
function onInterrupt(stage: Stage, stop: AbortController): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const atExit = (): void => stage.strikeSync();
  const handle = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  for (const signal of signals) process.on(signal, handle);
  process.on('exit', atExit);
  return () => {
    for (const signal of signals) process.off(signal, handle);
    process.off('exit', atExit);
  };
}
