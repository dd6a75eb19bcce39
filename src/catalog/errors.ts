/**
 * The errors of a run: every error reply that Redis names by a first word, and the faults that redops itself reports.
 * Only that first word is matched, since the texts differ by version and fork. docs/errors.md has one row for each.
 */

/** One error, as reports and docs/errors.md show it. */
export interface ErrorInfo {
  /** E201 and on; stable. */
  readonly code: string;
  readonly name: string;
  /** The first word of the error reply; absent for faults that no reply names. */
  readonly reply?: string;
  /** True when waiting can cure it: backed off and tried again within max_retries. */
  readonly retry: boolean;
  /** True when EXEC, or a queue reply, that says so has applied nothing and the whole transaction is run again. */
  readonly redirect: boolean;
  /** One sentence each: why it happens, what redops does by itself, what the user can do. */
  readonly cause: string;
  readonly handled: string;
  readonly recovery: string;
}

/** What the skills of redops call an error: their code, their name, and the outcome of a transaction it stands for. */
export interface ErrorAlias {
  readonly alias: string;
  readonly name: string;
  readonly code: string;
  readonly outcome?: 'aborted' | 'conflict';
}

/** Every error, in the order of its code. */
export const errorTable: readonly ErrorInfo[] = [
  row('E201', 'EXECABORT', {
    cause:
      'The transaction was given up: a watched key changed before EXEC (nil, `conflict`), or a command was refused while it was queued (EXECABORT, `aborted` or `redirected`).',
    handled:
      '`conflict` and `redirected`: fresh WATCH, fresh reads and another attempt, with bounded backoff. `aborted`: not retried; the report names the refused command and its own error. Nothing was applied in any of the three.',
    recovery:
      'For `aborted`, correct the command that the report names. For repeated `conflict`, run the same work as a script, or retry when fewer clients write these keys.',
  }),
  row('E202', 'BUSY', {
    transient: true,
    redirect: true,
    cause:
      'A script or function of some client has run longer than lua-time-limit (busy-reply-threshold), and the server answers nothing else meanwhile.',
    handled:
      'Waits with exponential backoff and tries again within max_retries; the command was not applied. Never kills a script unless asked to.',
    recovery:
      'Wait, or end the running script with SCRIPT KILL (FUNCTION KILL for a function), whoever started it; possible only while it has not written (see UNKILLABLE).',
  }),
  row('E203', 'NOSCRIPT', {
    cause:
      'The script cache does not hold this digest: it is empty after a restart, a failover or SCRIPT FLUSH, and it is not replicated.',
    handled: 'Loads the script with SCRIPT LOAD on the same connection and repeats the call, once per call.',
    recovery:
      'Nothing to do when redops has the source; a call by digest alone needs the script loaded first (redops script load).',
  }),
  row('E204', 'CROSSSLOT', {
    cause:
      'One command, transaction or script names keys of different hash slots, which a cluster does not serve together.',
    handled: 'Found from the keys before anything is sent, with the hash tags that would do.',
    recovery:
      'Give the keys a common hash tag, such as {user:1}:name and {user:1}:mail, or send one command per slot where atomicity is not needed.',
  }),
  row('E205', 'READONLY', {
    redirect: true,
    cause: 'A write reached a replica: a failover has moved the primary, or the address is that of a replica.',
    handled:
      'A replica is recognised at planning, and a plan that writes is refused with the address of its primary. During a run on a cluster the map is asked again and the command goes to the new primary; elsewhere it is reported for its command, which was not applied, a transaction is run again within max_retries, and a scan job stops and can be resumed.',
    recovery: 'Give the address of the primary; a failover is followed in clusters only.',
  }),
  row('E206', 'OOM', {
    cause:
      'used_memory is above maxmemory and nothing can be evicted, so commands that may need memory are refused; reads and UNLINK still work.',
    handled:
      'Reported for its command, which was not applied; the others go on. Not retried, since waiting frees nothing.',
    recovery:
      'Free memory (UNLINK, shorter TTLs), raise maxmemory, or choose an evicting maxmemory-policy, then plan again what is left.',
  }),
  row('E207', 'LOADING', {
    transient: true,
    redirect: true,
    cause: 'The server is reading its data set from disk or from its primary after a start.',
    handled: 'Waits with exponential backoff and tries again within max_retries; nothing was applied.',
    recovery: 'Wait until INFO persistence says loading:0; raise max_retries or base_ms for a large data set.',
  }),
  row('E208', 'MOVED', {
    redirect: true,
    cause: 'The slot of the key is served by another node of the cluster.',
    handled:
      'Asks for the map again and sends the command to the node that serves the slot now, in the order of its key; it was not applied. A transaction is run again as a whole.',
    recovery: 'Nothing; where it is reported, the nodes did not agree for long: redis-cli --cluster check.',
  }),
  row('E209', 'ASK', {
    redirect: true,
    cause: 'The slot is being moved to another node, and this key is there already.',
    handled:
      'Sends ASKING and the command to that node, this once; it was not applied before. A transaction is run again as a whole.',
    recovery: 'Nothing; it ends with the resharding. A slot that stays open is closed by redis-cli --cluster fix.',
  }),
  row('E210', 'TRYAGAIN', {
    transient: true,
    redirect: true,
    cause: 'The slot is being moved, and the keys of a multi-key command are for the moment on two nodes.',
    handled: 'Waits with exponential backoff and tries again within max_retries; nothing was applied.',
    recovery: 'Wait for the resharding to end, or send one command per key.',
  }),
  row('E211', 'CLUSTERDOWN', {
    transient: true,
    redirect: true,
    cause:
      'The cluster does not serve this slot: it has no owner, or too many primaries are out of reach (cluster-require-full-coverage).',
    handled: 'Waits with exponential backoff and tries again within max_retries; nothing was applied.',
    recovery: 'Repair the cluster (CLUSTER INFO, redis-cli --cluster check).',
  }),
  row('E212', 'MASTERDOWN', {
    transient: true,
    redirect: true,
    cause: 'A replica has lost its primary and replica-serve-stale-data is no.',
    handled: 'Waits with exponential backoff and tries again within max_retries; nothing was applied.',
    recovery: 'Restore the link to the primary, or give the address of the primary.',
  }),
  row('E213', 'NOAUTH', {
    cause: 'The server asks for a password and the connection gave none.',
    handled: 'Stops before anything else is sent.',
    recovery:
      'Give the user and password in the URL of the target (REDIS_URL, url_env or url_command, not an argument).',
  }),
  row('E214', 'WRONGPASS', {
    cause: 'The user name or the password is not right, or the user is switched off.',
    handled: 'Stops before anything else is sent; not tried again, so that no account gets locked.',
    recovery: 'Correct the credentials; ACL LOG on the server names the attempts that failed.',
  }),
  row('E215', 'NOPERM', {
    cause: 'The ACL of this user does not allow the command, a key or a channel.',
    handled:
      'Reported per command, not retried; such a command was not applied. Where a read of redops itself is refused, the plan says what is not known.',
    recovery:
      'Grant what `permissions` of the plan lists (ACL SETUSER), or use another user; ACL DRYRUN shows what is missing.',
  }),
  row('E216', 'MISCONF', {
    cause:
      'The last snapshot or AOF write failed, and the server refuses writes so that nothing is lost (stop-writes-on-bgsave-error).',
    handled: 'Reported for its command, which was not applied; the others go on. Not retried.',
    recovery:
      'Read the server log, free disk space or repair permissions, let a BGSAVE succeed, then plan again what is left.',
  }),
  row('E217', 'NOREPLICAS', {
    cause: 'Fewer replicas are connected and up to date than min-replicas-to-write asks for.',
    handled: 'Reported for its command, which was not applied; the others go on. Not retried.',
    recovery:
      'Bring the replicas back (INFO replication), or lower min-replicas-to-write, then plan again what is left.',
  }),
  row('E218', 'WRONGTYPE', {
    cause: 'The key holds a value of another type than the command works on.',
    handled:
      'Reported for its command; the others of a pipeline or of a transaction are applied all the same. Known types are compared before sending.',
    recovery: 'Look at the key (TYPE), and correct the command or rename the key.',
  }),
  row('E219', 'UNKILLABLE', {
    cause:
      'SCRIPT KILL or FUNCTION KILL was refused: the running script has already written, and ending it would leave half of its work.',
    handled: 'Reported; redops never sends SHUTDOWN NOSAVE by itself.',
    recovery:
      'Let the script end. The only other way is SHUTDOWN NOSAVE, which loses every write since the last snapshot or AOF sync.',
  }),
  row('E220', 'NOTBUSY', {
    cause: 'SCRIPT KILL or FUNCTION KILL found no script running: it has ended by itself.',
    handled: 'Told as done, with nothing changed: the reply is `no script is running`, on a cluster for each node.',
    recovery: 'Nothing.',
  }),
  row('E221', 'BUSYKEY', {
    cause: 'The target of RESTORE (or of MIGRATE on the other server) exists and REPLACE was not given.',
    handled: 'Reported for its key, and the existing key stays as it is.',
    recovery: 'Compare the two keys, then remove the existing one or ask for replacement.',
  }),
  row('E222', 'BUSYGROUP', {
    cause: 'XGROUP CREATE names a consumer group that exists.',
    handled: 'Reported; the existing group and its position stay as they are.',
    recovery: 'Nothing when the group was wanted; to move it use XGROUP SETID.',
  }),
  row('E223', 'NOGROUP', {
    cause: 'The stream or its consumer group does not exist.',
    handled: 'Reported for its command; not retried.',
    recovery: 'Create it with XGROUP CREATE key group id MKSTREAM.',
  }),
  row('E224', 'NOPROTO', {
    cause: 'HELLO asked for a protocol version that the server does not speak.',
    handled: 'redops asks for RESP2, and stops when that is refused.',
    recovery: 'Nothing for redops; in commands of your own ask for HELLO 2 or 3.',
  }),
  row('E225', 'ERR', {
    cause: 'Any other refusal; the text of the reply says why, and differs between versions and forks.',
    handled:
      'Reported with the whole text. An error reply to a single command means that it was not applied; after a script it means that part of it may be.',
    recovery: 'Read the text. redops lint finds unknown commands, wrong arity and bad options before anything is sent.',
  }),
  fault('E230', 'connection_timeout', {
    transient: true,
    cause: 'No answer came within the time limit: the server is busy, stopped or out of reach.',
    handled:
      'Ends the old connection on the server (CLIENT KILL ID), then sends again with backoff what is idempotent with its arguments; the rest is `unknown`.',
    recovery: 'Look at SLOWLOG and LATENCY on the server, and at the network; then read what is `unknown`.',
  }),
  fault('E231', 'connection_lost', {
    cause: 'The connection broke while commands were under way.',
    handled:
      'What was never written to the socket is sent again. What was written is sent again only when it is idempotent with its arguments and the old connection has been ended on the server; the rest is `unknown`.',
    recovery: 'Plan again when the server is back; the report lists what is applied, not applied and unknown.',
  }),
  fault('E232', 'outcome_unknown', {
    cause: 'No reply came for something that must not be sent twice, or a script failed after it may have written.',
    handled: 'Neither repeated nor counted as done: listed as `unknown` with its place in the run.',
    recovery:
      'Read the keys that the report names and decide; give a script a marker key, or use commands that may be repeated.',
  }),
  fault('E233', 'drift', {
    cause:
      'The server is no longer what the plan was made for: another run_id, role or data set, or more keys than the plan allows for; or a deadline has passed.',
    handled:
      'Refuses before anything is sent, or stops before the page that goes beyond; says what was planned and what was found. A deadline that has passed is not sent.',
    recovery: 'Plan again and approve the new plan.',
  }),
  fault('E234', 'cap', {
    cause: 'A limit of the request or of the target was reached: max_keys, max_percent, prefixes.',
    handled: 'Stops before the limit is passed; work under way is counted against it.',
    recovery: 'Look at what was selected; narrow the selection, or raise the limit on purpose.',
  }),
];

