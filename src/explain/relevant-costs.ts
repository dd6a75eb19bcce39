/** The part of a target's costs that some commands are priced with: a plan carries no more than that. */
import type { Argv } from '../catalog/command.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Costs } from '../plan/costs.ts';
import { alike } from './alike.ts';

/** The curves of these commands and of what is like them, of freeing and copying out, and of the sizes of keys. */
export function relevantCosts(costs: Costs, argvs: readonly Argv[]): Costs {
  const commands = new Set(argvs.map((argv) => commandName(argv)));
  const names = new Set([...always, ...[...commands].flatMap((command) => [command, ...alike(command)])]);
  const curves = Object.entries(costs.curves).filter(([name]) => names.has(name.slice(0, name.indexOf('/'))));
  return { ...costs, curves: Object.fromEntries(curves) };
}

const always = [
  'del',
  'get',
  'scan',
  'hscan',
  'sscan',
  'zscan',
  'lscan',
  'xscan',
  'hget',
  'sismember',
  'zincrby',
  'zrank',
];
