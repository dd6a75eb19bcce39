import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCount, formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

describe('durations', () => {
  it.each<[string, number | undefined]>([
    ['250ms', 250],
    ['30s', 30_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['0.5ms', 1],
    ['90', 90_000],
    ['0', 0],
    ['1.5', 1500],
    [' 5M ', 300_000],
    ['', undefined],
    ['m', undefined],
    ['-5m', undefined],
    ['5 m', undefined],
    ['5x', undefined],
    ['5m!', undefined],
    ['1e3', undefined],
    ['Infinity', undefined],
    ['.5h', undefined],
    ['99999999999999w', undefined],
  ])('parses %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each<[number, string]>([
    [0, '0 ms'],
    [0.14, '0.14 ms'],
    [1.25, '1.3 ms'],
    [850, '850 ms'],
    [1234, '1.2 s'],
    [59_940, '59.9 s'],
    [60_000, '1 m'],
    [330_000, '5 m 30 s'],
    [86_400_000, '1 d'],
    [90_061_000, '1 d 1 h'],
    [3_600_000, '1 h'],
  ])('formats %j', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('rounds up to the next unit instead of showing 60 seconds or 1000 milliseconds', () => {
    expect(formatDuration(999.6)).toBe('1 s');
    expect(formatDuration(59_999)).toBe('1 m');
    expect(formatDuration(0.999)).toBe('1 ms');
  });

  it('whole units read back', () => {
    const unit = fc.constantFrom<[string, number]>(
      ['ms', 1],
      ['s', 1000],
      ['m', 60_000],
      ['h', 3_600_000],
      ['d', 86_400_000],
      ['w', 604_800_000],
    );
    fc.assert(
      fc.property(fc.nat(1_000_000), unit, (count, [name, ms]) => {
        expect(parseDuration(`${count}${name}`)).toBe(count * ms);
      }),
    );
  });

  it('any text is read in linear time, as a whole number of milliseconds or not at all', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
    const began = performance.now();
    for (const text of [`${'1'.repeat(100_000)}x`, `${'1m'.repeat(50_000)}!`, `${'1.1'.repeat(30_000)}s`])
      parseDuration(text);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('sizes', () => {
  it.each<[string, number | undefined]>([
    ['512', 512],
    ['512b', 512],
    ['64kb', 65_536],
    ['1.5GB', 1_610_612_736],
    ['2 MB', 2_097_152],
    ['1tb', 1_099_511_627_776],
    ['0', 0],
    ['', undefined],
    ['kb', undefined],
    ['-1kb', undefined],
    ['1k', undefined],
    ['1pb', undefined],
    ['99999999tb', undefined],
  ])('parses %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each<[number, string]>([
    [0, '0 B'],
    [512, '512 B'],
    [1024, '1 KB'],
    [1_468_006, '1.4 MB'],
    [104_857_600, '100 MB'],
    [1_610_612_736, '1.5 GB'],
    [2 ** 50, '1024 TB'],
  ])('formats %j', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('rounds up to the next unit instead of showing 1024 of one', () => {
    expect(formatSize(1024 * 1024 - 1)).toBe('1 MB');
  });
});

describe('counts', () => {
  it('have thousands separated', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatCount(999.6)).toBe('1,000');
    expect(formatCount(0)).toBe('0');
  });
});
