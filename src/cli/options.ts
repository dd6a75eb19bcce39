/** The options that verbs share, spelled once, and how they become part of a request. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Which server. */
export interface TargetOptions {
  readonly url?: string;
  readonly target?: string;
  readonly config?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What comes out, and what is granted. */
export interface RunOptions extends TargetOptions {
  readonly json?: boolean;
  readonly progress?: boolean;
  readonly yes?: boolean;
  /** A signed approval. */
  readonly approve?: string;
  readonly dryRun?: boolean;
}

/** What goes into every request. */
export interface RequestOptions {
  readonly performanceMode?: string;
  readonly atomic?: boolean;
  readonly accept?: readonly string[];
  readonly maxKeys?: number;
  readonly maxPercent?: number;
  readonly prefix?: readonly string[];
  readonly rate?: number;
  readonly slo?: number;
  readonly maxRetries?: number;
}

/** Adds the options that name the server. */
export function withTarget(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'redis://, rediss://, redis+cluster://, redis+sentinel:// or unix:// URL (default: REDIS_URL)',
    )
    .option('--target <name>', 'a target of redops.yaml')
    .option('--config <file>', 'the redops.yaml to read')
    .option('--cacert <file>', 'CA certificates (PEM) to verify the server with')
    .option('--cert <file>', 'client certificate (PEM)')
    .option('--key <file>', "the client certificate's key (PEM)");
}

/** Adds the options of a verb that applies a plan. */
export function withRun(command: Command): Command {
  return withTarget(command)
    .option('--json', 'print the report as JSON')
    .option('--yes', 'approve what may be approved without a person')
    .option('--approve <approval>', 'a signed approval of exactly this plan (redops approve)')
    .option('--dry-run', 'read, but write nothing; report what would be sent')
    .option('--no-progress', 'no progress line');
}

/** Adds the options of a verb that builds a request. */
export function withRequest(command: Command): Command {
  return withRun(command)
    .addOption(
      new Option('--performance-mode <mode>', 'batch sizes and page sizes for').choices([
        'latency_optimized',
        'throughput_optimized',
        'balanced',
      ]),
    )
    .option('--atomic', 'all or none in one MULTI/EXEC, or refused')
    .option('--accept <codes>', 'lint errors accepted on purpose: DEL003,TTL001', codes, [])
    .option('--max-keys <n>', 'refuse when more keys are touched', whole)
    .option('--max-percent <n>', 'refuse when more of the database is touched', amount)
    .option('--prefix <prefix>', 'refuse keys outside this prefix (may be repeated)', collect, [])
    .option('--rate <n>', 'commands a second at most', whole)
    .option('--slo <ms>', 'milliseconds that the p99 of other clients may rise by', amount)
    .option('--max-retries <n>', 'retries of what may be retried (default 3)', wholeOrZero);
}

/** The members of a request that the options give. */
export function requestMembers(options: RequestOptions): Record<string, unknown> {
  const limits = defined({
    max_keys: options.maxKeys,
    max_percent: options.maxPercent,
    prefixes: options.prefix?.length ? options.prefix : undefined,
    rate: options.rate,
    slo_p99_ms: options.slo,
  });
  return defined({
    atomicity_required: options.atomic,
    performance_mode: options.performanceMode,
    accept: options.accept?.length ? options.accept : undefined,
    limits: Object.keys(limits).length > 0 ? limits : undefined,
    retry: options.maxRetries === undefined ? undefined : { max_retries: options.maxRetries },
  });
}

/** The record without its undefined members. */
export function defined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** Parses a positive whole number of the command line. */
export function whole(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value === 0)
    throw new InvalidArgumentError('It must be a positive whole number.');
  return value;
}

/** Parses a whole number of the command line. */
export function wholeOrZero(text: string): number {
  return text === '0' ? 0 : whole(text);
}

function amount(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('It must be a percentage above 0, at most 100.');
  return value;
}

function codes(text: string, before: readonly string[]): readonly string[] {
  return [...before, ...text.split(',').map((code) => code.trim().toUpperCase())];
}

/** Gathers an option that may be repeated. */
export function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
