/**
 * Whether arguments fit a COMMAND DOCS grammar. The grammar gives one order; the servers' parsers take options in any
 * order and often twice, so a run of neighbours that begin with a word is matched as a set. What they do not take is
 * two choices of one `oneof` (NX with XX). Matching works on sets of reachable positions, so that it stays linear for
 * long argument lists and needs no recursion over them.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Argv, GrammarArgument } from './command.ts';
import { integerOf } from './keys.ts';
import { wordOf } from './lookup.ts';

/** Why matching stopped: what was expected at the furthest argument that was reached. */
export interface Mismatch {
  /** Index into argv; argv.length when arguments are missing. */
  readonly argument: number;
  /** Names of values and option words that would have fitted there. */
  readonly expected: readonly string[];
  /** The value expected there is a number. */
  readonly number?: 'integer' | 'double';
  /** The words that exclude each other: the earlier, the one at `argument`. */
  readonly conflict?: readonly [string, string];
}

/** undefined when argv from an index on fits the grammar, or when that took too long to find out; else where it stops. */
export function mismatch(argv: Argv, from: number, grammar: readonly GrammarArgument[]): Mismatch | undefined {
  const search = new Search(argv);
  const ends = search.sequence(grammar, new Set([from]));
  if (search.exhausted || ends.has(argv.length)) return undefined;
  for (const end of ends) search.expect(end, undefined);
  return search.furthest();
}

type Positions = ReadonlySet<number>;

// enough for thousands of arguments; a search beyond it gives up and accepts
const budget = 200_000;

/** One search: where it has been, and what it missed at the furthest place. */
class Search {
  readonly argv: Argv;
  private steps = 0;
  private at = 0;
  private expected = new Set<string>();
  private number: Mismatch['number'];
  private conflict: Mismatch['conflict'];

  constructor(argv: Argv) {
    this.argv = argv;
  }

  get exhausted(): boolean {
    return this.steps > budget;
  }

  furthest(): Mismatch {
    return {
      argument: this.at,
      expected: [...this.expected],
      ...(this.number === undefined ? {} : { number: this.number }),
      ...(this.conflict === undefined ? {} : { conflict: this.conflict }),
    };
  }

  /** Notes that at a position something else was expected; only the furthest position is kept. */
  expect(position: number, what: string | undefined): boolean {
    if (position > this.at) {
      this.at = position;
      this.expected = new Set();
      this.number = undefined;
      this.conflict = undefined;
    }
    if (position === this.at && what !== undefined) this.expected.add(what);
    return position === this.at;
  }

  /** The positions after a list of arguments. */
  sequence(grammar: readonly GrammarArgument[], starts: Positions): Positions {
    let positions = starts;
    for (let i = 0; i < grammar.length && positions.size > 0; ) {
      const counted = grammar[i + 1];
      if (counts(grammar[i]!) && counted?.multiple && counted.token === undefined) {
        positions = this.counted(grammar[i]!, counted, positions);
        i += 2;
        continue;
      }
      const run = wordRun(grammar, i);
      if (run.length > 1 || run[0]?.optional) positions = this.unordered(run, positions);
      else positions = this.argument(grammar[i]!, positions);
      i += Math.max(1, run.length);
    }
    return positions;
  }

  /** The positions after a count and that many values; after any number of them where the count is not known. */
  private counted(count: GrammarArgument, values: GrammarArgument, starts: Positions): Positions {
    const ends = [...starts].map((start) => {
      const after = this.argument(count, new Set([start]));
      const times = integerOf(this.argv[start]);
      if (after.size === 0 || times === undefined || times < 0) return this.argument(values, after);
      let latest = after;
      for (let i = 0; i < times && latest.size > 0; i += 1) latest = this.value(values, latest);
      return latest;
    });
    return union(...ends);
  }

  /** The positions after one argument: its value or values, and the start again when it is optional. */
  private argument(argument: GrammarArgument, starts: Positions): Positions {
    const ends = this.repeated(argument, starts);
    return argument.optional ? union(starts, ends) : ends;
  }

  private repeated(argument: GrammarArgument, starts: Positions): Positions {
    let latest = argument.token === undefined ? starts : this.word(argument.token, starts);
    latest = this.value(argument, latest);
    if (!argument.multiple) return latest;
    const all = new Set(latest);
    while (latest.size > 0 && !this.exhausted) {
      const again = argument.multiple_token && argument.token ? this.word(argument.token, latest) : latest;
      latest = new Set([...this.value(argument, again)].filter((end) => !all.has(end)));
      for (const end of latest) all.add(end);
    }
    return all;
  }

  /** The positions after one value, its token already read. */
  private value(argument: GrammarArgument, starts: Positions): Positions {
    const parts = argument.arguments ?? [];
    switch (argument.type) {
      case 'block':
        return this.sequence(parts, starts);
      case 'oneof':
        return union(...parts.map((choice) => this.argument(choice, starts)));
      case 'pure-token':
        // the grammar of MIGRATE names the empty string so
        return argument.token === undefined ? this.leaf(starts, isEmpty, '""') : starts;
      case 'integer':
      case 'unix-time':
        return this.leaf(starts, looksInteger, argument.name, 'integer');
      case 'double':
        return this.leaf(starts, looksDouble, argument.name, 'double');
      default:
        return this.leaf(starts, () => true, argument.name);
    }
  }

  private word(token: string, starts: Positions): Positions {
    const wanted = token.toLowerCase();
    return this.leaf(starts, (argument) => wordOf(argument) === wanted, token);
  }

