/**
 * The server's own time of one command: the difference of its commandstats before and after a few calls. What other
 * clients called meanwhile would be counted with it, so a difference that is not our own calls is measured again.
 */
import type { WireArgument } from '../formats/resp.ts';
import { type Reply, replyText } from '../redis/reply.ts';

/** What commands are sent on; several calls in one tick share a packet. */
export interface Wire {
  send(argv: readonly WireArgument[]): Promise<Reply>;
}

/** One command, and what is sent before each call of it (not measured). */
export interface Measured {
  readonly argv: (call: number) => readonly WireArgument[];
  readonly before: readonly (readonly WireArgument[])[];
  /** What is sent before a round of calls, the first of which has that number; not measured. */
  readonly prepare?: (first: number, calls: number) => Promise<void>;
  /** Calls of a round at most; 200 when left out. */
  readonly most?: number;
}

/** Microseconds of the server's main thread a call, in each round. undefined: other clients called the same command all the time. Rejects with what the wire rejects with, and with the server's refusal. */
export async function roundsOf(wire: Wire, measured: Measured): Promise<readonly number[] | undefined> {
  const [first] = await measureRound(wire, measured, 0, 1);
  if (first === undefined) return undefined;
  const calls = Math.max(2, Math.min(measured.most ?? most, Math.ceil(roundMicros / Math.max(1, first))));
  const rounds: number[] = [];
  for (let tries = 0; rounds.length < wanted && tries < wanted * 2; tries += 1) {
    rounds.push(...(await measureRound(wire, measured, 1 + tries * calls, calls)));
  }
  return rounds.length < wanted ? undefined : rounds;
}

const wanted = 5;
/** Calls of a round at most, and about how long they may take together, in microseconds. */
const most = 200;
const roundMicros = 5_000;

/** The time of a call in one round; empty when somebody else called it too. */
async function measureRound(
  wire: Wire,
  { argv, before, prepare }: Measured,
  first: number,
  calls: number,
): Promise<number[]> {
  await prepare?.(first, calls);
  const name = String(argv(0)[0]).toLowerCase();
  const from = await statsOf(wire, name);
  // in one packet, as a server under load has it: one that waits between two calls has forgotten what the first one read
  const flights: Promise<Reply>[] = [];
  for (let call = 0; call < calls; call += 1)
    flights.push(...before.map((one) => wire.send(one)), wire.send(argv(first + call)));
  for (const reply of await Promise.all(flights)) if (reply instanceof Error) throw reply;
  const to = await statsOf(wire, name);
  return to.calls - from.calls === calls ? [(to.usec - from.usec) / calls] : [];
}

async function statsOf(wire: Wire, name: string): Promise<{ calls: number; usec: number }> {
  const text = replyText(await wire.send(['INFO', 'commandstats'])) ?? '';
  const found = new RegExp(`^cmdstat_${name}:calls=(\\d+),usec=(\\d+)`, 'm').exec(text);
  return { calls: Number(found?.[1] ?? 0), usec: Number(found?.[2] ?? 0) };
}
