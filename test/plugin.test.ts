/**
 * The plugin for coding agents: every manifest tells the same of the same package, keeps the rules of its format, comes
 * with the npm package, and its MCP server starts and answers. What a format allows is written here from its documents.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { main } from './cli/redops.ts';
import { folderOf } from './mcp/client.ts';
import { startServer, type TestServer } from './support/servers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const jsonOf = (file: string): unknown => JSON.parse(textOf(file));

const Package = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  bin: z.record(z.string(), z.string()),
});
const itself = Package.parse(jsonOf('package.json'));

const author = z.strictObject({ name: z.string().min(1) });
const pluginName = z.string().regex(/^(?!.*(?:--|\.\.))[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$/);
const told = {
  name: pluginName,
  version: z.string(),
  description: z.string(),
  author,
  license: z.string(),
  keywords: z.array(z.string()),
};
const portable = 'https://agent-plugins.org/schemas/1.0.0';

/** Agent Plugins 1.0: both files are closed, and name the same version of the format. */
const AgentPlugin = z.strictObject({ $schema: z.literal(`${portable}/plugin.schema.json`), ...told });
const AgentPluginServers = z.strictObject({
  $schema: z.literal(`${portable}/mcp.schema.json`),
  mcpServers: z.record(
    z.string(),
    z.strictObject({ type: z.literal('stdio'), command: z.string(), args: z.array(z.string()) }),
  ),
});

const server = z.strictObject({
  command: z.string(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()).exactOptional(),
});
const ClaudePlugin = z.strictObject({
  $schema: z.literal('https://json.schemastore.org/claude-code-plugin-manifest.json'),
  ...told,
  userConfig: z.record(
    z.string().regex(/^[A-Za-z_]\w*$/),
    z.strictObject({
      type: z.literal('string'),
      title: z.string(),
      description: z.string(),
      sensitive: z.boolean(),
      required: z.boolean(),
    }),
  ),
  mcpServers: z.record(z.string(), server),
});
const ClaudeMarketplace = z.strictObject({
  $schema: z.literal('https://json.schemastore.org/claude-code-marketplace.json'),
  name: pluginName,
  description: z.string(),
  owner: author,
  plugins: z.tuple([
    z.strictObject({ name: pluginName, source: z.string().startsWith('./'), description: z.string() }),
  ]),
});
const GeminiExtension = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  version: z.string(),
  description: z.string(),
  settings: z.array(
    z.strictObject({ name: z.string(), description: z.string(), envVar: z.string(), sensitive: z.boolean() }),
  ),
  mcpServers: z.record(z.string(), server),
});

const shapes = {
  'plugin.json': AgentPlugin,
  'mcp.json': AgentPluginServers,
  '.claude-plugin/plugin.json': ClaudePlugin,
  '.claude-plugin/marketplace.json': ClaudeMarketplace,
  'gemini-extension.json': GeminiExtension,
};
const files = Object.keys(shapes) as (keyof typeof shapes)[];
const starting = ['mcp.json', '.claude-plugin/plugin.json', 'gemini-extension.json'] as const;

it.each(files)('%s keeps the rules of its format', (file) => {
  expect(shapes[file].safeParse(jsonOf(file)).error).toBeUndefined();
});

it.each(['plugin.json', '.claude-plugin/plugin.json'] as const)('%s tells what package.json tells', (file) => {
  const { name, version, description, license } = itself;
  expect(jsonOf(file)).toMatchObject({ name, version, description, license });
});

it('gemini-extension.json tells what package.json tells', () => {
  const { name, version, description } = itself;
  expect(jsonOf('gemini-extension.json')).toMatchObject({ name, version, description });
});

it('the marketplace offers the plugin that lies beside it', () => {
  const [offered] = ClaudeMarketplace.parse(jsonOf('.claude-plugin/marketplace.json')).plugins;
  expect(offered).toMatchObject({ name: itself.name, description: itself.description });
  expect(existsSync(join(root, offered.source, '.claude-plugin/plugin.json'))).toBe(true);
});

