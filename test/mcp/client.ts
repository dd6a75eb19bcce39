/** A real MCP client on the built command: both protocol revisions, a person who answers dialogs, and the state directory. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll } from 'vitest';
import { main, redops, start } from '../cli/redops.ts';
import { waitFor } from '../support/wait.ts';

/** The two revisions that are spoken: the newest by request, the one before by its handshake. */
export type Revision = '2026-07-28' | '2025-11-25';

/** How the server and its client are set up. */
export interface Setup {
  readonly url: string;
  readonly args?: readonly string[];
  /** Text of redops.yaml; its target is named by --target in args. */
  readonly config?: string;
  readonly revision?: Revision;
  /** What the person types in a dialog; `decline`: no. Left out: the client has no dialogs. */
  readonly person?: string | { readonly decline: true };
  /** The state directory of another client. */
  readonly state?: string;
}

/** One answer of a tool. */
export interface Answer {
  readonly failed: boolean;
  readonly status: string;
  /** The document. */
  readonly said: Readonly<Record<string, unknown>>;
  /** All that a model would read. */
  readonly text: string;
}

/** A client, connected. */
export interface TestClient {
  readonly client: Client;
  readonly state: string;
  /** The dialogs that the person saw. */
  readonly asked: readonly string[];
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Plans; the digest of a plan that could be made. */
  plan(request: Readonly<Record<string, unknown>>): Promise<string>;
  inspect(...commands: string[]): Promise<Answer>;
  /** The records of the audit log. */
  audit(): readonly Readonly<Record<string, unknown>>[];
  /** `redops approve`, as the person at a terminal would. */
  approve(digest: string): Promise<string>;
  close(): Promise<void>;
}

/** The passphrase of the test's person. */
const passphrase = 'correct horse battery';

const open = new Set<{ close(): Promise<void> }>();
const folders: string[] = [];
afterAll(async () => {
  await Promise.all([...open].map((one) => one.close()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}, 20_000);

/** Thousands of calls, each on disk before it is answered: where there is a file system in memory they do not wait for a disk. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** An empty folder that is removed at the end of the file. */
export function folderOf(name: string): string {
  const folder = mkdtempSync(join(memory, `redops-${name}-`));
  folders.push(folder);
  return folder;
}

/** Starts `redops mcp` and connects. */
export async function startClient(setup: Setup): Promise<TestClient> {
  const state = setup.state ?? folderOf('mcp');
  const env = environment(setup, state);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, 'mcp', ...configOf(setup, state)],
    env,
    stderr: 'pipe',
  });
  return connectClient(setup, state, transport);
}

/** The token of the test's HTTP servers. */
export const token = 'a-token-of-the-tests';

/** A `redops mcp --http` of its own process; its URL. Ended when the file is. */
export async function startHttp(setup: Setup, state: string): Promise<string> {
  const env = { ...environment(setup, state), REDOPS_MCP_TOKEN: token };
  const { child, ended } = start(process.execPath, [main, 'mcp', '--http', '0', ...configOf(setup, state)], {
    env,
    keepOpen: true,
    patient: true,
  });
  let said = '';
  child.stderr?.on('data', (text: string) => {
    said += text;
  });
  open.add({
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  });
  await waitFor('the HTTP server', async () => said.includes('listens on'));
  return /listens on (\S+)/.exec(said)?.[1] ?? '';
}

/** Starts `redops mcp --http` and connects. */
export async function startHttpClient(setup: Setup): Promise<TestClient> {
  const state = setup.state ?? folderOf('mcp');
  const url = await startHttp(setup, state);
  const headers = { Authorization: `Bearer ${token}` };
  return connectClient(setup, state, new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
}

/** Connects over a transport to a server that uses this state directory. */
export async function connectClient(
  setup: Setup,
  state: string,
  transport: Parameters<Client['connect']>[0],
): Promise<TestClient> {
  const asked: string[] = [];
  const client = new Client(
    { name: 'test client', version: '1.0' },
    {
      ...(setup.revision === '2025-11-25' ? {} : { versionNegotiation: { mode: 'auto' as const } }),
      capabilities: setup.person === undefined ? {} : { elicitation: { form: {} } },
    },
  );
  const { person } = setup;
  if (person !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      asked.push(params.message);
      return typeof person === 'string'
        ? { action: 'accept' as const, content: { target: person } }
        : { action: 'decline' as const };
    });
  }
  await client.connect(transport);
  const call = async (tool: string, args: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const result = await client.callTool({ name: tool, arguments: { ...args } });
    const content = result.content as readonly { readonly type: string; readonly text?: string }[];
    const said = (result.structuredContent ?? {}) as Readonly<Record<string, unknown>>;
    const text = content.map((part) => part.text ?? '').join('\n');
    return { failed: result.isError === true, status: String(said.status), said, text };
  };
  const test: TestClient = {
    client,
    state,
    asked,
    call,
    plan: async (request) => String((await call('redops_plan', { request })).said.digest),
    inspect: (...commands) => call('redops_inspect', { commands }),
    audit: () => auditOf(state),
    approve: (digest) => approve(state, digest),
    close: async () => {
      open.delete(test);
      await client.close();
    },
  };
  open.add(test);
  return test;
}

/** The records of an audit log. */
export function auditOf(state: string): readonly Readonly<Record<string, unknown>>[] {
  const path = join(state, 'audit.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What a person at a terminal does; the approval that it prints. */
export async function approve(state: string, digest: string, expires = '1h'): Promise<string> {
  const file = join(state, 'passphrase');
  writeFileSync(file, passphrase, { mode: 0o600 });
  const { status, out, err } = await redops(['approve', digest, '--passphrase-file', file, '--expires', expires], {
    env: { REDOPS_STATE: state },
  });
  if (status !== 0) throw new Error(err);
  return out.trim();
}

/** One fact of everything that a server holds: keys with their bytes and deadlines, settings, users, functions. */
export async function digestOfServer(cli: (...args: string[]) => Promise<string>): Promise<string> {
  const keys = await cli(
    'EVAL',
    `local keys = redis.call('KEYS', '*')
     table.sort(keys)
     local all = {}
     for _, key in ipairs(keys) do
       local at = redis.pcall('PEXPIRETIME', key)
       if type(at) == 'table' then at = redis.call('PTTL', key) > 0 and 'some' or 'none' end
       all[#all + 1] = redis.sha1hex(key .. redis.call('DUMP', key)) .. at
     end
     return redis.sha1hex(table.concat(all, ' ')) .. ' ' .. #keys`,
    '0',
  );
  const facts = [];
  for (const command of [['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['FUNCTION', 'LIST'], ['DBSIZE'], ['ROLE']])
    facts.push((await cli(...command)).replace(/^\d+$/gm, (line) => (command[0] === 'ROLE' ? '' : line)));
  return [keys, ...facts].join('\n');
}

function configOf({ config, args = [] }: Setup, state: string): readonly string[] {
  if (config === undefined) return args;
  writeFileSync(join(state, 'redops.yaml'), config);
  return ['--config', join(state, 'redops.yaml'), ...args];
}

function environment(setup: Setup, state: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: '/nonexistent', REDOPS_STATE: state, REDIS_URL: setup.url };
}
