import { styleText } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createScreen, sections, without } from './screen.ts';

const plan = [
  'Plan: set a TTL on every key',
  'that matches session:*',
  '  on        shop',
  '',
  '  keys      60,000',
  '            for example  type',
  '  because   one reason',
  '            that wraps',
  '',
  'digest 3f2a9c1b7d4e',
].join('\n');

describe('sections', () => {
  test('keeps the wanted ones in their order, with what continues them', () => {
    expect(sections(plan, ['because', 'keys'])).toBe(
      ['  keys      60,000', '            for example  type', '  because   one reason', '            that wraps'].join(
        '\n',
      ),
    );
  });

  test('a wrapped line at the margin belongs to the one before it, the next block does not', () => {
    expect(sections(plan, ['Plan'])).toBe('Plan: set a TTL on every key\nthat matches session:*');
    expect(sections(plan, ['digest'])).toBe('digest 3f2a9c1b7d4e');
  });

  test('reads labels through colour and keeps the colour', () => {
    const red = styleText('red', '  nature    DESTRUCTIVE', { validateStream: false });
    expect(sections(`  keys      1\n${red}`, ['nature'])).toBe(red);
  });
});

test('without leaves whole sections out', () => {
  const finding = [
    'error KEY001 at a:1:1',
    '  KEYS visits every key',
    '  why  it blocks',
    '       for long',
    '  fix  SCAN',
  ];
  expect(without(finding.join('\n'), ['why'])).toBe('error KEY001 at a:1:1\n  KEYS visits every key\n  fix  SCAN');
  expect(without(finding.join('\n'), ['fix'])).toBe(finding.slice(0, -1).join('\n'));
});

describe('createScreen', () => {
  function screen(width: number) {
    const lines: string[] = [];
    const stop = new AbortController();
    const made = createScreen((text) => lines.push(text), { width, chapters: 2, signal: stop.signal });
    return { made, stop, text: () => lines.join('') };
  }

  test('numbers chapters, wraps, and never uses more than 80 columns', () => {
    const { made, text } = screen(200);
    made.chapter('lint', 'why '.repeat(40));
    made.command('redops a', '--yes');
    expect(text().split('\n').slice(0, 2)).toEqual(['', '1/2  lint']);
    expect(text()).toContain('\n  $ redops a \\\n      --yes\n');
    expect(
      Math.max(
        ...text()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80);
    expect(made.width).toBe(78);
  });

  test('writes nothing once it is interrupted', () => {
    const { made, stop, text } = screen(80);
    stop.abort();
    made.say('too late');
    expect(text()).toBe('');
  });
});
