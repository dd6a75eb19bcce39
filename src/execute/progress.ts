/**
 * How far the attempts of a scan job have come, from the records of its journal. A part of the keyspace that another
 * server process gave a cursor for was begun anew: what was counted of it before no longer counts.
 */
import { z } from 'zod';
import { OpsError } from '../base/ops-error.ts';
import { CommandResult, Totals } from '../plan/report.ts';
import { addTotals, noTotals } from '../plan/totals.ts';

/** Where one part stands. */
export interface PartProgress {
  /** The cursor to go on with. */
  readonly cursor: string;
  readonly done: boolean;
  /** The server process that gave the cursor: no other one knows it. null: the user may not ask. */
  readonly runId: string | null;
}

/** What a job goes on from. */
export interface Progress {
  /** Into how many parts the last attempt divided the keyspace; 0 when none came so far. */
  readonly parts: number;
  /** Of a cluster: what its slots came to when the last attempt began (slot-view.ts); null where that was not known. */
  readonly slots?: string | null;
  /** Where a part stands; undefined: no page of it is done. */
  of(shard: string): PartProgress | undefined;
  /** What the pages of these parts came to. */
  readonly totals: (keep: (shard: string) => boolean) => Totals;
  /** Of all parts: what did not go well. */
  readonly results: readonly CommandResult[];
  /** The same, of these parts. */
  readonly resultsOf: (keep: (shard: string) => boolean) => readonly CommandResult[];
  /** Names of the parts that have a page, in the order of their first. */
  readonly shards: readonly string[];
}

/** Reads progress record by record, so that a long journal need not be held. */
export interface ProgressFold {
  add(record: unknown): void;
  progress(): Progress;
}

const Started = z.looseObject({ kind: z.literal('started'), parts: z.int().positive(), slots: z.string().nullish() });
const Page = z.looseObject({
  kind: z.literal('page'),
  shard: z.string(),
  cursor: z.string().regex(/^\d+$/),
  last: z.boolean(),
  run_id: z.string().nullable(),
  ...Totals.shape,
  results: z.array(CommandResult),
});
type Page = z.output<typeof Page>;

/** The progress that these records tell of; records of other kinds are passed over. Throws OpsError state for a record of another form. */
export function progressOf(records: Iterable<unknown>): Progress {
  const fold = createProgress();
  for (const record of records) fold.add(record);
  return fold.progress();
}

/** Starts with no progress. */
export function createProgress(): ProgressFold {
  const parts = new Map<string, Part>();
  let divided = 0;
  let slots: string | null | undefined;
  let attempt = 0;
  return {
    add: (record) => {
      const kind = kindOf(record);
      if (kind === 'started') {
        const started = parsed(Started, record);
        divided = started.parts;
        // slots may have moved since the attempt before: this one has walked all of it again
        if (started.slots === null || started.slots !== slots) parts.clear();
        slots = started.slots;
      }
      if (kind === 'started' || kind === 'resumed') attempt += 1;
      if (kind === 'page') addPage(parts, parsed(Page, record), attempt);
    },
    progress: () => {
      const now = new Map([...parts].map(([name, part]) => [name, { ...part, results: [...part.results] }]));
      return { ...progressIn(divided, now), ...(slots === undefined ? {} : { slots }) };
    },
  };
}

interface Part extends PartProgress {
  readonly attempt: number;
  readonly totals: Totals;
  readonly results: CommandResult[];
}

function addPage(parts: Map<string, Part>, page: Page, attempt: number): void {
  const known = parts.get(page.shard);
  const before = known && goesOn(known, page, attempt) ? known : { totals: noTotals, results: [] as CommandResult[] };
  parts.set(page.shard, {
    cursor: page.cursor,
    done: page.last,
    runId: page.run_id,
    attempt,
    totals: addTotals(before.totals, page),
    results: before.results,
  });
  before.results.push(...page.results);
}

// without a run_id nobody can tell whether a later attempt met the same process, so that attempt began anew
function goesOn(known: Part, page: Page, attempt: number): boolean {
  return known.runId === page.run_id && (page.run_id !== null || known.attempt === attempt);
}

function progressIn(divided: number, parts: ReadonlyMap<string, Part>): Progress {
  const kept = (keep: (shard: string) => boolean): Part[] =>
    [...parts].filter(([name]) => keep(name)).map(([, part]) => part);
  const resultsOf = (keep: (shard: string) => boolean): CommandResult[] => kept(keep).flatMap((part) => part.results);
  return {
    parts: divided,
    of: (shard) => parts.get(shard),
    totals: (keep) => kept(keep).reduce((sum, part) => addTotals(sum, part.totals), noTotals),
    results: resultsOf(() => true),
    resultsOf,
    shards: [...parts.keys()],
  };
}

function kindOf(record: unknown): unknown {
  return typeof record === 'object' && record !== null && 'kind' in record ? record.kind : undefined;
}

function parsed<T>(schema: z.ZodType<T>, record: unknown): T {
  const result = schema.safeParse(record);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new OpsError('state', `the journal has a record of another form: ${issue?.path.join('.') ?? ''}`, {
    remedy: 'Go on with the version of redops that began the run.',
    cause: result.error,
  });
}
