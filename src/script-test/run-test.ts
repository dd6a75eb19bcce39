/** One test on one server: an empty database, the script loaded, the given keys, the calls, and what came of them. */
import { printable, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { type Decoded, ReplyError, type WireArgument } from '../formats/resp.ts';
import { parseCommands, type TextArgument } from '../formats/text.ts';
import type { ScriptCall, ScriptFixtures, ScriptTest } from '../plan/script-fixtures.ts';
import type { Mismatch, ScriptTestResult } from '../plan/script-results.ts';
import { replyText } from '../redis/reply.ts';
import type { RedisSocket } from '../redis/socket.ts';
import { keyMismatches, replyMismatch, replyWords, strayMismatches, touchedKeys } from './compare.ts';
import { commandsOf, readKeySpace } from './key-state.ts';
import type { TestServer } from './test-server.ts';

/** Fixtures with the source of their script. `library`: the script is a library of functions. */
export interface TestSubject {
  /** As it is named in results. */
  readonly file: string;
  readonly fixtures: ScriptFixtures;
  readonly source: Uint8Array;
  readonly library: boolean;
}

type Verdict = Pick<ScriptTestResult, 'outcome' | 'mismatches' | 'reason'>;

/** Runs a test. What goes wrong in it, a lost server too, is its result; rejects only where no server can be started. */
export async function runTest(
  server: TestServer,
  subject: TestSubject,
  test: ScriptTest,
  timeoutMs: number,
): Promise<ScriptTestResult> {
  const started = performance.now();
  const socket = await server.socket();
  const verdict = await attempt(server, socket, subject, test, timeoutMs).catch((error: unknown): Verdict => {
    if (!(error instanceof OpsError)) throw error;
    return failed(error.message);
  });
  const duration_ms = Math.round(performance.now() - started);
  return { file: subject.file, test: test.name, server: server.name, ...verdict, duration_ms };
}

async function attempt(
  server: TestServer,
  socket: RedisSocket,
  subject: TestSubject,
  test: ScriptTest,
  timeoutMs: number,
): Promise<Verdict> {
  await must(socket, ['FLUSHALL']);
  const loaded = await load(server, socket, subject);
  if ('outcome' in loaded) return loaded;
  for (const argv of commandsOf(test.given ?? [])) await must(socket, argv);
  const mismatches: Mismatch[] = [];
  for (const [index, run] of test.run.entries()) {
    const last = index === test.run.length - 1;
    const of = test.run.length === 1 ? '' : `run ${index + 1}: `;
    for (const line of run.before) await must(socket, argvOf(line));
    const before = await readKeySpace(socket);
    const started = performance.now();
    const called = await server.call(loaded.call(run), subject.library ? 'FUNCTION' : 'SCRIPT', timeoutMs);
    if (called.end === 'late') return failed(`${of}the script ${called.words}`);
    const after = await readKeySpace(socket);
    const touched = touchedKeys(before, after, performance.now() - started);
    mismatches.push(...replyMismatches(run, last ? test : undefined, called.reply, of));
    if (test.expect?.others === 'ignore') continue;
    const stray = strayMismatches(touched, run.keys, test.expect);
    mismatches.push(...stray.map((one) => ({ ...one, at: `${of}${one.at}` })));
  }
  if (test.expect) mismatches.push(...keyMismatches(test.expect, await readKeySpace(socket)));
  mismatches.push(...(await otherDatabases(socket)));
  return { outcome: mismatches.length === 0 ? 'passed' : 'failed', mismatches };
}

interface Loaded {
  readonly call: (run: ScriptCall) => WireArgument[];
}

async function load(server: TestServer, socket: RedisSocket, subject: TestSubject): Promise<Loaded | Verdict> {
  const source = Buffer.from(subject.source);
  const words = (run: ScriptCall): WireArgument[] => [
    String(run.keys.length),
    ...[...run.keys, ...run.args].map((word) => toBuffer(word)),
  ];
  if (!subject.library) {
    const reply = await socket.send(['SCRIPT', 'LOAD', source]);
    const sha1 = replyText(reply);
    if (sha1 === undefined) return failed(`SCRIPT LOAD: ${replyWords(reply)}`);
    return { call: (run) => ['EVALSHA', sha1, ...words(run)] };
  }
  const known = await socket.send(['COMMAND', 'INFO', 'FUNCTION']);
  if (Array.isArray(known) && known[0] === null) {
    const reason = `${server.name} has no functions: they came with 7.0`;
    return { outcome: 'skipped', mismatches: [], reason };
  }
  await must(socket, ['FUNCTION', 'FLUSH']);
  const reply = await socket.send(['FUNCTION', 'LOAD', source]);
  if (reply instanceof ReplyError) return failed(`FUNCTION LOAD: ${replyWords(reply)}`);
  return { call: (run) => ['FCALL', run.function ?? subject.fixtures.function ?? '', ...words(run)] };
}

/** An error that nobody expected is a failure even where nothing is said of the reply. */
function replyMismatches(run: ScriptCall, last: ScriptTest | undefined, reply: Decoded, of: string): Mismatch[] {
  const error = run.error ?? last?.expect?.error;
  const expected = error === undefined ? (run.reply !== undefined ? run.reply : last?.expect?.reply) : { error };
  const unsaid = expected === undefined ? ({ any: true } as const) : expected;
  const found = replyMismatch(unsaid, reply, `${of}reply`);
  return found ? [found] : [];
}

/** A script may SELECT: what it writes there is a write to keys that nobody declared. */
async function otherDatabases(socket: RedisSocket): Promise<Mismatch[]> {
  const info = replyText(await socket.send(['INFO', 'keyspace'])) ?? '';
  return [...info.matchAll(/^db(\d+):(\S+)/gm)]
    .filter(([, number]) => number !== '0')
    .map(([, number, what]) => ({ at: `database ${number}`, expected: 'empty', got: what ?? '' }));
}

async function must(socket: RedisSocket, argv: readonly WireArgument[]): Promise<void> {
  const reply = await socket.send(argv);
  if (!(reply instanceof ReplyError)) return;
  const words = argv.slice(0, 2).map((word) => printable(word.toString()));
  throw new OpsError('server_error', `before the script: ${words.join(' ')}: ${reply.message}`, { reply: reply.code });
}

/** A line of `before`, which was checked to be one command. */
function argvOf(line: string): WireArgument[] {
  return (parseCommands(line).commands[0]?.argv ?? []).map((word: TextArgument) =>
    typeof word === 'object' && 'expr' in word ? word.expr : toBuffer(word),
  );
}

function failed(reason: string): Verdict {
  return { outcome: 'failed', mismatches: [], reason };
}
