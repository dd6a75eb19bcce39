/** What is known of a Redis Lua script: plain data, filled by luaFacts (lua.ts). */

/** A place in a script: 1-based line, 1-based column and length in characters; the length ends with the line. */
export interface LuaPlace {
  readonly line: number;
  readonly column: number;
  readonly length?: number;
}

/** One redis.call or redis.pcall of a script. */
export interface LuaCall {
  /** Lower case, `script|load` style subcommands not resolved; undefined when the command's name is not a constant. */
  readonly command: string | undefined;
  /** Where the command's name comes from, when it is not a constant and stands alone: `redis.call(ARGV[1], ...)`. */
  readonly name?: LuaArgument;
  /** True for redis.pcall, pcall(redis.call, ...) and calls inside pcall(function() ... end). */
  readonly protected: boolean;
  /** 1-based line of the script. */
  readonly line: number;
  /** 1-based column. */
  readonly column: number;
  /** Characters of the call on that line. */
  readonly length?: number;
  /** The arguments after the command's name: a constant, an index into KEYS or ARGV, built from data (ARGV or a reply), or something else. */
  readonly args: readonly LuaArgument[];
  /** True when the last argument stands for any number of arguments: unpack(...), `...`. */
  readonly spread: boolean;
  /** True when the call stands inside a loop. */
  readonly inLoop: boolean;
}

/** Where an argument of a call comes from. A constant that is not UTF-8 is `unknown`. */
export type LuaArgument =
  | { readonly from: 'constant'; readonly value: string }
  | { readonly from: 'KEYS'; readonly index: number | undefined }
  | { readonly from: 'ARGV'; readonly index: number | undefined }
  | {
      readonly from: 'built';
      readonly text: string;
      readonly usesArgv: boolean;
      readonly usesKeys: boolean;
      readonly usesReply: boolean;
    }
  | { readonly from: 'reply' }
  | { readonly from: 'unknown' };

/** The `#!` line: the engine, the flags of `flags=a,b`, and the library's name of `name=`. */
export interface LuaShebang {
  readonly engine: string;
  readonly flags: readonly string[];
  readonly name?: string;
}

/** A loop without a constant bound. */
export interface LuaLoop extends LuaPlace {
  /** while_true: no end and no break, return or error inside; data_bound: ARGV or a reply decides how often; numeric: a bound of unknown origin. */
  readonly kind: 'while_true' | 'data_bound' | 'numeric';
  /** What decides, for data_bound. */
  readonly bound?: 'ARGV' | 'reply';
}

/** A name with its place. */
export interface LuaName extends LuaPlace {
  readonly name: string;
}

/** A test of a command's reply. */
export interface LuaTest extends LuaPlace {
  readonly command: string;
}

/** fraction: a number whose decimals are cut off; hole: a nil that ends an array; field: a named member of a table; digits: a number beyond 2^53 that a double does not hold. */
export interface LuaLoss extends LuaPlace {
  readonly kind: 'fraction' | 'hole' | 'field' | 'digits';
  readonly text: string;
}

/** What is known of a script. */
export interface LuaFacts {
  /** The first syntax error, when there is one; the rest is then empty. */
  readonly problem?: { readonly message: string; readonly line: number; readonly column: number };
  /** The `#!lua ...` line, with its flags, where there is one. */
  readonly shebang?: LuaShebang;
  readonly calls: readonly LuaCall[];
  /** Highest constant index used in KEYS[n], 0 when none. */
  readonly maxKey: number;
  /** Highest constant index used in ARGV[n], 0 when none. */
  readonly maxArgv: number;
  /** True when KEYS is used with an index that is not constant, as a whole, or in a loop. */
  readonly dynamicKeys: boolean;
  /** Tests of a command's integer reply that treat 0 as false: `if redis.call('EXISTS', ...)`, `not redis.call(...)`. */
  readonly zeroTests: readonly LuaTest[];
  /** `== nil` and `~= nil` on the reply of a command: a nil reply is false in a script, unless it asked for RESP3. */
  readonly nilTests: readonly LuaTest[];
  /** What the script returns and the caller does not get. */
  readonly losses: readonly LuaLoss[];
  /** The first statement behind one that never lets the script go on. */
  readonly unreachable: readonly LuaName[];
  /** Protected calls whose result, and with it their error, is dropped. */
  readonly ignored: readonly LuaName[];
  /** Text of ARGV or of a reply that is compiled as Lua: loadstring(ARGV[1]). */
  readonly compiled: readonly LuaName[];
  readonly loops: readonly LuaLoop[];
  /** Assigned globals: an error at run time in Redis. */
  readonly globals: readonly LuaName[];
  /** Globals that are read but that no Redis script has: an error at run time. Each name once, at its first use. */
  readonly missingGlobals: readonly LuaName[];
  /** Uses of library members, other than redis.call and redis.pcall: `redis.setresp`, `math.random`, `os.clock`. Valkey's `server.` reads as `redis.`. */
  readonly uses: readonly LuaName[];
  /**
   * What a library may not use: KEYS and ARGV anywhere, and outside of its functions, where it runs while it is loaded,
   * every global but redis, and of that all but what registers and logs. Each once. Of a script it means nothing.
   */
  readonly notInLibrary: readonly LuaName[];
  /** Functions that are defined; '' for one without a name. */
  readonly functions: readonly LuaName[];
}
