/**
 * How often a fault test lets its fault happen: `npm run test:faults -- --full` as often as is claimed, everywhere else a
 * tenth of that, which shows that the test works and that nothing broke at once.
 */

/** So often, of so often at full counts. */
export function count(full: number): number {
  return process.env.REDOPS_FAULTS === 'full' ? full : Math.max(1, Math.ceil(full / 10));
}

/** Writes what was counted, for whoever reads the log of a run at full counts. */
export function counted(what: string): void {
  if (process.env.REDOPS_FAULTS === 'full') process.stderr.write(`counted: ${what}\n`);
}
