/**
 * The command table against the server that the tests run with: nothing is missing or outdated, and what redops computes
 * by itself (keys, slots, form) is what the server answers.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBuffer } from '../../src/base/bytes.ts';
import type { CommandInfo } from '../../src/catalog/command.ts';
import { admits, keysOf } from '../../src/catalog/keys.ts';
import { allCommands } from '../../src/catalog/lookup.ts';
import { slotOf } from '../../src/catalog/slots.ts';
import { commandTable } from '../../src/catalog/table.ts';
import { type Decoded, ReplyError } from '../../src/formats/resp.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { invalid, validOn7, wordsOf } from './command-corpus.ts';
import { openWire, type Wire } from './wire.ts';

let server: TestServer;
let wire: Wire;
let engine: string;
let version: readonly number[];

beforeAll(async () => {
  server = await startServer({ args: ['--cluster-enabled', 'yes'] });
  wire = await openWire(server.port);
  const info = String(await wire.ask('INFO', 'server'));
  const [, product = 'redis', own = ''] = /(valkey|redict)_version:([0-9.]+)/.exec(info) ?? [];
  engine = `${product} ${own === '' ? (/redis_version:([0-9.]+)/.exec(info)?.[1] ?? '') : own}`;
  version = (/redis_version:([0-9.]+)/.exec(info)?.[1] ?? '').split('.').map(Number);
});

afterAll(async () => {
  wire?.close();
  await server?.stop();
});

const since7 = () => (version[0] ?? 0) >= 7;

describe('the command table', () => {
  it('has every command of the server, with its arity and flags', async () => {
    const known = new Map(allCommands().map((info) => [info.name, info]));
    const listed = flattened((await wire.ask('COMMAND')) as Decoded[]);
    expect(listed.length).toBeGreaterThan(200);
    // HTTP words that 6.0 lists; they cut the connection and are no commands
    const unknown = listed.filter(({ name }) => !known.has(name) && name !== 'host:' && name !== 'post');
    expect(unknown.map(({ name }) => name)).toEqual([]);
    const wrong = listed.flatMap((live) => {
      const info = known.get(live.name);
      return info === undefined ? [] : differences(info, live);
    });
    expect(wrong).toEqual([]);
  });

  it('names no command for this server that it does not have', async () => {
    const listed = new Set(flattened((await wire.ask('COMMAND')) as Decoded[]).map(({ name }) => name));
    const extra = allCommands().filter((info) => info.seenOn.includes(engine) && !listed.has(info.name));
    expect(extra.map(({ name }) => name)).toEqual([]);
  });
});

interface LiveCommand {
  readonly name: string;
  readonly arity: number;
  readonly flags: readonly string[];
}

function flattened(replies: readonly Decoded[]): readonly LiveCommand[] {
  return replies.flatMap((reply) => {
    const [name, arity, flags, , , , , , , subcommands] = reply as Decoded[];
    const live = {
      name: String(name).toLowerCase(),
      arity: Number(arity),
      flags: (flags as Decoded[]).map(String).sort(),
    };
    return [live, ...flattened((subcommands ?? []) as Decoded[])];
  });
}

/** Exact for a server that the table was made from; for any other, the table must not be narrower nor take a write for a read. */
function differences(info: CommandInfo, live: LiveCommand): readonly string[] {
  const said = info.differs?.[engine];
  if (commandTable().servers.includes(engine)) {
    const arity = said?.arity ?? info.arity;
    const flags = said?.flags ?? info.flags;
    const same = arity === live.arity && flags.join() === live.flags.join() && info.seenOn.includes(engine);
    return same ? [] : [`${info.name}: table ${arity} ${flags.join()}, server ${live.arity} ${live.flags.join()}`];
  }
  const least = Math.abs(live.arity);
  const admitted = admits(info.arity, least) && (live.arity > 0 || info.arity < 0);
  const writes = live.flags.includes('write') === info.flags.includes('write') || live.name.startsWith('xgroup');
  return admitted && writes ? [] : [`${info.name}: table ${info.arity}, server ${live.arity} ${live.flags.join()}`];
}

