/**
 * How many keys of a file there are, and how many of them pass the filters: each asked for when the file is short enough,
 * else a random part of them, with the interval of the share. Only reads, and only O(1) ones.
 */
import { type Bytes, bytesId, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import { isFiltered } from '../plan/filters.ts';
import type { Selection } from '../plan/step.ts';
import type { ListedFacts, SelectionFacts } from '../plan/target.ts';
import { inspectKeys } from './keys.ts';
import { matching, type Reader } from './matching.ts';
import { ratioInterval } from './select.ts';

/** The keys of a file, as far as it was looked at here. */
export interface Listed {
  readonly path: string;
  readonly sha256: string;
  /** Keys in the file. */
  readonly keys: number;
  /** All of them with their repeats (`whole`), or a random part. */
  readonly sample: readonly Bytes[];
  readonly whole: boolean;
  readonly outside?: ListedFacts['outside'];
}

/** Keys asked about in one round trip. */
const CHUNK = 500;
/** Groups that the sampled keys are taken as, for the interval over groups. */
const GROUPS = 64;
const SHOWN = 20;

/** Facts of a selection whose keys stand in a file. Costs a read or more for each key of the sample. */
export async function inspectListed(reader: Reader, selection: Selection, listed: Listed): Promise<SelectionFacts> {
  const distinct = new Map<string, { readonly key: Bytes; lines: number }>();
  for (const key of listed.sample) {
    const known = distinct.get(bytesId(key));
    if (known) known.lines += 1;
    else distinct.set(bytesId(key), { key, lines: 1 });
  }
  const all = [...distinct.values()].map(({ key }) => key);
  const existing: Bytes[] = [];
  const passing: Bytes[] = [];
  for (let at = 0; at < all.length; at += CHUNK) {
    const there = await existingOf(reader, all.slice(at, at + CHUNK));
    existing.push(...there);
    passing.push(...(await matching(reader, selection, there)));
  }
  const samples = (await inspectKeys(reader, spread(passing))).filter((facts) => facts.exists);
  const withTtl = samples.filter((facts) => (facts.ttl_ms ?? -1) >= 0).length;
  const there = share(listed, distinct, existing);
  const counts = isFiltered(selection) ? share(listed, distinct, passing) : unfiltered(listed, all.length);
  return {
    selection,
    ...counts,
    visited: all.length,
    ...(isFiltered(selection) ? { candidates: listed.keys } : {}),
    listed: {
      keys: listed.keys,
      ...(listed.whole ? { repeated: listed.keys - all.length } : {}),
      asked: all.length,
      existing: there.keys,
      low: there.low,
      high: listed.whole ? there.keys : there.high,
      ...(listed.outside ? { outside: listed.outside } : {}),
    },
    samples: samples.slice(0, SHOWN),
    with_ttl: samples.length === 0 ? 0 : withTtl / samples.length,
    largest: Math.max(0, ...samples.map((facts) => facts.elements ?? 0)),
  };
}

type Counts = Pick<SelectionFacts, 'basis' | 'keys' | 'low' | 'high'>;
type Distinct = ReadonlyMap<string, { readonly lines: number }>;

/** Without filters every line is acted on, also where there is no such key; a key that stands there twice counts twice. */
function unfiltered({ keys, whole }: Listed, distinct: number): Counts {
  if (!whole || distinct === keys) return { basis: 'counted', keys, low: keys, high: keys };
  return { basis: 'bound', keys, low: distinct, high: keys };
}

/** How many of the file's keys these are part of. */
function share({ keys, sample, whole }: Listed, distinct: Distinct, chosen: readonly Bytes[]): Counts {
  const ids = new Set(chosen.map((key) => bytesId(key)));
  if (whole) {
    const lines = chosen.reduce((sum, key) => sum + (distinct.get(bytesId(key))?.lines ?? 1), 0);
    const basis = lines === chosen.length ? 'counted' : 'bound';
    return { basis, keys: chosen.length, low: chosen.length, high: lines };
  }
  const groups = Array.from({ length: GROUPS }, () => ({ visited: 0, matched: 0 }));
  for (const [index, key] of sample.entries()) {
    const group = groups[index % GROUPS]!;
    group.visited += 1;
    if (ids.has(bytesId(key))) group.matched += 1;
  }
  const { ratio, low, high } = ratioInterval(groups);
  return {
    basis: 'sampled',
    keys: Math.round(ratio * keys),
    low: Math.floor(low * keys),
    high: Math.min(keys, Math.ceil(high * keys)),
  };
}

async function existingOf(reader: Reader, keys: readonly Bytes[]): Promise<readonly Bytes[]> {
  const replies = await Promise.all(keys.map((key) => reader.send(['EXISTS', toBuffer(key)])));
  return keys.filter((_, index) => {
    const reply = replies[index]!;
    if (!(reply instanceof ReplyError)) return reply === 1;
    const code = reply.code === 'NOPERM' ? 'auth' : 'server_error';
    throw new OpsError(code, `the server refused to say whether a key exists: ${reply.message}`, { reply: reply.code });
  });
}

/** Some of them, from all over. */
function spread(keys: readonly Bytes[]): readonly Bytes[] {
  const step = Math.max(1, Math.floor(keys.length / (SHOWN * 3)));
  return keys.filter((_, index) => index % step === 0).slice(0, SHOWN * 3);
}
