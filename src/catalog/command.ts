/** What the catalog knows of one command: the shape of the generated table. Times and prices are explain's business. */
import type { Bytes } from '../base/bytes.ts';

/** One argument of a command's grammar, as COMMAND DOCS gives it (7.0 and later). */
export interface GrammarArgument {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'double' | 'key' | 'pattern' | 'unix-time' | 'pure-token' | 'oneof' | 'block';
  readonly token?: string;
  /** The version that brought this argument, where it is younger than its command; of Redis, or of Valkey for what only Valkey has. */
  readonly since?: string;
  readonly optional?: boolean;
  readonly multiple?: boolean;
  readonly multiple_token?: boolean;
  readonly arguments?: readonly GrammarArgument[];
}

/** One key specification, as COMMAND gives it (7.0 and later). */
export interface KeySpec {
  readonly flags: readonly string[];
  readonly begin:
    | { readonly index: number }
    | { readonly keyword: string; readonly from: number }
    | { readonly unknown: true };
  readonly find:
    | { readonly range: { readonly last: number; readonly step: number; readonly limit: number } }
    | { readonly keynum: { readonly index: number; readonly first: number; readonly step: number } }
    | { readonly unknown: true };
}

/**
 * What a command answers in RESP2, when it is not refused. `simple`: a status. `double`: a bulk string that is a number.
 * `map`: an array of names and values in turn, which RESP3 has as a map. `nil`: either of the two of RESP2.
 */
export type ReplyShape = 'simple' | 'bulk' | 'double' | 'integer' | 'map' | 'array' | 'nil';

/** One command or subcommand of the table. */
export interface CommandInfo {
  /** Lower case; a subcommand as `script|load`. */
  readonly name: string;
  /** As COMMAND says: exact when positive, at least -n when negative; the command's name counts. */
  readonly arity: number;
  readonly flags: readonly string[];
  /** Without the @. */
  readonly categories: readonly string[];
  readonly keySpecs: readonly KeySpec[];
  /** Command tips, such as `request_policy:all_shards`. */
  readonly tips: readonly string[];
  readonly summary: string;
  /** `since` of COMMAND DOCS. */
  readonly since: string;
  readonly group: string;
  readonly complexity: string;
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  readonly grammar?: readonly GrammarArgument[];
  readonly subcommands?: readonly string[];
  /**
   * The shapes that its answer can have, on any version and with any option; left out where it answers whatever it runs
   * (EVAL), nothing, or is not known. From the reply schemas of Redis and Valkey, as corrected by running them.
   */
  readonly reply?: readonly ReplyShape[];
  /** The servers whose COMMAND answered with it: `redis 7.0.15`, `redis 8.0.2`, `valkey 8.1.1`. */
  readonly seenOn: readonly string[];
  /** Only of an entry that no surveyed server has, and that nothing here was run on: the releases that brought it. */
  readonly notRun?: Readonly<Partial<Record<'redis' | 'valkey', string>>>;
  /** What a server of `seenOn` says otherwise than this entry, which is the widest arity and the newest flags. */
  readonly differs?: Readonly<Record<string, { readonly arity?: number; readonly flags?: readonly string[] }>>;
}

/** An argument list as the catalog reads it: undefined is a value that is not known before the run. */
export type Argv = readonly (Bytes | undefined)[];
