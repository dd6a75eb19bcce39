/** The tasks of tasks.ts, by a real client: over standard input and output in the revision before, over HTTP in the newest. */
import { beforeAll, describe, expect, test } from 'vitest';
import { parseCommands } from '../../src/formats/text.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { startClient, startHttpClient, type TestClient } from './client.ts';
import { type Step, type Task, tasks } from './tasks.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});

/** 8,000 tokens of 3.5 characters. */
const mostCharacters = 28_000;

test('there are forty tasks and more', () => {
  expect(tasks.length).toBeGreaterThanOrEqual(40);
  expect(new Set(tasks.map(({ name }) => name)).size).toBe(tasks.length);
});

describe.each([
  ['standard input and output, 2025-11-25', startClient, '2025-11-25'],
  ['HTTP, 2026-07-28', startHttpClient, '2026-07-28'],
] as const)('over %s', (_, connect, revision) => {
  const clients = new Map<string, Promise<TestClient>>();
  const clientFor = ({ allow = 'read', production = false }: Task): Promise<TestClient> => {
    const id = `${allow} ${production}`;
    const config = `targets:\n  shop:\n    url: ${server.url}\n    tag: ${production ? 'production' : 'dev'}\n`;
    const started =
      clients.get(id) ?? connect({ url: server.url, revision, config, args: ['--target', 'shop', '--allow', allow] });
    clients.set(id, started);
    return started;
  };

  test.each(tasks)('$name', async (task) => {
    await redis(server, 'FLUSHALL');
    for (const line of task.given ?? []) await redis(server, line);
    const client = await clientFor(task);
    const before = client.audit().length;
    const names = new Map<string, string>();
    for (const step of task.steps) await take(step, client, names);
    for (const [line, output] of Object.entries(task.leaves ?? {}))
      expect(await redis(server, line), line).toBe(output);
    const records = client.audit().slice(before);
    const calls = task.steps.filter((step) => 'tool' in step).length;
    expect(records.filter(({ event }) => event === 'mcp_call')).toHaveLength(calls);
    const results = records.filter(({ event }) => event === 'mcp_result');
    expect(results).toHaveLength(calls);
    if (task.audited)
      expect(results.map(({ verdict, fault }) => (fault === 'refused' ? 'refused' : verdict))).toEqual(task.audited);
  });
});

async function take(step: Step, client: TestClient, names: Map<string, string>): Promise<void> {
  if ('redis' in step) return void (await redis(server, step.redis));
  if ('person' in step) {
    names.set('$approval', await client.approve(names.get('$digest') ?? ''));
    return;
  }
  const args = JSON.parse(JSON.stringify(step.args), (_, value) => names.get(value) ?? value);
  const answer = await client.call(step.tool, args);
  const label = `${step.tool} ${JSON.stringify(step.args).slice(0, 200)} -> ${answer.text.slice(0, 2000)}`;
  expect(answer.text.length, label).toBeLessThanOrEqual(mostCharacters);
  if (step.says) expect(answer.said, label).toMatchObject(step.says);
  for (const words of step.has ?? [])
    expect(answer.text, label).toMatch(typeof words === 'string' ? new RegExp(escaped(words)) : words);
  for (const words of step.hides ?? []) expect(answer.text).not.toContain(words);
  expect(answer.failed, label).toBe(step.fails ?? false);
  if (typeof answer.said.digest === 'string') names.set('$digest', answer.said.digest);
  if (typeof answer.said.run_id === 'string') names.set('$run', answer.said.run_id);
}

function escaped(words: string): string {
  return words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** One line as redis-cli reads it. */
async function redis({ cli }: TestServer, line: string): Promise<string> {
  const [command] = parseCommands(line).commands;
  return cli(...(command?.argv ?? []).map((word) => (typeof word === 'string' ? word : '')));
}
