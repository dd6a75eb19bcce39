/**
 * Commands that the table does not have: what the server says of them is asked once, and judged by. The server's own
 * commands stand in for those of a module: asked as if the table lacked them, or renamed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysOf } from '../../src/catalog/keys.ts';
import { liveCommands as entriesOf } from '../../src/catalog/live.ts';
import { allCommands } from '../../src/catalog/lookup.ts';
import { destroys, isAdministrative, isReadOnly, isWrite } from '../../src/catalog/nature.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import { liveCommands } from '../../src/inspect/live-commands.ts';
import { applied, withAgent } from '../support/agent.ts';
import { matrix, startServer, type TestServer } from '../support/servers.ts';
import { validOn7, wordsOf } from './command-corpus.ts';
import { openWire, type Wire } from './wire.ts';

/** Their keys and their nature depend on options, or on there being a subcommand, which the catalog knows of the table's own commands alone. */
const byOptions = new Set(
  'bitfield command delex georadius georadiusbymember migrate pfmerge set sort sort_ro stralgo xadd zadd'.split(' '),
);

describe.each(matrix())('a command that only the server knows, on %s', (version) => {
  let server: TestServer;
  let wire: Wire;
  beforeAll(async () => {
    const renamed = ['GETRANGE text.range', 'SETRANGE text.write'].flatMap((pair) => [
      '--rename-command',
      ...pair.split(' '),
    ]);
    server = await startServer({ ...(version === undefined ? {} : { version }), args: renamed });
    wire = await openWire(server.port);
  });
  afterAll(async () => {
    wire?.close();
    await server?.stop();
  });

  it('has the keys and the nature that the table gives it', async () => {
    const modern = !((await wire.ask('COMMAND', 'GETKEYSANDFLAGS', 'GET', 'k')) instanceof ReplyError);
    const names = allCommands().flatMap(({ name }) => (name.includes('|') || byOptions.has(name) ? [] : [name]));
    const questions = names.map((name) => ({ ask: 'command' as const, name }));
    const said = await liveCommands({ send: (argv) => wire.ask(...argv) as never }, questions);
    const facts = said?.flatMap((one) => (one.facts ? [{ name: `m.${one.name}`, ...one.facts }] : [])) ?? [];
    expect(facts.length).toBeGreaterThan(180);
    const more = entriesOf(facts);
    const compared: string[] = [];
    for (const line of validOn7) {
      const [command = '', ...rest] = wordsOf(line);
      const [own, live] = [
        [command, ...rest],
        [`m.${command}`, ...rest],
      ];
      if (!facts.some(({ name }) => name === live[0]!.toLowerCase())) continue;
      // before 7.0 there are no subcommands and few specifications
      if (modern) {
        const keys = (argv: string[]) => keysOf(argv, more)?.map(({ key, access }) => `${access} ${String(key)}`);
        // 7.0 says another access
        if (command !== 'SINTERSTORE') expect([line, keys(live)]).toEqual([line, keys(own)]);
        expect([line, isAdministrative(live, more)]).toEqual([line, isAdministrative(own)]);
        expect([line, isReadOnly(live, more)]).toEqual([line, isReadOnly(own)]);
      }
      // what only the server knows is never taken for less than it is
      if (isWrite(own) && !/^(EVAL|FCALL|DEBUG)/i.test(command))
        expect([line, isWrite(live, more)]).toEqual([line, true]);
      if (destroys(own) && !/^(EVAL|FCALL|DEBUG)/i.test(command))
        expect([line, destroys(live, more)]).toEqual([line, true]);
      compared.push(line);
    }
    expect(compared.length).toBeGreaterThan(200);
  });

  it('is planned by what the server says of it', async () => {
    const plan = (commands: readonly string[], limits = {}) =>
      withAgent(server.url, (agent) => agent.plan({ operation_type: 'pipelining', commands, limits }));
    const said = ({ plan: made, diagnostics }: Awaited<ReturnType<typeof plan>>) =>
      [...diagnostics, ...(made?.warnings ?? [])].filter(({ severity }) => severity === 'error');
    const read = await plan(['TEXT.RANGE k 0 -1'], { prefixes: ['k'] });
    expect(said(read)).toEqual([]);
    expect(read.plan?.execution_plan).toMatchObject({ destructive: false, reversible: true });
    expect(read.plan?.execution_plan.permissions).toContain('+text.range');
    expect(read.plan?.execution_plan.permissions).toContain('~k');
    const write = await plan(['TEXT.WRITE k 0 x']);
    expect(write.plan?.execution_plan).toMatchObject({ destructive: true, reversible: false });
    const outside = await plan(['TEXT.RANGE other 0 -1'], { prefixes: ['k'] });
    expect(said(outside).map(({ code }) => code)).toEqual(['CAP003']);
    const unknown = await plan(['NO.SUCH k', 'TEXT.RANGE k']);
    expect(said(unknown).map(({ message }) => message)).toEqual([
      'NO.SUCH is not known to this server',
      'TEXT.RANGE takes 3 arguments on this server, not 1',
    ]);
  });

  it('runs', async () => {
    await wire.ask('SET', 'k', 'value');
    const report = await withAgent(server.url, (agent) =>
      applied(agent, { operation_type: 'pipelining', commands: ['TEXT.RANGE k 0 1'] }),
    );
    expect(report).toMatchObject({ status: 'succeeded', results: [{ outcome: 'ok', reply: 'va' }] });
  });
});
