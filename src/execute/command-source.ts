/**
 * The commands of a file: looked at while planning (surveySource), read while running (openSource). Both read the file
 * once, from its first byte to its last, in flat memory, plain or gzip, and both take its SHA-256 on the way: what runs
 * is what was planned, or the run says that it is not.
 */
import { OpsError } from '../base/ops-error.ts';
import { csvReader } from '../formats/csv.ts';
import { jsonlReader } from '../formats/jsonl.ts';
import { type CommandReader, type ReadCommand, ReadProblem } from '../formats/reader.ts';
import { respReader } from '../formats/resp-reader.ts';
import { compileTemplate, type Template } from '../formats/template.ts';
import { textReader } from '../formats/text-reader.ts';
import { placeInSource, type StreamSource } from '../plan/step.ts';
import { type BrokenGzip, openContents } from './file-contents.ts';
import type { Batches, Command } from './stream.ts';

/** What a file is asked for by: where it is and how it holds commands. `each`: the template of csv and jsonl rows. */
export type SourceRequest = Pick<StreamSource, 'path' | 'format' | 'each'>;

/** What a survey learnt. `low` and `high` are hard limits, `commands` the likely number between them. */
export interface Survey {
  readonly gzip: boolean;
  /** Size and SHA-256 (hex) of the file as it lies on disk. */
  readonly bytes: number;
  readonly sha256: string;
  readonly commands: number;
  /** counted: every command was read. */
  readonly basis: 'counted' | 'bound';
  readonly low: number;
  readonly high: number;
  /** The first commands, with their lines. */
  readonly sample: readonly ReadCommand[];
  /** Why the file cannot be read beyond the commands that were counted; later lines are not known to be any better. */
  readonly problem?: ReadProblem;
}

/** `sample`: up to how many commands a file is handed on whole, 10,000 when left out; of a longer file the first 1,000 are. */
export interface SurveyOptions {
  readonly sample?: number;
  readonly signal?: AbortSignal;
}

/** Why a command may not be sent; undefined when it may. */
export type Admit = (argv: Command) => string | undefined;

/** What a run brings to a source. */
export interface SourceTerms {
  readonly admit: Admit;
  readonly signal: AbortSignal;
}

/** A source that is being read. */
export interface CommandSource {
  /** The file's commands, at most 8,192 a batch. Throws OpsError: drift, refused (by `admit`), usage (cannot be read). */
  readonly batches: Batches & AsyncGenerator<readonly Command[], void>;
  /** The line (resp: number) of the n-th command, from 0; undefined when it was not read yet, or over 131,072 commands ago. */
  lineOf(index: number): number | undefined;
}

/** Looks at a file: the first commands are parsed, beyond them line ends are counted. Throws OpsError when there is no such file. */
export async function surveySource(source: SourceRequest, options: SurveyOptions = {}): Promise<Survey> {
  const limit = options.sample ?? 10_000;
  const reader = readerOf(source);
  const contents = await openContents(source.path);
  const found: Found = {
    sample: [],
    sampleBytes: 0,
    commands: 0,
    lastLine: 0,
    lineEnds: 0,
    more: { bytes: 0, lineEnds: 0, open: false },
  };
  let problem: ReadProblem | undefined;
  const reading = () =>
    problem === undefined && found.more.bytes === 0 && found.commands < limit && found.sampleBytes < MAX_SAMPLE_BYTES;
  const read = (take: () => readonly ReadCommand[]): void => {
    try {
      count(found, take(), limit);
    } catch (error) {
      if (!(error instanceof ReadProblem)) throw error;
      count(found, error.before, limit);
      problem = error;
    }
  };
  try {
    for await (const chunk of contents.chunks()) {
      options.signal?.throwIfAborted();
      if (reading()) {
        read(() => reader.push(chunk));
        found.lineEnds += lineEndsIn(chunk);
      } else if (problem === undefined) countBeyond(found, chunk);
    }
    if (contents.broken) problem ??= gzipProblem(contents.broken, found);
    if (problem === undefined && found.more.bytes === 0) read(() => reader.end());
    const { gzip, bytes } = contents;
    // a file that is not judged whole is judged by fewer commands: the price of each is paid before anything is sent
    const whole = found.more.bytes === 0 && found.commands === found.sample.length;
    const sample = whole ? found.sample : found.sample.slice(0, Math.min(limit, 1_000));
    const facts = { gzip, bytes, sha256: contents.sha256(), sample, ...numbersOf(source, found) };
    return problem ? { ...facts, problem } : facts;
  } finally {
    await contents.close();
  }
}

