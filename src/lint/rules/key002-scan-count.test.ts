import { expect, test } from 'vitest';
import { file, found } from '../../../test/support/lint.ts';
import { key002 } from './key002-scan-count.ts';

test.each(['SCAN 0 COUNT 10001', 'SCAN 0 MATCH a* COUNT 100000', 'HSCAN h 0 COUNT 50000'])('%s', (line) => {
  expect(found(key002, file(line))).toEqual(['warning app.redis:1:1']);
});

test.each(['SCAN 0', 'SCAN 0 COUNT 10000', 'HSCAN COUNT 0 MATCH 99999', 'ZSCAN z 0 COUNT 100'])(
  '%s is fine',
  (line) => {
    expect(found(key002, file(line))).toEqual([]);
  },
);
