/**
 * Watched keys of a capture of MONITOR that others write before EXEC. A lost transaction shows as EXEC right behind MULTI:
 * the server did not run what was queued. Only that, with a write by another client in between, counts as lost.
 */
import { type Bytes, bytesId } from '../../base/bytes.ts';
import { keysOf } from '../../catalog/keys.ts';
import { isWrite } from '../../catalog/nature.ts';
import { at } from '../findings.ts';
import type { LintCommand } from '../rule.ts';
import { hotWatchedKey, tx008 } from '../rules/tx008-hot-watched-key.ts';
import { shown } from '../words.ts';
import { type AuditCommand, argvOf } from './command.ts';
import type { Fold } from './fold.ts';
import { recent } from './recent.ts';

/** Follows watched keys; `client` is the name of a connection. */
export interface HotKeys {
  /** The client watches the keys of the command. */
  watch(client: string, command: AuditCommand): void;
  /** Any other command, while somebody watches. */
  see(client: string, command: AuditCommand): void;
  /** The client's EXEC; `ran`: what it queued was run. */
  exec(client: string, command: AuditCommand, ran: boolean): void;
  /** The client watches nothing any more, or is gone. */
  forget(client: string): void;
  /** True while somebody watches. */
  readonly watching: boolean;
}

/** From so many lost transactions on, when they are this part of those that were tried. */
const fewestLost = 5;
const part = 0.2;
/** Keys that are watched at one time, and keys that are remembered: more are left out, so that memory does not grow. */
const mostWatched = 10_000;
const remembered = 4_096;

/** A key that a client watches, and whether another client has written it since. */
interface Watch {
  readonly key: Bytes;
  written: boolean;
}

interface Tries {
  attempts: number;
  lost: number;
  said: boolean;
}

/** Starts to follow; `place`: where a command of the capture stands. */
export function createHotKeys(
  fold: Fold,
  place: (command: AuditCommand, argv: LintCommand['argv'], within: LintCommand['within']) => LintCommand,
): HotKeys {
  /** By key, who watches it. */
  const watched = new Map<string, Map<string, Watch>>();
  /** By client, the same by key. */
  const byClient = new Map<string, Map<string, Watch>>();
  const tries = recent<Tries>(remembered);
  const forget = (client: string): void => {
    for (const id of byClient.get(client)?.keys() ?? []) {
      const watchers = watched.get(id);
      watchers?.delete(client);
      if (watchers?.size === 0) watched.delete(id);
    }
    byClient.delete(client);
  };
  return {
    get watching() {
      return watched.size > 0;
    },
    watch: (client, command) => {
      const own = byClient.get(client) ?? new Map();
      byClient.set(client, own);
      for (const [id, key] of keysIn(command)) {
        if (watched.size >= mostWatched && !watched.has(id)) return;
        // watched again, it is as written as before
        if (own.has(id)) continue;
        const watch = { key, written: false };
        own.set(id, watch);
        const watchers = watched.get(id) ?? new Map();
        watched.set(id, watchers.set(client, watch));
      }
    },
    see: (client, command) => {
      if (!isWrite(argvOf(command))) return;
      for (const [id] of keysIn(command)) {
        for (const [watcher, watch] of watched.get(id) ?? []) if (watcher !== client) watch.written = true;
      }
    },
    exec: (client, command, ran) => {
      for (const [id, { key, written }] of byClient.get(client) ?? []) {
        const known = tries.get(id) ?? { attempts: 0, lost: 0, said: false };
        known.attempts += 1;
        if (written && !ran) known.lost += 1;
        if (!known.said && known.lost >= fewestLost && known.lost >= known.attempts * part) {
          known.said = true;
          const said = hotWatchedKey(shown(key), known.attempts, known.lost);
          fold.add(tx008, at(place(command, argvOf(command), 'line'), said));
        }
        tries.set(id, known);
      }
      forget(client);
    },
    forget,
  };
}

/** The keys of a command, each with what tells it from the same name in another database. */
function keysIn(command: AuditCommand): readonly (readonly [string, Bytes])[] {
  const uses = keysOf(argvOf(command)) ?? [];
  return uses.flatMap(({ key }) =>
    key === undefined ? [] : [[`${command.database ?? 0} ${bytesId(key)}`, key] as const],
  );
}
