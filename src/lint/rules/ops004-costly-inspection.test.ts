import { expect, test } from 'vitest';
import { file, found } from '../../../test/support/lint.ts';
import { ops004 } from './ops004-costly-inspection.ts';

test.each(['MONITOR', 'MEMORY USAGE k SAMPLES 0', 'SLOWLOG RESET', 'LATENCY RESET', 'CONFIG RESETSTAT'])(
  '%s',
  (line) => {
    expect(found(ops004, file(line))).toEqual(['warning app.redis:1:1']);
  },
);

test.each(['MEMORY USAGE k', 'MEMORY USAGE k SAMPLES 5', 'SLOWLOG GET 10', 'LATENCY LATEST', 'INFO'])(
  '%s is fine',
  (line) => {
    expect(found(ops004, file(line))).toEqual([]);
  },
);
