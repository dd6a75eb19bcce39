/** A TTL given together with a strategy wins; where it is outside the strategy's range, one of the two is a slip. */
import { formatDuration, parseDuration } from '../../base/units.ts';
import { ttlStrategies } from '../../catalog/ttl-strategies.ts';
import type { Request } from '../../plan/request.ts';
import type { Rule } from '../rule.ts';

/** TTL010: `ttl` is outside the range of `strategy`. */
export const ttl010: Rule = {
  code: 'TTL010',
  severity: 'warning',
  title: 'the TTL is outside the range of its strategy',
  check(subject) {
    const given = subject.draft && expiryOf(subject.draft.request);
    const range = given?.strategy && ttlStrategies[given.strategy].range;
    const ms = given?.ttl === undefined ? undefined : parseDuration(String(given.ttl));
    if (!given || !range || ms === undefined || (ms >= range.shortest_ms && ms <= range.longest_ms)) {
      return { findings: [] };
    }
    const strategy = ttlStrategies[given.strategy!];
    const bounds = `${formatDuration(range.shortest_ms)} to ${formatDuration(range.longest_ms)}`;
    return {
      findings: [
        {
          message: `a TTL of ${formatDuration(ms)} is outside the ${given.strategy} range of ${bounds}`,
          at: given.at,
          why: `The TTL of this kind of data follows from ${strategy.follows}; the given TTL is used as it is.`,
          fix: "Leave ttl out to take the strategy's own, or leave strategy out if the TTL is meant.",
        },
      ],
    };
  },
};

function expiryOf(request: Request) {
  if (request.operation_type === 'expiration' && request.action === 'set') {
    return { ttl: request.ttl, strategy: request.strategy, at: 'ttl' };
  }
  if (request.operation_type === 'batch' && request.do.action === 'expire') {
    return { ttl: request.do.ttl, strategy: request.do.strategy, at: 'do.ttl' };
  }
  return undefined;
}
