import { describe, expect, it } from 'vitest';
import { targetWith } from '../../test/support/target.ts';
import { compile } from '../request/compile.ts';
import { parseRequest } from '../request/parse.ts';
import { aclUserOf } from './acl-rule.ts';

function userOf(request: unknown, redis_version = '7.0.15') {
  const target = targetWith({ server: { redis_version } });
  const { draft } = compile(parseRequest(request).request!, target);
  return aclUserOf(draft!, target, 'secret');
}
const commands = (...lines: string[]) => ({ operation_type: 'pipelining', commands: lines });
const last = (rules: readonly string[]) => rules.at(-1);

describe('aclUserOf', () => {
  it('from 7.0 on: own rules outside, the plan in a selector, keys by what is done with them', () => {
    const { rules, notes } = userOf(commands('ZUNIONSTORE out 2 a b', 'INCR n'));
    expect(rules.slice(0, 3)).toEqual(['reset', 'on', '>secret']);
    expect(rules).toContain('+info');
    expect(last(rules)).toBe('(+incr +zunionstore %R~a %R~b ~n %W~out)');
    expect(notes).toEqual([]);
  });

  it('before 7.0: commands and keys side by side', () => {
    const { rules } = userOf(commands('ZUNIONSTORE out 2 a b'), '6.2.6');
    expect(rules.filter((rule) => rule.includes('~'))).toEqual(['~a', '~b', '~out']);
    expect(rules).toContain('+zunionstore');
    expect(rules.some((rule) => rule.startsWith('('))).toBe(false);
  });

  it('says that SCAN shows names, and keeps it out of the selector', () => {
    const job = { operation_type: 'batch', select: { match: 'own:*' }, do: { action: 'unlink' } };
    const { rules, notes } = userOf(job);
    expect(rules).toContain('+scan');
    expect(last(rules)).toBe('(+unlink ~own:*)');
    expect(notes.join(' ')).toContain('names of all keys');
  });

  it('leaves out subcommands that the server does not have', () => {
    const job = { operation_type: 'batch', select: { match: 'own:*', ttl: 'none' }, do: { action: 'unlink' } };
    const text = (version: string) => userOf(job, version).rules.join(' ');
    expect(text('7.0.15')).not.toContain('no-touch');
    expect(text('7.2.4')).toContain('+client|no-touch');
  });

  it('has rules for channels from 6.2 on, and says so where it has not', () => {
    expect(last(userOf(commands('PUBLISH news hi')).rules)).toBe('(+publish &news)');
    expect(userOf(commands('PUBLISH news hi'), '6.2.0').rules).toContain('&news');
    const old = userOf(commands('PUBLISH news hi'), '6.0.16');
    expect(old.rules).not.toContain('&news');
    expect(old.notes.join(' ')).toContain('channels');
  });

  it('of a script that cannot be read everything is allowed, on its keys, and that is said', () => {
    const script = {
      operation_type: 'lua_script',
      action: 'run',
      script: 'local c = redis.call c("GET", KEYS[1])',
      keys: ['k'],
    };
    const { rules, notes } = userOf(script);
    expect(last(rules)).toBe('(+@all ~k)');
    expect(notes.join(' ')).toContain('every command is allowed');
  });
});
