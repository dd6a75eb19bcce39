/** Facts about a Redis Lua script, from its syntax tree. Filled by luaFacts. */

/** One redis.call or redis.pcall of a script. */
export interface LuaCall {
  /** Lower case, `script|load` style subcommands not resolved; undefined when the command's name is not a constant. */
  readonly command: string | undefined;
  /** True for redis.pcall. */
  readonly protected: boolean;
  /** 1-based line of the script. */
  readonly line: number;
  /** 1-based column. */
  readonly column: number;
  /** The arguments after the command's name: a constant, an index into KEYS or ARGV, built from data (ARGV or a reply), or something else. */
  readonly args: readonly LuaArgument[];
  /** True when the call stands inside a loop. */
  readonly inLoop: boolean;
}

/** Where an argument of a call comes from. */
export type LuaArgument =
  | { readonly from: 'constant'; readonly value: string }
  | { readonly from: 'KEYS'; readonly index: number | undefined }
  | { readonly from: 'ARGV'; readonly index: number | undefined }
  | { readonly from: 'built'; readonly text: string; readonly usesArgv: boolean; readonly usesKeys: boolean }
  | { readonly from: 'reply' }
  | { readonly from: 'unknown' };

/** What is known of a script. */
export interface LuaFacts {
  /** The first syntax error, when there is one; the rest is then empty. */
  readonly problem?: { readonly message: string; readonly line: number; readonly column: number };
  /** The `#!lua ...` line, with its flags, where there is one. */
  readonly shebang?: { readonly engine: string; readonly flags: readonly string[] };
  readonly calls: readonly LuaCall[];
  /** Highest constant index used in KEYS[n], 0 when none. */
  readonly maxKey: number;
  /** Tests of a command's integer reply that treat 0 as false: `if redis.call('EXISTS', ...)`, `not redis.call(...)`. */
  readonly zeroTests: readonly { readonly command: string; readonly line: number; readonly column: number }[];
  /** Loops without a constant bound. */
  readonly loops: readonly {
    readonly kind: 'while_true' | 'data_bound' | 'numeric';
    readonly line: number;
    readonly column: number;
  }[];
  /** Assigned globals: an error at run time in Redis. */
  readonly globals: readonly { readonly name: string; readonly line: number; readonly column: number }[];
}
