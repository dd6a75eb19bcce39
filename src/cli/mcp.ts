/** Serving agents: settings from flags and redops.yaml, standard input and output for the protocol, standard error for people. */
import { randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { OpsError } from '../base/ops-error.ts';
import type { McpSettings } from '../mcp/server.ts';
import { type ResolvedPolicy, resolvedPolicy } from '../plan/policy.ts';
import { clean } from '../report/layout.ts';
import type { Io } from './io.ts';
import { say } from './output.ts';
import { policyOf, settingsOf, stateDirectory } from './settings.ts';
import type { McpOptions } from './verbs/mcp.ts';
import { versionOf } from './version.ts';

/**
 * Serves until the client goes away or the process is told to end. Over standard input also where the target cannot be
 * reached yet, or none is named: an agent's user sees what a tool answers, and seldom why a process ended. Rejects with
 * OpsError usage, state; over HTTP with unreachable and auth too.
 */
export async function serveMcp(io: Io, options: McpOptions): Promise<number> {
  const { open, policy } = await targetOf(io, options);
  const served: McpSettings = {
    open,
    policy,
    stateDir: stateDirectory(io.env),
    version: await versionOf(),
    log: (line) => say(io, clean(line)),
  };
  const about = `${await meet(open, policy, options)}\n${guardRail}`;
  return options.http === undefined ? overStdio(io, served, about) : overHttp(io, served, about, options, options.http);
}

async function targetOf(io: Io, options: McpOptions): Promise<Pick<McpSettings, 'open' | 'policy'>> {
  const { openAgent } = await io.stages();
  const flags = flagsOf(options);
  try {
    const { readFile: _readFile, filePath: _filePath, ...settings } = await settingsOf(io, options); // agents reach no files of this machine
    const policy = resolvedPolicy(await policyOf(io, options), flags);
    return { policy, open: () => openAgent({ ...settings, policy }) };
  } catch (error) {
    const named = options.url ?? options.target ?? io.env.REDIS_URL;
    if (options.http !== undefined || (named !== undefined && named !== '')) throw error;
    return { policy: resolvedPolicy({}, flags), open: () => Promise.reject(error) };
  }
}

/** What is said of the target, or why it cannot be met now. */
async function meet(open: McpSettings['open'], policy: ResolvedPolicy, { http }: McpOptions): Promise<string> {
  try {
    const agent = await open();
    await agent.close();
    const { name, tag, reason } = agent.target;
    return `${clean(name)} counts as ${tag} (${clean(reason)}); without a person: ${policy.allow}.`;
  } catch (error) {
    if (http !== undefined || !(error instanceof OpsError)) throw error;
    const { message, remedy } = error;
    return clean(
      `${message}${remedy === undefined ? '' : ` (${remedy})`}: every call is answered so until that is cured.`,
    );
  }
}

async function overStdio(io: Io, served: McpSettings, about: string): Promise<number> {
  const { serveStdio } = await import('../mcp/serve-stdio.ts');
  const stop = new AbortController();
  const release = io.onInterrupt(() => stop.abort());
  say(io, `redops mcp: ${about}`);
  try {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        io.out(chunk.toString('utf8'));
        done();
      },
    });
    await serveStdio(served, Readable.from(io.stdinChunks(), { objectMode: false }), output, stop.signal);
    return 0;
  } finally {
    release();
  }
}

async function overHttp(
  io: Io,
  served: McpSettings,
  about: string,
  options: McpOptions,
  http: string | true,
): Promise<number> {
  const port = http === true ? usualPort : Number(http);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new OpsError('usage', `--http ${JSON.stringify(http)} is not a port`, { remedy: 'Write --http 8931.' });
  const { serveHttp } = await import('../mcp/serve-http.ts');
  const given = io.env.REDOPS_MCP_TOKEN;
  const token = given || randomBytes(24).toString('base64url');
  const stopped = new Promise<void>((resolve) => io.onInterrupt(resolve));
  const server = await serveHttp({ ...served, port, address: options.bind, hosts: options.allowHost, token });
  say(io, `redops mcp: ${about}\nredops mcp: listens on ${server.url}`);
  if (!given) say(io, `redops mcp: the token of this run (Authorization: Bearer): ${token}`);
  await stopped;
  await server.close();
  return 0;
}

const guardRail =
  'redops mcp: an agent with a shell on this account can go round this: a guard rail there, not a boundary. Who can only read: redops explain --acl';

const usualPort = 8931;

function flagsOf({ allow, elicitation }: McpOptions) {
  return { ...(allow === undefined ? {} : { allow }), ...(elicitation === undefined ? {} : { elicitation }) };
}
