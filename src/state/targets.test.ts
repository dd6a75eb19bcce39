import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTargets, parseTargets, resolveTarget } from './targets.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-targets-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const good = `# targets of the shop
targets:
  cache:
    url: redis://cache.internal:6379
    tag: production
    caps: { max_keys: 1000, max_percent: 5, prefixes: ["session:"] }
  env: { url_env: SHOP_REDIS }
lint:
  severity: { DEL001: error, TTL002: off }
  conventions:
    - { match: "cache:*", ttl_max: 1d }
    - { match: "lock:*", ttl_max: 60s, ttl_min: 5 }
`;

async function problemOf(text: string): Promise<string> {
  try {
    await parseTargets(text, 'redops.yaml');
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'accepted';
}

describe('parseTargets', () => {
  it('reads targets and severities; a bare off of YAML 1.1 is "off" too', async () => {
    const file = await parseTargets(good, 'redops.yaml');
    expect(file.targets.cache).toMatchObject({ tag: 'production', caps: { max_keys: 1000 } });
    expect(file.lint.severity).toEqual({ DEL001: 'error', TTL002: 'off' });
    expect(file.lint.conventions).toEqual([
      { match: 'cache:*', ttl_max_ms: 86_400_000 },
      { match: 'lock:*', ttl_min_ms: 5_000, ttl_max_ms: 60_000 },
    ]);
    expect((await parseTargets('', 'redops.yaml')).targets).toEqual({});
  });

  it.each([
    ['targets:\n  a:\n    url: redis://h\n    max_key: 3\n', 'redops.yaml:4: redops knows no field targets.a.max_key'],
    ['targets:\n  a:\n    url: redis://h\n    tag: prod\n', 'redops.yaml:4: targets.a.tag: '],
    ['targets:\n  a:\n    url: redis://h\n    url_env: X\n', 'redops.yaml:2: targets.a: give exactly one of url'],
    ['targets:\n  a: {}\n', 'redops.yaml:2: targets.a: give exactly one of url'],
    ['targets:\n  a: [\n', 'redops.yaml:3: it is not valid YAML'],
    ['targets:\n  a: *x\n', 'redops.yaml: Unresolved alias'],
    ['lint:\n  severity:\n    DEL001: loud\n', 'redops.yaml:3: lint.severity.DEL001: '],
    ['lint:\n  conventions:\n    - match: a\n      ttl_max: soon\n', 'redops.yaml:4: lint.conventions.0.ttl_max: '],
    [
      'lint:\n  conventions:\n    - { match: a, ttl_max: 1d }\n    - { match: b }\n',
      'redops.yaml:4: lint.conventions.1: ',
    ],
    ['lint:\n  conventions: [{ match: a, ttl_max: 1s, ttl_min: 2s }]\n', 'redops.yaml:2: lint.conventions.0: '],
    ['lint:\n  conventions: [{ match: a, ttl: 1s }]\n', 'redops.yaml:2: redops knows no field '],
    [
      'targets:\n  a:\n    url: redis://h\n    policy: { alow: read }\n',
      'redops.yaml:4: redops knows no field targets.a.policy.alow',
    ],
    [
      'targets:\n  a:\n    url: redis://h\n    policy:\n      prefixes: { "a:": all }\n',
      'redops.yaml:5: targets.a.policy.prefixes.a:: ',
    ],
    ['policy: x\n', 'redops.yaml:1: redops knows no field policy'],
    ['- a\n', 'redops.yaml:1: the file: '],
  ])('refuses %j and says where', async (text, message) => {
    expect(await problemOf(text)).toContain(message);
  });

  it('quotes no value in an error', async () => {
    const secret = 's3cret';
    expect(await problemOf(`targets:\n  a:\n    url: [redis://u:${secret}@h]\n`)).not.toContain(secret);
    expect(await problemOf(`targets:\n  a:\n    url: "redis://u:${secret}@h\n`)).not.toContain(secret);
    expect(await problemOf(`targets:\n  a:\n    url: redis://h\n    tag: ${secret}\n`)).not.toContain(secret);
  });
});

describe('resolveTarget', () => {
  it('takes the URL from the file, the environment or a command without a shell', async () => {
    const script = join(dir, 'secret');
    await writeFile(script, '#!/bin/sh\necho "redis://:$1@h:1"\necho noise\n');
    await chmod(script, 0o700);
    const file = await parseTargets(
      `targets:\n  a: { url: redis://h }\n  b: { url_env: B }\n  c: { url_command: "${script} pw;id" }\n  d: { url_command: ["${script}", "p w"] }\n`,
      join(dir, 'redops.yaml'),
    );
    const env = { B: 'redis://b', PATH: process.env.PATH };
    expect((await resolveTarget(file, 'a', env)).url).toBe('redis://h');
    expect((await resolveTarget(file, 'b', env)).url).toBe('redis://b');
    expect((await resolveTarget(file, 'c', env)).url).toBe('redis://:pw;id@h:1');
    expect((await resolveTarget(file, 'd', env)).url).toBe('redis://:p w@h:1');
  });

  it('says how a command ended and never what it printed', async () => {
    const file = await parseTargets(
      `targets:\n  a: { url_command: [sh, -c, "echo s3cret; echo s3cret >&2; exit 3"] }\n  b: { url_command: /no/such/program }\n  c: { url_command: "true" }\n`,
      'redops.yaml',
    );
    const env = { PATH: process.env.PATH };
    const fault = await resolveTarget(file, 'a', env).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'usage', message: expect.stringContaining('ended with status 3') });
    expect(JSON.stringify([fault, String(fault), (fault as Error).cause])).not.toContain('s3cret');
    await expect(resolveTarget(file, 'b', env)).rejects.toMatchObject({ message: expect.stringContaining('ENOENT') });
    await expect(resolveTarget(file, 'c', env)).rejects.toMatchObject({ message: expect.stringContaining('no URL') });
  });

  it('reads TLS files beside redops.yaml', async () => {
    await writeFile(join(dir, 'ca.pem'), 'CA');
    await writeFile(join(dir, 'redops.yaml'), 'targets:\n  a: { url: rediss://h, tls: { ca: ca.pem } }\n');
    const file = await loadTargets(join(dir, 'redops.yaml'));
    expect((await resolveTarget(file, 'a', {})).tls?.ca?.toString()).toBe('CA');
  });

  it('names what is there when a target is not, inherited names included', async () => {
    const file = await parseTargets(good, 'redops.yaml');
    await expect(resolveTarget(file, 'toString', {})).rejects.toMatchObject({ remedy: 'It has: cache, env.' });
    await expect(resolveTarget(file, 'env', {})).rejects.toMatchObject({
      remedy: expect.stringContaining('SHOP_REDIS'),
    });
    await expect(loadTargets(join(dir, 'none.yaml'))).rejects.toMatchObject({ code: 'usage' });
  });
});
