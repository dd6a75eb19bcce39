import { describe, expect, test } from 'vitest';
import { draft, file, found, pipeline, script } from '../../../test/support/lint.ts';
import { sec004 } from './sec004-secrets.ts';

// put together here, so that no scanner takes this file for a leak
const aws = `AK${'IA'}QYLPMN5HFIQR7XYA`;
const github = `gh${'p_'}${'a1B2'.repeat(9)}`;
const slack = `xo${'xb-'}123456789012-abcdefghijkl`;
const stripe = `sk${'_live_'}${'4eC39HqLyj'.repeat(2)}`;
const google = `AI${'za'}${'Sy_-A'.repeat(7)}`;
const jwt = `ey${'JhbGciOiJIUzI1NiJ9'}.ey${'JzdWIiOiIxMjM0NTY3ODkwIn0'}.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P`;
const pem = `-----BEGIN RSA ${'PRIVATE'} KEY-----`;
const url = `postgres://app:${'hunter22'}@db.internal/app`;

describe('shapes, in a value and in a key', () => {
  test.each([
    ['an access key of AWS', aws],
    ['a token of GitHub', github],
    ['a token of Slack', slack],
    ['a key of Stripe', stripe],
    ['a key of Google', google],
    ['a JSON Web Token', jwt],
    ['a private key (PEM)', pem],
    ['a URL with a password', url],
  ])('%s', (what, secret) => {
    const [finding] = sec004.check(file(`SET cache:1 "v=${secret};" EX 5`)).findings;
    expect(finding?.message).toBe(`argument 2 holds ${what} (not shown)`);
    expect(JSON.stringify(finding)).not.toContain(secret.slice(-12));
    expect(found(sec004, file(`GET "session:${secret}"`))).toEqual(['warning app.redis:1:1']);
    expect(found(sec004, pipeline(`SET a "${secret}"`))).toEqual(['warning execution_plan.steps[0].steps[0]']);
  });

  test.each([
    'SET a AKIAIOSFODNN7EXAMPLE',
    'SET a AKIASHORT',
    'SET a 5f4dcc3b5aa765d61d8327deb882cf99',
    'SET a eyJhbGciOiJIUzI1NiJ9',
    'SET a "-----BEGIN PUBLIC KEY-----"',
    'SET a http://example.org:8080/path',
    'SET a redis://user:<password>@host',
    'SET a redis://user:$PASSWORD@host',
    'SET a mail@example.org',
  ])('%s is none', (line) => {
    expect(found(sec004, file(line))).toEqual([]);
  });
});

describe('places', () => {
  test.each([
    ['AUTH hunter22', 1],
    ['AUTH ann hunter22', 2],
    ['HELLO 3 AUTH ann hunter22', 4],
    ['CONFIG SET requirepass hunter22', 3],
    ['CONFIG SET maxmemory 1gb MasterAuth hunter22', 5],
    ['ACL SETUSER ann on >hunter22 ~* +@all', 4],
    ['MIGRATE host 6379 k 0 100 AUTH hunter22', 7],
    ['MIGRATE host 6379 k 0 100 AUTH2 ann hunter22', 8],
  ])('%s', (line, argument) => {
    const [finding] = sec004.check(file(line)).findings;
    expect(finding).toMatchObject({ at: 'app.redis:1:1', argument });
    expect(JSON.stringify(finding)).not.toContain('hunter22');
  });

  test.each([
    'AUTH <password>',
    'AUTH $REDIS_PASSWORD',
    'AUTH "{{ redis_password }}"',
    'AUTH ann ***',
    'CONFIG SET requirepass ""',
    'CONFIG SET maxmemory 1gb',
    'CONFIG GET requirepass',
    'ACL SETUSER ann on nopass ~* +@all',
    'ACL SETUSER ann >$PASS',
    'HELLO 3',
    'SET auth hunter22',
  ])('%s is none', (line) => {
    expect(found(sec004, file(line))).toEqual([]);
  });
});

test('one finding for each line of a command', () => {
  expect(found(sec004, file('CONFIG SET requirepass hunter22 masterauth hunter22'))).toHaveLength(1);
  const long = sec004.check(file('CONFIG SET \\\n requirepass hunter22 \\\n masterauth hunter22')).findings;
  expect(long.map(({ span }) => span?.line)).toEqual([2, 3]);
});

describe('scripts', () => {
  test('a script that is no text', () => {
    const bytes = { base64: Buffer.from(`\xff\n\n  ${aws}`, 'latin1').toString('base64') };
    const [one] = script('return 1').scripts;
    const subject = { commands: [], scripts: [{ ...one!, source: bytes }] };
    expect(found(sec004, subject)).toEqual(['warning cas.lua:3:3']);
  });

  test('a constant of a script, at its line; once where the script is an argument', () => {
    expect(found(sec004, script(`local a = 1\nreturn '${aws}'`))).toEqual(['warning cas.lua:2:9']);
    expect(found(sec004, file(`EVAL "return '${aws}'" 0`))).toEqual(['warning app.redis:1:1']);
    expect(found(sec004, script("return redis.call('GET', KEYS[1])"))).toEqual([]);
  });

  test('keys and arguments of a call', () => {
    const step = {
      kind: 'script' as const,
      sha1: 'a',
      source: 'return 1',
      keys: ['k'],
      args: ['v', jwt],
      read_only: true,
    };
    expect(found(sec004, draft([step]))).toEqual(['warning execution_plan.steps[0].args[1]']);
  });
});

test('a secret behind the first 64 kB of a value is not looked for', () => {
  expect(found(sec004, file(`SET a "${'v'.repeat(70_000)} ${aws}"`))).toEqual([]);
});
