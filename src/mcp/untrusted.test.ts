import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBuffer, isPlain } from '../base/bytes.ts';
import type { ReplyValue } from '../plan/values.ts';
import { createRedact } from './redact.ts';
import { mostCharacters, mostElements, shownBytes, shownLines, shownReply } from './untrusted.ts';

const redact = createRedact([]);

describe('a value', () => {
  test('is shown as it is when it is plain', () => {
    expect(shownBytes('session:1', redact)).toBe('session:1');
    expect(shownBytes('schön 漢字', redact)).toBe('schön 漢字');
  });

  test('is escaped when a reader would not see all of it', () => {
    expect(shownBytes('a\u200bb', redact)).toEqual({ escaped: '"a\\xe2\\x80\\x8bb"' });
    expect(shownBytes('a\nb', redact)).toEqual({ escaped: '"a\\nb"' });
    expect(shownBytes('\u{e0041}', redact)).toHaveProperty('escaped');
    expect(shownBytes(fromBuffer(Buffer.from([0xff, 0x00])), redact)).toEqual({ escaped: '"\\xff\\x00"' });
  });

  test('is bounded, plain and without hidden characters, whatever it is', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 20_000 }),
      fc.string({ unit: 'binary', maxLength: 20_000 }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const shown = shownBytes(fromBuffer(Buffer.from(value)), redact);
        const text = typeof shown === 'string' ? shown : shown.escaped;
        expect(isPlain(text)).toBe(true);
        expect(text.length).toBeLessThanOrEqual(mostCharacters + 10);
      }),
      { numRuns: 200 },
    );
  });

  test('does not show the head of a secret that is cut', () => {
    const shown = shownBytes(`${'x'.repeat(240)} password=hunter2-and-more`, redact);
    expect(shown).not.toContain('hunter2');
  });
});

describe('a reply', () => {
  test('hides what follows the name of a secret', () => {
    expect(shownReply(['name', 'Ann', 'password', 'hunter2', 'n', '1'], redact)).toEqual([
      'name',
      'Ann',
      'password',
      '[redacted]',
      'n',
      '1',
    ]);
    expect(shownReply('hunter2', redact, { secret: true })).toBe('[redacted]');
    expect(shownReply(['hunter2', { base64: 'aHVudGVyMg==' }], redact, { secret: true })).toEqual([
      '[redacted]',
      '[redacted]',
    ]);
  });

  test('is cut after so many elements, and can be paged', () => {
    const reply: ReplyValue = Array.from({ length: 120 }, (_, at) => String(at));
    const first = shownReply(reply, redact) as readonly unknown[];
    expect(first.slice(0, 2)).toEqual(['0', '1']);
    expect(first.at(-1)).toBe('... and 70 more elements');
    expect((shownReply(reply, redact, { from: 100 }) as readonly unknown[]).length).toBe(20);
    expect(first).toHaveLength(mostElements + 1);
  });

  test('a page that begins behind the name of a secret hides the value still', () => {
    const reply: ReplyValue = [...Array.from({ length: 49 }, () => 'x'), 'password', 'hunter2'];
    expect(shownReply(reply, redact, { from: 50 })).toEqual(['[redacted]']);
  });
});

test('lines of the server keep their form, and are bounded', () => {
  expect(shownLines('# Server\r\nredis_version:7.0.15\r\n', redact)).toBe('# Server\nredis_version:7.0.15');
  expect(shownLines('name=\u202eevil\n', redact)).not.toContain('\u202e');
  expect(shownLines('x\n'.repeat(100_000), redact).length).toBeLessThan(8_100);
});
