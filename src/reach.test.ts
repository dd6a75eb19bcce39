import { expect, test } from 'vitest';
import { serverOf, whereOf } from './reach.ts';

const accessOf = (url: string, settings: Partial<Parameters<typeof serverOf>[0]> = {}) =>
  whereOf(serverOf({ url, ...settings }), { url, ...settings }).access;
const pem = Buffer.from('pem');

test.each([
  ['redis://db.internal', { encrypted: false, authenticated: false }],
  ['redis://:secret@db.internal', { encrypted: false, authenticated: true }],
  ['rediss://db.internal', { encrypted: true, authenticated: false }],
  ['rediss://ops:secret@db.internal', { encrypted: true, authenticated: true }],
  ['redis+cluster://ops:secret@a:7000,b:7000', { encrypted: false, authenticated: true }],
  ['redis+sentinel://ops:secret@a:26379,b:26379/main', { encrypted: false, authenticated: true }],
])('%s: how it is protected', (url, access) => {
  expect(accessOf(url)).toEqual(access);
});

test('a client certificate is a login', () => {
  expect(accessOf('rediss://db.internal', { tls: { cert: pem, key: pem } })).toEqual({
    encrypted: true,
    authenticated: true,
  });
});

test.each(['redis://127.0.0.1', 'redis://localhost:7000', 'unix:///tmp/redis.sock'])(
  '%s: on this machine it does not matter',
  (url) => {
    expect(accessOf(url)).toBeUndefined();
  },
);

test('nor where the target is tagged dev', () => {
  expect(accessOf('redis://db.internal', { tag: 'dev' })).toBeUndefined();
  expect(accessOf('redis://db.internal', { tag: 'production' })).toBeDefined();
});
