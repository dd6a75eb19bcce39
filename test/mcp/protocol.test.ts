/** What a client is told of the server: few tools, described in few tokens, with honest annotations; resources; prompts. */
import { beforeAll, describe, expect, test } from 'vitest';
import { Request } from '../../src/plan/request.ts';
import { main, start } from '../cli/redops.ts';
import { startCluster, startServer, type TestServer } from '../support/servers.ts';
import { folderOf, startClient, type TestClient } from './client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});

describe.each(['2026-07-28', '2025-11-25'] as const)('revision %s', (revision) => {
  let test1: TestClient;
  beforeAll(async () => {
    test1 = await startClient({ url: server.url, revision });
  });

  test('is negotiated', () => {
    expect(test1.client.getNegotiatedProtocolVersion()).toBe(revision);
    expect(test1.client.getServerVersion()).toMatchObject({ name: 'redops' });
  });

  // a token is about 4 characters of English and fewer of JSON: 3 counts more tokens than there are
  test('lists its tools in under 4,000 tokens, at 3 characters a token', async () => {
    const { tools } = await test1.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'redops_apply',
      'redops_explain',
      'redops_inspect',
      'redops_lint',
      'redops_plan',
      'redops_runs',
    ]);
    expect(JSON.stringify(tools).length / 3).toBeLessThan(4000);
    const hints = new Map(tools.map(({ name, annotations }) => [name, annotations]));
    for (const name of ['redops_inspect', 'redops_plan', 'redops_explain', 'redops_lint'])
      expect(hints.get(name)).toMatchObject({ readOnlyHint: true, destructiveHint: false, openWorldHint: false });
    for (const name of ['redops_apply', 'redops_runs'])
      expect(hints.get(name)).toMatchObject({ readOnlyHint: false, destructiveHint: true });
    for (const { title, description } of tools) expect([title, description]).not.toContain(undefined);
  });

  test('names every operation and action where a request is taken', async () => {
    const { tools } = await test1.client.listTools();
    const text = JSON.stringify(tools.find(({ name }) => name === 'redops_plan')?.inputSchema);
    for (const option of Request.options) {
      const shapes = 'options' in option ? option.options.map(({ shape }) => shape.action.value) : [];
      for (const action of shapes) expect(text).toContain(action);
    }
  });

  test('has the schemas, the page of a rule, the errors and what is known of a command', async () => {
    const read = async (uri: string) => {
      const [content] = (await test1.client.readResource({ uri })).contents;
      return content !== undefined && 'text' in content ? content.text : '';
    };
    expect(JSON.parse(await read('redops://schema/request'))).toHaveProperty('oneOf');
    expect(JSON.parse(await read('redops://schema/plan')).properties).toHaveProperty('digest');
    expect(await read('redops://rule/DEL001')).toMatch(/^# DEL001/);
    expect(await read('redops://errors')).toContain('E232');
    expect(JSON.parse(await read('redops://command/config%20get'))).toMatchObject({ name: 'config|get' });
    for (const uri of ['redops://rule/NOPE999', 'redops://rule/..%2F..%2Fpackage.json', 'redops://command/nope'])
      await expect(read(uri)).rejects.toThrow();
  });

  test('completes the codes of rules and the names of commands', async () => {
    const complete = async (uri: string, name: string, value: string) =>
      (await test1.client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion
        .values;
    expect(await complete('redops://rule/{code}', 'code', 'del00')).toEqual(['DEL001', 'DEL002', 'DEL003', 'DEL004']);
    expect(await complete('redops://command/{name}', 'name', 'config|r')).toEqual([
      'config|resetstat',
      'config|rewrite',
    ]);
    expect(await complete('redops://command/{name}', 'name', 'nope')).toEqual([]);
  });

  test('has a prompt for each operation', async () => {
    const { prompts } = await test1.client.listPrompts();
    expect(prompts.map(({ name }) => name).sort()).toEqual([
      'batch',
      'expiration',
      'key_management',
      'lua_script',
      'pipelining',
      'transaction',
    ]);
    for (const { title, description } of prompts) expect([title, description]).not.toContain(undefined);
    const { messages } = await test1.client.getPrompt({ name: 'batch', arguments: { goal: 'delete tmp:*' } });
    expect(JSON.stringify(messages)).toContain('delete tmp:*');
  });
});

test('standard output holds nothing but the protocol, and the end of the input ends the process', async () => {
  const { child, ended } = start(process.execPath, [main, 'mcp'], {
    env: { REDIS_URL: server.url, REDOPS_STATE: folderOf('mcp') },
    keepOpen: true,
  });
  const lines = [
    'not json',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
    '{"jsonrpc":"2.0","id":2,"method":"nope"}',
  ];
  child.stdin?.write(`${lines.join('\n')}\n`);
  await new Promise<void>((resolve) => {
    let seen = '';
    child.stdout?.on('data', (text: string) => {
      seen += text;
      if (seen.includes('"id":2')) resolve();
    });
  });
  child.stdin?.end();
  const { status, out, err } = await ended;
  expect(status).toBe(0);
  for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  expect(err).toContain('without a person: read');
  expect(err).toContain('a guard rail there, not a boundary. Who can only read: redops explain --acl');
});