/** The codes that the skills redis-transactions and redis-performance use for the same errors. */
export const errorAliases: readonly ErrorAlias[] = [
  { alias: 'T001', name: 'EXECABORT', code: 'E201', outcome: 'aborted' },
  { alias: 'T002', name: 'WATCH_FAILED', code: 'E201', outcome: 'conflict' },
  { alias: 'T003', name: 'BUSY', code: 'E202' },
  { alias: 'T004', name: 'NOSCRIPT', code: 'E203' },
  { alias: 'T005', name: 'CROSSSLOT', code: 'E204' },
  { alias: 'PERF001', name: 'OOM', code: 'E206' },
];

const byReply: ReadonlyMap<string, ErrorInfo> = new Map(
  errorTable.flatMap((info) => (info.reply === undefined ? [] : [[info.reply, info] as const])),
);
const byCode: ReadonlyMap<string, ErrorInfo> = new Map(errorTable.map((info) => [info.code, info]));
const genericError = byReply.get('ERR')!;

/** The error of an error reply, by its first word alone (a whole reply text does too); ERR for every word not listed. */
export function errorOf(replyCode: string): ErrorInfo {
  return byReply.get(replyCode.split(' ', 1)[0]!) ?? genericError;
}

/** The error of a code, 'E201' or an alias such as 'T002'; undefined for any other text. */
export function errorByCode(code: string): ErrorInfo | undefined {
  return byCode.get(errorAliases.find(({ alias }) => alias === code)?.code ?? code);
}

interface Wording {
  readonly transient?: boolean;
  readonly redirect?: boolean;
  readonly cause: string;
  readonly handled: string;
  readonly recovery: string;
}

function row(code: string, name: string, wording: Wording): ErrorInfo {
  return { ...fault(code, name, wording), reply: name };
}

function fault(code: string, name: string, wording: Wording): ErrorInfo {
  const { transient = false, redirect = false, cause, handled, recovery } = wording;
  return { code, name, retry: transient, redirect, cause, handled, recovery };
}
