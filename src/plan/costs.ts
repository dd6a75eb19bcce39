/**
 * What commands cost on a server, as it was measured: curves of the server's own time. A plan carries those that its
 * price was made with.
 */
import { z } from 'zod';

/** The time of a command by how much it works on. */
export const CostCurve = z.strictObject({
  /** [units, microseconds], by rising units. What a unit is depends on the command: an element, an argument, a byte. */
  points: z.array(z.tuple([z.number().positive(), z.number().nonnegative()])).min(1),
  /** Nine of ten rounds lay between the curve divided and multiplied by this. */
  spread: z.number().min(1),
});
/** See the schema. */
export type CostCurve = z.output<typeof CostCurve>;

/** Curves of one server. */
export const Costs = z.strictObject({
  /** Engine and version that were measured: "redis 7.0.15". */
  server: z.string(),
  /** target: on the target itself; throwaway: on a server of the same version on the machine of redops; default: what redops brings along. */
  basis: z.enum(['target', 'throwaway', 'default']),
  /** Unix milliseconds. */
  measured_ms: z.int().nonnegative(),
  /** By command, type and form of its key: "hgetall/hash/table", "get/string". */
  curves: z.record(z.string(), CostCurve),
});
/** See the schema. */
export type Costs = z.output<typeof Costs>;

/** How a value lies in memory: in one allocation, or element by element. */
export type Form = 'compact' | 'table' | 'string';

/** The form of an encoding (OBJECT ENCODING); table where it is not known. */
export function formOf(type: string, encoding: string | undefined): Form {
  if (type === 'string') return 'string';
  return encoding !== undefined && compact.has(encoding) ? 'compact' : 'table';
}

const compact: ReadonlySet<string> = new Set(['listpack', 'listpackex', 'ziplist', 'intset']);

/** The name of a command's curve on keys of a type (`keys`: on many strings) and form. */
export function curveName(command: string, type: string, form: Form): string {
  return form === 'string' ? `${command}/${type}` : `${command}/${type}/${form}`;
}

/** Elements of a window: the curves of windows ("hscan/hash/table", "scan/keys") say what so many cost in a key of that size. */
export const windowUnits = 500;

/** Elements of the key that commands with many arguments were measured on. */
export const argumentKey = 4_000;
