import { describe, expect, it } from 'vitest';
import { doubtOf, type Voice, verdictOf, wordsOf } from './sentinel-vote.ts';

const names = (
  at: string,
  address: string,
  more: { others?: number; doubt?: string; process?: string } = {},
): Voice => ({
  at,
  named: true,
  answer: {
    kind: 'names',
    address,
    process: more.process ?? at,
    others: more.others ?? 2,
    doubt: more.doubt,
  },
});
const silent = (at: string): Voice => ({
  at,
  named: true,
  answer: { kind: 'silent', why: 'is silent', refused: false },
});
const unknown = (at: string): Voice => ({ at, named: true, answer: { kind: 'unknown_service', process: at } });
const announced = (voice: Voice): Voice => ({ ...voice, named: false });
const primary = (address: string) => ({ kind: 'primary', address });
const none = (why: string) => ({ kind: 'none', why });

describe('the primary', () => {
  it('is what more than half of all Sentinels name, whatever the others say', () => {
    expect(verdictOf(3, [names('s1', 'a'), names('s2', 'a')])).toEqual(primary('a'));
    expect(verdictOf(3, [names('s1', 'a'), names('s2', 'b'), names('s3', 'b')])).toEqual(primary('b'));
    expect(verdictOf(5, [names('s1', 'a'), names('s2', 'a'), names('s3', 'b')])).toEqual(none('disagree'));
    expect(verdictOf(1, [names('s1', 'a', { others: 0 })])).toEqual(primary('a'));
  });

  it('is not known from half of them, nor from fewer', () => {
    expect(verdictOf(3, [names('s1', 'a'), silent('s2'), silent('s3')])).toEqual(none('too_few'));
    expect(verdictOf(4, [names('s1', 'a', { others: 3 }), names('s2', 'a', { others: 3 })])).toEqual(none('too_few'));
    expect(verdictOf(2, [names('s1', 'a', { others: 1 }), names('s2', 'b', { others: 1 })])).toEqual(none('disagree'));
    expect(verdictOf(3, [])).toEqual(none('too_few'));
  });

  it('counts the Sentinels that others know, whether the URL names them or not', () => {
    expect(verdictOf(1, [names('s1', 'a')])).toEqual(none('too_few'));
    expect(verdictOf(1, [names('s1', 'a'), announced(names('s2', 'a'))])).toEqual(primary('a'));
    // one that was reset and knows nobody does not make itself the majority
    expect(verdictOf(3, [names('s1', 'a', { others: 0 }), silent('s2'), silent('s3')])).toEqual(none('too_few'));
    expect(verdictOf(1, [names('s1', 'a', { others: 0 }), announced(names('s2', 'b', { others: 2 }))])).toEqual(
      none('disagree'),
    );
  });

  it('gives a Sentinel one vote, whatever number of addresses lead to it', () => {
    const twice = [names('s1', 'a', { process: 'p' }), announced(names('10.0.0.1', 'a', { process: 'p' }))];
    expect(verdictOf(1, twice)).toEqual(none('too_few'));
    // a name that leads to the same one twice is no second Sentinel to wait for either
    const one = [names('s1', 'a', { process: 'p', others: 0 }), names('s2', 'a', { process: 'p', others: 0 })];
    expect(verdictOf(2, one)).toEqual(primary('a'));
  });

  it('is not the one that they hold to be down, or are replacing', () => {
    const doubted = { doubt: 'failover_in_progress' };
    expect(verdictOf(3, [names('s1', 'a', doubted), names('s2', 'a'), names('s3', 'a', doubted)])).toEqual(
      none('failover'),
    );
    expect(verdictOf(3, [names('s1', 'a', doubted), names('s2', 'a'), names('s3', 'a')])).toEqual(primary('a'));
  });

  it('is not known where the service is not', () => {
    expect(verdictOf(3, [unknown('s1'), unknown('s2'), silent('s3')])).toEqual(none('unknown_service'));
    expect(verdictOf(3, [unknown('s1'), names('s2', 'a'), names('s3', 'a')])).toEqual(primary('a'));
  });
});

it('reads from the flags of a Sentinel whether it stands by its primary', () => {
  expect(doubtOf('master')).toBeUndefined();
  expect(doubtOf('s_down,master')).toBe('s_down');
  expect(doubtOf('s_down,o_down,master,failover_in_progress')).toBe('o_down');
  expect(doubtOf('master,disconnected')).toBeUndefined();
});

it('tells which Sentinel said what', () => {
  expect(wordsOf([names('s1', 'a'), names('s2', 'b', { doubt: 's_down' }), silent('s3'), unknown('s4')])).toBe(
    's1 names a; s2 names b and says s_down; s3 is silent; s4 does not know the service',
  );
});
