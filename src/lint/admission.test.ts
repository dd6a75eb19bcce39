import { describe, expect, it } from 'vitest';
import { type AdmissionTerms, createAdmission, mostKeys } from './admission.ts';

const terms: AdmissionTerms = { tag: 'dev', named: true, readOnly: false };
const why = (line: string, changes: Partial<AdmissionTerms> = {}) =>
  createAdmission({ ...terms, ...changes })(line.split(' '));

describe('what an approved plan lets through', () => {
  it.each([
    ['GET a', 'reads', undefined],
    ['SADD a b', 'reads', 'only reads'],
    ['SADD a b', 'writes', undefined],
    ['SET a b', 'writes', 'destroys none'],
    ['SET a b NX', 'writes', undefined],
    ['ZADD z NX 1 a', 'writes', undefined],
    ['EVAL x 0', 'writes', 'destroys none'],
    ['XGROUP DESTROY s g', 'writes', 'destroys none'],
    ['SET a b', 'destroys', undefined],
    ['DEL a', 'destroys', undefined],
    ['FLUSHALL', 'destroys', 'DEL003'],
    ['flushdb ASYNC', 'destroys', 'DEL003'],
    ['SWAPDB 0 1', 'destroys', 'DEL003'],
    ['KEYS *', 'destroys', 'KEY001'],
    ['MULTI', 'destroys', 'changes the connection'],
    ['BLPOP a 0', 'destroys', 'wait'],
    ['CONFIG SET a b', 'destroys', 'administration'],
    ['NOSUCH a', 'destroys', 'does not know'],
  ] as const)('%s where the plan %s: %s', (line, approved, part) => {
    const reason = why(line, { approved });
    if (part === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(part);
    const admit = createAdmission({ ...terms, approved });
    expect([admit(line.split(' ')), admit(line.split(' '))]).toEqual([reason, reason]);
  });

  it('lets through what the request accepts', () => {
    expect(why('FLUSHALL', { approved: 'destroys', accept: ['DEL003'] })).toBeUndefined();
    expect(why('FLUSHALL', { approved: 'writes', accept: ['DEL003'] })).toContain('destroys none');
  });

  it('refuses writes on a replica and keys outside the prefixes', () => {
    expect(why('SADD a b', { approved: 'destroys', readOnly: true })).toContain('replica');
    expect(why('SADD out:1 b', { approved: 'destroys', prefixes: ['in:'] })).toContain('prefixes');
    expect(why('MSET in:1 b out:1 c', { approved: 'destroys', prefixes: ['in:'] })).toContain('position 3');
    expect(why('SADD in:1 b', { approved: 'destroys', prefixes: ['in:'] })).toBeUndefined();
    expect(why('SORT_RO in:1 GET out:*', { approved: 'destroys', prefixes: ['in:'] })).toContain('by a pattern');
    expect(why('SORT_RO in:1 GET in:*', { approved: 'destroys', prefixes: ['in:'] })).toBeUndefined();
  });

  it.each([
    ['FLUSHALL', 'names no keys'],
    ['EVAL x 0', 'does not name'],
    ['EVAL x 1 in:1', 'does not name'],
    ['FCALL f 0', 'does not name'],
    ['PING', undefined],
    ['SCAN 0', undefined],
  ])('of limits on keys nothing gets out that names none: %s', (line, part) => {
    const reason = why(line, { prefixes: ['in:'], accept: ['DEL003'] });
    if (part === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(part);
  });

  it('counts the keys that are written, each once, and stops before there are more than the limit', () => {
    const admit = createAdmission({ ...terms, maxKeys: 2 });
    const said = ['SET a 1', 'GET x', 'SET a 2', 'SET b 1', 'MGET c d', 'SET c 1', 'SET b 2'].map((line) =>
      admit(line.split(' ')),
    );
    expect(said).toEqual([...Array(5).fill(undefined), expect.stringContaining('more than 2 keys'), undefined]);
    expect(why('FLUSHALL', { maxKeys: 2, accept: ['DEL003'] })).toContain('names no keys');
    expect(why('EVAL x 0', { maxKeys: 2 })).toContain('does not name');
  });

  it('takes the smaller of the two limits; in an empty database a share bounds nothing', () => {
    expect(mostKeys({ max_keys: 50, max_percent: 10 }, 1000)).toEqual({ maxKeys: 50 });
    expect(mostKeys({ max_keys: 500, max_percent: 10 }, 1000)).toEqual({ maxKeys: 100 });
    expect([mostKeys({}, 10), mostKeys({ max_percent: 10 }, 0), mostKeys({ max_percent: 100 }, 10)]).toEqual([
      {},
      {},
      {},
    ]);
  });

  it.each([
    ['DEL a', 'DEL can destroy data on a production target: give its name (typedName)'],
    ['SET a b', 'SET can destroy data on a production target: give its name (typedName)'],
    ['EVAL x 0', 'EVAL can destroy data on a production target: give its name (typedName)'],
    ['SET a b NX', undefined],
    ['SADD a b', undefined],
    ['GET a', undefined],
  ])('on production, nobody having named it: %s', (line, reason) => {
    expect(why(line, { tag: 'production', named: false })).toBe(reason);
    expect(why(line, { tag: 'production', named: true })).toBeUndefined();
    expect(why(line, { tag: 'dev', named: false })).toBeUndefined();
  });

  it('says which subcommand it is, and cuts a name that is none', () => {
    expect(why('xgroup destroy s g', { approved: 'writes' })).toBe(
      'XGROUP DESTROY can destroy data, and the plan that was approved destroys none',
    );
    expect(why('fcall f 0', { maxKeys: 1 })).toBe(
      'FCALL can reach keys that it does not name: plan it as a request of its own',
    );
    expect(why('flushall', { maxKeys: 1, accept: ['DEL003'] })).toMatch(/^FLUSHALL names no keys/);
    expect(why('N'.repeat(100))).toBe(`redops does not know the command "${'N'.repeat(40)}"`);
    expect(createAdmission(terms)([])).toBe('it is empty');
  });

  it('reads a command of bytes as one of text', () => {
    const bytes = (line: string) => line.split(' ').map((word) => Buffer.from(word, 'latin1'));
    const admit = createAdmission({ ...terms, prefixes: ['in:'], maxKeys: 1 });
    expect([admit(bytes('SADD in:\xff b')), admit(['SADD', Buffer.from('in:\xff', 'latin1'), 'c'])]).toEqual([
      undefined,
      undefined,
    ]);
    expect(admit(bytes('SADD in:\xfe b'))).toBe('it would write more than 1 keys, which is the limit');
    expect(admit(bytes('SADD out b'))).toBe('the key at position 1 has none of the allowed prefixes');
    expect(admit(bytes('FLUSHALL'))).toContain('DEL003');
  });

  it('lets a key begin with any of the prefixes, and waits of a plain name be judged by their arguments', () => {
    expect(why('SADD b:1 x', { prefixes: ['a:', 'b:'] })).toBeUndefined();
    expect(why('XREAD STREAMS s 0')).toBeUndefined();
    expect(why('XREAD BLOCK 0 STREAMS s 0')).toBe('XREAD would make every later command wait');
  });

  it('takes keys that cannot be told for keys outside', () => {
    const unknown = 'its keys are not known, so neither is whether the limits on keys hold';
    expect([why('GET', { prefixes: ['a'] }), why('ZUNION x a', { prefixes: ['a'] })]).toEqual([unknown, unknown]);
    expect(why('ZUNION x a', { maxKeys: 1 })).toBeUndefined();
    expect(why('SET', { maxKeys: 1 })).toBe(unknown);
  });
});
