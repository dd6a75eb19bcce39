import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFixtures, readYamlFixtures } from './read-fixtures.ts';

const yaml = (tests: string, head = 'script: a.lua\n') => readYamlFixtures(`${head}tests:\n${tests}`, 'a.test.yaml');
const one = async (text: Promise<Awaited<ReturnType<typeof readYamlFixtures>>>) => {
  const read = await text;
  return 'mistakes' in read ? read.mistakes.map((m) => `${m.line}:${m.column} ${m.message}`) : 'no mistake';
};

test('words, keys and runs are read in every spelling, to one form', async () => {
  const read = await yaml(`  - name: t
    given:
      s: old
      n: 5
      b: { base64: "/w==" }
      h: { hash: { f: 1, g: x } }
      z: { zset: { m: 1.5, i: inf } }
      x: { stream: [{ id: 1-1, fields: { f: v } }], ttl: 30s }
    run: { keys: [s], args: [1, "007"] }
    expect: { reply: [1, null, { status: OK }], ttl: { s: { between: [1s, 2s] } } }
`);
  if ('mistakes' in read) throw new Error(JSON.stringify(read.mistakes));
  const [first] = read.fixtures.tests;
  expect(first!.given!.map(({ value }) => value)).toEqual([
    { content: { type: 'string', value: 'old' } },
    { content: { type: 'string', value: '5' } },
    { content: { type: 'string', value: { base64: '/w==' } } },
    {
      content: {
        type: 'hash',
        pairs: [
          ['f', '1'],
          ['g', 'x'],
        ],
      },
    },
    {
      content: {
        type: 'zset',
        pairs: [
          ['m', '1.5'],
          ['i', 'inf'],
        ],
      },
    },
    { content: { type: 'stream', entries: [{ id: '1-1', fields: [['f', 'v']] }] }, ttl: 30_000 },
  ]);
  expect(first!.run).toEqual([{ before: [], keys: ['s'], args: ['1', '007'] }]);
  expect(first!.expect!.ttl).toEqual([{ key: 's', value: { between: [1_000, 2_000] } }]);
  expect(first!.expect!.others).toBe('fail');
});

test('keys that are not UTF-8 are given as a list', () => {
  const read = checkFixtures(
    {
      script: 'a.lua',
      tests: [{ name: 't', given: [{ key: { base64: '/w==' }, value: 'v' }], run: {}, expect: { reply: 1 } }],
    },
    'a.mjs',
  );
  expect('fixtures' in read && read.fixtures.tests[0]!.given).toEqual([
    { key: { base64: '/w==' }, value: { content: { type: 'string', value: 'v' } } },
  ]);
});

test.each([
  ['  - { name: t, run: {}, expect: { reply: 1 }, extra: 1 }', '3:47 extra is not a field of tests[0]'],
  ['  - name: t\n    run: { keyz: [k] }\n    expect: { reply: 1 }', '4:12 keyz is not a field of tests[0].run'],
  [
    '  - name: t\n    run: [{}, { args: [[1]] }]\n    expect: { reply: 1 }',
    '4:24 tests[0].run[1].args[0]: expected a string',
  ],
  ['  - name: t\n    run: {}', '3:5 the test t expects nothing'],
  ['  - name: t\n    run: {}\n    expect: {}', '3:5 the test t expects nothing'],
  ['  - name: t\n    expect: { reply: 1 }', '3:5 tests[0].run is missing'],
  ['  - name: t\n    run: { reply: 1 }\n    expect: { reply: 1 }', '5:5 the last run and expect both say'],
  ['  - name: t\n    run: {}\n    expect: { reply: 1, error: x }', '5:5 a reply and an error are both expected'],
  ['  - name: t\n    run: { args: [007] }\n    expect: { reply: 1 }', '4:19 007 is read as the number 7'],
  ['  - name: t\n    run: { args: [1.0] }\n    expect: { reply: 1 }', '4:19 1.0 is read as the number 1'],
  [
    '  - name: t\n    run: { args: [9007199254740993] }\n    expect: { reply: 1 }',
    '4:19 9007199254740993 is read as the number 9007199254740992',
  ],
  [
    '  - name: t\n    run: { args: [yes, true] }\n    expect: { reply: 1 }',
    '4:24 tests[0].run.args[1]: expected a string',
  ],
  [
    '  - name: t\n    given: { k: { list: [a], set: [b] } }\n    run: {}\n    expect: { reply: 1 }',
    '4:14 tests[0].given.k: expected exactly one of',
  ],
  [
    '  - name: t\n    given: { k: { list: [a], ttl: 30 } }\n    run: {}\n    expect: { reply: 1 }',
    '4:30 tests[0].given.k.ttl: expected a duration with its unit',
  ],
  [
    '  - name: t\n    run: { before: ["SET k"] , reply: 1 }\n  - name: t\n    run: { reply: 1 }',
    '5:5 two tests are called t',
  ],
  ["  - name: t\n    run: { before: ['SET \"k'], reply: 1 }", '4:21 '],
  ['  - name: t\n    run: { before: ["PING\\nPING"], reply: 1 }', '4:21 expected one command'],
  ['  - name: t\n    run: { reply: { between: [2, 1] } }', '4:21 tests[0].run.reply.between: the first bound is above'],
  [
    '  - name: t\n    run: { reply: 1.5 }',
    '4:12 tests[0].run.reply: expected a reply: a string, a whole number within 2^53-1',
  ],
  ['  - name: t\n    given: { k: { hash: {} } }\n    run: { reply: 1 }', '4:19 tests[0].given.k.hash: it is empty'],
  ['  - name: t\n    run: { reply: 1\n', 'not valid YAML'],
  ['  - name: t\n    run: { reply: *nothing }', 'not valid YAML: Unresolved alias'],
])('%s is a mistake with its place', async (tests, message) => {
  const mistakes = await one(yaml(tests));
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toContain(message);
});

test('every mistake is told, not only the first', async () => {
  expect(await one(yaml('  - { name: t, run: { keys: 1 }, expect: { replay: 1, other: 1 } }'))).toHaveLength(3);
});

test('no value that a module may export is thrown at', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true }), (value) => {
      const read = checkFixtures(value, 'a.mjs');
      expect('mistakes' in read ? read.mistakes.length : 0).toBeGreaterThan(0);
    }),
  );
});

test('no text is thrown at', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'{}[]:-, \n"\'#&*!|>ab1') }), async (text) => {
      await readYamlFixtures(text, 'a.test.yaml');
    }),
    { numRuns: 1_000 },
  );
});
