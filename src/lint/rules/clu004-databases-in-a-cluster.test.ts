import { describe, expect, test } from 'vitest';
import { file, found, unchecked } from '../../../test/support/lint.ts';
import type { Server } from '../../plan/target.ts';
import { clu004 } from './clu004-databases-in-a-cluster.ts';

const of = (line: string, server: Partial<Server> = {}) => file(line, { server: { cluster: true, ...server } });
const others = ['SELECT 1', 'MOVE a 1', 'COPY a b DB 1', 'COPY a b REPLACE DB 1'];
const valkey9: Partial<Server> = { engine: 'valkey', version: '9.1.2', redis_version: '7.2.4' };

test.each([...others, 'SWAPDB 0 1'])('%s', (line) => {
  expect(found(clu004, of(line))).toEqual(['error app.redis:1:1']);
  expect(clu004.check(file(line, {}))).toEqual({ findings: [] });
  expect(unchecked(clu004, file(line))).toBe('needs to know whether the target is a cluster: give --url');
});

test.each(['SELECT 0', 'COPY a b', 'COPY a b DB 0', 'MOVE a 0', 'GET a', 'SET DB 1'])('%s is fine', (line) => {
  expect(clu004.check(of(line))).toEqual({ findings: [] });
});

describe('Valkey 9', () => {
  test.each(others)('%s: by the number of databases', (line) => {
    expect(found(clu004, of(line, { ...valkey9, databases: 1 }))).toHaveLength(1);
    expect(found(clu004, of(line, { ...valkey9, databases: 2 }))).toEqual([]);
    expect(found(clu004, of(line, valkey9))).toEqual([]);
    expect(unchecked(clu004, of(line, valkey9))).toContain('cluster-databases');
  });

  test('SWAPDB is refused whatever their number', () => {
    expect(found(clu004, of('SWAPDB 0 1', { ...valkey9, databases: 16 }))).toHaveLength(1);
    expect(clu004.check(of('SWAPDB 0 1', valkey9)).unchecked).toBeUndefined();
    expect(found(clu004, of('SWAPDB 0 1', valkey9))).toHaveLength(1);
  });

  test('the message says which there are', () => {
    const { findings } = clu004.check(of('SELECT 9', { ...valkey9, databases: 4 }));
    expect(findings[0]?.message).toBe('SELECT to database 9: this cluster has databases 0 to 3');
  });
});
