/**
 * Which commands a stream may send. A stream is not planned command by command, so what a plan would have been asked or
 * refused for is decided here, by the command's name where that says all, else by its arguments.
 */
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import { changesConnection, destroys, isAdministrative, isBlocking, isWrite, runsScript } from '../catalog/nature.ts';
import type { WireArgument } from '../formats/resp.ts';

/** What holds for the whole stream. */
export interface AdmissionTerms {
  readonly tag: 'dev' | 'production';
  /** A person named the target: what destroys data is allowed on production. */
  readonly named: boolean;
  /** Keys must begin with one of these; every key may be used when left out. */
  readonly prefixes?: readonly Bytes[];
  /** True on a replica: nothing may write. */
  readonly readOnly: boolean;
  /** The most that the plan does which was approved; left out where there is none. */
  readonly approved?: 'reads' | 'writes' | 'destroys';
  /** Codes of lint errors that the plan's request accepts. */
  readonly accept?: readonly string[];
}

/** Why a command may not be sent; undefined when it may. */
export type Admission = (argv: readonly WireArgument[]) => string | undefined;

/** The check for a stream. Verdicts that depend on the name alone are remembered. */
export function createAdmission(terms: AdmissionTerms): Admission {
  const known = new Map<string, string | undefined | 'look'>();
  const prefixes = terms.prefixes?.map((prefix) => toBuffer(prefix));
  return (argv) => {
    const [first] = argv;
    if (first === undefined) return 'it is empty';
    const name = typeof first === 'string' ? first : first.toString('latin1');
    let verdict = known.get(name);
    if (verdict === undefined && !known.has(name)) {
      verdict = byName(name, terms, prefixes !== undefined);
      known.set(name, verdict);
    }
    return verdict === 'look' ? byArguments(argv, terms, prefixes) : verdict;
  };
}

function byName(name: string, terms: AdmissionTerms, hasPrefixes: boolean): string | undefined | 'look' {
  const info = findCommand([name]);
  if (!info) return `redops does not know the command ${JSON.stringify(name.slice(0, 40))}`;
  const argumentsMatter =
    hasPrefixes ||
    info.subcommands !== undefined ||
    info.flags.includes('blocking') ||
    ((terms.tag === 'production' || terms.approved === 'writes') && isWrite([name]));
  return argumentsMatter ? 'look' : refusal([name], terms);
}

function byArguments(
  argv: readonly WireArgument[],
  terms: AdmissionTerms,
  prefixes: readonly Buffer[] | undefined,
): string | undefined {
  const words = argv.map((word) => (typeof word === 'string' ? word : fromBuffer(word)));
  return refusal(words, terms) ?? (prefixes ? outside(words, prefixes) : undefined);
}

function refusal(words: readonly Bytes[], terms: AdmissionTerms): string | undefined {
  const name = commandName(words).replace('|', ' ').toUpperCase();
  if (changesConnection(words)) return `${name} changes the connection that all commands of the stream share`;
  if (isBlocking(words)) return `${name} would make every later command wait`;
  if (isAdministrative(words)) return `${name} is administration, not data: plan it as a request of its own`;
  const code = terms.approved === undefined ? undefined : alwaysRefused.get(commandName(words));
  if (code !== undefined && !terms.accept?.includes(code))
    return `${name} is an error (${code}) that the request does not accept`;
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

function outside(words: readonly Bytes[], prefixes: readonly Buffer[]): string | undefined {
  const uses = keysOf(words);
  if (uses === undefined) return 'its keys are not known, so neither is whether they have an allowed prefix';
  const bad = uses.find((use) => {
    const key = toBuffer(use.key ?? '');
    return !prefixes.some((prefix) => key.subarray(0, prefix.length).equals(prefix));
  });
  return bad ? `the key at position ${bad.index} has none of the allowed prefixes` : undefined;
}
