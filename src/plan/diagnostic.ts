/** A diagnostic is a value: what is wrong, where, why it matters, the safe way. Parsing, lint and policy return them; none is thrown. */
import { z } from 'zod';

/** A place in a text: 1-based line and column (in characters), and how many characters. */
export const Span = z.strictObject({
  file: z.string().exactOptional(),
  line: z.int().positive(),
  column: z.int().positive(),
  length: z.int().nonnegative(),
});
/** See the schema. */
export type Span = z.output<typeof Span>;

/** error: refused unless accepted; warning: shown; info: worth knowing. */
export const Severity = z.enum(['error', 'warning', 'info']);
/** See the schema. */
export type Severity = z.output<typeof Severity>;

/** One finding. */
export const Diagnostic = z.strictObject({
  /** A lint code (`DEL001`); its page is docs/rules/<code>.md. */
  code: z.string(),
  severity: Severity,
  message: z.string(),
  /** The place in words: `commands[3]`, `app.redis:12:1`. */
  at: z.string(),
  why: z.string(),
  fix: z.string(),
  url: z.string(),
  span: Span.exactOptional(),
  /** The E-code that the server's refusal would have. */
  error: z.string().exactOptional(),
  /** True when the request accepts this code. */
  accepted: z.boolean().exactOptional(),
});
/** See the schema. */
export type Diagnostic = z.output<typeof Diagnostic>;

/** A rule that could not be judged, and why: never counted as passed. */
export const Unchecked = z.strictObject({ code: z.string(), reason: z.string() });
/** See the schema. */
export type Unchecked = z.output<typeof Unchecked>;

/** True when a diagnostic stops the run: an error that the request does not accept. */
export function blocks(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === 'error' && diagnostic.accepted !== true;
}
