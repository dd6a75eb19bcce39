import { describe, expect, it } from 'vitest';
import { ReplyError } from '../formats/resp.ts';
import type { Reply } from '../redis/reply.ts';
import { fieldDeadlines } from './export-value.ts';

const asked = (reply: Reply) => fieldDeadlines({ send: async () => reply }, 'h', ['a', 'b']);

describe('the deadlines of hash fields', () => {
  it('are told apart from a server without them and from one that does not say', async () => {
    expect(await asked([-1, 1700000000000])).toEqual([-1, 1700000000000]);
    expect(await asked(new ReplyError("ERR unknown command 'HPEXPIRETIME', with args beginning with: 'h'"))).toBe(
      'none',
    );
    expect(
      await asked(new ReplyError("NOPERM this user has no permissions to run the 'hpexpiretime' command")),
    ).toEqual({
      refused: 'NOPERM',
    });
  });
});
