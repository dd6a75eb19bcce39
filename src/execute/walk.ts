/** The way over all keys of a selection, for jobs, listings and audits: pages, and at the end what cannot be vouched for. */
import { isFiltered } from '../plan/filters.ts';
import type { Selection } from '../plan/step.ts';
import { keepMatching } from './select-keys.ts';
import type { Session } from './session.ts';
import { walkCluster } from './walk-cluster.ts';
import { walkFile } from './walk-file.ts';
import type { WalkOptions, WalkPage } from './walk-page.ts';
import { walkServer } from './walk-server.ts';

/** Walks; a page holds only keys that pass the filters of the selection. Gives at its end the reasons why keys may have been missed. Throws OpsError, or LostConnection when retries are used up. */
export function walk(session: Session, options: WalkOptions): AsyncGenerator<WalkPage, readonly string[]> {
  const pages = wayOf(session, options);
  return isFiltered(options.selection) ? filtered(session, options.selection, pages) : pages;
}

function wayOf(session: Session, options: WalkOptions): AsyncGenerator<WalkPage, readonly string[]> {
  if (options.selection.keys_file !== undefined) return walkFile(session, options);
  return session.cluster ? walkCluster(session, options) : walkServer(session, options);
}

async function* filtered(
  session: Session,
  selection: Selection,
  pages: AsyncGenerator<WalkPage, readonly string[]>,
): AsyncGenerator<WalkPage, readonly string[]> {
  try {
    for (;;) {
      const next = await pages.next();
      if (next.done) return next.value;
      yield { ...next.value, keys: await keepMatching(session, selection, next.value.keys) };
    }
  } finally {
    await pages.return([]);
  }
}
