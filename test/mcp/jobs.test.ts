/** Long runs: a handle where a call would wait too long, progress, cancelling, resuming, and what others began. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openAgent } from '../../src/agent.ts';
import { type McpDoor, openDoor } from '../../src/mcp/server.ts';
import { type AgentPolicy, resolvedPolicy } from '../../src/plan/policy.ts';
import { keptReadings } from '../../src/state/readings.ts';
import { startServer, type TestServer, waitFor } from '../support/servers.ts';
import { folderOf } from './client.ts';

let server: TestServer;
const doors: McpDoor[] = [];
beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  await server.cli('FLUSHALL');
  await server.cli('EVAL', "for i = 1, 3000 do redis.call('SET', 'tmp:' .. i, 'x') end", '0');
});
afterAll(async () => {
  await Promise.all(doors.map((door) => door.close()));
});

type Said = Readonly<Record<string, unknown>> & { readonly status: string };

/** A client in this process, whose calls wait 300 ms for a run. */
async function connect(stateDir: string, policy: AgentPolicy = { allow: 'destructive' }, waitMs = 300) {
  const resolved = resolvedPolicy(policy);
  const door = await openDoor({
    open: () => openAgent({ url: server.url, stateDir, policy: resolved }),
    policy: resolved,
    stateDir,
    version: '0',
    waitMs,
    log: () => undefined,
  });
  doors.push(door);
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await door.create().connect(ours);
  const client = new Client({ name: 'jobs', version: '1' });
  await client.connect(theirs);
  const call = async (
    name: string,
    args: Record<string, unknown>,
    options: Parameters<Client['callTool']>[1] = {},
  ): Promise<Said> => (await client.callTool({ name, arguments: args }, options)).structuredContent as Said;
  return { door, call };
}

/** 3,000 keys at 500 commands a second: 6 s and more. */
const slow = { operation_type: 'batch', select: { match: 'tmp:*' }, do: { action: 'unlink' }, limits: { rate: 500 } };
const keys = async (): Promise<number> => Number(await server.cli('DBSIZE'));

test('a long run answers with a handle, tells how far it is, and is cancelled', async () => {
  const { call } = await connect(folderOf('jobs'));
  const { digest } = await call('redops_plan', { request: slow });
  const handle = await call('redops_apply', { digest });
  expect(handle).toMatchObject({ status: 'running', next: { tool: 'redops_runs', action: 'status' } });
  const run_id = handle.run_id;
  await waitFor('the first keys', async () => (await keys()) < 3000);
  expect(await call('redops_runs', { action: 'status', run_id })).toMatchObject({ status: 'running', planned: 3000 });
  expect(await call('redops_runs', { action: 'result', run_id })).toMatchObject({ says: 'It has no report yet.' });
  expect(await call('redops_runs', { action: 'cancel', run_id })).toMatchObject({ status: 'stopping' });
  await waitFor(
    'its end',
    async () => (await call('redops_runs', { action: 'status', run_id })).status === 'cancelled',
  );
  const report = await call('redops_runs', { action: 'result', run_id });
  expect(report).toMatchObject({ status: 'interrupted' });
  const left = await keys();
  expect(left).toBeGreaterThan(0);
  expect((report.totals as { changed: number }).changed).toBe(3000 - left);
  expect(await call('redops_runs', { action: 'resume', run_id })).toMatchObject({ status: 'refused' });
});

test('a call that the client takes back ends its run, which can be resumed', async () => {
  const { call } = await connect(folderOf('jobs'));
  const { digest } = await call('redops_plan', { request: slow });
  const taken = new AbortController();
  const lost = call('redops_apply', { digest }, { signal: taken.signal }).catch(() => undefined);
  await waitFor('the first keys', async () => (await keys()) < 3000);
  taken.abort();
  await lost;
  let run_id = '';
  await waitFor('the end of the run', async () => {
    const { untrusted } = await call('redops_runs', { action: 'list' });
    const [run] = (untrusted as { runs: { run_id: string; status: string }[] }).runs;
    run_id = run?.run_id ?? '';
    return run?.status === 'interrupted';
  });
  const left = await keys();
  expect(left).toBeGreaterThan(0);
  expect(await call('redops_runs', { action: 'status', run_id })).toMatchObject({ can_be_resumed: true });
  expect(['running', 'succeeded']).toContain((await call('redops_runs', { action: 'resume', run_id })).status);
  await waitFor('all keys gone', async () => (await keys()) === 0, 20_000);
});

