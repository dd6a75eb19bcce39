/**
 * Which commands a stream may send. A stream is not planned command by command, so what a plan would have been asked or
 * refused for is decided here, by the command's name where that says all, else by its arguments.
 */
import { type Bytes, beginsWith, bytesId, fromBuffer, toBuffer } from '../base/bytes.ts';
import { formatCount } from '../base/units.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import { changesConnection, destroys, isAdministrative, isBlocking, isWrite, runsScript } from '../catalog/nature.ts';
import { readPrefixes } from '../catalog/read-patterns.ts';
import type { WireArgument } from '../formats/resp.ts';

/** What holds for the whole stream. */
export interface AdmissionTerms {
  readonly tag: 'dev' | 'production';
  /** A person named the target: what destroys data is allowed on production. */
  readonly named: boolean;
  /** Keys must begin with one of these; every key may be used when left out. */
  readonly prefixes?: readonly Bytes[];
  /** The most keys that may be written, counted once each; without bound when left out. */
  readonly maxKeys?: number;
  /** True on a replica: nothing may write. */
  readonly readOnly: boolean;
  /** The most that the plan does which was approved; left out where there is none. */
  readonly approved?: 'reads' | 'writes' | 'destroys';
  /** Codes of lint errors that the caller accepts. */
  readonly accept?: readonly string[];
}

/** Why a command may not be sent; undefined when it may. */
export type Admission = (argv: readonly WireArgument[]) => string | undefined;

/** limits.max_keys and limits.max_percent as one number of keys; undefined where neither bounds anything. New keys in an empty database are no share of it. */
export function mostKeys(
  limits: { readonly max_keys?: number | undefined; readonly max_percent?: number | undefined },
  keysThere: number,
): { readonly maxKeys?: number } {
  const { max_keys, max_percent } = limits;
  const share =
    max_percent === undefined || max_percent >= 100 || keysThere === 0
      ? Number.POSITIVE_INFINITY
      : Math.floor((keysThere * max_percent) / 100);
  const maxKeys = Math.min(max_keys ?? Number.POSITIVE_INFINITY, share);
  return maxKeys === Number.POSITIVE_INFINITY ? {} : { maxKeys };
}

/** The check for a stream. Verdicts that depend on the name alone are remembered, and with a maxKeys the keys written. */
export function createAdmission(terms: AdmissionTerms): Admission {
  const known = new Map<string, string | undefined | 'look'>();
  const fence: Fence = { prefixes: terms.prefixes?.map(toBuffer), maxKeys: terms.maxKeys, written: new Set() };
  const fenced = terms.prefixes !== undefined || terms.maxKeys !== undefined;
  return (argv) => {
    const [first] = argv;
    if (first === undefined) return 'it is empty';
    const name = typeof first === 'string' ? first : first.toString('latin1');
    let verdict = known.get(name);
    if (verdict === undefined && !known.has(name)) {
      verdict = byName(name, terms, fenced);
      known.set(name, verdict);
    }
    return verdict === 'look' ? byArguments(argv, terms, fenced ? fence : undefined) : verdict;
  };
}

/** Where the keys must lie, and how many of them may be written. */
interface Fence {
  readonly prefixes: readonly Buffer[] | undefined;
  readonly maxKeys: number | undefined;
  readonly written: Set<string>;
}

function byName(name: string, terms: AdmissionTerms, fenced: boolean): string | undefined | 'look' {
  const info = findCommand([name]);
  if (!info) return `redops does not know the command ${JSON.stringify(name.slice(0, 40))}`;
  const argumentsMatter =
    fenced ||
    info.subcommands !== undefined ||
    info.flags.includes('blocking') ||
    ((terms.tag === 'production' || terms.approved === 'writes') && isWrite([name]));
  return argumentsMatter ? 'look' : refusal([name], terms);
}

function byArguments(
  argv: readonly WireArgument[],
  terms: AdmissionTerms,
  fence: Fence | undefined,
): string | undefined {
  const words = argv.map((word) => (typeof word === 'string' ? word : fromBuffer(word)));
  return refusal(words, terms) ?? (fence && outside(words, fence));
}

function refusal(words: readonly Bytes[], terms: AdmissionTerms): string | undefined {
  const name = commandName(words).replace('|', ' ').toUpperCase();
  if (changesConnection(words)) return `${name} changes the connection that all commands of the stream share`;
  if (isBlocking(words)) return `${name} would make every later command wait`;
  if (isAdministrative(words)) return `${name} is administration, not data: plan it as a request of its own`;
  const code = alwaysRefused.get(commandName(words));
  if (code !== undefined && !terms.accept?.includes(code))
    return `${name} is an error (${code}): it is sent only when accept names that code`;
  if (terms.readOnly && isWrite(words)) return `${name} writes, and this is a replica`;
  if (terms.approved === 'reads' && isWrite(words)) return `${name} writes, and the plan that was approved only reads`;
  if (terms.approved === 'writes' && (destroys(words) || runsScript(words))) {
    return `${name} can destroy data, and the plan that was approved destroys none`;
  }
  if (terms.tag === 'production' && !terms.named && (destroys(words) || runsScript(words))) {
    return `${name} can destroy data on a production target: give its name (typedName)`;
  }
  return undefined;
}

/** What a plan is refused for by its name alone, whatever was approved. */
const alwaysRefused: ReadonlyMap<string, string> = new Map([
  ['flushall', 'DEL003'],
  ['flushdb', 'DEL003'],
  ['swapdb', 'DEL003'],
  ['keys', 'KEY001'],
]);

/** What cannot be proven to stay inside counts as outside. */
function outside(words: readonly Bytes[], { prefixes, maxKeys, written }: Fence): string | undefined {
  const name = commandName(words).replace('|', ' ').toUpperCase();
  const writes = isWrite(words);
  const uses = keysOf(words);
  if (runsScript(words)) return `${name} can reach keys that it does not name: plan it as a request of its own`;
  if (prefixes === undefined && !writes) return undefined;
  if (uses === undefined) return 'its keys are not known, so neither is whether the limits on keys hold';
  if (writes && uses.length === 0) return `${name} names no keys, so the limits on keys cannot hold`;
  const stray = prefixes && uses.find(({ key }) => !prefixes.some((prefix) => beginsWith(toBuffer(key ?? ''), prefix)));
  if (stray) return `the key at position ${stray.index} has none of the allowed prefixes`;
  const strayPattern = readPrefixes(words).some(
    (read) => !prefixes?.some((prefix) => beginsWith(toBuffer(read ?? ''), prefix)),
  );
  if (prefixes && strayPattern) return `${name} reads keys by a pattern (BY, GET) outside the allowed prefixes`;
  if (maxKeys === undefined || !writes) return undefined;
  const more = new Set(uses.map(({ key }) => bytesId(key ?? '')).filter((id) => !written.has(id)));
  if (written.size + more.size > maxKeys)
    return `it would write more than ${formatCount(maxKeys)} keys, which is the limit`;
  for (const id of more) written.add(id);
  return undefined;
}
