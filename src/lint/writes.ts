/**
 * How much a plan writes, step by step: what rules about the server's load go by. Of a selection the high end counts, of
 * a file what its first commands stand for.
 */
import { type Bytes, byteLength, bytesId } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import { isWrite } from '../catalog/nature.ts';
import type { Step } from '../plan/step.ts';
import { howToGive, selectionFacts } from './facts.ts';
import { blocksOf } from './findings.ts';
import type { LintCommand, Subject } from './rule.ts';
import { listed } from './words.ts';

/** What one step writes. */
export interface StepWrites {
  readonly at: string;
  readonly step: Step;
  /** The commands that write, as far as they are known: of a job one, of a file the first ones, of a script none. */
  readonly commands: readonly LintCommand[];
  /** How many commands each of `commands` stands for: 1 but in a job and in a file. */
  readonly times: number;
  /** Keys that are written, and commands that are sent: of a selection its high end, of a file an estimate. */
  readonly keys: number;
  readonly sent: number;
  /** Bytes of these commands in the protocol's form, which is that of the append-only file. */
  readonly bytes: number;
}

/** The steps of a plan that write, and the places where it is not known how much. */
export interface Writes {
  readonly steps: readonly StepWrites[];
  readonly unknown: readonly string[];
}

/** What the plan writes. Nothing for subjects that are no plans: files are not sent by redops. */
export function writesOf(subject: Subject): Writes {
  const blocks = new Map(blocksOf(subject).map((commands) => [commands[0]!.block, commands]));
  const unknown: string[] = [];
  const steps = (subject.draft?.steps ?? []).flatMap((step, index) => {
    const at = `execution_plan.steps[${index}]`;
    const block = blocks.get(step.kind === 'stream' ? step.source.path : at) ?? [];
    const written = writtenBy(subject, step, at, block);
    if (written === 'unknown') unknown.push(at);
    return typeof written === 'object' ? [written] : [];
  });
  return { steps, unknown };
}

/** From here on a step is long enough for others to feel it. */
export function isLarge({ keys, bytes }: Pick<StepWrites, 'keys' | 'bytes'>): boolean {
  return keys >= 10_000 || bytes >= 16 * 1024 * 1024;
}

/** Why a rule could not judge steps whose size is not known; undefined when all are known. */
export function sizesUnknown(subject: Subject, { unknown }: Writes): string | undefined {
  return unknown.length === 0
    ? undefined
    : `needs the number of keys that ${listed(unknown)} writes: ${howToGive(subject)}`;
}

function writtenBy(
  subject: Subject,
  step: Step,
  at: string,
  block: readonly LintCommand[],
): StepWrites | 'unknown' | undefined {
  const commands = block.filter(({ argv }) => isWrite(argv));
  if (step.kind === 'script') {
    if (step.read_only) return undefined;
    const bytes = sizeOf([...step.keys, ...step.args]);
    return { at, step, commands, times: 1, keys: step.keys.length, sent: 1, bytes };
  }
  if (commands.length === 0) return undefined;
  if (step.kind === 'for_each') {
    const facts = selectionFacts(subject, step.selection);
    if (!facts) return 'unknown';
    const key = facts.samples.reduce((sum, sample) => sum + byteLength(sample.key), 0) / (facts.samples.length || 1);
    const bytes = Math.ceil(facts.high * (sizeOf(commands[0]!.argv) + key));
    return { at, step, commands, times: facts.high, keys: facts.high, sent: facts.high, bytes };
  }
  const times = step.kind === 'stream' ? timesOf(subject, step.source.path) : 1;
  const bytes = Math.ceil(commands.reduce((sum, { argv }) => sum + sizeOf(argv), 0) * times);
  return {
    at: step.kind === 'stream' ? step.source.path : at,
    step,
    commands,
    times,
    keys: Math.ceil(distinctKeys(commands) * times),
    sent: Math.ceil(commands.length * times),
    bytes,
  };
}

/** Of a file: how many commands each of those that were read stands for. */
function timesOf(subject: Subject, path: string): number {
  const facts = subject.target?.sources?.find((source) => source.path === path);
  return facts === undefined || facts.sampled === 0 ? 1 : Math.max(1, facts.commands / facts.sampled);
}

function distinctKeys(commands: readonly LintCommand[]): number {
  const keys = new Set<string>();
  for (const { argv } of commands)
    for (const { key } of keysOf(argv) ?? []) if (key !== undefined) keys.add(bytesId(key));
  return keys.size;
}

/** Each word has a line with its length before it, and a line end behind. */
function sizeOf(words: Argv | readonly Bytes[]): number {
  return words.reduce<number>((sum, one) => sum + (one === undefined ? 0 : byteLength(one)) + 8, 8);
}
