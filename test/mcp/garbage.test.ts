/** Whatever a client sends, it gets an answer or a protocol error, never a defect; and a server that only reads changes nothing. */
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAgent } from '../../src/agent.ts';
import { type McpDoor, openDoor, tools } from '../../src/mcp/server.ts';
import { resolvedPolicy } from '../../src/plan/policy.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { digestOfServer, folderOf } from './client.ts';

let server: TestServer;
let door: McpDoor;
let client: Client;
const logged: string[] = [];

beforeAll(async () => {
  server = await startServer();
  for (const line of ['SET a 1', 'HSET h f v', 'RPUSH l 1 2', 'SET t x EX 100000'])
    await server.cli(...line.split(' '));
  const stateDir = folderOf('garbage');
  const policy = resolvedPolicy();
  door = await openDoor({
    open: () => openAgent({ url: server.url, stateDir, policy }),
    policy,
    stateDir,
    version: '0',
    log: (line) => logged.push(line),
  });
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await door.create().connect(ours);
  client = new Client({ name: 'garbage\u202e\n', version: '\u0000' });
  await client.connect(theirs);
});
afterAll(() => door.close());

const words = fc.constantFrom(
  'a',
  'h',
  'l',
  't',
  '*',
  'GET',
  'SET',
  'DEL',
  'EVAL',
  'FLUSHALL',
  'MULTI',
  'CONFIG',
  '0',
  '-1',
  '',
  '\u0000',
  '\ud800',
  '{{ x }}',
  '"',
  'sha256:',
  '..',
  '__proto__',
);
const line = fc.array(words, { maxLength: 6 }).map((parts) => parts.join(' '));
const request = fc.oneof(
  fc.record({
    operation_type: fc.constantFrom('pipelining', 'transaction'),
    commands: fc.array(fc.oneof(line, fc.array(words, { minLength: 1, maxLength: 5 })), { minLength: 1, maxLength: 4 }),
  }),
  fc.record(
    {
      operation_type: fc.constantFrom('key_management', 'expiration'),
      action: fc.constantFrom('find', 'inspect', 'delete', 'audit', 'set', 'persist', 'rename'),
      match: words,
      keys: fc.array(words, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ['operation_type', 'action'] },
  ),
  fc.record({
    operation_type: fc.constant('batch'),
    select: fc.record({ match: words }),
    do: fc.record({ action: fc.constantFrom('unlink', 'persist', 'expire') }),
  }),
  fc.record(
    {
      operation_type: fc.constant('lua_script'),
      action: fc.constantFrom('run', 'load', 'lint', 'flush', 'kill', 'function_flush', 'function_list'),
      script: line,
    },
    { requiredKeys: ['operation_type', 'action'] },
  ),
  fc.object({ maxDepth: 3 }),
);
const args = fc.oneof(
  fc.record({ request }),
  fc.record({ commands: fc.array(line, { minLength: 1, maxLength: 4 }) }),
  fc.record({ text: line, language: fc.constantFrom('lua', 'commands') }),
  fc.record(
    { action: fc.constantFrom('list', 'status', 'result', 'resume', 'cancel'), run_id: words, from: fc.nat() },
    { requiredKeys: ['action'] },
  ),
  fc.record({ digest: fc.constant(`sha256:${'0'.repeat(64)}`), approval: words }, { requiredKeys: ['digest'] }),
  fc.dictionary(words, fc.anything({ maxDepth: 2 })),
);

test('is answered, and changes nothing', { timeout: 120_000 }, async () => {
  const before = await digestOfServer(server.cli);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...tools.map(({ name }) => name)), args, async (name, given) => {
      const sent = JSON.parse(JSON.stringify(given) ?? '{}');
      const result = await client.callTool({ name, arguments: sent }).catch(() => undefined); // the protocol's own refusal
      const said = (result?.structuredContent ?? {}) as { readonly status?: string; readonly code?: string };
      expect(said.code).not.toBe('internal');
      const digest = (said as { readonly digest?: string }).digest;
      if (name !== 'redops_plan' || digest === undefined) return;
      const applied = await client.callTool({ name: 'redops_apply', arguments: { digest } });
      expect((applied.structuredContent as { readonly code?: string }).code).not.toBe('internal');
    }),
    { numRuns: 400 },
  );
  expect(logged).toEqual([]);
  expect(await digestOfServer(server.cli)).toBe(before);
});
