/**
 * The Sentinels of a service: one kept connection to each, all asked at the same time, none waited for longer than a
 * second. Those that the URL names are asked first; when they are no majority of all, those that they announce, too.
 */
import { systemClock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import { type Reply, replyText } from './reply.ts';
import { closeKept, reuse } from './reuse.ts';
import { doubtOf, type Verdict, type Voice, verdictOf, wordsOf } from './sentinel-vote.ts';
import { openWhile, type RedisSocket } from './socket.ts';
import { addressOf, type SentinelSettings, type ServerSettings, settingsOfNode } from './url.ts';

/** A Sentinel that has not answered within this, connecting and logging in included, has no voice. */
const ASK_MS = 1_000;
/** How long Sentinels that answer may take to agree on a primary: a failover, with what its last step takes. */
const FAILOVER_MS = 10_000;
/** How long too few may answer: a second try for those whose connection was lost. */
const TOO_FEW_MS = 1_500;
/** Between two tries. */
const AGAIN_MS = 150;

/** Who the primary is, asked anew at every call. */
export class Sentinels {
  readonly #settings: ServerSettings;
  readonly #service: string;
  readonly #named: readonly string[];
  readonly #kept = new Map<string, Promise<RedisSocket>>();
  #running: Promise<string> | undefined;
  #next: Promise<string> | undefined;
  #closed = false;

  constructor(settings: ServerSettings, sentinel: SentinelSettings) {
    const { service, nodes, username, password } = sentinel;
    this.#settings = {
      ...settings,
      username,
      password,
      database: 0,
      connectTimeoutMs: ASK_MS,
      commandTimeoutMs: ASK_MS,
    };
    this.#service = service;
    this.#named = [...new Set(nodes.map((address) => addressOf({ address })))];
  }

  /**
   * `host:port` of the primary, by a majority that was asked after this call. Waits for the end of a failover.
   * Throws OpsError unreachable (auth where the Sentinels want a password) when no majority names one.
   */
  primary(): Promise<string> {
    if (this.#running === undefined) return this.#start();
    // what was asked before the caller's replies came proves nothing of them
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await closeKept(this.#kept);
  }

  #start(): Promise<string> {
    const asking = this.#agreed();
    this.#running = asking;
    this.#next = undefined;
    const over = (): void => {
      if (this.#running === asking) this.#running = undefined;
    };
    asking.then(over, over);
    return asking;
  }

  async #agreed(): Promise<string> {
    const begun = systemClock.monotonic();
    for (;;) {
      const { verdict, voices } = await this.#ask();
      if (verdict.kind === 'primary') return verdict.address;
      const patience = { failover: FAILOVER_MS, disagree: FAILOVER_MS, too_few: TOO_FEW_MS, unknown_service: 0 };
      if (this.#closed || systemClock.monotonic() - begun > patience[verdict.why])
        throw this.#noMajority(verdict.why, voices);
      await systemClock.sleep(AGAIN_MS);
    }
  }

  async #ask(): Promise<{ readonly verdict: Verdict; readonly voices: readonly Voice[] }> {
    const voices: Voice[] = [];
    const verdict = await this.#hear(this.#named, true, voices);
    if (verdict.kind === 'primary' || !voices.some(({ answer }) => answer.kind === 'names')) return { verdict, voices };
    const announced = await this.#announced(voices);
    if (announced.length === 0) return { verdict, voices };
    return { verdict: await this.#hear(announced, false, voices), voices };
  }

  /** Asks these all at once, adds to the voices, and is done as soon as there is a majority. */
  #hear(addresses: readonly string[], named: boolean, voices: Voice[]): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      let silent = addresses.length;
      for (const at of addresses) {
        const heard = (answer: Voice['answer']): void => {
          voices.push({ at, named, answer });
          silent -= 1;
          const verdict = verdictOf(this.#named.length, voices);
          if (verdict.kind === 'primary' || silent === 0) resolve(verdict);
        };
        this.#voice(at).then(heard).catch(reject);
      }
    });
  }

  #voice(at: string): Promise<Voice['answer']> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Voice['answer']>((resolve) => {
      timer = setTimeout(() => resolve(silence(`does not answer within ${ASK_MS / 1000} s`)), ASK_MS);
    });
    return Promise.race([this.#answer(at), late]).finally(() => clearTimeout(timer));
  }

  async #answer(at: string): Promise<Voice['answer']> {
    try {
      const socket = await this.#socket(at);
      if (socket.mode !== undefined && socket.mode !== 'sentinel')
        return silence(`is no Sentinel (its mode is ${socket.mode})`);
      const [address, state] = await Promise.all([
        socket.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#service]),
        socket.send(['SENTINEL', 'MASTER', this.#service]),
      ]);
      return answerOf(address, state, socket.runId ?? at);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      const refused = error.code === 'auth';
      const message = error.message.replace(`${at} `, '').replace(`${at}: `, 'answers: ');
      return silence(refused ? message : `does not answer (${error.message})`, refused);
    }
  }

  /** Addresses of Sentinels that the URL does not name, as those that answered know them. */
  async #announced(voices: readonly Voice[]): Promise<string[]> {
    const answering = voices.filter(({ answer }) => answer.kind === 'names');
    const lists = answering.map(async ({ at }) => {
      const reply = await (await this.#socket(at)).send(['SENTINEL', 'SENTINELS', this.#service]);
      return Array.isArray(reply) ? reply.flatMap((one) => addressIn(fieldsOf(one)) ?? []) : [];
    });
    const found = await Promise.all(lists.map((list) => list.catch(() => [])));
    return [...new Set(found.flat())].filter((address) => !this.#named.includes(address));
  }

  #socket(at: string): Promise<RedisSocket> {
    return reuse(this.#kept, at, () => openWhile(() => !this.#closed, settingsOfNode(this.#settings, at)));
  }

  #noMajority(why: Exclude<Verdict, { kind: 'primary' }>['why'], voices: readonly Voice[]): OpsError {
    const refused = voices.some(({ answer }) => answer.kind === 'silent' && answer.refused);
    const remedies = {
      too_few: 'More than half of all Sentinels must answer: check that they run and can be reached from here.',
      failover: 'A failover is under way, or the primary is held to be down: wait until it is over, then try again.',
      disagree: 'Wait until a failover is over; if they still disagree, check the Sentinels (SENTINEL CKQUORUM).',
      unknown_service: 'Check the name of the service, the first part of the path: redis+sentinel://host:port/service.',
    };
    return new OpsError(
      refused ? 'auth' : 'unreachable',
      `no majority of the Sentinels names a primary of ${JSON.stringify(this.#service)}: ${wordsOf(voices)}`,
      {
        remedy: refused
          ? "Give the Sentinels' own user and password: ...?sentinel_username=...&sentinel_password=..."
          : remedies[why],
      },
    );
  }
}

function silence(why: string, refused = false): Voice['answer'] {
  return { kind: 'silent', why, refused };
}

function answerOf(address: Reply, state: Reply, process: string): Voice['answer'] {
  const error = [address, state].find((reply) => reply instanceof ReplyError);
  if (error instanceof ReplyError && error.code === 'NOPERM') return silence(`refuses: ${error.message}`, true);
  if (address === null || error instanceof ReplyError) return { kind: 'unknown_service', process };
  const fields = fieldsOf(state);
  const [host, port] = Array.isArray(address) ? address.map((part) => replyText(part)) : [];
  const others = Number(fields.get('num-other-sentinels'));
  if (host === undefined || port === undefined || !Number.isInteger(others))
    return silence('answers no Sentinel’s answer');
  const doubt = doubtOf(fields.get('flags') ?? '');
  return { kind: 'names', address: joined(host, port), process, others, doubt };
}

function addressIn(fields: ReadonlyMap<string, string>): string | undefined {
  const [host, port] = [fields.get('ip'), fields.get('port')];
  return host === undefined || port === undefined ? undefined : joined(host, port);
}

function joined(host: string, port: string): string {
  return addressOf({ address: { host, port: Number(port) } });
}

/** Names and values that alternate. */
function fieldsOf(reply: Reply): Map<string, string> {
  const fields = new Map<string, string>();
  if (!Array.isArray(reply)) return fields;
  for (let index = 0; index + 1 < reply.length; index += 2)
    fields.set(replyText(reply[index]!) ?? '', replyText(reply[index + 1]!) ?? '');
  return fields;
}
