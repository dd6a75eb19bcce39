import { describe, expect, it } from 'vitest';
import { someTarget } from '../../test/cli/documents.ts';
import type { StreamSource } from '../plan/step.ts';
import type { SourceFacts } from '../plan/target.ts';
import { compile } from './compile.ts';
import { parseRequest } from './parse.ts';

const source: StreamSource = { path: 'app.redis', format: 'text', gzip: false, bytes: 9, sha256: 'a'.repeat(64) };
const sampled = (commands: readonly (readonly string[])[], facts: Partial<SourceFacts> = {}) =>
  someTarget({
    sources: [
      {
        path: 'app.redis',
        commands: commands.length,
        basis: 'counted',
        low: commands.length,
        high: commands.length,
        sampled: commands.length,
        sample: commands.map((argv, index) => ({ argv: [...argv], line: index + 1 })),
        ...facts,
      },
    ],
  });
const planned = (members: object, target = sampled([['SET', 'k', 'v']]), file = source) =>
  compile(parseRequest({ operation_type: 'pipelining', file: file.path, ...members }).request!, target, file);

describe('a file of commands', () => {
  it('becomes one step that names exactly this file', () => {
    const { draft, diagnostics } = planned({ failures_file: 'failed.redis' });
    expect(diagnostics).toEqual([]);
    expect(draft).toMatchObject({
      strategy: 'pipeline',
      steps: [{ kind: 'stream', source, failures_file: 'failed.redis' }],
      batch_size: 300,
    });
    expect(draft!.reasons.join(' ')).not.toContain('Judged from the first');
  });

  it('is the same step however far away the server was just measured to be', () => {
    const near = sampled([['SET', 'k', 'v']]);
    const far = { ...near, server: { ...near.server, round_trip_ms: 30 } };
    expect(planned({}, far).draft!.steps).toEqual(planned({}, near).draft!.steps);
    expect(planned({}, far).draft!.batch_size).toBe(1250);
  });

  it('says when it was judged from its first commands', () => {
    const target = sampled([['SET', 'k', 'v']], { basis: 'bound', commands: 90, low: 1, high: 100 });
    expect(planned({}, target).draft!.reasons.at(-1)).toContain('Judged from the first 1 commands');
  });

  it.each([
    [['GETT', 'k'], 'CMD001'],
    [['MULTI'], 'CMD002'],
    [['BLPOP', 'k', '0'], 'CMD002'],
    [['CONFIG', 'SET', 'maxmemory', '1'], 'CMD002'],
  ])('%j in it is %s at its line, and no plan', (argv, code) => {
    const { draft, diagnostics } = planned({}, sampled([['SET', 'k', 'v'], argv]));
    expect(draft).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code, at: 'app.redis:2', span: { file: 'app.redis', line: 2 } }]);
  });

  it('counts commands instead of lines in the protocol form', () => {
    const { diagnostics } = planned({}, sampled([['MULTI']]), { ...source, format: 'resp' });
    expect(diagnostics).toMatchObject([{ at: 'app.redis: command 1' }]);
    expect(diagnostics[0]).not.toHaveProperty('span');
  });

  it('is not atomic, and says so when it is asked to be', () => {
    expect(planned({ atomicity_required: true }).diagnostics).toMatchObject([{ code: 'ATM001' }]);
  });
});
