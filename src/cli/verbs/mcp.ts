/** redops mcp: an MCP server for agents, read-only unless told otherwise. */
import { type Command, Option } from 'commander';
import type { Finish, Io } from '../io.ts';
import { collect, type TargetOptions, withTarget } from '../options.ts';

/** What the options give. */
export interface McpOptions extends TargetOptions {
  readonly allow?: 'read' | 'write' | 'destructive';
  readonly elicitation?: true;
  /** A port, or true for the usual one. */
  readonly http?: string | true;
  readonly bind: string;
  readonly allowHost: readonly string[];
}

/** Adds the verb. */
export function addMcp(program: Command, io: Io, finish: Finish): void {
  withTarget(
    program
      .command('mcp')
      .description('serve one target to agents over the Model Context Protocol, on standard input and output'),
  )
    .addOption(
      new Option('--allow <level>', 'the most that is done without a person (default read)').choices([
        'read',
        'write',
        'destructive',
      ]),
    )
    .option('--elicitation', "let a person approve in the client's own dialog, on dev targets")
    .option('--http [port]', 'over HTTP instead, on /mcp (default port 8931; the token: REDOPS_MCP_TOKEN)')
    .option('--bind <address>', 'with --http: the address to listen on', '127.0.0.1')
    .option('--allow-host <name>', 'with --http: a name by which clients call it (may be repeated)', collect, [])
    .action((options: McpOptions) => finish(async () => (await import('../mcp.ts')).serveMcp(io, options)));
}