/** Reads the commands of the file that was planned, each of them admitted. A file of another size is refused at the start, another content at the end. */
export function openSource(source: StreamSource, terms: SourceTerms): CommandSource {
  const lines = new RecentLines();
  return { batches: readBatches(source, terms, lines), lineOf: (index) => lines.at(index) };
}

/** Commands a batch: the run may stop, and a caller may look, between two batches. */
const BATCH = 8_192;

/** Commands whose lines are remembered: what may be in flight, twice. */
const REMEMBERED = 131_072;

async function* readBatches(
  source: StreamSource,
  { admit, signal }: SourceTerms,
  lines: RecentLines,
): AsyncGenerator<readonly Command[], void> {
  const reader = readerOf(source);
  const contents = await openContents(source.path);
  let sent = 0;
  const admitted = function* (take: () => readonly ReadCommand[]): Generator<readonly Command[]> {
    const { commands, problem } = taken(take);
    for (let at = 0; at < commands.length; at += BATCH) {
      const { allowed, bad } = admittedPart(commands, at, Math.min(commands.length, at + BATCH), admit);
      lines.add(commands, at, at + allowed.length);
      if (allowed.length > 0) yield allowed;
      sent += allowed.length;
      if (bad !== undefined) throw refusedAt(source, commands[at + allowed.length]!, bad);
    }
    if (problem) throw unreadable(source, problem);
  };
  try {
    if (contents.bytes !== source.bytes) throw otherSize(source, contents.bytes);
    for await (const chunk of contents.chunks()) {
      if (signal.aborted) return;
      yield* admitted(() => reader.push(chunk));
    }
    if (signal.aborted) return;
    if (contents.sha256() !== source.sha256) throw otherContent(source, sent);
    if (contents.broken)
      throw unreadable(source, gzipProblem(contents.broken, { commands: sent, lastLine: lines.last }));
    yield* admitted(() => reader.end());
  } finally {
    await contents.close();
  }
}

/** What a reader gave, and why it gave no more. */
function taken(take: () => readonly ReadCommand[]): {
  readonly commands: readonly ReadCommand[];
  readonly problem?: ReadProblem;
} {
  try {
    return { commands: take() };
  } catch (error) {
    if (!(error instanceof ReadProblem)) throw error;
    return { commands: error.before, problem: error };
  }
}

/** The commands from `from` up to `to`, or up to the first that may not be sent; `bad`: why not. */
function admittedPart(
  commands: readonly ReadCommand[],
  from: number,
  to: number,
  admit: Admit,
): { readonly allowed: readonly Command[]; readonly bad?: string } {
  const allowed: Command[] = [];
  for (let at = from; at < to; at += 1) {
    const { argv } = commands[at]!;
    const bad = admit(argv);
    if (bad !== undefined) return { allowed, bad };
    allowed.push(argv);
  }
  return { allowed };
}

function readerOf(source: SourceRequest): CommandReader {
  switch (source.format) {
    case 'text':
      return textReader();
    case 'resp':
      return respReader();
    case 'csv':
      return csvReader(templateOf(source));
    case 'jsonl':
      return jsonlReader(templateOf(source));
  }
}

function templateOf({ format, each }: SourceRequest): Template {
  if (each === undefined) {
    throw new OpsError('usage', `rows of ${format} need a template of the command that each of them becomes`, {
      remedy: "Give one with each: 'HSET user:{{id}} name {{name}}'.",
    });
  }
  const compiled = compileTemplate(each);
  if ('template' in compiled) return compiled.template;
  const { message, offset, fix } = compiled.problem;
  throw new OpsError('usage', `the template each, at character ${offset + 1}: ${message}`, { remedy: fix });
}

interface Found {
  readonly sample: ReadCommand[];
  /** Bytes of the sample's words, roughly: it is held in memory. */
  sampleBytes: number;
  commands: number;
  /** Line of the last command that was read. */
  lastLine: number;
  /** Line ends in what the commands were read from. */
  lineEnds: number;
  /** What lies beyond: `open` when its last byte is no line end. */
  readonly more: { bytes: number; lineEnds: number; open: boolean };
}

