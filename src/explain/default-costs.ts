/**
 * The costs that redops brings along, read once and only when something is priced: what one run of `redops explain
 * --calibrate --json` measured on Redis 7.0.15, under the basis "default". Other machines and versions are doubted by two.
 */
import { createRequire } from 'node:module';
import { once } from '../base/once.ts';
import type { Costs } from '../plan/costs.ts';

/** What commands cost where the target itself was not calibrated. */
export const defaultCosts: () => Costs = once(() => createRequire(import.meta.url)('./costs.generated.json') as Costs);
