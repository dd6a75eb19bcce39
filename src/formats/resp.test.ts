import { Decoder as ClientDecoder } from '@redis/client/dist/lib/RESP/decoder.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpsError } from '../base/ops-error.ts';
import { type Decoded, Decoder, encodeCommands, ReplyError } from './resp.ts';

function decodeAll(chunks: readonly Buffer[]): Decoded[] {
  const replies: Decoded[] = [];
  const decoder = new Decoder({
    reply: (value) => replies.push(value),
    push: (value) => replies.push(['push', ...value]),
  });
  for (const chunk of chunks) decoder.write(chunk);
  expect(decoder.idle).toBe(true);
  return replies;
}

function decode(text: string): Decoded[] {
  return decodeAll([Buffer.from(text, 'latin1')]);
}

/** A reply and its wire form, of every type that Redis sends. */
const wire: fc.Arbitrary<string> = fc.letrec<{ reply: string }>((tie) => {
  const line = fc.stringMatching(/^[a-zA-Z0-9 :*$-]{0,20}$/);
  const bulk = fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => `$${bytes.length}\r\n${Buffer.from(bytes).toString('latin1')}\r\n`);
  const many = fc.array(tie('reply'), { maxLength: 4 });
  return {
    reply: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      line.map((text) => `+${text}\r\n`),
      line.map((text) => `-ERR ${text}\r\n`),
      fc.integer().map((value) => `:${value}\r\n`),
      bulk,
      fc.constantFrom(
        '$-1\r\n',
        '*-1\r\n',
        '_\r\n',
        '#t\r\n',
        '#f\r\n',
        ',3.25\r\n',
        ',inf\r\n',
        ',-inf\r\n',
        '(123456789012345678901\r\n',
      ),
      bulk.map((text) => `=${Number(/\d+/.exec(text)![0]) + 4}\r\ntxt:${text.slice(text.indexOf('\n') + 1)}`),
      many.map((items) => `*${items.length}\r\n${items.join('')}`),
      many.map((items) => `~${items.length}\r\n${items.join('')}`),
    ),
  };
}).reply;

/** What the client library's decoder makes of the same bytes, in the words of ours. */
function oracle(bytes: Buffer): unknown[] {
  const replies: unknown[] = [];
  const decoder = new ClientDecoder({
    onReply: (reply: unknown) => replies.push(reply),
    onErrorReply: (error: unknown) => replies.push(error),
    onPush: () => undefined,
    getTypeMapping: () => ({ 36: Buffer, 61: Buffer }),
  } as never);
  decoder.write(bytes);
  return replies;
}

function plain(value: unknown): unknown {
  if (value instanceof ReplyError || value instanceof Error) return { error: value.message };
  if (Buffer.isBuffer(value)) return { bulk: value.toString('latin1') };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Set) return [...value].map(plain);
  return typeof value === 'bigint' ? { big: value.toString() } : value;
}

describe('Decoder', () => {
  it('agrees with the client library on every reply type', () => {
    fc.assert(
      fc.property(fc.array(wire, { minLength: 1, maxLength: 5 }), (replies) => {
        const bytes = Buffer.from(replies.join(''), 'latin1');
        expect(decodeAll([Buffer.from(bytes)]).map(plain)).toEqual(oracle(Buffer.from(bytes)).map(plain));
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same replies wherever the bytes are cut, at every byte', () => {
    fc.assert(
      fc.property(fc.array(wire, { minLength: 1, maxLength: 3 }), (replies) => {
        const bytes = Buffer.from(replies.join(''), 'latin1');
        const whole = decodeAll([bytes]).map(plain);
        expect(decodeAll([...bytes].map((byte) => Buffer.from([byte]))).map(plain)).toEqual(whole);
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          expect(decodeAll([bytes.subarray(0, cut), bytes.subarray(cut)]).map(plain)).toEqual(whole);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives text as strings where that is asked for, and every other byte as it is', () => {
    const replies: Decoded[] = [];
    const decoder = new Decoder({ reply: (value) => replies.push(value) });
    decoder.textual = true;
    decoder.write(
      Buffer.from('$5\r\nh\xc3\xa9llo\r\n$2\r\n\xff\x00\r\n*1\r\n$3\r\n\xef\xbf\xbd\r\n'.replace('$5', '$6'), 'latin1'),
    );
    expect(replies).toEqual(['héllo', Buffer.from([0xff, 0]), [Buffer.from('\ufffd')]]);
  });

  it('keeps integers exact beyond 2^53-1', () => {
    expect(decode(':9007199254740991\r\n:9007199254740993\r\n:-9223372036854775808\r\n')).toEqual([
      9007199254740991,
      9007199254740993n,
      -9223372036854775808n,
    ]);
  });

  it('reads maps and pushes, and skips attributes', () => {
    expect(decode('|1\r\n+ttl\r\n:3\r\n%1\r\n+a\r\n:1\r\n>2\r\n+message\r\n+x\r\n')).toEqual([
      new Map([['a', 1]]),
      ['push', 'message', 'x'],
    ]);
  });

  it('takes the first word of an error as its code', () => {
    const [error] = decode('-WRONGTYPE Operation against a key\r\n');
    expect(error).toBeInstanceOf(ReplyError);
    expect((error as ReplyError).code).toBe('WRONGTYPE');
    expect((decode('-Busy lower case\r\n')[0] as ReplyError).code).toBe('ERR');
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n', '$abc\r\n', ':1x\r\n', '$3\r\nabcd\r\n', '*-2\r\n', '#x\r\n', '+OK\n'])(
    'refuses what is not RESP: %j',
    (text) => {
      expect(() => decode(text)).toThrow(OpsError);
    },
  );

  it('refuses a reply nested beyond all sense instead of running out of stack', () => {
    expect(() => decode('*1\r\n'.repeat(100_000))).toThrow(/nested/);
  });

  it('never fails in another way than OpsError on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoder = new Decoder({ reply: () => undefined });
        try {
          decoder.write(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(OpsError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('encodeCommands', () => {
  it('writes what a decoder reads back, byte for byte', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('é'.repeat(9_000), 'x'.repeat(20_000), Buffer.alloc(20_000, 0xff)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(argument, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        (commands) => {
          const expected = commands.map((argv) => argv.map((word) => Buffer.from(word as string).toString('latin1')));
          const read = decodeAll([encodeCommands(commands)]) as Buffer[][];
          expect(read.map((argv) => argv.map((word) => word.toString('latin1')))).toEqual(expected);
        },
      ),
    );
  });
});