/** A sample of large values ends here, so that a file of them can be planned in flat memory. */
const MAX_SAMPLE_BYTES = 16 * 1024 * 1024;

function count(found: Found, commands: readonly ReadCommand[], limit: number): void {
  for (const command of commands.slice(0, limit - found.sample.length)) {
    if (found.sampleBytes >= MAX_SAMPLE_BYTES) break;
    found.sample.push(command);
    for (const word of command.argv) found.sampleBytes += word.length;
  }
  found.commands += commands.length;
  found.lastLine = commands.at(-1)?.line ?? found.lastLine;
}

function countBeyond({ more }: Found, chunk: Buffer): void {
  more.lineEnds += lineEndsIn(chunk);
  more.bytes += chunk.length;
  more.open = chunk[chunk.length - 1] !== 0x0a;
}

function lineEndsIn(chunk: Buffer): number {
  let ends = 0;
  for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) ends += 1;
  return ends;
}

/** A command takes at least one line; in the protocol's form three: its count, a length, a word. */
function numbersOf({ format }: SourceRequest, found: Found): Pick<Survey, 'commands' | 'basis' | 'low' | 'high'> {
  const { commands, lineEnds, more } = found;
  if (more.bytes === 0) return { commands, basis: 'counted', low: commands, high: commands };
  const lines = more.lineEnds + (more.open ? 1 : 0);
  const high = commands + (format === 'resp' ? Math.floor(lines / 3) + 1 : lines);
  const likely = commands + Math.round((lines * commands) / Math.max(1, lineEnds));
  return { commands: Math.min(high, likely), basis: 'bound', low: commands, high };
}

/** Lines of the last commands, in blocks of what was added. */
class RecentLines {
  readonly #blocks: { readonly first: number; readonly lines: Float64Array }[] = [];
  #next = 0;

  /** The commands from `from` up to `to`. */
  add(commands: readonly ReadCommand[], from: number, to: number): void {
    if (from === to) return;
    const lines = new Float64Array(to - from);
    for (let at = from; at < to; at += 1) lines[at - from] = commands[at]!.line;
    this.#blocks.push({ first: this.#next, lines });
    this.#next += lines.length;
    while (this.#blocks.length > 1 && this.#blocks[1]!.first < this.#next - REMEMBERED) this.#blocks.shift();
  }

  at(index: number): number | undefined {
    const block = this.#blocks.findLast(({ first }) => first <= index);
    return block?.lines[index - block.first];
  }

  /** The last line added; 0 when there is none. */
  get last(): number {
    return this.#blocks.at(-1)?.lines.at(-1) ?? 0;
  }
}

function unreadable(source: SourceRequest, problem: ReadProblem): OpsError {
  return new OpsError('usage', `${placeInSource(source, problem.line)}: ${problem.message}`, {
    remedy: capitalised(problem.fix),
    cause: problem,
  });
}

function gzipProblem(broken: BrokenGzip, found: Pick<Found, 'commands' | 'lastLine'>): ReadProblem {
  const [message, fix] =
    broken === 'truncated'
      ? ['the gzip data ends too early', 'copy or compress the file again: a part of it is missing']
      : ['the gzip data is damaged', 'copy or compress the file again: gzip -t tells whether it is whole'];
  return new ReadProblem(`${message}, after ${found.commands} commands`, fix, { line: found.lastLine + 1, column: 1 });
}

function refusedAt(source: SourceRequest, { line }: ReadCommand, reason: string): OpsError {
  return new OpsError('refused', `${placeInSource(source, line)}: the command was not sent: ${reason}`, {
    remedy: 'Everything before it has its outcome; nothing from it on was sent.',
    cause: new ReadProblem(reason, 'take it out of the file', { line, column: 1 }), // its place, for who goes on from there
  });
}

function otherSize(source: StreamSource, bytes: number): OpsError {
  return new OpsError('drift', `${source.path} has ${bytes} bytes; the planned file had ${source.bytes}`, {
    remedy: 'Nothing of it was sent. Plan the file as it is now.',
  });
}

function otherContent(source: StreamSource, sent: number): OpsError {
  return new OpsError('drift', `${source.path} is not the file that was planned: its SHA-256 differs`, {
    remedy: `${sent} of its commands were handed over before that could be known: compare the file with the planned one.`,
  });
}

function capitalised(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}.`;
}
