import { describe, expect, it } from 'vitest';
import { ReplyError } from '../formats/resp.ts';
import type { Reply } from '../redis/reply.ts';
import { fieldDeadlines, keepsFieldDeadlines } from './export-value.ts';

const asked = (reply: Reply) => fieldDeadlines({ send: async () => reply }, 'h', ['a', 'b']);

describe('the deadlines of hash fields', () => {
  it.each([
    ['redis', '7.2.5', false],
    ['redis', '7.4.0', true],
    ['redis', '8.0.2', true],
    ['redis', '6.0.16', false],
    ['valkey', '8.1.1', false],
    ['valkey', '9.0.0', true],
    ['redict', '7.3.0', false],
    ['unknown', '9.9.9', false],
  ] as const)('are kept by %s %s: %s', (engine, version, expected) => {
    expect(keepsFieldDeadlines({ engine, version })).toBe(expected);
  });

  it('are told apart from a server without them and from one that does not say', async () => {
    expect(await asked([-1, 1700000000000])).toEqual([-1, 1700000000000]);
    expect(await asked(new ReplyError("ERR unknown command 'HPEXPIRETIME', with args beginning with: 'h'"))).toBe(
      'unknown',
    );
    expect(
      await asked(new ReplyError("NOPERM this user has no permissions to run the 'hpexpiretime' command")),
    ).toEqual({
      refused: 'NOPERM',
    });
  });
});
