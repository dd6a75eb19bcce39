/** An explanation as a model may read it: each command with what it touches and how long it holds the server, the rest in figures. */
import type { ExplainedCommand, ExplainedKey, Explanation, ServerTime } from '../plan/explanation.ts';
import { argvWords } from '../report/words.ts';
import { fitting, sentence } from './answer.ts';
import type { Redact } from './redact.ts';

const mostKeys = 5;
/** Permissions are one for each key of the plan: so many are listed. */
const mostPermissions = 50;

/** Everything but what the plan's own view says already, in about so many characters of JSON. */
export function explanationView(
  explained: Explanation,
  room: number,
  redact: Redact,
): Readonly<Record<string, unknown>> {
  const { permissions, min_version, replication, costs, longest_ms } = explained;
  const whole = {
    longest_ms: timeView(longest_ms),
    measured_on: `${costs.server} (${costs.basis})`,
    replication,
    permissions: permissions.slice(0, mostPermissions).map((rule) => sentence(rule, redact)),
    ...(permissions.length > mostPermissions ? { permissions_left_out: permissions.length - mostPermissions } : {}),
    min_version,
  };
  const views = explained.steps.flatMap(({ commands }) => commands.map((command) => commandView(command, redact)));
  const shown = fitting(views, 0, room - JSON.stringify(whole).length);
  const left = views.length - shown.length + explained.steps.reduce((sum, { more }) => sum + more, 0);
  return { ...whole, explained: shown, ...(left > 0 ? { explained_left_out: left } : {}) };
}

// what is usual is not said: it would cost tokens for every command
function commandView(command: ExplainedCommand, redact: Redact) {
  const {
    argv,
    times,
    complexity,
    keys,
    more_keys: moreKeys,
    elements,
    server_ms: time,
    memory_bytes: memory,
  } = command;
  return {
    command: sentence(argvWords(argv), redact),
    ...(times === 1 ? {} : { times }),
    complexity,
    elements: elements.exact ? elements.count : { at_most: elements.count },
    server_ms: timeView(time),
    bytes_out: command.bytes_out,
    bytes_in: command.bytes_in,
    ...(command.writes ? { writes: true, destructive: command.destructive, idempotent: command.idempotent } : {}),
    ...(memory === undefined || (memory.low === 0 && memory.high === 0) ? {} : { memory_bytes: memory }),
    ...(command.waits ? { waits: true } : {}),
    ...(command.crossslot ? { crossslot: true } : {}),
    ...(command.allowed === false ? { allowed: false } : {}),
    ...(command.instead === undefined ? {} : { instead: sentence(command.instead, redact) }),
    ...(keys.length === 0 ? {} : { keys: keys.slice(0, mostKeys).map((key) => keyView(key, redact)) }),
    ...(keys.length > mostKeys || moreKeys > 0 ? { more_keys: moreKeys + Math.max(0, keys.length - mostKeys) } : {}),
  };
}

function keyView({ key, access, facts }: ExplainedKey, redact: Redact) {
  const { key: _key, ...known } = facts ?? {};
  return { key: sentence(argvWords([key]), redact), access, ...known };
}

/** Milliseconds, at microsecond precision. */
function timeView({ expected, low, high }: ServerTime): ServerTime {
  const micros = (ms: number) => Math.round(ms * 1000) / 1000;
  return { expected: micros(expected), low: micros(low), high: micros(high) };
}
