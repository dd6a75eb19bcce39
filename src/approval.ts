/** What a caller grants for a run, in the words of the approval table, and on whose word the run then is. */
import type { Grants } from './lint/policy.ts';
import type { RunBegun } from './state/runs.ts';

/** What is granted. */
export interface Granted {
  /** Approves what the approval table lets --yes approve. */
  readonly yes?: boolean;
  /** The target's name as a person typed it. */
  readonly typedName?: string;
  /** A signed approval (redops approve): stands for the typed name, once, for this plan. */
  readonly approval?: string;
  /** A person said yes in the dialog of an agent's client: counts as `yes`, and on dev targets only. */
  readonly elicited?: boolean;
}

/** Where: the target's name, and what it counts as. */
export interface Counted {
  readonly name: string;
  readonly tag: 'dev' | 'production';
}

/** The grants as `decide` takes them; a signed approval, once it was checked, stands for the typed name. */
export function grantsOf({ yes, typedName, approval, elicited }: Granted, { name, tag }: Counted): Grants {
  const typed = approval === undefined ? typedName : name;
  return {
    tag,
    target: name,
    yes: yes === true || (elicited === true && tag === 'dev'),
    ...(typed === undefined ? {} : { typedName: typed }),
  };
}

/** On whose word: the strongest of what was granted. */
export function allowedBy(
  { yes, typedName, approval, elicited }: Granted,
  { name, tag }: Counted,
): RunBegun['allowed_by'] {
  if (approval !== undefined) return 'approval';
  if (typedName === name) return 'typed_name';
  if (elicited && tag === 'dev') return 'elicitation';
  return yes ? 'yes' : 'nothing';
}
