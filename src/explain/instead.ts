/** What does the same with less risk, where the size of a key or the age of a command calls for it. */

import { printable } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';

/** So many elements in one command are better read in parts: a millisecond or less of the server each. */
const many = 1_000;

/** The safer way; undefined where there is none, or none is needed. `elements`: what the server touches; `ms`: how long that takes. */
export function insteadOf(argv: Argv, elements: number, ms: number): string | undefined {
  const name = commandName(argv);
  const key = argv[1] === undefined ? 'KEY' : printable(argv[1]);
  const way = elements > many ? parts[name] : undefined;
  if (way !== undefined) return way(key);
  if (name === 'keys') return 'SCAN with MATCH, in steps: redops keys find.';
  if (ms >= 1 && stores.has(name))
    return 'The result cannot be stored in parts: run it when nobody waits, or keep the result as its inputs change.';
  return replaced(argv);
}

const parts: Readonly<Record<string, (key: string) => string>> = {
  hgetall: (key) => `HSCAN ${key} 0 COUNT 500, or HMGET of the fields that are needed.`,
  hkeys: (key) => `HSCAN ${key} 0 COUNT 500.`,
  hvals: (key) => `HSCAN ${key} 0 COUNT 500.`,
  smembers: (key) => `SSCAN ${key} 0 COUNT 500; SISMEMBER or SMISMEMBER to look some up.`,
  zrange: (key) => `ZRANGE ${key} in parts of 500 by rank, or ZSCAN ${key} 0.`,
  zrangebyscore: (key) => `ZRANGEBYSCORE ${key} with LIMIT 0 500, going on from the last score.`,
  lrange: (key) => `LRANGE ${key} in parts of 500.`,
  xrange: (key) => `XRANGE ${key} with COUNT 500, going on from the last id.`,
  sort: (key) => `SORT ${key} with BY nosort and LIMIT, or a sorted set that is kept in order.`,
  dump: () => 'redops batch export, which reads large values in parts.',
  del: (key) => `UNLINK ${key}: it is freed in the background (redops keys delete).`,
  zremrangebyscore: (key) => `ZREMRANGEBYSCORE ${key} in ranges of a few thousand elements.`,
  zremrangebyrank: (key) => `ZREMRANGEBYRANK ${key} 0 999, until it answers 0.`,
  ltrim: (key) => `LTRIM ${key} in steps of a few thousand elements.`,
  sunion: () => 'SSCAN of each set, united by whoever reads it.',
  sinter: () => 'SSCAN of the smallest set and SMISMEMBER on the others.',
};

const stores: ReadonlySet<string> = new Set(
  'sunionstore sinterstore sdiffstore zunionstore zinterstore zdiffstore zrangestore bitop'.split(' '),
);

/** As Redis documents it for commands that it calls deprecated. */
function replaced(argv: Argv): string | undefined {
  const info = findCommand(argv);
  if (info?.replacedBy === undefined) return undefined;
  return `${info.replacedBy.replaceAll('`', '')} (deprecated since ${info.deprecatedSince ?? 'a while'}).`;
}
