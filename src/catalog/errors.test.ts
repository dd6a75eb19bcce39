import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorAliases, errorByCode, errorOf, errorTable } from './errors.ts';

const replies =
  'EXECABORT BUSY NOSCRIPT CROSSSLOT READONLY OOM LOADING MOVED ASK TRYAGAIN CLUSTERDOWN MASTERDOWN NOAUTH WRONGPASS NOPERM MISCONF NOREPLICAS WRONGTYPE UNKILLABLE NOTBUSY BUSYKEY BUSYGROUP NOGROUP NOPROTO ERR';
const faults = 'connection_timeout connection_lost outcome_unknown drift cap';

describe('errorTable', () => {
  it('numbers the replies from E201 and the faults of redops from E230, in the order users rely on', () => {
    const numbered = (names: string, from: number) => names.split(' ').map((name, i) => [`E${from + i}`, name]);
    expect(errorTable.map(({ code, name }) => [code, name])).toEqual([
      ...numbered(replies, 201),
      ...numbered(faults, 230),
    ]);
  });

  it('has a reply word for what a server says, and none for what redops finds itself', () => {
    expect(errorTable.filter(({ reply }) => reply === undefined).map(({ name }) => name)).toEqual(faults.split(' '));
    expect(errorTable.every(({ reply, name }) => reply === undefined || reply === name)).toBe(true);
  });

  it('retries what waiting can cure, and runs a transaction again only when nothing was applied', () => {
    const named = (member: 'retry' | 'redirect') => errorTable.filter((info) => info[member]).map(({ name }) => name);
    expect(named('retry')).toEqual(['BUSY', 'LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'connection_timeout']);
    expect(named('redirect')).toEqual([
      ...['BUSY', 'READONLY', 'LOADING', 'MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN'],
    ]);
  });
});

describe('errorOf', () => {
  it('matches the first word alone', () => {
    expect(errorOf('WRONGTYPE').code).toBe('E218');
    expect(errorOf('MOVED 3999 127.0.0.1:6381').name).toBe('MOVED');
    expect(errorOf('ERR BUSY is only mentioned here').name).toBe('ERR');
  });

  it('falls back to ERR for a word it does not know, also one that every object has', () => {
    for (const word of ['NOSUCHWORD', '', 'constructor', 'busy', 'BUSYX']) expect(errorOf(word).code).toBe('E225');
  });
});

describe('errorByCode', () => {
  it('finds codes and the aliases of the skills', () => {
    expect(errorByCode('E232')?.name).toBe('outcome_unknown');
    expect(errorAliases.map(({ alias }) => [alias, errorByCode(alias)?.name])).toEqual([
      ['T001', 'EXECABORT'],
      ['T002', 'EXECABORT'],
      ['T003', 'BUSY'],
      ['T004', 'NOSCRIPT'],
      ['T005', 'CROSSSLOT'],
      ['PERF001', 'OOM'],
    ]);
    expect(errorByCode('E226')).toBeUndefined();
  });
});

describe('docs/errors.md', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (E2\d\d) \| (\S+) \| (.*) \| (.*) \| (.*) \|$/gm)].map((match) => match.slice(1));

  it('has one row for every error, saying what the table says', () => {
    expect(rows).toEqual(
      errorTable.map(({ code, name, cause, handled, recovery }) => [code, name, cause, handled, recovery]),
    );
  });

  it('names every alias with its code', () => {
    const aliases = [...page.matchAll(/^\| ([A-Z]+\d{3}) \| (\S+) \| (E2\d\d)(?: \((\w+)\))? \|$/gm)];
    expect(
      aliases.map(([, alias, name, code, outcome]) => ({ alias, name, code, ...(outcome ? { outcome } : {}) })),
    ).toEqual(errorAliases);
  });
});
