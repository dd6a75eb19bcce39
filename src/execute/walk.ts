/** The way over all keys of a selection, for jobs, listings and audits: pages, and at the end what cannot be vouched for. */
import type { Session } from './session.ts';
import { walkCluster } from './walk-cluster.ts';
import type { WalkOptions, WalkPage } from './walk-page.ts';
import { walkServer } from './walk-server.ts';

/** Walks. Gives at its end the reasons why keys may have been missed. Throws OpsError, or LostConnection when retries are used up. */
export function walk(session: Session, options: WalkOptions): AsyncGenerator<WalkPage, readonly string[]> {
  return session.cluster ? walkCluster(session, options) : walkServer(session, options);
}