describe('keysOf', () => {
  it('agrees with COMMAND GETKEYS for the forms that no specification describes', async () => {
    const lines = [
      ...[
        'SORT k BY w_* GET # STORE d',
        'SORT k STORE d STORE e',
        'MIGRATE h 1 k 0 1',
        'MIGRATE h 1 "" 0 1 AUTH p KEYS a b',
      ],
      ...[
        'GEORADIUS k 1 1 1 m STORE d',
        'GEORADIUSBYMEMBER k m 1 m STOREDIST d',
        'EVAL s 2 a b c',
        'ZUNIONSTORE d 2 a b',
      ],
      ...['XREAD COUNT 1 STREAMS a b 0 0', 'XREADGROUP GROUP STREAMS c STREAMS a >', 'BITOP AND d a b', 'MSET a 1 b 2'],
    ];
    for (const line of lines) {
      const argv = wordsOf(line);
      const live = ((await wire.ask('COMMAND', 'GETKEYS', ...argv)) as Decoded[]).map(String);
      // 6.0 names the destination last
      expect([
        line,
        keysOf(argv)
          ?.map(({ key }) => key)
          .sort(),
      ]).toEqual([line, live.sort()]);
    }
  });
});

describe('slotOf', () => {
  it('agrees with CLUSTER KEYSLOT for any bytes', async () => {
    const braces = fc
      .array(fc.constantFrom(0x7b, 0x7d, 0x61, 0xff), { maxLength: 8 })
      .map((bytes) => Uint8Array.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof(braces, fc.uint8Array({ maxLength: 40 })), async (bytes) => {
        const key = Buffer.from(bytes);
        expect(slotOf(fromBuffer(key))).toBe(await wire.ask('CLUSTER', 'KEYSLOT', key));
      }),
      { numRuns: 500 },
    );
  });
});

describe('checkCommand', () => {
  // The texts of refusals for form. They are matched here, in a test, because no code tells them apart.
  const forForm =
    /syntax error|wrong number of arguments|unknown (sub)?command|is not an integer|is not a float|not a valid float/i;
  // out of range in a MULTI, these would change the server or end the connection
  const notQueued =
    /^(CLIENT (PAUSE|KILL|TRACKING|CACHING)|SWAPDB|FLUSH|MIGRATE|CONFIG SET|CONFIG RESETSTAT|SCRIPT FLUSH|FUNCTION FLUSH|ACL SETUSER|ACL DRYRUN|ACL DELUSER|MOVE|COPY a b (DB|REPLACE DB)|BITFIELD_RO)/;

  it('takes what the server takes', async ({ skip }) => {
    skip(!since7(), 'the corpus is written for 7.0 and later');
    const plain = await startServer();
    const connection = await openWire(plain.port);
    const refused: string[] = [];
    for (const line of validOn7.filter((text) => !notQueued.test(text))) {
      const reply = await runQueued(connection, wordsOf(line));
      if (reply instanceof ReplyError && forForm.test(reply.message)) refused.push(`${line} => ${reply.message}`);
    }
    connection.close();
    await plain.stop();
    expect(refused).toEqual([]);
  });

  it('refuses nothing that the server carries out', async () => {
    const plain = await startServer();
    const connection = await openWire(plain.port);
    const done: string[] = [];
    for (const [line] of invalid) {
      // a command on a key that is not there may answer before it looks at the rest
      const reply = await runQueued(connection, wordsOf(line));
      if (!(reply instanceof ReplyError) && !beforeParsing.has(line)) done.push(line);
    }
    connection.close();
    await plain.stop();
    expect(done).toEqual([]);
  });
});

/** Lines that some version answers for a missing key without reading all of them. */
const beforeParsing = new Set(['BITPOS k 1 0 -1 WORD', 'LINSERT l AT 1 0', 'HRANDFIELD h x', 'XTRIM x KEEP 5']);

/** One command inside MULTI and EXEC, where nothing blocks: its reply, or the refusal when it was queued. */
async function runQueued(connection: Wire, argv: readonly string[]): Promise<Decoded> {
  await connection.ask('MULTI');
  const queued = await connection.ask(...argv);
  const replies = await connection.ask('EXEC');
  if (queued instanceof ReplyError) return queued;
  return Array.isArray(replies) ? replies[0]! : replies;
}
