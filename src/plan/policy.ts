/**
 * The policy: what an agent may do on a target without a person. One document, `targets.<name>.policy` of redops.yaml;
 * what it does not let through waits for an approval. It binds agents (redops mcp), not the person at a terminal.
 */
import { z } from 'zod';
import { digestOf } from '../base/canonical.ts';

/** What an agent may do to a key; each level holds the ones before it. `destructive`: also delete, overwrite, run scripts, reach other clients. */
export const Level = z.enum(['none', 'read', 'write', 'destructive']);
/** See the schema. */
export type Level = z.output<typeof Level>;

const Pattern = z.string().min(1).max(500).refine(compiles, { error: 'not a regular expression' });

/** What may be done without a person. A field that is left out keeps the default of `resolvedPolicy`. */
export const AgentPolicy = z.strictObject({
  /** The most that may be done to a key of no other prefix. */
  allow: Level.exclude(['none']).exactOptional(),
  /** By prefix of the key, the longest that fits: more, less, or nothing at all. */
  prefixes: z.record(z.string().min(1), Level).exactOptional(),
  /** Whether a person may approve in the client's own dialog (MCP elicitation); on dev targets only. */
  elicitation: z.boolean().exactOptional(),
  /** What reading may cost: milliseconds of the server for commands, and for a walk over all keys; bytes of replies. */
  budget: z
    .strictObject({
      server_ms: z.number().positive().max(60_000).exactOptional(),
      walk_ms: z.number().positive().max(86_400_000).exactOptional(),
      reply_bytes: z.int().positive().exactOptional(),
    })
    .exactOptional(),
  /** Regular expressions of what is never shown, beside tokens, passwords and e-mail addresses. */
  redact: z.array(Pattern).max(100).exactOptional(),
});
/** See the schema. */
export type AgentPolicy = z.output<typeof AgentPolicy>;

/** A policy with every default filled in. */
export interface ResolvedPolicy {
  readonly allow: Exclude<Level, 'none'>;
  readonly prefixes: Readonly<Record<string, Level>>;
  readonly elicitation: boolean;
  readonly budget: { readonly server_ms: number; readonly walk_ms: number; readonly reply_bytes: number };
  readonly redact: readonly string[];
}

/** What the command line says: it stands where the file says nothing, and narrows what the file says. */
export interface PolicyFlags {
  readonly allow?: Exclude<Level, 'none'>;
  readonly elicitation?: boolean;
}

/** The policy that holds: of the file and the flags the stricter, read-only where neither says more. */
export function resolvedPolicy(file: AgentPolicy = {}, flags: PolicyFlags = {}): ResolvedPolicy {
  return {
    allow: lesser(flags.allow ?? file.allow ?? 'read', file.allow ?? flags.allow ?? 'read'),
    prefixes: file.prefixes ?? {},
    elicitation: (flags.elicitation ?? file.elicitation ?? false) && (file.elicitation ?? true),
    budget: { server_ms: 100, walk_ms: 60_000, reply_bytes: 8 * 1024 * 1024, ...file.budget },
    redact: file.redact ?? [],
  };
}

/** The lesser of two levels. */
export function lesser<One extends Level>(a: One, b: One): One {
  return rank(a) <= rank(b) ? a : b;
}

/** True when a level holds another one. */
export function holds(level: Level, wanted: Level): boolean {
  return rank(level) >= rank(wanted);
}

/** What an approval is bound to: the digest of the policy that it was asked for under. */
export function policyDigest(policy: ResolvedPolicy): string {
  return digestOf(policy);
}

function rank(level: Level): number {
  return Level.options.indexOf(level);
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
