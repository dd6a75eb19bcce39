/**
 * A report as a model may read it: the status and the counts always, then as many items as fit, and how to go on. Items are
 * outcomes of commands, keys that were found, or TTL groups.
 */
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { CommandResult, Report } from '../plan/report.ts';
import type { Argument, ReplyValue } from '../plan/values.ts';
import { type Document, fitting, maxOutputCharacters, sentence } from './answer.ts';
import { isSecretName, type Redact } from './redact.ts';
import { mostElements, type ShownReply, shownBytes, shownLines, shownReply } from './untrusted.ts';

/** Which part of a report. */
export interface Page {
  /** The first item. */
  readonly from?: number;
  /** Of the reply of one command (its index), the elements from `from` on. */
  readonly item?: number;
}

/** The report as a document with one page of its items. */
export function reportPage(report: Report, redact: Redact, page: Page = {}): Document {
  const { results, found, audit } = report;
  const one = page.item === undefined ? undefined : results.find(({ index }) => index === page.item);
  const head = headOf(report, redact);
  const characters = Math.max(4000, maxOutputCharacters - JSON.stringify(head).length);
  if (one !== undefined) return { ...head, ...replyPage(one, redact, page.from ?? 0, characters) };
  const items = audit ?? found?.keys ?? results;
  if (items.length === 0) return head;
  const from = Math.min(page.from ?? 0, items.length);
  const shown = audit
    ? fitting(
        audit.map(({ prefix, ...group }) => ({ prefix: shownBytes(prefix, redact), ...group })),
        from,
        characters,
      )
    : found
      ? fitting(
          found.keys.map((key) => shownBytes(key, redact)),
          from,
          characters,
        )
      : fittingResults(results, redact, from, characters);
  const untrusted = audit ? { prefixes: shown } : found ? { keys: shown } : { results: shown };
  return { ...head, untrusted, page: pageWords(report, from, shown.length, items.length) };
}

function headOf(report: Report, redact: Redact): Document {
  const counts = Object.entries(report.totals).filter(([, count]) => count > 0);
  const { transaction, verification, governor, resume } = report;
  const { reads: _reads, ...outcome } = transaction ?? { reads: undefined };
  return {
    status: report.status,
    ...(report.run_id ? { run_id: report.run_id } : {}),
    digest: report.plan_digest,
    ...(report.dry_run ? { dry_run: true, would_send: report.would_send ?? 0 } : {}),
    totals: Object.fromEntries(counts),
    ...(transaction ? { transaction: outcome } : {}),
    ...(report.found?.more ? { more_keys_match: true } : {}),
    ...(report.results_left_out > 0 ? { results_left_out: report.results_left_out } : {}),
    ...(report.errors.length > 0
      ? {
          errors: report.errors
            .slice(0, 10)
            .map(({ code, name, count, recovery }) => ({ code, name, count, recovery })),
        }
      : {}),
    ...(report.warnings.length > 0 ? { warnings: findings(report.warnings, redact, 10) } : {}),
    ...(governor ? { made_way_ms: governor.rested.reduce((sum, { ms }) => sum + ms, 0) } : {}),
    duration_ms: Math.round(report.timing.duration_ms),
    complete: verification.complete,
    ...(verification.unproven.length > 0
      ? { unproven: verification.unproven.slice(0, 5).map((reason) => sentence(reason, redact)) }
      : {}),
    ...(resume ? { resume: { tool: 'redops_runs', action: 'resume', run_id: report.run_id } } : {}),
  };
}

/** Findings in a few words each; at most so many, and how many more there are. */
export function findings(diagnostics: readonly Diagnostic[], redact: Redact, most: number): readonly object[] {
  const shown = diagnostics.slice(0, most).map(({ code, severity, at, message, fix, accepted }) => ({
    code,
    severity,
    at: sentence(at, redact),
    message: sentence(message, redact),
    fix: sentence(fix, redact),
    ...(accepted ? { accepted } : {}),
  }));
  const rest = diagnostics.length - shown.length;
  return rest > 0 ? [...shown, { more: rest }] : shown;
}

function pageWords(report: Report, from: number, shown: number, total: number): object {
  const next = from + shown;
  const goesOn = next < total && report.run_id !== '' && !report.dry_run;
  return {
    from,
    shown,
    total,
    ...(goesOn ? { next: { tool: 'redops_runs', action: 'result', run_id: report.run_id, from: next } } : {}),
  };
}

