/** What inspections leave in the state directory: each is a run with a folder, for its pages, and an agent makes thousands a day. */

/** The inspections of this server that have ended. */
export interface Inspections {
  /** Takes the newest one, and removes what is older than the newest `kept`. Never rejects: what cannot be removed stays. */
  ended(runId: string): Promise<void>;
}

/** Inspections whose reports can still be paged through. */
export const keptInspections = 200;

/** None yet. `remove` takes the folder of a run away. */
export function createInspections(remove: (runId: string) => Promise<unknown>, kept = keptInspections): Inspections {
  const runs: string[] = [];
  return {
    ended: async (runId) => {
      runs.push(runId);
      const old = runs.splice(0, Math.max(0, runs.length - kept));
      await Promise.allSettled(old.map(remove));
    },
  };
}
