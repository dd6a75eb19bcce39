import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedact, isSecretName } from './redact.ts';

const redact = createRedact([]);

describe('what is never shown', () => {
  test.each([
    ['Bearer-abcdef123456', 'abcdef'],
    ['Authorization: Bearer abc.def.ghi', 'abc.def'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature_x', 'eyJ'],
    ['{"password":"hunter2","n":1}', 'hunter2'],
    ["password='hunter2 with blanks'", 'blanks'],
    ['user_password=hunter2&x=1', 'hunter2'],
    ['api_key: k-123', 'k-123'],
    ['AKIAIOSFODNN7EXAMPLE', 'AKIA'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'ghp_abc'],
    ['sk-proj-abcdefghijklmnop', 'abcdefgh'],
    ['redis://default:s3cr3t@10.0.0.1:6379', 's3cr3t'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----', 'MIIabc'],
    ['-----BEGIN PRIVATE KEY-----\nMIIabc (cut)', 'MIIabc'],
    ['write to jane.doe+x@example.co.uk now', 'jane'],
    ['{\\"token\\": \\"tok-1\\"}', 'tok-1'],
  ])('%j', (text, secret) => {
    expect(text).toContain(secret);
    expect(redact(text)).not.toContain(secret);
  });

  test.each([
    'session:1',
    'hello world',
    'counter 42',
    'a.b.c',
    'https://example.com/x?y=1',
    'passenger: 7',
    'tokenizer',
  ])('%j stays as it is', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('patterns of the policy come first', () => {
    expect(createRedact(['cust-\\d+'])('order of cust-4711 by a@b.de')).toBe('order of [redacted] by [email]');
  });

  test('any text is answered in bounded time, and twice is once', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 4096, unit: fc.constantFrom(...'ab:=@."\'-_ \n/\\{}eyJ0') }), (text) => {
        const once = redact(text);
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['user:1:password', true],
  ['requirepass', true],
  ['access_token', true],
  ['db.password', true],
  ['password_hash', true],
  ['user:1', false],
  ['tokens_used', false],
  ['author', false],
  ['compass', false],
])('the name %s is one of a secret: %s', (name, secret) => {
  expect(isSecretName(name)).toBe(secret);
});
