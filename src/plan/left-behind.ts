/** What a scan job leaves none of: the keys that are looked for when somebody asks whether it did what it was for. */
import { commandName } from '../catalog/lookup.ts';
import { isFiltered } from './filters.ts';
import type { ForEachStep, Selection } from './step.ts';
import { literal } from './values.ts';

/** The keys that the action leaves none of; undefined where there are no such keys, or a condition of the action may have left them. */
export function leftBehind({ selection, do: { argv } }: Pick<ForEachStep, 'selection' | 'do'>): Selection | undefined {
  const name = commandName(argv.map(literal));
  const condition = argv[3];
  switch (name) {
    case 'unlink':
    case 'del':
      // of a file every key is given, there or not; what has a size is there
      return selection.keys_file && !isFiltered(selection) ? { ...selection, bytes: { min: 0 } } : selection;
    case 'persist':
      return { ...selection, ttl: selection.ttl ?? 'any' };
    case 'pexpireat': {
      const everyKey = condition === undefined || condition === 'NX' || condition === 'LT';
      const fromNone = selection.ttl === undefined || selection.ttl === 'none';
      return everyKey && fromNone ? { ...selection, ttl: 'none' } : undefined;
    }
    default:
      return undefined;
  }
}
