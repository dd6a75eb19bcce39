import { describe, expect, it } from 'vitest';
import type { Reply } from '../redis/reply.ts';
import { type Ended, foldNodes, runsEverywhere, tellsOfOne } from './broadcast.ts';
import { noScriptRuns } from './outcome.ts';

const ok = (reply: Reply): Ended => ({ outcome: 'ok', reply });
const refused = (name: string): Ended => ({
  outcome: 'error',
  reply: null,
  error: { code: 'E225', name, message: `${name} said so` },
});
const fold = (argv: string[], ...settled: Ended[]) =>
  foldNodes(
    argv,
    settled.map((one, index) => ({ address: `n${index + 1}`, settled: one })),
  );

describe('foldNodes', () => {
  it('says once what all nodes say', () => {
    expect(fold(['FLUSHALL'], ok('OK'), ok('OK'))).toEqual(ok('OK'));
  });

  it('adds sizes and joins names', () => {
    expect(fold(['DBSIZE'], ok(3), ok(0), ok(4)).reply).toBe(7);
    expect(fold(['KEYS', '*'], ok([Buffer.from('a')]), ok([]), ok([Buffer.from('b')])).reply).toEqual([
      Buffer.from('a'),
      Buffer.from('b'),
    ]);
  });

  it('tells which node has a script and which does not, and says it once where all are alike', () => {
    expect(fold(['SCRIPT', 'EXISTS', 'x', 'y'], ok([1, 1]), ok([1, 1])).reply).toEqual([1, 1]);
    expect(fold(['SCRIPT', 'EXISTS', 'x', 'y'], ok([1, 1]), ok([1, 0])).reply).toEqual([
      ['n1', [1, 1]],
      ['n2', [1, 0]],
    ]);
  });

  it('names the nodes where they answer differently', () => {
    expect(fold(['CONFIG', 'SET', 'a', 'b'], ok('OK'), ok('other')).reply).toEqual([
      ['n1', 'OK'],
      ['n2', 'other'],
    ]);
  });

  it('is not "ok", and not "not applied" either, when some nodes did it', () => {
    const folded = fold(['FLUSHALL'], ok('OK'), refused('READONLY'));
    expect(folded.outcome).toBe('unknown');
    expect(folded.error?.message).toBe('done on n1; not known to be done on n2: READONLY said so');
  });

  it('is an error when none did it, not sent when it was sent to none, unknown when one may have', () => {
    expect(fold(['FLUSHALL'], refused('NOPERM'), refused('NOPERM')).outcome).toBe('error');
    const unsent: Ended = { outcome: 'not_sent', reply: null };
    expect(fold(['FLUSHALL'], unsent, unsent)).toEqual(unsent);
    const unknown: Ended = { outcome: 'unknown', reply: null };
    expect(fold(['FLUSHALL'], refused('NOPERM'), unknown).outcome).toBe('unknown');
  });

  it('ends the script that runs, wherever it runs', () => {
    const idle = ok(noScriptRuns);
    expect(fold(['SCRIPT', 'KILL'], idle, ok('OK'))).toEqual(
      ok([
        ['n1', noScriptRuns],
        ['n2', 'OK'],
      ]),
    );
    expect(fold(['SCRIPT', 'KILL'], idle, idle)).toEqual(idle);
    expect(fold(['SCRIPT', 'KILL'], ok('OK'), refused('UNKILLABLE')).outcome).toBe('unknown');
  });

  it('is refused where the one script cannot be ended, though the other nodes run none', () => {
    const folded = fold(['SCRIPT', 'KILL'], ok(noScriptRuns), refused('UNKILLABLE'));
    expect(folded.outcome).toBe('error');
    expect(folded.error).toMatchObject({ name: 'UNKILLABLE', message: 'n2: UNKILLABLE said so' });
  });
});

describe('commands without keys', () => {
  it('go to all nodes where they mean the whole, and are told apart where they tell of one', () => {
    expect([runsEverywhere(['flushdb']), runsEverywhere(['SCRIPT', 'load', 'x']), runsEverywhere(['PING'])]).toEqual([
      true,
      true,
      false,
    ]);
    expect([tellsOfOne(['RANDOMKEY']), tellsOfOne(['PING']), tellsOfOne(['GET', 'a'])]).toEqual([true, false, false]);
  });
});
