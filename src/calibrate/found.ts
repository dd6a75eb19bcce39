/** Curves while they are measured: what the next size may be expected to take, and how far the rounds lie apart. */
import type { CostCurve } from '../plan/costs.ts';

/** Curves by name: "hgetall/hash/table". */
export type Curves = Readonly<Record<string, CostCurve>>;

interface Measured {
  readonly points: Map<number, number>;
  /** Each round as a part of the median of its point. */
  readonly ratios: number[];
}

/** Collects rounds. */
export class Found {
  readonly #byName = new Map<string, Measured>();

  /** Adds the rounds (microseconds a call) of a command with so many units. */
  add(name: string, units: number, rounds: readonly number[]): void {
    const known = this.#byName.get(name) ?? { points: new Map<number, number>(), ratios: [] };
    const median = rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
    known.points.set(units, median);
    if (median > 0) known.ratios.push(...rounds.map((round) => Math.max(round, 0.01) / median));
    this.#byName.set(name, known);
  }

  /** Microseconds that so many units may be expected to take, in proportion to the largest measured; 0 when nothing is known. */
  expected(name: string, units: number): number {
    const points = this.#byName.get(name)?.points;
    if (points === undefined) return 0;
    const largest = Math.max(...points.keys());
    return (points.get(largest)! / largest) * units;
  }

  /** The curves, by name. */
  curves(): Curves {
    const named = [...this.#byName].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(named.map(([name, measured]) => [name, curveOf(measured)]));
  }
}

/** What clocks and other programs make of a call: rounds of the same work are never nearer to each other than this. */
const leastSpread = 1.15;

function curveOf({ points, ratios }: Measured): CostCurve {
  const apart = ratios.map((ratio) => Math.max(ratio, 1 / ratio)).toSorted((a, b) => a - b);
  const ninth = apart[Math.floor(apart.length * 0.9)] ?? leastSpread;
  return {
    points: [...points].sort(([a], [b]) => a - b).map(([units, micros]) => [units, significant(micros)]),
    spread: significant(Math.max(leastSpread, ninth)),
  };
}

/** Three digits: more were not measured. */
function significant(value: number): number {
  return Number(value.toPrecision(3));
}