it('nothing downloads a program, or lets the server do more than read', () => {
  for (const file of starting) {
    const { command, args } = serverOf(file);
    expect(Object.keys(itself.bin), file).toContain(command);
    expect(args, file).toEqual(['mcp']);
  }
});

it('a URL that is asked for is kept as a secret', () => {
  const { userConfig } = ClaudePlugin.parse(jsonOf('.claude-plugin/plugin.json'));
  expect(userConfig.redis_url).toMatchObject({ sensitive: true, required: true });
  expect(GeminiExtension.parse(jsonOf('gemini-extension.json')).settings).toMatchObject([
    { envVar: 'REDIS_URL', sensitive: true },
  ]);
});

it('comes with the npm package, its skills too', async () => {
  const npm = ['pack', '--dry-run', '--json', '--ignore-scripts', '--silent'];
  const { stdout } = await promisify(execFile)('npm', npm, { cwd: root, timeout: 60_000 });
  const [packed] = JSON.parse(stdout) as [{ files: readonly { path: string }[] }];
  const skills = ['redis-operations', 'redis-transactions', 'redis-performance'].map(
    (name) => `skills/${name}/SKILL.md`,
  );
  expect(packed.files.map(({ path }) => path)).toEqual(expect.arrayContaining([...files, ...skills]));
}, 70_000);

describe.each(starting)('the server of %s', (file) => {
  let redis: TestServer;
  beforeAll(async () => {
    redis = await startServer();
  });

  it('starts, and offers the six tools', async () => {
    const { args, env } = serverOf(file);
    const own = { ...bare(), ...handedOn(file, redis.url), ...filled(env, redis.url) };
    await whileServing({ args, env: own }, async (client) => {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).sort()).toEqual(
        ['apply', 'explain', 'inspect', 'lint', 'plan', 'runs'].map((tool) => `redops_${tool}`),
      );
      const said = await client.callTool({ name: 'redops_inspect', arguments: { commands: ['PING'] } });
      expect(said.isError).not.toBe(true);
    });
  });

  it('says in every answer what is missing where no URL was given', async () => {
    const { args, env } = serverOf(file);
    const said = await whileServing({ args, env: { ...bare(), ...filled(env, '') } }, (client) =>
      client.callTool({ name: 'redops_inspect', arguments: { commands: ['PING'] } }),
    );
    expect(said).toMatchObject({
      isError: true,
      structuredContent: { status: 'fault', code: 'usage', message: 'no server is named' },
    });
    expect(JSON.stringify(said)).toContain('Set REDIS_URL');
  });
});

/** A client of the built command, for as long as it is used. */
async function whileServing<Result>(
  { args, env }: { readonly args: readonly string[]; readonly env: Record<string, string> },
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, ...args],
    env,
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test client', version: '1.0' });
  await client.connect(transport);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** The one MCP server that a manifest names. */
function serverOf(file: (typeof starting)[number]): {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
} {
  const servers = Object.values(shapes[file].parse(jsonOf(file)).mcpServers);
  expect(servers, file).toHaveLength(1);
  return servers[0]!;
}

/** The environment that a manifest gives its server, with the person's answer where the manifest asks for one. */
function filled(env: Readonly<Record<string, string>> = {}, answer: string): Record<string, string> {
  const asked = ClaudePlugin.parse(jsonOf('.claude-plugin/plugin.json')).userConfig;
  const put = (value: string) =>
    value.replace(/\$\{user_config\.(\w+)\}/g, (whole, key: string) => (Object.hasOwn(asked, key) ? answer : whole));
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, put(value)]));
}

/** What reaches the server besides: Agent Plugins has no fields for it, and Gemini puts the answers to its settings here. */
function handedOn(file: (typeof starting)[number], url: string): Record<string, string> {
  return file === '.claude-plugin/plugin.json' ? {} : { REDIS_URL: url };
}

function bare(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: '/nonexistent', REDOPS_STATE: folderOf('plugin') };
}