function fittingResults(
  results: readonly CommandResult[],
  redact: Redact,
  from: number,
  characters: number,
): readonly object[] {
  const shown: object[] = [];
  let left = characters;
  for (const result of results.slice(from)) {
    const item = shownResult(result, redact, 0, left);
    left -= JSON.stringify(item).length + 1;
    if (left < 0 && shown.length > 0) break;
    shown.push(item);
  }
  return shown;
}

function replyPage(result: CommandResult, redact: Redact, from: number, characters: number): object {
  const { reply } = result;
  const total = Array.isArray(reply) ? reply.length : 1;
  const item = shownResult(result, redact, from, characters);
  const next = from + Math.max(1, elementsIn(item.reply, total - from));
  return {
    untrusted: { results: [item] },
    page: { item: result.index, from, total, ...(next < total ? { next: { item: result.index, from: next } } : {}) },
  };
}

/** Elements of a shown array, without the words about the rest, which somebody may have stored too. */
function elementsIn(shown: unknown, all: number): number {
  if (!Array.isArray(shown)) return 1;
  return shown.length === all && !isRest(shown.at(-1)) ? all : shown.length - 1;
}

function isRest(element: unknown): boolean {
  return typeof element === 'string' && /^\.\.\. and \d+ more elements$/.test(element);
}

function shownResult(
  result: CommandResult,
  redact: Redact,
  from: number,
  characters: number,
): Readonly<Record<string, unknown>> {
  const { index, argv, outcome, error } = result;
  const reply = withoutArguments(argv, result.reply);
  const elements = Array.isArray(reply) ? reply.length : 0;
  return {
    index,
    command: argv.slice(0, 20).map((word, at) => shownWord(argv, word, at, redact)),
    ...(argv.length > 20 ? { arguments_left_out: argv.length - 20 } : {}),
    outcome,
    ...(reply === null && outcome !== 'ok' ? {} : { reply: replyOf(argv, reply, redact, from, { left: characters }) }),
    ...(elements > mostElements ? { elements } : {}),
    ...(error ? { error: { code: error.code, name: error.name, message: sentence(error.message, redact) } } : {}),
  };
}

function shownWord(argv: readonly Argument[], word: Argument, at: number, redact: Redact): unknown {
  if (typeof word === 'string' || 'base64' in word) {
    const before = argv[at - 1];
    const secret = at > 1 && typeof before === 'string' && isSecretName(before);
    return secret ? '[redacted]' : shownBytes(word, redact);
  }
  return word;
}

function replyOf(
  argv: readonly Argument[],
  reply: ReplyValue,
  redact: Redact,
  from: number,
  room: { left: number },
): ShownReply {
  const [first] = argv;
  if (typeof reply === 'string' && typeof first === 'string' && reports.has(first.toLowerCase()))
    return shownLines(reply, redact);
  return shownReply(reply, redact, { from, secret: asksForSecret(argv), room });
}

// they answer with lines of the server's own
const reports: ReadonlySet<string> = new Set(['info', 'client', 'cluster', 'latency', 'memory', 'lolwut']);

/** GET user:1:password, HGET user:1 token: what comes back is a secret by the name that was asked for. */
function asksForSecret(argv: readonly Argument[]): boolean {
  return argv.slice(1).some((word) => typeof word === 'string' && isSecretName(word));
}

/** The slow log shows what other clients sent: of each entry the name of the command is kept, and how many arguments it had. */
function withoutArguments(argv: readonly Argument[], reply: ReplyValue): ReplyValue {
  const [first, second] = argv;
  const name = `${String(first)} ${String(second)}`.toLowerCase();
  if ((name !== 'slowlog get' && name !== 'commandlog get') || !Array.isArray(reply)) return reply;
  return reply.map((entry) => {
    if (!Array.isArray(entry) || !Array.isArray(entry[3])) return null;
    const [id, at, micros, words] = entry as ReplyValue[];
    const said = Array.isArray(words) ? words : [];
    const command = typeof said[0] === 'string' && /^[a-z._-]{1,40}$/i.test(said[0]) ? said[0] : '(a command)';
    return [id ?? null, at ?? null, micros ?? null, [command, `[${said.length - 1} arguments]`]];
  });
}
