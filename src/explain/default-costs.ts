/**
 * The costs that redops brings along, read once and only when something is priced: they were measured by `redops explain
 * --calibrate` on Redis 7.0, and hold within a factor of about two on other machines and versions.
 */
import { createRequire } from 'node:module';
import { once } from '../base/once.ts';
import type { Costs } from '../plan/costs.ts';

/** What commands cost where the target itself was not calibrated. */
export const defaultCosts: () => Costs = once(() => createRequire(import.meta.url)('./costs.generated.json') as Costs);
