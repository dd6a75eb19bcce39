/**
 * The costs that redops brings along, read once and only when something is priced: the least of three measurements by
 * `redops explain --calibrate` on Redis 7.0.15, doubted by a factor of two on other machines and versions.
 */
import { createRequire } from 'node:module';
import { once } from '../base/once.ts';
import type { Costs } from '../plan/costs.ts';

/** What commands cost where the target itself was not calibrated. */
export const defaultCosts: () => Costs = once(() => createRequire(import.meta.url)('./costs.generated.json') as Costs);
