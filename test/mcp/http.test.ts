/** The HTTP server lets in whoever has the token and calls it by its name, and nobody else; what it reads is bounded. */
import { beforeAll, describe, expect, test } from 'vitest';
import { redops } from '../cli/redops.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { folderOf, startHttp, startHttpClient, token } from './client.ts';

let server: TestServer;
let url: string;
beforeAll(async () => {
  server = await startServer();
  url = await startHttp({ url: server.url }, folderOf('http'));
});

const listTools = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
};

/** A request as it would be written by hand: fetch lets nobody choose Host. */
async function post(
  change: { headers?: Record<string, string>; path?: string; body?: string; method?: string } = {},
): Promise<Response> {
  const { request } = await import('node:http');
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/list',
    ...change.headers,
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(change.path ?? '/mcp', url),
      { method: change.method ?? 'POST', headers, timeout: 10_000 },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const pairs = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
          const empty = answer.statusCode === 204 || answer.statusCode === 304;
          resolve(
            new Response(empty ? null : Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers: pairs }),
          );
        });
      },
    );
    sent.on('error', reject);
    sent.end(
      change.method === 'GET' || change.method === 'OPTIONS' ? undefined : (change.body ?? JSON.stringify(listTools)),
    );
  });
}

describe('a request', () => {
  test('with the token is answered', async () => {
    const answer = await post();
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('redops_inspect');
    expect((await post({ headers: { host: 'localhost:1234' } })).status).toBe(200);
  });

  test.each([
    ['by another name, as a page would that rebinds one', { host: 'evil.example' }, 403],
    ['by an address of this machine that is not loopback', { host: '10.0.0.1' }, 403],
    ['from another origin', { origin: 'https://evil.example' }, 403],
    ['from an origin that is none', { origin: 'null' }, 403],
    ['without a token', { authorization: '' }, 401],
    ['with another token', { authorization: 'Bearer a-token-of-somebody-else' }, 401],
    ['with the token and more', { authorization: `Bearer ${token}x` }, 401],
    ['with the token in another scheme', { authorization: `Basic ${token}` }, 400],
  ])('%s is refused', async (_, headers, status) => {
    const answer = await post({ headers });
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('redops_inspect');
  });

  test('says nothing to other origins: no CORS header, no preflight', async () => {
    for (const method of ['OPTIONS', 'POST']) {
      const answer = await post({
        method,
        headers: { origin: 'http://localhost:5173', 'access-control-request-method': 'POST' },
      });
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect((await post({ method: 'OPTIONS', headers: { authorization: '' } })).status).toBe(401);
  });

  test('that is too large is not read', async () => {
    expect((await post({ body: JSON.stringify({ ...listTools, padding: 'x'.repeat(300 * 1024) }) })).status).toBe(413);
  });

  test.each([
    ['garbage', { body: '{"jsonrpc":' }],
    ['another path', { path: '/' }],
    ['another method', { method: 'GET' }],
    ['another type', { headers: { 'content-type': 'text/plain' } }],
  ])('that is %s gets a status of 4xx', async (_, change) => {
    const { status } = await post(change);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

test.each(['2026-07-28', '2025-11-25'] as const)(
  'a client of revision %s has tools, resources and prompts',
  async (revision) => {
    const { client } = await startHttpClient({ url: server.url, revision });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('redops_apply');
    expect((await client.listResources()).resources.length).toBeGreaterThan(3);
    expect((await client.listPrompts()).prompts).toHaveLength(6);
  },
);

test.each([
  [['--bind', '0.0.0.0'], {}],
  [[], { REDOPS_MCP_TOKEN: 'short' }],
])('refuses to listen with %j %j', async (args, env) => {
  const ended = await redops(['mcp', '--http', '0', ...args], {
    env: { REDIS_URL: server.url, REDOPS_STATE: folderOf('http'), ...env },
  });
  expect([ended.status, ended.out]).toEqual([2, '']);
});
