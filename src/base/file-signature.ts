/** Whether a file is still the one that was looked at, without reading it again. */
import type { BigIntStats } from 'node:fs';

/** What changes when a file is written or replaced. */
export function fileSignature({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join('/');
}
