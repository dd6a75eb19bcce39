/** The commands of a plan that only the server knows, as the catalog takes them beside its table. */
import type { CommandInfo } from '../catalog/command.ts';
import { liveCommands } from '../catalog/live.ts';
import type { Target } from './target.ts';

/** Entries of what the server said; empty where nothing was asked, where it did not say, and where it has none of them. */
export function unlistedCommands(target: Pick<Target, 'commands'> | undefined): readonly CommandInfo[] {
  return liveCommands((target?.commands ?? []).flatMap(({ name, facts }) => (facts ? [{ name, ...facts }] : [])));
}
