/** What a file of keys holds, and its pages: every key once, from where it is asked, and only of the file that was planned. */
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bytes } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { KEYS_SAMPLED, openKeys, surveyKeys } from './keys-file.ts';

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-keys-'));
  path = join(dir, 'keys');
  return () => rm(dir, { recursive: true, force: true });
});

const keys = (count: number): string[] => Array.from({ length: count }, (_, at) => `key:${at}`);
const signal = new AbortController().signal;

async function written(content: string | Buffer) {
  const bytes = Buffer.from(content);
  await writeFile(path, bytes);
  return { path, gzip: false, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function pagesOf(file: Awaited<ReturnType<typeof written>>, from: number, count: number) {
  const pages: { keys: readonly Bytes[]; next: number; last: boolean }[] = [];
  for await (const page of openKeys(file, { from, count, signal })) pages.push(page);
  return pages;
}

describe('surveyKeys', () => {
  it('keeps all keys of a short file, and a fair part of a long one', async () => {
    await written(`a\n"b c"\na\n`);
    expect(await surveyKeys(path, undefined)).toMatchObject({ keys: 3, whole: true, sample: ['a', 'b c', 'a'] });
    await written(keys(150_000).join('\n'));
    const { keys: count, whole, sample } = await surveyKeys(path, undefined);
    expect([count, whole, sample.length, new Set(sample).size]).toEqual([150_000, false, KEYS_SAMPLED, KEYS_SAMPLED]);
    // of each third of the file a third of the sample: six standard errors are 226
    for (const third of [0, 1, 2]) {
      const part = sample.filter((key) => Math.floor(Number(String(key).slice(4)) / 50_000) === third);
      expect(Math.abs(part.length - KEYS_SAMPLED / 3)).toBeLessThan(226);
    }
  });

  it('has the hash of the packed bytes, and names the first key outside of the prefixes', async () => {
    const packed = await written(gzipSync('a:1\nb:1\nc:1\nd:1\n'));
    const survey = await surveyKeys(path, ['a:', 'b:']);
    expect(survey).toMatchObject({ gzip: true, sha256: packed.sha256, keys: 4, outside: { key: 'c:1', line: 3 } });
    expect((await surveyKeys(path, ['a', 'b', 'c', 'd'])).outside).toBeUndefined();
  });
});

describe('openKeys', () => {
  it.each([1, 7, 500, 100_000])('gives every key once, %d a page, from anywhere on', async (count) => {
    const file = await written(`${keys(1_200).join('\n')}\n`);
    for (const from of [0, 1, 499, 500, 1_199, 1_200]) {
      const pages = await pagesOf(file, from, count);
      expect(pages.flatMap((page) => page.keys)).toEqual(keys(1_200).slice(from));
      let next = from;
      for (const page of pages) {
        next += page.keys.length;
        expect(page.next).toBe(next);
      }
      expect(pages.map(({ last }) => last)).toEqual([...pages.slice(1).map(() => false), true]);
    }
  });

  it('gives no page of a file with another content', async () => {
    const file = await written(keys(10).join('\n'));
    await writeFile(path, keys(10).join('\n').replace('key:3', 'key:x'));
    await expect(pagesOf(file, 0, 5)).rejects.toMatchObject({ code: 'drift' });
    await rm(path);
    await expect(pagesOf(file, 0, 5)).rejects.toMatchObject({ code: 'drift' });
  });

  it('gives no page more of a file that is written to meanwhile', async () => {
    const file = await written(keys(100).join('\n'));
    const pages = openKeys(file, { from: 0, count: 10, signal });
    expect((await pages.next()).value).toMatchObject({ next: 10 });
    await appendFile(path, '\nmore');
    await expect(pages.next()).rejects.toBeInstanceOf(OpsError);
  });
});
