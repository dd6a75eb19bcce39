/**
 * What the unit tests of src/lint use of vitest, for the mutation run: there `vitest` resolves to this file. Tests are
 * only collected, so that one and the same loaded test can be run for thousands of mutants. The assertions are vitest's
 * own. Hooks are those of the whole file. What
 * is not here (snapshots, mocks) fails when it is used.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect);
Object.assign(expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
setState({ assertionCalls: 0 }, expect);
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, writable: true, configurable: true });
chai.expect.extend(expect, customMatchers);

let collected = newFile();
let path = [];

/** Loads a test file by `load` and returns what it has: hooks, and tests as { name, run }; names are unique. */
export async function collect(load) {
  collected = newFile();
  await load();
  return collected;
}

export const test = withEach((name, run) => {
  const full = [...path, name].join(' ');
  const again = collected.names.get(full) ?? 0;
  collected.names.set(full, again + 1);
  const { tests, beforeEach, afterEach } = collected;
  tests.push({
    name: again === 0 ? full : `${full} (${again + 1})`,
    run: async () => {
      for (const hook of beforeEach) await hook();
      try {
        await run();
      } finally {
        for (const hook of afterEach) await hook();
      }
    },
  });
});
export const it = test;

export const describe = withEach((name, body) => {
  path = [...path, name];
  body();
  path = path.slice(0, -1);
});

export const beforeAll = (hook) => void collected.before.push(hook);
export const afterAll = (hook) => void collected.after.push(hook);
export const beforeEach = (hook) => void collected.beforeEach.push(hook);
export const afterEach = (hook) => void collected.afterEach.push(hook);

function newFile() {
  return { before: [], after: [], beforeEach: [], afterEach: [], tests: [], names: new Map() };
}

/** `each` spreads a case that is a list, as vitest does; the case is told by its number. */
function withEach(declare) {
  const each = (cases) => (name, body) => {
    for (const [index, one] of cases.entries()) {
      declare(`${name} #${index + 1}`, () => body(...(Array.isArray(one) ? one : [one])));
    }
  };
  return Object.assign(declare, { each });
}
