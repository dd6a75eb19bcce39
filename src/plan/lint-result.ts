/** What lint says of files, of a capture or of a running server: the document that every output of lint is made from. */
import type { Diagnostic, Unchecked } from './diagnostic.ts';

/** A place in a file that has no lines. */
export interface ByteOffset {
  readonly file: string;
  readonly offset: number;
}

/** A finding that stands for many of its kind in an audit: the first of them, how many there were, and where the next ones are. */
export interface LintDiagnostic extends Diagnostic {
  /** How many findings of this code and weight there were, this one included; left out where it stands for itself alone. */
  readonly count?: number;
  /** The places of the first findings after this one. */
  readonly more_at?: readonly string[];
  /** In a file that has no lines, such as an append-only file. */
  readonly bytes?: ByteOffset;
}

/** A finding that a comment of the file takes out of the verdict, and the reason which that comment gives. */
export interface SuppressedDiagnostic extends Diagnostic {
  readonly reason: string;
}

/** What an audit read: of one input, how much, and what it could not read or does not cover. */
export interface AuditedInput {
  readonly name: string;
  readonly input: 'aof' | 'monitor' | 'slowlog' | 'commands';
  readonly commands: number;
  /** Sentences on what was not read, or not judged, and why. */
  readonly notes: readonly string[];
}

/** The verdict of lint. A member that would be empty is left out, but for the first two. */
export interface LintResult {
  readonly diagnostics: readonly LintDiagnostic[];
  readonly unchecked: readonly Unchecked[];
  readonly suppressed?: readonly SuppressedDiagnostic[];
  readonly audited?: readonly AuditedInput[];
}
