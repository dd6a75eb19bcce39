/** From flags, environment and redops.yaml to the agent's settings. */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { AgentSettings, LintSettings } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import type { AgentPolicy } from '../plan/policy.ts';
import { readBytes } from './input.ts';
import type { Io } from './io.ts';
import type { TargetOptions } from './options.ts';
import { say } from './output.ts';

/** What a request's file "-" stands for: the bytes of a script, or where standard input was spooled to. */
export type Stdin = Uint8Array | { readonly path: string };

/** The settings for a connection. Rejects with OpsError usage. */
export async function settingsOf(io: Io, options: TargetOptions, stdin?: Stdin): Promise<AgentSettings> {
  if (options.url !== undefined && options.target !== undefined)
    throw new OpsError('usage', 'both --url and --target name a server', { remedy: 'Give one of them.' });
  warnOfPassword(io, options.url);
  const target = options.target === undefined ? undefined : await targetOf(io, options, options.target);
  const url = target?.url ?? options.url ?? io.env.REDIS_URL;
  if (url === undefined || url === '')
    throw new OpsError('usage', 'no server is named', {
      remedy: 'Set REDIS_URL, or give --url redis://host:port/db or --target NAME.',
    });
  const conventions = (await lintSettingsOf(io, options))?.conventions ?? [];
  const tls = { ...target?.tls, ...(await tlsOf(io, options)) };
  return {
    url,
    ...(target && { name: target.name }),
    ...(target?.tag && { tag: target.tag }),
    ...(target?.caps && { caps: target.caps }),
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(conventions.length > 0 && { conventions }),
    stateDir: stateDirectory(io.env),
    readFile: (path) => fileOfRequest(io, path, stdin),
    filePath: (path) => pathOfRequest(io, path, stdin),
  };
}

/** What redops.yaml lets agents do on the target; undefined where no target is named, or nothing is said. Rejects with OpsError usage. */
export async function policyOf(io: Io, options: TargetOptions): Promise<AgentPolicy | undefined> {
  const path = configPath(io, options);
  if (options.target === undefined || path === undefined) return undefined;
  const { targets } = await (await io.stages()).loadTargets(path);
  return Object.hasOwn(targets, options.target) ? targets[options.target]?.policy : undefined;
}

/** What redops.yaml says of lint, where there is one. */
export async function lintSettingsOf(io: Io, options: TargetOptions): Promise<LintSettings | undefined> {
  const path = configPath(io, options);
  if (path === undefined) return undefined;
  const { loadTargets } = await io.stages();
  return (await loadTargets(path)).lint;
}

/** $REDOPS_STATE, else $XDG_STATE_HOME/redops, else ~/.local/state/redops. */
export function stateDirectory(env: Io['env']): string {
  if (env.REDOPS_STATE) return resolve(env.REDOPS_STATE);
  return join(baseDirectory(env, 'XDG_STATE_HOME', '.local/state'), 'redops');
}

/** --config, else ./redops.yaml, else $XDG_CONFIG_HOME/redops/redops.yaml; undefined when there is none. */
export function configPath(io: Io, options: TargetOptions): string | undefined {
  if (options.config !== undefined) return resolve(io.cwd, options.config);
  const places = [
    join(io.cwd, 'redops.yaml'),
    join(baseDirectory(io.env, 'XDG_CONFIG_HOME', '.config'), 'redops', 'redops.yaml'),
  ];
  return places.find((path) => existsSync(path));
}

// the XDG specification: a relative path in these variables is to be ignored
function baseDirectory(env: Io['env'], variable: string, fallback: string): string {
  const named = env[variable];
  return named && isAbsolute(named) ? named : join(env.HOME ?? '/', fallback);
}

async function targetOf(io: Io, options: TargetOptions, name: string) {
  const path = configPath(io, options);
  if (path === undefined)
    throw new OpsError('usage', `there is no redops.yaml, so no target ${JSON.stringify(name)}`, {
      remedy: 'Write ./redops.yaml, or name one with --config.',
    });
  const { loadTargets, resolveTarget } = await io.stages();
  return resolveTarget(await loadTargets(path), name, io.env);
}

async function tlsOf(io: Io, options: TargetOptions): Promise<NonNullable<AgentSettings['tls']>> {
  const read = async (path: string): Promise<Buffer> => Buffer.from(await readBytes(io, path));
  return {
    ...(options.cacert !== undefined && { ca: await read(options.cacert) }),
    ...(options.cert !== undefined && { cert: await read(options.cert) }),
    ...(options.key !== undefined && { key: await read(options.key) }),
  };
}

function fileOfRequest(io: Io, path: string, stdin: Stdin | undefined): Uint8Array {
  if (path !== '-') return readFileSync(resolve(io.cwd, path));
  if (!(stdin instanceof Uint8Array)) throw noStdin();
  return stdin;
}

/** Where a file that a request names lies. Throws OpsError usage for "-" without a spooled input. */
export function pathOfRequest(io: Io, path: string, stdin: Stdin | undefined): string {
  if (path !== '-') return resolve(io.cwd, path);
  if (stdin === undefined || stdin instanceof Uint8Array) throw noStdin();
  return stdin.path;
}

function noStdin(): OpsError {
  return new OpsError('usage', 'standard input is not a file of this request', {
    remedy: 'Name the file, or give it to redops pipe - as standard input.',
  });
}

function warnOfPassword(io: Io, url: string | undefined): void {
  if (url === undefined || !/^[a-z+]+:\/\/[^/?#]*:[^/?#]+@|[?&]sentinel_password=/i.test(url)) return;
  say(io, 'warning: a password in --url can be read in the list of processes; use REDIS_URL, url_env or url_command.');
}
