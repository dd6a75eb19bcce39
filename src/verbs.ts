/** The one list of verbs: the command line, its help and the tests read it. */

/** A verb: its name, its group in the help, and one line of what it does. */
export interface Verb {
  readonly name: string;
  readonly group: 'operate' | 'understand' | 'runs' | 'serve' | 'other';
  readonly summary: string;
}

/** Every verb that works today. */
export const verbs = [
  { name: 'keys', group: 'operate', summary: 'find, inspect, rename, copy, delete, touch keys' },
  { name: 'ttl', group: 'operate', summary: 'set, persist, get, audit expiration' },
  { name: 'pipe', group: 'operate', summary: 'send a file of commands, each with its own outcome' },
  { name: 'tx', group: 'operate', summary: 'run a transaction: MULTI/EXEC, WATCH with let and when' },
  { name: 'script', group: 'operate', summary: 'lint, load, run, test, exists, flush, kill Lua scripts' },
  { name: 'function', group: 'operate', summary: 'load, list, call, delete, dump, restore functions' },
  { name: 'batch', group: 'operate', summary: 'unlink, expire, persist every key that matches' },
  { name: 'plan', group: 'understand', summary: 'make the plan of a request; send nothing' },
  { name: 'apply', group: 'understand', summary: 'run a request or a plan, exactly as planned' },
  { name: 'approve', group: 'understand', summary: 'sign an approval of one plan, for one run' },
  { name: 'lint', group: 'understand', summary: 'find what is dangerous in command files and scripts' },
  { name: 'explain', group: 'understand', summary: 'say what a command or a request costs, touches and needs' },
  { name: 'runs', group: 'runs', summary: 'list, show, resume, cancel, prune the runs that are kept' },
  { name: 'audit', group: 'runs', summary: 'verify the hash chain of the audit log' },
  { name: 'mcp', group: 'serve', summary: 'serve agents over the Model Context Protocol' },
  { name: 'demo', group: 'other', summary: 'a tour on a throwaway Redis' },
  { name: 'schema', group: 'other', summary: 'print the JSON Schema of request, plan or report' },
] as const satisfies readonly Verb[];
