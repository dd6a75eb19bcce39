import { expect, test } from 'vitest';
import { file, found, script } from '../../../test/support/lint.ts';
import { ver001 } from './ver001-unknown-to-server.ts';

const on = (redis_version: string, engine: 'redis' | 'valkey' = 'redis') => ({
  server: { engine, version: redis_version, redis_version },
});

test.each([
  ['GETEX k EX 60', '6.0.16'],
  ['COPY a b', '6.0.16'],
  ['EXPIRETIME k', '6.2.14'],
  ['HEXPIRE h 60 FIELDS 1 f', '7.2.4'],
])('%s on %s', (line, version) => {
  expect(found(ver001, file(line, on(version)))).toEqual(['error app.redis:1:1']);
});

test('known commands, Valkey, and no server', () => {
  expect(found(ver001, file('GETEX k EX 60\nUNLINK k', on('6.2.0')))).toEqual([]);
  expect(found(ver001, file('HEXPIRE h 60 FIELDS 1 f', on('7.2.4', 'valkey')))).toEqual([]);
  expect(found(ver001, file('GETEX k EX 60'))).toEqual([]);
});

test('inside a script', () => {
  expect(found(ver001, script("return redis.call('GETEX', KEYS[1])", on('6.0.16')))).toEqual(['error cas.lua:1:8']);
  expect(found(ver001, script("return redis.call('GETEX', KEYS[1])", on('6.2.0')))).toEqual([]);
});

test('what only the server could know', () => {
  const facts = { flags: ['readonly'], categories: [], keySpecs: [] };
  const commands = [
    { name: 'json.get', facts: { ...facts, arity: -2 } },
    { name: 'ft.config', facts: { ...facts, arity: -2 } },
    { name: 'ft.config|get', facts: { ...facts, arity: 3 } },
    { name: 'ts.get' },
  ];
  const given = { ...on('7.2.4', 'valkey'), commands };
  expect(found(ver001, file('JSON.GET k\nFT.CONFIG GET x\nBF.ADD k v', given))).toEqual([]);
  expect(found(ver001, file('FT.CONFIG SET x', given))).toEqual(['error app.redis:1:1']);
  expect(found(ver001, file('TS.GET k', given))).toEqual(['error app.redis:1:1']);
  expect(found(ver001, file('JSON.GET\nFT.CONFIG GET', given))).toEqual(['error app.redis:1:1', 'error app.redis:2:1']);
});