test('a call tells of its progress, which only grows', async () => {
  const { call } = await connect(folderOf('jobs'), { allow: 'destructive' }, 25_000);
  const { digest } = await call('redops_plan', { request: { ...slow, limits: { rate: 1500 } } });
  const told: number[] = [];
  const done = await call('redops_apply', { digest }, { onprogress: ({ progress }) => void told.push(progress) });
  expect(done).toMatchObject({ status: 'succeeded', totals: { changed: 3000 } });
  expect(told.length).toBeGreaterThan(0);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
});

test('a server that ends stops its runs, and the next one goes on', async () => {
  const state = folderOf('jobs');
  const first = await connect(state);
  const { digest } = await first.call('redops_plan', { request: slow });
  const { run_id } = await first.call('redops_apply', { digest });
  await waitFor('the first keys', async () => (await keys()) < 3000);
  await first.door.close();
  const left = await keys();
  expect(left).toBeGreaterThan(0);
  const second = await connect(state);
  expect(await second.call('redops_runs', { action: 'status', run_id })).toMatchObject({ status: 'interrupted' });
  await second.call('redops_runs', { action: 'resume', run_id });
  await waitFor('all keys gone', async () => (await keys()) === 0, 20_000);
});

test('what a person began beyond the policy is not for the agent to read, resume or cancel', async () => {
  const state = folderOf('jobs');
  const agent = await openAgent({ url: server.url, stateDir: state });
  try {
    const run = await agent.apply(
      { operation_type: 'pipelining', commands: ['SET secret:1 hunter2', 'GET secret:1'] },
      { yes: true },
    );
    if (!('events' in run)) throw new Error('no run');
    for await (const _ of run.events);
    const { run_id } = await run.report;
    const { call } = await connect(state, { allow: 'read' });
    expect(await call('redops_runs', { action: 'status', run_id })).toMatchObject({ status: 'succeeded' });
    for (const action of ['result', 'resume', 'cancel'])
      expect(await call('redops_runs', { action, run_id })).toMatchObject({ status: 'refused' });
  } finally {
    await agent.close();
  }
});

test.each(['yes', 'typed_name'] as const)(
  'a run that a person began with %s is not gone on with on the word of an agent, whatever it gives as approval',
  async (word) => {
    const state = folderOf('jobs');
    const agent = await openAgent({ url: server.url, stateDir: state });
    try {
      const stop = new AbortController();
      const granted = word === 'yes' ? { yes: true } : { typedName: agent.target.name };
      const run = await agent.apply(slow, { ...granted, signal: stop.signal });
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) if (event.kind === 'page') stop.abort();
      const { run_id, status } = await run.report;
      expect(status).toBe('interrupted');
      const left = await keys();
      const { call } = await connect(state, { allow: 'read' });
      for (const approval of [undefined, 'x', 'e30.e30'])
        expect(
          await call('redops_runs', { action: 'resume', run_id, ...(approval ? { approval } : {}) }),
        ).toMatchObject({
          status: 'refused',
        });
      expect(await keys()).toBe(left);
    } finally {
      await agent.close();
    }
  },
);

test('an inspection leaves its report to be paged through, and the newest ones only, whichever server made them', async () => {
  const state = folderOf('inspections');
  // what earlier servers left, and one run that wrote
  const earlier = Array.from({ length: keptReadings }, (_, at) => `20200101-000000-${String(at).padStart(6, '0')}`);
  for (const runId of [...earlier, '20190101-000000-writes'])
    mkdirSync(join(state, 'runs', runId), { recursive: true });
  mkdirSync(join(state, 'readings'));
  for (const runId of earlier) writeFileSync(join(state, 'readings', runId), '');
  const { call } = await connect(state);
  const read = await call('redops_inspect', { commands: ['PING'] });
  expect(await call('redops_runs', { action: 'result', run_id: read.run_id })).toMatchObject({ status: 'succeeded' });
  const left = readdirSync(join(state, 'runs')).sort();
  expect(left).toEqual(['20190101-000000-writes', ...earlier.slice(1), read.run_id]);
  expect(await call('redops_runs', { action: 'result', run_id: earlier[0] })).toMatchObject({ status: 'fault' });
});
