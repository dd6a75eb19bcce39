import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COURTESY,
  type Control,
  FLOOR,
  judge,
  MAX_CHUNK,
  MIN_CHUNK,
  type Observation,
  openControl,
  termsOf,
} from './governor-control.ts';

const calm = { probes: 50, late: 0, rest: { probes: 10, late: 0 }, chunk: undefined };
const late = { probes: 50, late: 10, rest: { probes: 10, late: 0 }, chunk: undefined };

/** The states after each of the stretches, a tenth of a second apart. */
function through(control: Control, stretches: readonly Omit<Observation, 'atMs'>[], fromMs = 1000): Control[] {
  let now = control;
  return stretches.map((seen, at) => {
    now = judge(now, { ...seen, atMs: fromMs + 100 * at });
    return now;
  });
}
const times = <T>(many: number, one: T): T[] => Array.from({ length: many }, () => one);
const open = (slo = 5, mode: 'balanced' | 'latency_optimized' = 'balanced') => openControl(termsOf(mode, slo));

const counts = fc
  .record({ probes: fc.integer({ min: 0, max: 500 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ probes, share }) => ({ probes, late: Math.round(probes * share) }));
const observation: fc.Arbitrary<Omit<Observation, 'atMs'>> = fc
  .record({
    all: counts,
    rest: counts,
    chunk: fc.option(
      fc.record({
        commands: fc.integer({ min: 1, max: 100_000 }),
        ms: fc.double({ min: 0, max: 500, noNaN: true }),
        flights: fc.integer({ min: 1, max: 16 }),
      }),
      { nil: undefined },
    ),
  })
  .map(({ all, rest, chunk }) => ({ ...all, rest, chunk }));

describe('termsOf', () => {
  it('takes the target of the request, else the mode’s', () => {
    expect(termsOf('latency_optimized', undefined)).toEqual({ sloMs: 1, strict: true, start: 0.5 });
    expect(termsOf('balanced', undefined)).toEqual({ sloMs: 5, strict: false, start: 1 });
    expect(termsOf('throughput_optimized', undefined)).toEqual({ sloMs: undefined, strict: false, start: 1 });
    expect(termsOf('throughput_optimized', 2)).toEqual({ sloMs: 2, strict: true, start: 1 });
  });
});

describe('judge', () => {
  it('stays between its bounds, whatever is felt', () => {
    fc.assert(
      fc.property(
        fc.array(observation, { maxLength: 80 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (seen, slo) => {
          for (const { share, maxChunk } of through(open(slo), seen)) {
            expect(share).toBeGreaterThanOrEqual(FLOOR);
            expect(share).toBeLessThanOrEqual(1);
            expect(maxChunk).toBeGreaterThanOrEqual(MIN_CHUNK);
            expect(maxChunk).toBeLessThanOrEqual(MAX_CHUNK);
          }
        },
      ),
    );
  });

  it('falls while probes are late, and recovers to all of the time, from anywhere', () => {
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 40 }), (before) => {
        const start = through(open(), before).at(-1) ?? open();
        // what came before could have been others: it is forgotten when nothing at rest is late any more
        const fallen = through(start, times(60, late), 10_000);
        expect(fallen.at(-1)!.share).toBe(FLOOR);
        const risen = through(fallen.at(-1)!, times(60, calm), 20_000);
        expect(risen.at(-1)!.share).toBe(1);
        for (const [at, one] of risen.entries()) {
          expect(one.share).toBeGreaterThanOrEqual((risen[at - 1] ?? fallen.at(-1)!).share);
        }
      }),
    );
  });

  it('holds under noise that a p99 allows: one late probe in a hundred', () => {
    const noisy = { ...calm, probes: 200, late: 2 };
    expect(through(open(), times(100, noisy)).at(-1)!.share).toBe(1);
  });

  it('takes a single late probe for chance, and two in a stretch for none', () => {
    expect(through(open(), [calm, { ...calm, late: 1 }]).at(-1)!.share).toBe(1);
    expect(through(open(), [calm, { ...calm, late: 2 }]).at(-1)!.share).toBe(0.75);
  });

  it('judges late probes at once, and then waits until the cut can be felt', () => {
    const first = judge(open(), { ...calm, atMs: 1000 });
    const cut = judge(first, { ...late, atMs: 1003 });
    expect(cut.share).toBe(0.75);
    expect(judge(cut, { ...late, atMs: 1008 })).toBe(cut);
    expect(judge(cut, { ...late, atMs: 1014 }).share).toBeCloseTo(0.5625);
  });

  it('asks for a tenth of a second and twenty probes before it grows', () => {
    const cut = through(open(), [calm, late]).at(-1)!;
    expect(judge(cut, { ...calm, atMs: 1150 })).toBe(cut);
    expect(judge(cut, { ...calm, probes: 19, atMs: 1500 })).toBe(cut);
    expect(judge(cut, { ...calm, atMs: 1200 }).share).toBeCloseTo(0.8);
  });

  it('grows by the time that was calm where probes are rare, and not by all of it', () => {
    const cut = through(open(), [calm, ...times(60, late)]).at(-1)!;
    expect(judge(cut, { ...calm, atMs: 7300 }).share).toBeCloseTo(FLOOR + 0.15);
    expect(judge(cut, { ...calm, atMs: 60_000 }).share).toBeCloseTo(FLOOR + 0.25);
  });

  it('cuts a long chunk before the share, to what fits, and lets it grow again', () => {
    const chunk = { commands: 1000, ms: 10, flights: 1 };
    const states = through(open(5), [calm, { ...late, chunk }]);
    expect(states.at(-1)).toMatchObject({ share: 1, maxChunk: 250 });
    const short = { commands: 250, ms: 2.4, flights: 1 };
    expect(through(states.at(-1)!, [{ ...late, chunk: short }], 2000).at(-1)).toMatchObject({
      share: 0.75,
      maxChunk: 250,
    });
    const grown = through(states.at(-1)!, times(10, { ...calm, chunk: short }), 3000).at(-1)!;
    expect(grown.maxChunk).toBeGreaterThan(500);
    // one that takes the allowance already does not grow
    expect(
      through(states.at(-1)!, [{ ...calm, chunk: { commands: 250, ms: 2.6, flights: 1 } }], 3000).at(-1)!.maxChunk,
    ).toBe(250);
  });

  it('yields half of the time, and no more, to what others suffer while it rests too', () => {
    const foreign = { ...late, rest: { probes: 20, late: 4 } };
    const states = through(open(), [calm, calm, ...times(80, foreign)]);
    expect(Math.min(...states.slice(10).map(({ share }) => share))).toBeGreaterThanOrEqual(COURTESY - 0.05);
    expect(states.at(-1)!.share).toBe(COURTESY);
    // its own doing again
    expect(through(states.at(-1)!, times(60, late), 20_000).at(-1)!.share).toBe(FLOOR);
  });

  it('finds the share that keeps one probe in a hundred from being late, where waiting follows the share', () => {
    // late probes: none up to a share of 0.4, then more and more
    let control = judge(open(), { ...calm, atMs: 0 });
    const shares: number[] = [];
    for (let at = 1; at <= 600; at += 1) {
      const lateNow = Math.round(50 * Math.max(0, control.share - 0.4));
      control = judge(control, { ...calm, late: lateNow, atMs: at * 100 });
      if (at > 100) shares.push(control.share);
    }
    expect(Math.min(...shares)).toBeGreaterThan(0.25);
    expect(Math.max(...shares)).toBeLessThan(0.55);
  });

  it('takes a few late probes for others’ doing where all that is under way is short, unless somebody set the target', () => {
    const byMode = openControl(termsOf('balanced', undefined));
    const few = { ...calm, late: 4, chunk: { commands: 1000, ms: 1.2, flights: 2 } };
    expect(through(byMode, [calm, few]).at(-1)!.share).toBe(1);
    expect(through(byMode, [calm, { ...few, late: 10 }]).at(-1)!.share).toBe(0.75);
    expect(through(byMode, [calm, { ...few, chunk: { ...few.chunk, flights: 8 } }]).at(-1)!.share).toBe(0.75);
    expect(through(openControl(termsOf('balanced', 5)), [calm, few]).at(-1)!.share).toBe(0.75);
  });

  it('holds nothing without a target', () => {
    const control = openControl(termsOf('throughput_optimized', undefined));
    expect(judge(control, { ...late, atMs: 5000 })).toBe(control);
  });
});
