/** When a watched key counts as written by others, and from when on that is said. */
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../../test/redis/command-corpus.ts';
import { createFold } from './fold.ts';
import { createHotKeys } from './hot-keys.ts';

/** Follows watched keys; `say`: what a client sends. */
function follow() {
  const fold = createFold();
  const hot = createHotKeys(fold, ({ line }, argv, within) => ({ argv, at: `${within} ${line}`, within, block: '' }));
  const command = (text: string, database = 0, line = 1) => ({ argv: wordsOf(text), line, database });
  return {
    hot,
    command,
    watch: (client: string, text: string, database = 0) => hot.watch(client, command(text, database)),
    see: (client: string, text: string, database = 0) => hot.see(client, command(text, database)),
    exec: (client: string, ran: boolean, line = 1) => hot.exec(client, command('EXEC', 0, line), ran),
    said: () => fold.diagnostics.map(({ code, count = 1, at, message }) => `${code} ${count} ${at} ${message}`),
  };
}

/** Five times what `once` does: said when each of them loses a transaction. */
function fiveTimes(once: (run: ReturnType<typeof follow>) => void): readonly string[] {
  const run = follow();
  for (let time = 0; time < 5; time += 1) once(run);
  return run.said();
}

const hotK = (lost: number, attempts: number, line = 1) =>
  `TX008 1 line ${line} k is watched while others write it: ${lost} of ${attempts} transactions were lost so far`;

describe('a lost transaction', () => {
  test('is one that did not run, of a key that another client wrote', () => {
    const of = (ran: boolean, ...written: readonly (readonly [string, string, number?])[]) =>
      fiveTimes(({ watch, see, exec }) => {
        watch('a', 'WATCH k');
        for (const [client, text, database] of written) see(client, text, database);
        exec('a', ran);
      });
    expect(of(false, ['b', 'SET k 1'])).toEqual([hotK(5, 5)]);
    expect(of(false, ['b', 'MSET j 1 k 1'])).toEqual([hotK(5, 5)]);
    expect(of(true, ['b', 'SET k 1'])).toEqual([]);
    expect(of(false, ['a', 'SET k 1'])).toEqual([]);
    expect(of(false, ['b', 'GET k'])).toEqual([]);
    expect(of(false, ['b', 'SET j 1'])).toEqual([]);
    expect(of(false, ['b', 'SET k 1', 1])).toEqual([]);
    expect(of(false, ['b', 'NOT.KNOWN k 1'])).toEqual([]);
    expect(of(false)).toEqual([]);
  });

  test('a command that names no database is of the first one', () => {
    const { hot, command, exec, said } = follow();
    for (let time = 0; time < 5; time += 1) {
      hot.watch('a', { argv: ['WATCH', 'k'], line: 1 });
      hot.see('b', command('SET k 1', 0));
      exec('a', false);
    }
    expect(said()).toEqual([hotK(5, 5)]);
  });

  test('WATCH again forgets no write, EXEC does', () => {
    const again = fiveTimes(({ watch, see, exec }) => {
      watch('a', 'WATCH k');
      see('b', 'SET k 1');
      watch('a', 'WATCH k');
      exec('a', false);
    });
    expect(again).toEqual([hotK(5, 5)]);
    const after = fiveTimes(({ watch, see, exec }) => {
      watch('a', 'WATCH k');
      see('b', 'SET k 1');
      exec('a', true);
      exec('a', false);
      watch('a', 'WATCH k');
      exec('a', false);
    });
    expect(after).toEqual([]);
  });

  test('one client that forgets leaves the watch of another', () => {
    const found = fiveTimes(({ watch, see, exec, hot }) => {
      watch('a', 'WATCH k');
      watch('b', 'WATCH k');
      hot.forget('b');
      hot.forget('nobody');
      see('c', 'SET k 1');
      exec('a', false);
    });
    expect(found).toEqual([hotK(5, 5)]);
  });
});

describe('it is said', () => {
  const tries = (won: number, lost: number) => {
    const run = follow();
    for (let line = 1; line <= won + lost; line += 1) {
      run.watch('a', 'WATCH k');
      if (line > won) run.see('b', 'SET k 1');
      run.exec('a', line <= won, line);
    }
    return run.said();
  };

  test.each([
    [0, 4, []],
    [0, 5, [hotK(5, 5, 5)]],
    [0, 9, [hotK(5, 5, 5)]],
    [20, 5, [hotK(5, 25, 25)]],
    [21, 5, []],
    [21, 6, [hotK(6, 27, 27)]],
  ])('after %d that ran and %d that were lost: %j', (won, lost, found) => {
    expect(tries(won, lost)).toEqual(found);
  });

  test('once of each key', () => {
    const found = fiveTimes(({ watch, see, exec }) => {
      watch('a', 'WATCH k j');
      see('b', 'DEL j k');
      exec('a', false);
    });
    expect(found).toEqual([`${hotK(5, 5).replace('TX008 1', 'TX008 2')}`]);
  });
});

describe('somebody watches', () => {
  const watching = (...steps: readonly ((run: ReturnType<typeof follow>) => void)[]): readonly boolean[] => {
    const run = follow();
    return steps.map((step) => {
      step(run);
      return run.hot.watching;
    });
  };

  test('from WATCH until EXEC, or until the last one is gone', () => {
    expect(
      watching(
        () => {},
        ({ watch }) => watch('a', 'WATCH k'),
        ({ watch }) => watch('b', 'WATCH k'),
        ({ exec }) => exec('a', true),
        ({ hot }) => hot.forget('b'),
      ),
    ).toEqual([false, true, true, true, false]);
  });

  test('a key that is not known is not watched', () => {
    expect(watching(({ hot }) => hot.watch('a', { argv: ['WATCH', undefined], line: 1 }))).toEqual([false]);
    expect(watching(({ watch }) => watch('a', 'WATCH'))).toEqual([false]);
  });
});

describe('10,000 keys are watched at one time', () => {
  const keys = Array.from({ length: 9_999 }, (_, index) => `x${index}`);
  const full = (...more: readonly string[]) => {
    const run = follow();
    run.hot.watch('z', { argv: ['WATCH', ...keys, ...more], line: 1 });
    for (let time = 0; time < 5; time += 1) {
      run.watch('a', 'WATCH k');
      run.see('b', 'SET k 1');
      run.exec('a', false);
    }
    return run.said();
  };

  test.each<[string, string[], string[]]>([
    ['the last of them is watched', [], [hotK(5, 5)]],
    ['one more is not', ['other'], []],
    ['one more client of one of them is', ['k'], [hotK(5, 5)]],
  ])('%s', (_, more, found) => {
    expect(full(...more)).toEqual(found);
  });
});
