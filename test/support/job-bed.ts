/**
 * Scan jobs to disturb: keys on a server, jobs of both engines over them, and what the journal, the report and the data say
 * afterwards. Both engines run on one server: a user who may not call scripts gets the one that works from here.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent, ResumeOptions } from '../../src/agent.ts';
import type { Event } from '../../src/plan/event.ts';
import { Report } from '../../src/plan/report.ts';
import { JournalReader, type JournalRecord } from '../../src/state/journal.ts';
import { applied, withAgent } from './agent.ts';
import { type ServerOptions, startServer, type TestServer, waitFor } from './servers.ts';

/** Which engine of a scan job. */
export type Engine = 'client' | 'server';
export const engines: readonly Engine[] = ['client', 'server'];

/** What a job does; both can be repeated, and only the first leaves no key behind. */
export type Verb = 'unlink' | 'expire';

/** Keys that no job may touch. */
const KEPT = 500;

/** A server whose user `app` may do everything but call scripts; resolves when its data are loaded. */
export async function startBed(options: ServerOptions = {}): Promise<TestServer> {
  const rules = ['~*', '+@all', '-eval', '-evalsha', '-script'];
  // in its configuration, too: whoever meets it as soon as it is back finds the user
  const config = `user app on >p ${rules.join(' ')}\n`;
  const server = await startServer({ config, ...options, user: { name: 'app', password: 'p', rules } });
  await waitFor('the data', async () => (await server.cli('info', 'persistence')).includes('\nloading:0'));
  return server;
}

/** What the report says of the engine: on a machine so busy that the round trip seems long, a job that leaves its keys runs from here. */
export function engineOf(engine: Engine, verb: Verb): { readonly engine?: Engine } {
  return verb === 'unlink' || engine === 'client' ? { engine } : {};
}

/** Where a job of that engine connects; `port`: of a proxy. */
export function urlOf(server: TestServer, engine: Engine, port = server.port): string {
  const url = engine === 'client' ? server.userUrl! : server.url;
  return url.replace(`:${server.port}`, `:${port}`);
}

/** So many keys job:1 ..., and those that no job may touch. */
export async function fill(server: TestServer, keys: number): Promise<void> {
  await server.cli('flushall');
  const set = (name: string, many: number) => `for i = 1, ${many} do redis.call('set', '${name}:' .. i, i) end`;
  await server.cli('eval', `${set('job', keys)} ${set('keep', KEPT)}`, '0');
}

/** Of so many keys, those that the job has still to act on. A deadline is an hour, a tenth of jitter and a second ahead at most. Throws when a key was touched that it may not. */
export async function undone(server: TestServer, verb: Verb, keys: number): Promise<number> {
  const script = `
    for i = 1, ${KEPT} do if redis.call('pttl', 'keep:' .. i) ~= -1 then return redis.error_reply('keep:' .. i) end end
    local left, late = 0, 0
    for i = 1, ${keys} do
      local ttl = redis.call('pttl', 'job:' .. i)
      if ttl == -1 then left = left + 1 elseif ttl > 3961000 then return redis.error_reply('late') end
    end
    return {left, redis.call('dbsize') - ${KEPT}}`;
  const reply = await server.cli('eval', script, '0');
  const [left, size] = reply.split('\n').map(Number);
  if (!Number.isInteger(left) || size !== (verb === 'unlink' ? left : keys)) {
    throw new Error(`not the keys of the job: ${reply.replace('\n', ' to do, ')} there of ${keys}`);
  }
  return left!;
}

/** The request of a job. */
export function jobOf(verb: Verb, more: object = {}): object {
  const action = verb === 'unlink' ? { action: 'unlink' } : { action: 'expire', ttl: '1h' };
  return { operation_type: 'batch', select: { match: 'job:*' }, do: action, ...more };
}

/** A state directory of a test's own, and what it knows of its runs. */
export interface Runs {
  readonly dir: string;
  /** Id of the only run; empty when there is none yet. */
  id(): Promise<string>;
  journal(id: string): Promise<JournalRecord[]>;
  /** Keys that the journal says are changed. */
  recorded(id: string): Promise<number>;
  /** Runs a document in this process. */
  apply(url: string, document: unknown, onEvent?: (event: Event) => void): Promise<Report>;
  /** Goes on with a run in this process. */
  resume(url: string, id: string, options?: ResumeOptions): Promise<Report>;
  remove(): Promise<void>;
}

/** Makes an empty one. */
export async function openRuns(): Promise<Runs> {
  const dir = await mkdtemp(join(tmpdir(), 'redops-job-'));
  const agent = <T>(url: string, use: (agent: Agent) => Promise<T>) => withAgent(url, use, { stateDir: dir });
  const journal = async (id: string): Promise<JournalRecord[]> => {
    const records: JournalRecord[] = [];
    const bytes = await readFile(join(dir, 'runs', id, 'journal.jsonl')).catch(() => Buffer.alloc(0));
    new JournalReader(id, (one) => records.push(one)).read(bytes);
    return records;
  };
  return {
    dir,
    journal,
    async id() {
      const ids = await readdir(join(dir, 'runs')).catch(() => []);
      if (ids.length > 1) throw new Error(`${ids.length} runs`);
      return ids[0] ?? '';
    },
    async recorded(id) {
      return (await journal(id)).reduce((sum, one) => sum + (one.kind === 'page' ? Number(one.changed) : 0), 0);
    },
    apply: (url, document, onEvent) =>
      agent(url, (one) => applied(one, document, { yes: true, typedName: one.target.name }, onEvent)),
    resume: (url, id, options = { yes: true }) =>
      agent(url, async (one) => {
        const run = await one.resume(id, options);
        for await (const _ of run.events);
        return Report.parse(JSON.parse(JSON.stringify(await run.report)));
      }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
