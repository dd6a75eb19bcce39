import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allCommands, commandName, findCommand, wordOf } from './lookup.ts';
import { commandTable } from './table.ts';

describe('findCommand', () => {
  it('finds a command in any case and a subcommand by its second word', () => {
    expect(findCommand(['GeT', 'k'])?.name).toBe('get');
    expect(findCommand(['SCRIPT', 'load', 'return 1'])?.name).toBe('script|load');
    expect(findCommand(['GET', 'load'])?.name).toBe('get');
  });

  it('answers with the container when the subcommand is unknown or not known yet', () => {
    expect(findCommand(['SCRIPT', 'nonsense'])?.name).toBe('script');
    expect(findCommand(['SCRIPT', undefined])?.name).toBe('script');
    expect(findCommand(['SCRIPT'])?.name).toBe('script');
  });

  it('knows nothing of unknown, empty and binary names', () => {
    for (const argv of [['NOSUCH'], [], [undefined], [{ base64: '/w==' }], ['constructor']]) {
      expect(findCommand(argv)).toBeUndefined();
    }
  });
});

describe('commandName', () => {
  it('spells names as the table does', () => {
    expect(commandName(['Set', 'k', 'v'])).toBe('set');
    expect(commandName(['CONFIG', 'Get', '*'])).toBe('config|get');
    expect(commandName(['JSON.SET', 'k'])).toBe('json.set');
  });
});

describe('wordOf', () => {
  it('lowers ASCII letters alone, byte by byte', () => {
    expect(wordOf('KEEPTTL')).toBe('keepttl');
    // the Kelvin sign would become k in lower case
    expect(wordOf('\u212aEEPTTL')).not.toBe('keepttl');
    expect(wordOf(undefined)).toBe('');
  });
});

describe('the table', () => {
  it('is sorted, without doubles, and every subcommand that a container names is in it', () => {
    const names = allCommands().map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names.every((name) => name === name.toLowerCase())).toBe(true);
    const missing = allCommands().flatMap((info) =>
      (info.subcommands ?? []).map((sub) => `${info.name}|${sub}`).filter((name) => !names.includes(name)),
    );
    expect(missing).toEqual([]);
  });

  it('says which of its entries were not run, as the guide does', () => {
    const guide = readFileSync(new URL('../../docs/guide/catalog.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');
    const { servers, commands } = commandTable();
    const notRun = commands.filter((info) => info.notRun !== undefined);
    expect(commands.filter(({ seenOn }) => seenOn.length === 0)).toEqual(notRun);
    const named = [...guide.matchAll(/\| Redis ([^|]*) \| ([^|]*) \|/g)].flatMap(([, , names]) => names!.split(', '));
    expect(named.sort()).toEqual(notRun.map(({ name }) => `\`${name.toUpperCase().replace('|', ' ')}\``).sort());
    for (const fact of [`${commands.length} entries`, `${notRun.length} entries come`, ...servers])
      expect(guide).toContain(fact);
  });

  it('describes every command that 7.0 or later documents', () => {
    const bare = allCommands().filter(({ summary, flags }) => summary === '' && !flags.includes('module'));
    expect(bare.map(({ name }) => name)).toEqual(['stralgo']); // 6.0 alone, which documents nothing
  });
});
