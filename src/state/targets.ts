/**
 * redops.yaml: the targets by name and the weights of lint rules. A field that redops does not know is refused with its
 * line, since a misspelt cap that is silently ignored is no cap. What may be a secret never stands in an error.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type * as Yaml from 'yaml';
import { z } from 'zod';
import { OpsError } from '../base/ops-error.ts';
import { parseDuration } from '../base/units.ts';
import { AgentPolicy } from '../plan/policy.ts';
import { codeOf } from './files.ts';

const oneUrl = 'give exactly one of url, url_env, url_command';

const TargetEntry = z
  .strictObject({
    url: z.string().min(1).exactOptional(),
    /** The name of the environment variable that holds the URL. */
    url_env: z.string().min(1).exactOptional(),
    /** A command whose first line of output is the URL: words separated by blanks, or a list of arguments. No shell. */
    url_command: z.union([z.string().min(1), z.array(z.string()).min(1)]).exactOptional(),
    tag: z.enum(['dev', 'production']).exactOptional(),
    /** PEM files, relative to redops.yaml. */
    tls: z
      .strictObject({
        ca: z.string().min(1).exactOptional(),
        cert: z.string().min(1).exactOptional(),
        key: z.string().min(1).exactOptional(),
      })
      .exactOptional(),
    caps: z
      .strictObject({
        max_keys: z.int().positive().exactOptional(),
        max_percent: z.number().positive().max(100).exactOptional(),
        prefixes: z.array(z.string()).min(1).exactOptional(),
      })
      .exactOptional(),
    /** What an agent may do without a person (redops mcp). */
    policy: AgentPolicy.exactOptional(),
  })
  .refine(
    ({ url, url_env, url_command }) => [url, url_env, url_command].filter((one) => one !== undefined).length === 1,
    {
      error: oneUrl,
    },
  );

const duration = z.union([z.string(), z.int().positive()]).transform((text, context) => {
  const ms = parseDuration(String(text));
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({ code: 'custom', message: 'not a duration such as 30s, 90m, 1d' });
  return z.NEVER;
});

const ConventionEntry = z
  .strictObject({
    /** A pattern of keys, as MATCH takes it. */
    match: z.string().min(1),
    ttl_max: duration.exactOptional(),
    ttl_min: duration.exactOptional(),
  })
  .refine(({ ttl_max, ttl_min }) => ttl_max !== undefined || ttl_min !== undefined, {
    error: 'a convention says ttl_max, ttl_min or both',
  })
  .refine(({ ttl_max = Number.POSITIVE_INFINITY, ttl_min = 0 }) => ttl_min <= ttl_max, {
    error: 'ttl_min is more than ttl_max',
  })
  .transform(({ match, ttl_max, ttl_min }) => ({
    match,
    ...(ttl_min !== undefined && { ttl_min_ms: ttl_min }),
    ...(ttl_max !== undefined && { ttl_max_ms: ttl_max }),
  }));

const TargetsFile = z.strictObject({
  targets: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error: 'not a name' }), TargetEntry).default({}),
  lint: z
    .strictObject({
      severity: z
        .record(
          z.string().regex(/^[A-Z]{2,3}\d{3}$/, { error: 'not a lint code such as DEL003' }),
          z.union([z.enum(['error', 'warning', 'info', 'off']), z.literal(false).transform(() => 'off' as const)]),
        )
        .default({}),
      /** What keys are meant to live; of several that match a key the first counts. */
      conventions: z.array(ConventionEntry).default([]),
    })
    .default({ severity: {}, conventions: [] }),
});
/** redops.yaml, checked. */
export type TargetsFile = z.output<typeof TargetsFile> & { readonly path: string };

/** A target with everything read that it points to. */
export interface ResolvedTarget {
  readonly name: string;
  readonly url: string;
  readonly tag?: 'dev' | 'production';
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly caps?: { readonly max_keys?: number; readonly max_percent?: number; readonly prefixes?: readonly string[] };
}

/** Reads and checks a redops.yaml. Rejects with OpsError usage that names the line. */
export async function loadTargets(path: string): Promise<TargetsFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new OpsError('usage', `${path} cannot be read (${codeOf(cause) ?? 'unknown fault'})`, {
      remedy: 'Name the file in --config, or leave --config out.',
      cause,
    });
  }
  return parseTargets(text, path);
}

/** A redops.yaml from its text. Rejects with OpsError usage that names the line. */
export async function parseTargets(text: string, path: string): Promise<TargetsFile> {
  const yaml = await import('yaml'); // only a call that reads targets pays for it
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const problem = document.errors[0];
  if (problem) throw badFile(`${path}:${lines.linePos(problem.pos[0]).line}`, 'it is not valid YAML');
  let value: unknown;
  try {
    value = document.contents === null ? {} : document.toJS(); // an empty file is no targets
  } catch (error) {
    // an alias to nothing, or so many of them that the document would grow without bound
    throw badFile(path, error instanceof Error ? error.message : String(error));
  }
  const result = TargetsFile.safeParse(value);
  if (result.success) return { ...result.data, path };
  const issue = result.error.issues[0];
  const where = [...(issue?.path ?? []), ...(issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])];
  const offset = offsetOf(yaml, document.contents, where);
  const line = offset === undefined ? '' : `:${lines.linePos(offset).line}`;
  const name = where.join('.');
  throw badFile(
    `${path}${line}`,
    issue?.code === 'unrecognized_keys' ? `redops knows no field ${name}` : `${name || 'the file'}: ${issue?.message}`,
  );
}

