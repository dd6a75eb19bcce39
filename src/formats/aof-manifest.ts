/**
 * The manifest of an append-only file of several parts (Redis 7.0 and later): which files it is made of, in which order.
 * A line is `file NAME seq N type b|h|i`, in any order of its pairs; NAME may stand in quotes.
 */
import { toBuffer } from '../base/bytes.ts';
import { parseCommands } from './text.ts';

/** A part: base (a snapshot, or commands), increment, or history, which is about to be deleted. */
export interface ManifestPart {
  readonly name: string;
  readonly sequence: number;
  readonly type: 'base' | 'increment' | 'history';
}

/** The parts in the order in which they apply (base, then increments by their sequence), or why this is no manifest. */
export function readManifest(source: Uint8Array): readonly ManifestPart[] | { readonly problem: string } {
  const { commands, problems } = parseCommands(source);
  const [first] = problems;
  if (first) return { problem: `line ${first.span.line}: ${first.message}` };
  const parts: ManifestPart[] = [];
  for (const { argv, span } of commands) {
    const words = argv.map((word) => (typeof word === 'string' || 'base64' in word ? toBuffer(word).toString() : ''));
    const part = partOf(words);
    if (!part) return { problem: `line ${span.line} names no file, sequence and type` };
    parts.push(part);
  }
  const bases = parts.filter(({ type }) => type === 'base');
  if (parts.length === 0 || bases.length > 1) return { problem: `it names ${bases.length} base files` };
  const order = { base: 0, increment: 1, history: 2 };
  return parts.toSorted((a, b) => order[a.type] - order[b.type] || a.sequence - b.sequence);
}

const types: Readonly<Record<string, ManifestPart['type']>> = { b: 'base', i: 'increment', h: 'history' };

function partOf(words: readonly string[]): ManifestPart | undefined {
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) pairs.set((words[at] ?? '').toLowerCase(), words[at + 1] ?? '');
  const name = pairs.get('file') ?? '';
  const type = types[pairs.get('type') ?? ''];
  const sequence = Number(pairs.get('seq'));
  // the server refuses a name with a path in it, too
  if (words.length % 2 !== 0 || name === '' || /[/\\\0]/.test(name) || name === '..' || type === undefined)
    return undefined;
  return Number.isSafeInteger(sequence) && sequence > 0 ? { name, sequence, type } : undefined;
}
