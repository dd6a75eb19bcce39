/**
 * What another client of the server feels: a connection that does nothing but ask, one question at a time, and never
 * before the last is answered. It asks for TIME, since its answer says when the server came to it: that the replies of the
 * run keep this process busy is no wait that anybody else has. Once a second it also asks for INFO.
 */

import { ReplyError } from '../formats/resp.ts';
import { infoFields } from '../inspect/info.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';

/** One answer. Milliseconds. */
export interface Felt {
  readonly atMs: number;
  /** Beyond the fastest answer so far. */
  readonly waitMs: number;
  readonly fastestMs: number;
  /** How far apart questions are when nobody waits. */
  readonly everyMs: number;
  /** What `resting` said when it was asked. */
  readonly resting: boolean;
}

/** Who listens. */
export interface ProbeEars {
  /** Settles when something may be asked: not while the run is paused. */
  readonly held: () => Promise<void> | undefined;
  readonly resting: () => boolean;
  readonly felt: (felt: Felt) => void;
  readonly told: (fields: ReadonlyMap<string, string>) => void;
  /** INFO was refused: it is not asked for again. */
  readonly untold: (reason: string) => void;
}

/** How far apart questions are, in milliseconds: not closer, and not closer than two round trips. */
const EVERY_MS = 2;
/** INFO is asked for this often. */
const INFO_MS = 1000;
/** The first questions, before any work: how many, and for how long at most. */
const WARM_UP = 24;
const WARM_UP_MS = 100;
/** The fastest answers are remembered for one to two times this long: two clocks drift apart. */
const REMEMBERED_MS = 5000;

/** The round trip and the noise of a server before the run works on it: waits of its first answers. Rejects with LostConnection. */
export async function feelIdle(probe: Probe): Promise<readonly Felt[]> {
  const start = performance.now();
  const idle: Felt[] = [];
  while (idle.length < 3 || (idle.length < WARM_UP && performance.now() - start < WARM_UP_MS)) {
    idle.push(await probe.ask());
    await pause(1);
  }
  // the first answers were compared with each other only
  const fastestMs = Math.min(...idle.map((felt) => felt.fastestMs));
  return idle.map((felt) => ({ ...felt, waitMs: felt.waitMs + felt.fastestMs - fastestMs, fastestMs }));
}

/** Asks on and on until the connection is closed or lost. Never rejects. */
export async function keepAsking(probe: Probe, ears: ProbeEars): Promise<void> {
  let infoMs = performance.now() - INFO_MS;
  let informed = true;
  try {
    for (;;) {
      await ears.held();
      ears.felt(await probe.ask(ears.resting()));
      if (informed && performance.now() - infoMs >= INFO_MS) {
        infoMs = performance.now();
        const answer = await probe.inform();
        informed = typeof answer !== 'string';
        if (typeof answer === 'string') ears.untold(answer);
        else ears.told(answer);
      }
      await pause(probe.everyMs);
    }
  } catch {
    return; // the connection is gone: the governor sees that, and opens another
  }
}

/** The questions on one connection. */
export interface Probe {
  readonly everyMs: number;
  /** Rejects with LostConnection. */
  ask(resting?: boolean): Promise<Felt>;
  /** The fields of INFO, or why there are none. Rejects with LostConnection. */
  inform(): Promise<ReadonlyMap<string, string> | string>;
}

/** Makes a probe of a connection that nobody else uses. */
export function createProbe(lease: Pick<Lease, 'send'>): Probe {
  let question = ['TIME'];
  let fastestMs = Infinity;
  const offset = createLeast();
  const probe = {
    get everyMs() {
      return Math.max(EVERY_MS, Math.round(2 * (Number.isFinite(fastestMs) ? fastestMs : 0)));
    },
    async ask(resting = false): Promise<Felt> {
      const busyBefore = performance.eventLoopUtilization().active;
      const atMs = performance.now();
      const reply = await lease.send(question);
      const nowMs = performance.now();
      const busyMs = performance.eventLoopUtilization().active - busyBefore;
      const tookMs = nowMs - atMs;
      fastestMs = Math.min(fastestMs, tookMs);
      // what is known for sure: it took as long as this process did nothing, and the server came to it that late
      const idleWait = tookMs - busyMs - fastestMs;
      const reachedMs = timeMs(reply);
      if (reachedMs === undefined) question = ['PING'];
      const lateMs = reachedMs === undefined ? 0 : offset.above(reachedMs - atMs, nowMs);
      const waitMs = Math.max(0, idleWait, Math.min(lateMs, tookMs - fastestMs));
      return { atMs, waitMs, fastestMs, everyMs: probe.everyMs, resting };
    },
    async inform() {
      const sections = ['replication', 'memory', 'persistence', 'clients'];
      const replies = await Promise.all(sections.map((section) => lease.send(['INFO', section])));
      const refused = replies.find((reply) => reply instanceof ReplyError);
      if (refused instanceof ReplyError) return refused.message;
      return new Map(replies.flatMap((reply) => [...infoFields(replyText(reply) ?? '')]));
    },
  };
  return probe;
}

/** How far a value lies above the least of late, which is forgotten after a while. */
function createLeast(): { above(value: number, nowMs: number): number } {
  let recent = Infinity;
  let before = Infinity;
  let sinceMs = -Infinity;
  return {
    above(value, nowMs) {
      if (nowMs - sinceMs >= REMEMBERED_MS) {
        before = recent;
        recent = value;
        sinceMs = nowMs;
      }
      recent = Math.min(recent, value);
      return value - Math.min(recent, before);
    },
  };
}

/** A TIME reply in Unix milliseconds with microsecond digits; undefined when it was refused. */
function timeMs(reply: Reply): number | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [seconds, micros] = reply.map((part) => Number(replyText(part)));
  const ms = (seconds ?? Number.NaN) * 1000 + (micros ?? Number.NaN) / 1000;
  return Number.isFinite(ms) ? ms : undefined;
}

/** Does not keep the process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
