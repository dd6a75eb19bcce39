/**
 * How long a command holds the server's main thread, read off curves that were measured on a server. Within what was
 * measured the curve is followed; beyond it, in proportion, and with what elements cost more in a key that no cache holds.
 * Every time is an interval: how sure it is depends on how far it lies from a measurement, and on whose server that was.
 */
import { argumentKey, type CostCurve, type Costs, curveName, type Form, windowUnits } from '../plan/costs.ts';
import { alike } from './alike.ts';

/** Microseconds: what is to be expected, and between which nine of ten measurements lie. */
export interface Micros {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/** What a command does to one key, or to many small ones (type `keys`). */
export interface Work {
  /** Lower case. */
  readonly command: string;
  readonly type: string;
  readonly form: Form;
  /** Elements of the key; bytes of a string. */
  readonly size: number;
  /** Elements, arguments or bytes that are worked on. */
  readonly units: number;
  /** element: those of the key; argument: items that the command names; size: one, in a key of that size. */
  readonly per: 'element' | 'argument' | 'size';
}

/** The time of work, by the curves of a server. */
export function timeOf(work: Work, costs: Costs): Micros {
  const curve = curveOf(work, costs);
  if (curve === undefined) return guessed(work);
  const doubt = doubtOf(costs);
  const { size, units } = work;
  switch (work.per) {
    case 'size':
      return at(curve, size, doubt, 0);
    case 'argument':
      return at(curve, units, doubt, units * colder(pointOf[work.type], size, argumentKey, costs));
    case 'element': {
      // the curve was measured on keys that were read as a whole
      const measured = Math.min(units, lastOf(curve)[0]);
      const window = byNodes(work) ? undefined : windowOf[work.type];
      const found = units * (colder(window, size, measured, costs) / windowUnits);
      const looked = algebra.has(work.command) ? (units / 2) * colder(pointOf[work.type], size, measured, costs) : 0;
      const sought = units < size ? colder(rankOf[work.type], size, measured, costs) : 0;
      return at(curve, units, doubt, found + looked + sought);
    }
  }
}

/** The time of a command that nothing is known of. */
export const unknownCommand: Micros = { expected: 1.5, low: 0.3, high: 10 };

export const noTime: Micros = { expected: 0, low: 0, high: 0 };

/** Times after one another. */
export function addTimes(times: readonly Micros[]): Micros {
  return times.reduce(
    (all, one) => ({ expected: all.expected + one.expected, low: all.low + one.low, high: all.high + one.high }),
    noTime,
  );
}

/** A time so many times over; a fraction is fine. */
export function times({ expected, low, high }: Micros, factor: number): Micros {
  return { expected: expected * factor, low: low * factor, high: high * factor };
}

/** A known time, as sure as a factor says. */
export function about(expected: number, factor: number): Micros {
  return { expected, low: expected / factor, high: expected * factor };
}

/** What the command takes on nothing: the part of a curve that is not in proportion to anything. */
export function fixedPart(work: Work, costs: Costs): number {
  const curve = curveOf(work, costs);
  return curve === undefined ? 0 : curve.points[0]![1];
}

function curveOf({ command, type, form }: Work, costs: Costs): CostCurve | undefined {
  for (const name of [command, ...alike(command)]) {
    const curve =
      costs.curves[curveName(name, type, form)] ??
      // what is known of the other form is nearer than nothing
      costs.curves[curveName(name, type, form === 'compact' ? 'table' : 'compact')];
    if (curve) return curve;
  }
  return undefined;
}

function guessed({ units, per }: Work): Micros {
  return per === 'size' ? unknownCommand : addTimes([unknownCommand, about(units * 0.4, 4)]);
}

/** Curves of another machine hold within a factor of about two. */
function doubtOf({ basis }: Costs): number {
  return basis === 'target' ? 1 : basis === 'throwaway' ? 1.3 : 2;
}

/** The curve at so many units; `more`: microseconds that they take beyond it. */
function at(curve: CostCurve, units: number, doubt: number, more: number): Micros {
  const [last, micros] = lastOf(curve);
  // one round is not another: what one call takes lies farther from the mean than the mean of many
  const spread = Math.max(curve.spread, 1.5) * doubt;
  const beyond = units > last;
  const straight = beyond ? micros + (units - last) * slopeOf(curve.points) : between(curve.points, units);
  const expected = straight + more;
  const far = beyond ? 1 + 0.3 * Math.log10(units / last) : 1;
  return { expected, low: straight / spread, high: expected * spread * far };
}

function lastOf({ points }: CostCurve): readonly [number, number] {
  return points.at(-1)!;
}

/** Between two measurements in proportion of their logarithms: a curve spans decades. */
function between(points: CostCurve['points'], given: number): number {
  const units = Math.min(Math.max(given, points[0]![0]), points.at(-1)![0]);
  const after = points.findIndex(([known]) => known >= units);
  const [x2, y2] = points[after]!;
  if (after <= 0 || x2 === units) return y2;
  const [x1, y1] = points[after - 1]!;
  const part = Math.log(units / x1) / Math.log(x2 / x1);
  const floor = 0.01; // a clock of microseconds may have seen nothing
  return Math.exp(Math.log(Math.max(y1, floor)) * (1 - part) + Math.log(Math.max(y2, floor)) * part);
}

/** Microseconds a unit between the two largest measurements that lie apart; in proportion where there is one. */
function slopeOf(points: CostCurve['points']): number {
  const [x2, y2] = points.at(-1)!;
  const before = points.findLast(([units]) => units <= x2 / 3);
  return before === undefined || before[1] >= y2 ? y2 / x2 : (y2 - before[1]) / (x2 - before[0]);
}

/** Microseconds that a curve over the sizes of keys is higher at one size than at a smaller one: memory that no cache holds is slow. */
function colder(name: string | undefined, size: number, measured: number, costs: Costs): number {
  const curve = costs.curves[name ?? ''];
  if (curve === undefined || size <= measured) return 0;
  return Math.max(0, between(curve.points, size) - between(curve.points, measured));
}

/** What elements cost that lie side by side. */
const windowOf: Readonly<Record<string, string>> = {
  hash: 'hscan/hash/table',
  set: 'sscan/set/table',
  zset: 'zscan/zset/table',
  list: 'lscan/list/table',
  stream: 'xscan/stream/table',
};

/** Lists and streams are freed and copied node by node: their elements are not looked at. */
function byNodes({ command, type }: Work): boolean {
  return (type === 'list' || type === 'stream') && ['del', 'unlink', 'copy', 'ltrim', 'xtrim'].includes(command);
}

/** What it costs to find one element, or to put it into its place. */
const pointOf: Readonly<Record<string, string>> = {
  hash: 'hget/hash/table',
  set: 'sismember/set/table',
  zset: 'zincrby/zset/table',
};

/** What it costs to come to an element by its rank. */
const rankOf: Readonly<Record<string, string>> = { zset: 'zrank/zset/table' };

/** Each element is looked up or put into its place. */
const algebra: ReadonlySet<string> = new Set(
  'sunion sinter sdiff sunionstore sinterstore sdiffstore zunion zinter zdiff zunionstore zinterstore zdiffstore zrangestore'.split(
    ' ',
  ),
);
