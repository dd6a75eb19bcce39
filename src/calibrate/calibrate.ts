/**
 * Measures what commands cost on a server: one curve for each command and encoding. Everything is done on keys of its own,
 * with names that did not exist, and no call is made that is expected to take longer than 5 ms: what is larger is left to
 * be extrapolated, and the price says so.
 */
import { randomBytes } from 'node:crypto';
import { toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import { argumentKey, curveName, type Form, formOf, windowUnits } from '../plan/costs.ts';
import { type Reply, replyBytes, replyInteger, replyText } from '../redis/reply.ts';
import { type Curves, Found } from './found.ts';
import { building, type Kind, namesOf } from './material.ts';
import { roundsOf, type Wire } from './measure.ts';
import { builtName, type Probe, probesOf, type Site } from './probes.ts';

/** How to calibrate. */
export interface CalibrateOptions {
  /** Elements of the largest collection that is built. */
  readonly largest: number;
  /** What is measured; every kind when left out. */
  readonly kinds?: readonly Kind[];
  readonly signal?: AbortSignal;
  /** Called before each kind of key and size. */
  readonly onStep?: (what: string) => void;
}

/** What a call may be expected to take at most, in microseconds: half of the bound, since a size can be dearer than its elements say. */
const expectedCall = 2_500;

const everyKind: readonly Kind[] = ['string', 'hash', 'set', 'zset', 'list', 'stream', 'keys'];
const compactSizes = [1, 8, 30, 100];
const tableSizes = [8, 100, 1_000, 4_000, 8_000, 16_000, 32_000, 64_000, 250_000, 1_000_000];
const stringSizes = [16, 1_000, 16_000, 256_000, 1_000_000];
const argumentCounts = [1, 10, 100, 400];
/** Keys beside one another; the larger number only on a server of our own, since they have no TTL. */
const keyspaces = [argumentKey, 100_000];

/** Measures every probe on every size. The wire's keys are gone afterwards, also when it fails. Rejects with OpsError, and with what the wire rejects with. */
export async function calibrate(
  wire: Wire,
  { largest, kinds = everyKind, signal, onStep }: CalibrateOptions,
): Promise<Curves> {
  const prefix = `redops:calibration:${randomBytes(6).toString('hex')}:`;
  const site = { key: `${prefix}key`, other: `${prefix}other`, out: `${prefix}out` };
  const names = [...Object.values(site), ...namesOf(site.key, sizesOf('keys', largest).at(-1)!.units)];
  for (const some of chunks(names)) {
    if ((await wire.send(['EXISTS', ...some])) !== 0)
      throw new OpsError('server_error', 'the server does not say that names of our own are free');
  }
  const found = new Found();
  try {
    for (const kind of kinds) {
      for (const size of sizesOf(kind, largest)) {
        if (signal?.aborted) throw new OpsError('interrupted', 'the calibration was stopped; nothing was kept');
        onStep?.(`${kind} of ${size.units}`);
        await measureKey(wire, kind, size, site, found);
        await clear(wire, kind === 'keys' ? names : Object.values(site));
      }
    }
  } finally {
    // those that a round was to take away, should it have ended early
    names.push(...Array.from({ length: mostBuiltNames }, (_, call) => builtName(site.out, call)));
    await clear(wire, names).catch(() => undefined); // the first failure is the one to tell
  }
  return found.curves();
}

interface Size {
  readonly units: number;
  readonly table: boolean;
}

function sizesOf(kind: Kind, largest: number): readonly Size[] {
  if (kind === 'keys')
    return keyspaces
      .filter((units) => units <= Math.max(argumentKey, largest / 10))
      .map((units) => ({ units, table: false }));
  if (kind === 'string') return stringSizes.map((units) => ({ units, table: false }));
  return [
    ...compactSizes.map((units) => ({ units, table: false })),
    ...tableSizes.filter((units) => units <= largest).map((units) => ({ units, table: true })),
  ];
}

type Names = Pick<Site, 'key' | 'other' | 'out'>;

async function measureKey(wire: Wire, kind: Kind, size: Size, names: Names, found: Found): Promise<void> {
  const { units: elements } = size;
  await build(wire, kind, names.key, size);
  if (kind !== 'keys') await build(wire, kind, names.other, size);
  const form = await formAt(wire, kind, names.key);
  // SCAN walks over everything, not only over what is ours
  const within = kind === 'keys' ? (replyInteger(await wire.send(['DBSIZE'])) ?? elements) : elements;
  for (const probe of probesOf(kind)) {
    for (const units of unitsOf(probe, elements)) {
      const name = curveName(probe.curve, kind, form);
      const counted = units * (probe.share ?? 1);
      const copies = probe.before === 'copy' && found.expected(curveName('copy', kind, form), elements) > expectedCall;
      if (copies || found.expected(name, counted) > expectedCall) continue;
      const rounds = await measure(wire, probe, { ...names, elements, units }, size);
      // a window costs what the size of its key makes of it
      if (rounds) found.add(name, probe.unit === 'window' ? within : counted, rounds);
    }
  }
}

/** The units that a probe is measured with on a key of so many elements. */
function unitsOf({ unit, kind, before }: Probe, elements: number): readonly number[] {
  if (before === 'built' && kind !== 'string' && elements > elementsBuilt) return [];
  switch (unit) {
    case 'element':
    case 'size':
      return [elements];
    case 'argument':
      return elements === argumentKey ? argumentCounts : [];
    case 'window':
      return elements >= windowUnits * 2 ? [windowUnits] : [];
  }
}

async function measure(wire: Wire, probe: Probe, site: Site, size: Size): Promise<readonly number[] | undefined> {
  const argv = (call: number) => probe.command(site, call);
  try {
    if (probe.before === 'built') {
      const prepare = (first: number, calls: number) => buildAll(wire, probe.kind, site.out, size, first, calls);
      const most = Math.max(2, Math.min(mostBuilt, Math.floor(elementsBuilt / size.units)));
      return await roundsOf(wire, { argv, before: [], prepare, most });
    }
    return await roundsOf(wire, { argv, before: await preparing(wire, probe, site) });
  } catch (error) {
    if (error instanceof ReplyError) return undefined; // not on this version, or not for this user
    throw error;
  }
}

/** Keys, and elements in all, that are built for a round, and the numbers that the calls of all rounds have. */
const mostBuilt = 20;
const mostBuiltNames = 1 + mostBuilt * 10;
const elementsBuilt = 40_000;

async function buildAll(wire: Wire, kind: Kind, out: string, size: Size, first: number, calls: number): Promise<void> {
  for (let call = first; call < first + calls; call += 1) await build(wire, kind, builtName(out, call), size);
}

/** What makes the same place again before each call. RESTORE, which every version has, puts a copy there. */
async function preparing(wire: Wire, probe: Probe, site: Site): Promise<readonly WireArgument[][]> {
  const { before, preparing: making } = probe;
  const { key, out } = site;
  if (making) return [making(site, 0)];
  if (before === undefined) return [];
  if (before === 'gone') return [['UNLINK', out]];
  const payload = replyBytes(await wire.send(['DUMP', key]));
  if (payload === undefined) throw new OpsError('server_error', 'the server does not dump a key of our own');
  return [
    ['UNLINK', out],
    ['RESTORE', out, String(leftMs), toBuffer(payload)],
  ];
}

async function build(wire: Wire, kind: Kind, key: string, { units, table }: Size): Promise<void> {
  let sent: Promise<Reply>[] = [];
  const settle = async () => {
    for (const reply of await Promise.all(sent)) if (reply instanceof ReplyError) throw refused(reply);
    sent = [];
  };
  for (const argv of building(kind, key, units, table)) {
    sent.push(wire.send(argv));
    if (sent.length >= 100) await settle();
  }
  if (kind !== 'keys') sent.push(wire.send(['PEXPIRE', key, String(leftMs)]));
  await settle();
}

/** Should redops be killed, its collections go by themselves after so many milliseconds. */
const leftMs = 3_600_000;

async function formAt(wire: Wire, kind: Kind, key: string): Promise<Form> {
  return kind === 'keys' ? 'string' : formOf(kind, replyText(await wire.send(['OBJECT', 'ENCODING', key])));
}

async function clear(wire: Wire, names: readonly string[]): Promise<void> {
  for (const some of chunks(names)) await wire.send(['UNLINK', ...some]);
}

/** So many names that a command about them takes no longer than a tenth of a millisecond or two. */
function* chunks(names: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < names.length; at += 500) yield names.slice(at, at + 500);
}

function refused(reply: ReplyError): OpsError {
  return new OpsError('server_error', `the server refused a key of our own: ${reply.message}`, { reply: reply.code });
}
