/**
 * Who is the primary, by the word of the Sentinels. One of them alone may be cut off and name a primary that the others
 * have replaced; so an address counts only when more than half of all Sentinels name it, and none of those holds the
 * server to be down or is replacing it.
 */

/** What one Sentinel said, or why it said nothing. */
export interface Voice {
  /** `host:port` as it was asked. */
  readonly at: string;
  /** True when the URL names it; false when another Sentinel announced it. */
  readonly named: boolean;
  readonly answer:
    | {
        readonly kind: 'names';
        /** `host:port` of the primary. */
        readonly address: string;
        /** run_id of the Sentinel: two addresses may lead to the same one, which has one vote. */
        readonly process: string;
        /** How many other Sentinels it knows, whether they live or not. */
        readonly others: number;
        /** Why it does not stand by that primary: s_down, o_down, failover_in_progress. */
        readonly doubt: string | undefined;
      }
    | { readonly kind: 'unknown_service'; readonly process: string }
    | { readonly kind: 'silent'; readonly why: string; readonly refused: boolean };
}

/** The primary that a majority names, or why there is none. */
export type Verdict =
  | { readonly kind: 'primary'; readonly address: string }
  | { readonly kind: 'none'; readonly why: 'too_few' | 'failover' | 'disagree' | 'unknown_service' };

/** Flags of SENTINEL MASTER by which a Sentinel says that its primary is down or about to be replaced. */
const DOUBTS = ['o_down', 's_down', 'failover_in_progress', 'force_failover'];

/** The first reason in the flags of SENTINEL MASTER for which a Sentinel does not stand by its primary; undefined when it does. */
export function doubtOf(flags: string): string | undefined {
  const set = new Set(flags.split(','));
  return DOUBTS.find((flag) => set.has(flag));
}

/** Counts the voices. A Sentinel that has not answered yet is simply not among them: more voices never take a majority away. */
export function verdictOf(named: number, voices: readonly Voice[]): Verdict {
  const answers = distinct(voices);
  const majority = Math.floor(electorate(named, voices) / 2) + 1;
  const sure = new Map<string, number>();
  const all = new Map<string, number>();
  for (const { answer } of answers) {
    if (answer.kind !== 'names') continue;
    count(all, answer.address);
    if (answer.doubt === undefined) count(sure, answer.address);
  }
  const chosen = reaching(sure, majority);
  if (chosen !== undefined) return { kind: 'primary', address: chosen };
  if (answers.length > 0 && all.size === 0) return { kind: 'none', why: 'unknown_service' };
  if (answers.length < majority) return { kind: 'none', why: 'too_few' };
  return { kind: 'none', why: reaching(all, majority) === undefined ? 'disagree' : 'failover' };
}

/** What each said, in a sentence part each, for the error that there is no majority. */
export function wordsOf(voices: readonly Voice[]): string {
  return voices.map(({ at, answer }) => `${at} ${saying(answer)}`).join('; ');
}

/** How many Sentinels there are: as many as the URL names, or as many as one of them knows, whichever is more. */
function electorate(named: number, voices: readonly Voice[]): number {
  const seen = voices.filter((voice) => voice.named && voice.answer.kind !== 'silent');
  const twice = seen.length - distinct(seen).length;
  const known = voices.map(({ answer }) => (answer.kind === 'names' ? answer.others + 1 : 0));
  return Math.max(named - twice, ...known);
}

/** One voice for each Sentinel that answered, whatever number of addresses lead to it. */
function distinct(voices: readonly Voice[]): Voice[] {
  const byProcess = new Map<string, Voice>();
  for (const voice of voices) {
    if (voice.answer.kind === 'silent') continue;
    if (!byProcess.has(voice.answer.process)) byProcess.set(voice.answer.process, voice);
  }
  return [...byProcess.values()];
}

function count(votes: Map<string, number>, address: string): void {
  votes.set(address, (votes.get(address) ?? 0) + 1);
}

function reaching(votes: ReadonlyMap<string, number>, majority: number): string | undefined {
  return [...votes].find(([, number]) => number >= majority)?.[0];
}

function saying(answer: Voice['answer']): string {
  switch (answer.kind) {
    case 'names':
      return `names ${answer.address}${answer.doubt === undefined ? '' : ` and says ${answer.doubt}`}`;
    case 'unknown_service':
      return 'does not know the service';
    case 'silent':
      return answer.why;
  }
}
