import { describe, expect, it } from 'vitest';
import { invalid, validElsewhere, validOn7, wordsOf } from '../../test/redis/command-corpus.ts';
import { checkCommand } from './grammar.ts';
import { allCommands } from './lookup.ts';

describe('checkCommand', () => {
  it('takes every valid command line of the corpus', () => {
    const refused = [...validOn7, ...validElsewhere].flatMap((line) => {
      const problem = checkCommand(wordsOf(line));
      return problem === undefined ? [] : [`${line} => ${problem.message}`];
    });
    expect(refused).toEqual([]);
    expect(validOn7.length + validElsewhere.length).toBeGreaterThan(300);
  });

  it.each(invalid)('refuses: %s', (line, argument) => {
    const problem = checkCommand(wordsOf(line));
    expect(problem).toMatchObject({ argument });
    expect(problem?.message).not.toBe('');
    expect(problem?.fix).not.toBe('');
  });

  it('lets a value that is not known before the run be anything', () => {
    const lines = [
      ['SET', 'k', 'v', undefined],
      ['SET', 'k', 'v', 'EX', undefined],
      ['ZADD', 'z', undefined, 'm'],
      [undefined, 'k'],
    ];
    expect(lines.map((argv) => checkCommand(argv))).toEqual([undefined, undefined, undefined, undefined]);
    expect(checkCommand(['SET', 'k', undefined, 'EX', 'ten'])).toMatchObject({ argument: 4 });
    expect(checkCommand(['MSET', undefined, '1', undefined])).toMatchObject({ argument: 3 });
  });

  it('says what is wrong, and what would be right', () => {
    const said = (line: string) => checkCommand(wordsOf(line));
    expect(said('GTE k')).toEqual({ message: 'unknown command GTE', fix: 'Did you mean GET?', argument: 0 });
    expect(said('CONFIG GTE x')?.fix).toBe('Did you mean CONFIG GET?');
    expect(said('GET a b')).toEqual({ message: 'GET takes 1 argument, not 2', fix: 'GET key', argument: 2 });
    expect(said('EXPIRE k 10 NX XX')?.message).toBe('XX and NX exclude each other in EXPIRE');
    expect(said('EXPIRE k soon')).toEqual({
      message: 'soon is not an integer (seconds of EXPIRE)',
      fix: 'EXPIRE key seconds [NX | XX | GT | LT]',
      argument: 2,
    });
    expect(said('MSET a 1 b')?.message).toBe('MSET ends too early: value expected');
    expect(said('EVAL s 3 a')?.message).toBe('EVAL says 3 keys, and 1 follow');
    expect(said('FLUSHALL NOW')?.message).toBe('NOW does not fit FLUSHALL here: ASYNC, SYNC expected');
    expect(said('COPY a b REPLCE')?.fix).toMatch(/^Did you mean REPLACE\? COPY source destination/);
  });

  it('shows foreign bytes so that they cannot repaint a terminal', () => {
    expect(checkCommand(['\u001b[2J'])?.message).toBe('unknown command "\\x1b[2J"');
  });

  it('stays fast and right for very long argument lists', () => {
    const pairs = Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 'v']).flat();
    const started = performance.now();
    expect(checkCommand(['MSET', ...pairs])).toBeUndefined();
    expect(checkCommand(['MSET', ...pairs, 'k'])).toMatchObject({ argument: 40_001 });
    expect(checkCommand(['ZADD', 'z', ...pairs.map((_, i) => (i % 2 === 0 ? '1' : 'm')), 'x'])).toMatchObject({
      argument: 40_002,
    });
    expect(checkCommand(['HSET', 'h', ...pairs.map(() => undefined)])).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('never throws, whatever stands where', () => {
    for (const { name } of allCommands()) {
      for (const rest of [
        [],
        [''],
        [undefined],
        ['a', 'b', 'c', 'd'],
        [undefined, undefined, undefined, undefined, undefined],
      ]) {
        expect(() => checkCommand([...name.split('|'), ...rest])).not.toThrow();
      }
    }
  });
});
