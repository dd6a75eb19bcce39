/**
 * Calibrates a target: measures what commands cost on a throwaway server of the same version or, where it is told to, on
 * the target itself, and keeps it under the target's name. Plans of that target are priced by it from then on.
 */

import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { calibrate } from './calibrate/calibrate.ts';
import type { Wire } from './calibrate/measure.ts';
import { inspectServer } from './inspect/info.ts';
import type { Costs } from './plan/costs.ts';
import type { Server, Target } from './plan/target.ts';
import type { Connection } from './redis/connection.ts';
import { openSocket } from './redis/socket.ts';
import { startThrowaway } from './redis/throwaway.ts';
import { parseUrl } from './redis/url.ts';
import { appendAudit } from './state/audit.ts';
import { saveCosts } from './state/costs.ts';

/** Where to measure. */
export interface CalibrationOptions {
  /** The path of a server program of the target's version; undefined: on the target itself, which writes there. */
  readonly program: string | undefined;
  /** Allows it on a target that counts as production. */
  readonly yes: boolean;
  readonly signal?: AbortSignal;
  /** Called before each kind of key and size. */
  readonly onStep?: (what: string) => void;
}

/** The target, as the agent has it. */
export interface Calibrated {
  readonly connection: Connection;
  readonly target: { readonly name: string; readonly tag: 'dev' | 'production' };
  readonly stateDir: string;
  ask(): Promise<Target>;
}

/** Elements of the largest key: on a server of our own, and where others are served. */
const largestAlone = 1_000_000;
const largestAmongOthers = 100_000;
/** What the keys of a calibration may take on a target, in bytes: two sets of 100,000 elements and their copies. */
const memoryNeeded = 128 * 1024 * 1024;

/** Measures and keeps. Rejects with OpsError refused, unreachable, unsupported, interrupted, server_error, state. */
export async function calibrateTarget(calibrated: Calibrated, options: CalibrationOptions): Promise<Costs> {
  const { server } = await calibrated.ask();
  const name = nameOf(server);
  const { program } = options;
  const curves =
    program === undefined ? await onTarget(calibrated, server, options) : await onThrowaway(program, name, options);
  const costs: Costs = {
    server: name,
    basis: program === undefined ? 'target' : 'throwaway',
    measured_ms: systemClock.now(),
    curves,
  };
  await saveCosts(calibrated.stateDir, calibrated.target.name, costs);
  return costs;
}

async function onThrowaway(program: string, wanted: string, options: CalibrationOptions): Promise<Costs['curves']> {
  const throwaway = await startThrowaway({ server: program });
  try {
    const socket = await openSocket(parseUrl(`redis://127.0.0.1:${throwaway.port}`));
    try {
      const { server } = await inspectServer(socket, { database: 0, loopback: true });
      if (nameOf(server) !== wanted) {
        throw new OpsError('refused', `${program} is ${nameOf(server)}, and the target is ${wanted}`, {
          remedy: 'Name a program of that version in REDOPS_SERVER, or measure on the target itself: --on-target.',
        });
      }
      return await measured(socket, largestAlone, options);
    } finally {
      await socket.close();
    }
  } finally {
    await throwaway.stop();
  }
}

async function onTarget(
  { connection, target, stateDir }: Calibrated,
  server: Server,
  options: CalibrationOptions,
): Promise<Costs['curves']> {
  if (target.tag === 'production' && !options.yes) {
    throw new OpsError('refused', `${target.name} counts as production, and calibrating writes keys of its own there`, {
      remedy: 'Measure on a throwaway server (leave out --on-target), or allow it: --yes.',
    });
  }
  const why = unfit(server);
  if (why !== undefined)
    throw new OpsError('refused', why, { remedy: 'Measure on a throwaway server: leave out --on-target.' });
  await appendAudit(stateDir, { event: 'calibrate', target: target.name, tag: target.tag });
  const lease = await connection.lease();
  try {
    return await measured(lease, largestAmongOthers, options);
  } finally {
    await lease.close();
  }
}

/** Why nothing can be measured on the target itself. */
function unfit({ role, cluster, maxmemory, used_memory }: Server): string | undefined {
  if (role === 'slave') return 'this is a replica: it takes no writes';
  if (cluster) return 'this is a cluster: commands on two keys of a calibration need one node';
  if (maxmemory > 0 && maxmemory - used_memory < memoryNeeded)
    return 'the target has less than 128 MB left before maxmemory';
  return undefined;
}

function measured(wire: Wire, largest: number, { signal, onStep }: CalibrationOptions): Promise<Costs['curves']> {
  return calibrate(wire, { largest, ...(signal && { signal }), ...(onStep && { onStep }) });
}

function nameOf({ engine, version }: Pick<Server, 'engine' | 'version'>): string {
  return `${engine} ${version}`;
}