test('SIGTERM ends the process, although its input is open', async () => {
  const { child, ended } = start(process.execPath, [main, 'mcp'], {
    env: { REDIS_URL: server.url, REDOPS_STATE: folderOf('mcp') },
    keepOpen: true,
  });
  await new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()));
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ status: 0, out: '' });
});

test('a plan is explained by its digest, command by command, and explaining keeps no plan', async () => {
  const client = await startClient({ url: server.url });
  const digest = await client.plan({ operation_type: 'pipelining', commands: ['SET a 1', 'GET b'] });
  const { said } = await client.call('redops_explain', { digest });
  expect(said).toMatchObject({
    status: 'priced',
    permissions: expect.arrayContaining(['+get', '+set', '~a', '~b']),
    explained: [
      {
        command: 'SET a 1',
        writes: true,
        destructive: true,
        keys: [{ key: 'a', access: 'overwrites', exists: false }],
      },
      { command: 'GET b', elements: 1, keys: [{ key: 'b', access: 'reads' }] },
    ],
  });
  expect(said).not.toHaveProperty('digest');
  const doubtful = await client.plan({ operation_type: 'pipelining', commands: ['KEYS *'] });
  const linted = await client.call('redops_lint', { digest: doubtful });
  expect(linted.said).toMatchObject({ status: 'errors', errors: 1, findings: [{ code: 'KEY001' }] });
  const many = Array.from({ length: 90 }, (_, at) => `SET cache:${'long'.repeat(20)}:${at} v`);
  const bounded = await client.call('redops_explain', { commands: many });
  expect(bounded.said.explained_left_out).toBeGreaterThan(0);
  expect(bounded.said).toMatchObject({ permissions_left_out: expect.any(Number), warnings: expect.any(Array) });
  expect(bounded.text.length).toBeLessThan(8000 * 3.5);
  expect(await client.call('redops_explain', { digest, commands: ['GET b'] })).toMatchObject({
    failed: true,
    said: { code: 'usage', message: 'give exactly one of request, commands, digest' },
  });
  expect(await client.call('redops_explain', { digest: 'f'.repeat(64) })).toMatchObject({ failed: true });
});

test('a call that does not fit the schema names the place, and is recorded like any other', async () => {
  const client = await startClient({ url: server.url });
  expect(await client.call('redops_inspect', { commands: 'PING' })).toMatchObject({
    failed: true,
    said: { code: 'usage', message: expect.stringMatching(/^redops_inspect\.commands: /) },
  });
  expect(await client.call('redops_apply', { digest: 'nope', yes: true })).toMatchObject({ failed: true });
  const events = client.audit().map(({ event, tool, fault }) => ({ event, tool, fault }));
  expect(events).toEqual(
    ['redops_inspect', 'redops_apply'].flatMap((tool) => [
      { event: 'mcp_call', tool, fault: undefined },
      { event: 'mcp_result', tool, fault: 'usage' },
    ]),
  );
});

test('a cluster is read, and held to the same', async () => {
  const cluster = await startCluster();
  const client = await startClient({ url: cluster.url });
  expect(await client.inspect('GET a', 'GET b', 'DBSIZE')).toMatchObject({ status: 'succeeded' });
  const find = { operation_type: 'key_management', action: 'find', match: '*' };
  expect(await client.call('redops_inspect', { request: find })).toMatchObject({ status: 'succeeded' });
  expect(await client.inspect('KEYS *')).toMatchObject({ failed: true, status: 'refused' });
  const digest = await client.plan({ operation_type: 'pipelining', commands: ['SET a 1'] });
  expect(await client.call('redops_apply', { digest })).toMatchObject({
    status: 'needs_approval',
    said: { target: { counts_as: 'production' } },
  });
  const approval = await client.approve(digest);
  expect(await client.call('redops_apply', { digest, approval })).toMatchObject({ status: 'succeeded' });
});

test('a server that cannot be reached is said in every answer, and served once it can be', async () => {
  const own = await startServer();
  await own.stop();
  const client = await startClient({ url: own.url });
  const { failed, said } = await client.inspect('PING');
  expect({ failed, said }).toMatchObject({ failed: true, said: { status: 'fault', code: 'unreachable' } });
  await startServer({ port: own.port });
  expect(await client.inspect('PING')).toMatchObject({ status: 'succeeded' });
});

test('over HTTP a server that cannot be reached ends the start', async () => {
  const { ended } = start(process.execPath, [main, 'mcp', '--http', '0'], {
    env: { REDIS_URL: 'redis://127.0.0.1:1', REDOPS_STATE: folderOf('mcp') },
  });
  expect(await ended).toMatchObject({ status: 1, out: '' });
});

test('a server that was restarted is found again', async () => {
  const own = await startServer();
  const client = await startClient({ url: own.url });
  expect(await client.inspect('PING')).toMatchObject({ status: 'succeeded' });
  await own.stop();
  expect(await client.inspect('PING')).toMatchObject({ failed: true, status: 'fault' });
  await startServer({ port: own.port });
  expect(await client.inspect('PING')).toMatchObject({ status: 'succeeded' });
});