/** The target of that name: URL fetched, TLS files read. `env`: the environment. Rejects with OpsError usage; no secret in it. */
export async function resolveTarget(
  file: TargetsFile,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ResolvedTarget> {
  const entry = Object.hasOwn(file.targets, name) ? file.targets[name] : undefined;
  if (entry === undefined) {
    const known = Object.keys(file.targets).join(', ');
    throw new OpsError('usage', `${file.path} has no target ${JSON.stringify(name)}`, {
      remedy: known === '' ? 'Add it under targets.' : `It has: ${known}.`,
    });
  }
  const url = entry.url ?? (entry.url_env ? fromEnvironment(entry.url_env, name, env) : undefined);
  return {
    name,
    url: url ?? (await fromCommand(entry.url_command ?? [], name, env)),
    ...(entry.tag && { tag: entry.tag }),
    ...(entry.tls && { tls: await readTls(entry.tls, dirname(resolve(file.path)), name) }),
    ...(entry.caps && { caps: entry.caps }),
  };
}

function fromEnvironment(variable: string, name: string, env: Readonly<Record<string, string | undefined>>): string {
  const url = env[variable];
  if (url) return url;
  throw new OpsError('usage', `target ${name}: the environment variable ${variable} is not set`, {
    remedy: `Set ${variable} to the server's URL.`,
  });
}

const commandMs = 5_000;

// what the command prints may be the secret, so an error says only how it ended
async function fromCommand(
  command: string | readonly string[],
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [program, ...args] = typeof command === 'string' ? command.trim().split(/\s+/) : command;
  const output = await new Promise<string>((done, fail) => {
    execFile(
      program ?? '',
      args,
      { env: { ...env }, timeout: commandMs, killSignal: 'SIGKILL', maxBuffer: 65_536, encoding: 'utf8', shell: false },
      (error, stdout) => (error ? fail(commandFault(name, program ?? '', error)) : done(stdout)),
    );
  });
  const url = output.split(/\r?\n/, 1)[0]?.trim() ?? '';
  if (url !== '') return url;
  throw new OpsError('usage', `target ${name}: the url_command ${program} printed no URL`, {
    remedy: "Its first line of output must be the server's URL.",
  });
}

function commandFault(name: string, program: string, error: Error & { killed?: boolean; code?: unknown }): OpsError {
  const how = error.killed
    ? `did not end within ${commandMs / 1000} s`
    : typeof error.code === 'number'
      ? `ended with status ${error.code}`
      : `could not be run (${String(error.code ?? 'unknown fault')})`;
  return new OpsError('usage', `target ${name}: the url_command ${program} ${how}`, {
    remedy: 'Run it by hand: its first line of output must be the URL.',
  });
}

async function readTls(
  tls: { readonly ca?: string; readonly cert?: string; readonly key?: string },
  folder: string,
  name: string,
): Promise<NonNullable<ResolvedTarget['tls']>> {
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(resolve(folder, path));
    } catch (cause) {
      throw new OpsError('usage', `target ${name}: ${path} cannot be read (${codeOf(cause) ?? 'unknown fault'})`, {
        remedy: 'Paths under tls are relative to redops.yaml.',
        cause,
      });
    }
  };
  return {
    ...(tls.ca !== undefined && { ca: await read(tls.ca) }),
    ...(tls.cert !== undefined && { cert: await read(tls.cert) }),
    ...(tls.key !== undefined && { key: await read(tls.key) }),
  };
}

// the place of the last part of a path that stands in the file: its key, else its value
function offsetOf(yaml: typeof Yaml, root: Yaml.ParsedNode | null, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = root;
  let offset = root?.range[0];
  for (const part of path) {
    if (yaml.isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      if (yaml.isNode(node) && node.range) offset = node.range[0];
      continue;
    }
    if (!yaml.isMap(node)) return offset;
    const pair = node.items.find(
      (item) => yaml.isPair(item) && yaml.isScalar(item.key) && String(item.key.value) === String(part),
    );
    if (pair === undefined) return offset;
    if (yaml.isScalar(pair.key) && pair.key.range) offset = pair.key.range[0];
    node = pair.value;
  }
  return offset;
}

function badFile(place: string, problem: string): OpsError {
  return new OpsError('usage', `${place}: ${problem}`, {
    remedy: 'docs/guide/cli.md lists the fields of redops.yaml.',
  });
}
