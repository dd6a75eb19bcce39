/**
 * The way over a file of keys: pages in the file's order, one part, whose cursor is the number of keys up to there. It
 * stands for what one server process was told: after another one took over, what that knows of the keys before is not sure.
 */
import { invariant } from '../base/assert.ts';
import { noFiles } from '../plan/planned-file.ts';
import { openKeys } from './keys-file.ts';
import type { Session } from './session.ts';
import type { WalkOptions, WalkPage } from './walk-page.ts';

/** The name of the one part. */
const shard = 'file';

/** Walks the file of the selection; see `walk`. Throws OpsError drift before its first page when the file is another one. */
export async function* walkFile(
  session: Session,
  { selection, count, from }: WalkOptions,
): AsyncGenerator<WalkPage, readonly string[]> {
  const { signal, plan, pathOf } = session.context;
  const { keys_file: file } = selection;
  invariant(file !== undefined, 'the selection names a file');
  if (pathOf === undefined) throw noFiles('a plan', 'Name the keys in the request itself.');
  const before = from?.(shard);
  if (before?.done) return [];
  const start = Number(before?.cursor ?? 0);
  const runId = plan.target.server.run_id === '' ? undefined : plan.target.server.run_id;
  let visited = start;
  for await (const { keys, next, last } of openKeys(
    { ...file, path: pathOf(file.path) },
    { from: start, count, signal },
  )) {
    yield { shard, keys, next: String(next), last, runId, again: 0, unsure: 0, scanned: next - visited };
    visited = next;
  }
  return [];
}