  private leaf(
    starts: Positions,
    fits: (argument: Bytes, what: string) => boolean,
    what: string,
    number?: 'integer' | 'double',
  ): Positions {
    const ends = new Set<number>();
    for (const start of starts) {
      this.steps += 1;
      const argument = this.argv[start];
      if (start < this.argv.length && (argument === undefined || fits(argument, what))) ends.add(start + 1);
      else if (this.expect(start, what) && number !== undefined) this.number = number;
    }
    return ends;
  }

  /**
   * The positions after a set of arguments in any order: the required ones at least once, and of a oneof always the
   * same choice. A state is a position and what was chosen for each argument (0: nothing yet).
   */
  private unordered(run: readonly GrammarArgument[], starts: Positions): Positions {
    const ends = new Set<number>();
    const seen = new Set<string>();
    const open: { readonly position: number; readonly chosen: readonly number[] }[] = [...starts].map((position) => ({
      position,
      chosen: run.map(() => 0),
    }));
    for (let state = open.pop(); state !== undefined && !this.exhausted; state = open.pop()) {
      this.steps += 1;
      const { position, chosen } = state;
      const id = `${position}:${chosen.join()}`;
      if (seen.has(id)) continue;
      seen.add(id);
      if (run.every((argument, i) => argument.optional || chosen[i] !== 0)) {
        ends.add(position);
        if (position === this.argv.length) continue; // nothing is left that another option could take
      } else this.expectMissing(run, chosen, position);
      for (const [i, argument] of run.entries()) {
        for (const [choice, one] of choicesOf(argument).entries()) {
          const reached = this.repeated(one, new Set([position]));
          if (reached.size > 0 && chosen[i] !== 0 && excludes(argument, chosen[i]! - 1, choice))
            this.exclude(argument, chosen[i]! - 1, choice, position);
          else for (const next of reached) open.push({ position: next, chosen: chosen.with(i, choice + 1) });
        }
      }
    }
    return ends;
  }

  private expectMissing(run: readonly GrammarArgument[], chosen: readonly number[], position: number): void {
    run.forEach((argument, i) => {
      if (!argument.optional && chosen[i] === 0) this.expect(position, argument.token ?? argument.name);
    });
  }

  private exclude(argument: GrammarArgument, before: number, now: number, position: number): void {
    const name = (choice: number) => choicesOf(argument)[choice]?.token ?? argument.name;
    if (this.expect(position, undefined)) this.conflict = [name(before), name(now)];
  }
}

/** Names of arguments that say how many values follow; every server holds a command to it. */
const counters = new Set(['numkeys', 'numfields', 'numids', 'numvalues']);

function counts(argument: GrammarArgument): boolean {
  return argument.type === 'integer' && counters.has(argument.name);
}

/** The neighbours from an index on that all begin with a word; empty when the first does not. */
function wordRun(grammar: readonly GrammarArgument[], from: number): readonly GrammarArgument[] {
  const end = grammar.findIndex((argument, index) => index >= from && !beginsWithWord(argument));
  return grammar.slice(from, end < 0 ? grammar.length : end);
}

function beginsWithWord(argument: GrammarArgument): boolean {
  if (argument.token !== undefined) return true;
  const parts = argument.arguments ?? [];
  if (argument.type === 'oneof') return parts.every(beginsWithWord);
  return argument.type === 'block' && parts[0] !== undefined && !parts[0].optional && beginsWithWord(parts[0]);
}

/** The choices of a oneof that stands for one option; any other argument is its own only choice. */
function choicesOf(argument: GrammarArgument): readonly GrammarArgument[] {
  return argument.type === 'oneof' && argument.token === undefined && !argument.multiple
    ? (argument.arguments ?? [])
    : [argument];
}

/** Choices of a oneof that servers take together all the same: of ASC and DESC the last counts, and of the ways to quantise; EXPIRE takes XX with GT or LT. */
const compatible = new Set(['ASC DESC', 'GT XX', 'LT XX', 'BIN NOQUANT', 'BIN Q8', 'NOQUANT Q8']);

function excludes(argument: GrammarArgument, before: number, now: number): boolean {
  const words = [before, now].map((choice) => choicesOf(argument)[choice]?.token ?? '');
  return before !== now && !compatible.has(words.sort().join(' '));
}

function union(...sets: readonly Positions[]): Positions {
  return new Set(sets.flatMap((set) => [...set]));
}

function isEmpty(argument: Bytes): boolean {
  return argument === '';
}

/** What string2ll reads. BITFIELD counts in its own units after #; a cursor is read by strtoul, which takes leading zeros, and white space on some versions. */
function looksInteger(argument: Bytes, name: string): boolean {
  const text = toBuffer(argument).toString('latin1');
  if (name === 'offset' && text.startsWith('#')) return true;
  return name === 'cursor' ? /^\s*[+-]?[0-9]+$/.test(text) : /^(0|-?[1-9][0-9]*)$/.test(text);
}

/** What strtod reads, white space before it included; the bounds of a score range may begin with ( for exclusive. */
function looksDouble(argument: Bytes, name: string): boolean {
  const text = toBuffer(argument).toString('latin1');
  const number = name === 'min' || name === 'max' ? text.replace(/^\(/, '') : text;
  return floats.test(number.trimStart().toLowerCase());
}

const floats =
  /^[+-]?(inf(inity)?|nan|0x[0-9a-f]+(\.[0-9a-f]*)?(p[+-]?[0-9]+)?|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)$/;
