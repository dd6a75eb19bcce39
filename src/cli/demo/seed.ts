/**
 * The data of the demo: what a shop's Redis looks like after a few years. Sessions that nobody gave a TTL, caches of
 * which half have one, users, rate limiters, a queue, a counter, and two hashes that have grown far too large.
 */

/** How much of what, where the demo says so. */
export const seeded = {
  sessions: 60_000,
  cachedProducts: 80_000,
  users: 40_000,
  limiters: 20_000,
  statsFields: 200_000,
};

/** A hash too large to DEL. */
export const bigHash = 'stats:daily';
/** The same size: the demo DELs it, to have measured what that costs. */
export const twinHash = 'stats:yesterday';

/** Every command that seeds the data, in order. The same every time. */
export function* seedCommands(): Generator<readonly string[]> {
  yield* sessions();
  yield* cachedProducts();
  yield* users();
  yield* limiters();
  yield* stats(bigHash);
  yield* stats(twinHash);
  yield ['RPUSH', 'queue:mail', ...range(1_000).map((n) => `{"to":${n},"template":"receipt"}`)];
  yield ['MSET', 'hits:home', '481516', 'user:1:balance', '100', 'user:2:balance', '0', 'deploy:active', 'blue'];
}

/** Every key of the demo, to take away from a server that is not the demo's own; the chapters create no others. */
export function seedKeys(): Set<string> {
  const keys = new Set<string>();
  for (const [command, ...words] of seedCommands()) {
    const named = command === 'MSET' ? words.filter((_, at) => at % 2 === 0) : words.slice(0, 1);
    for (const key of named) keys.add(key);
  }
  return keys;
}

function* sessions(): Generator<readonly string[]> {
  yield* inMsets(seeded.sessions, (n) => [
    `session:${id(n)}`,
    `{"user":${n % seeded.users},"csrf":"${id(n + 7)}","cart":[${n % 97},${n % 89}]}`,
  ]);
}

/** Every second product got its TTL when somebody remembered. */
function* cachedProducts(): Generator<readonly string[]> {
  const key = (n: number): string => `cache:product:${n}:v2`;
  const value = (n: number): string =>
    `{"id":${n},"name":"product ${n}","price":${(n * 37) % 10_000},"stock":${n % 50}}`;
  const half = seeded.cachedProducts / 2;
  yield* inMsets(half, (n) => [key(2 * n), value(2 * n)]);
  for (const n of range(half)) yield ['SET', key(2 * n + 1), value(2 * n + 1), 'EX', String(1800 + (n % 1800))];
}

function* users(): Generator<readonly string[]> {
  for (const n of range(seeded.users)) {
    yield ['HSET', `user:${n}`, 'name', `user ${n}`, 'plan', n % 10 === 0 ? 'pro' : 'free', 'visits', String(n % 400)];
  }
}

function* limiters(): Generator<readonly string[]> {
  for (const n of range(seeded.limiters)) {
    yield ['SET', `rate:10.${n >> 8}.${n & 255}.${n % 250}`, String(n % 60), 'EX', '3600'];
  }
}

function* stats(key: string): Generator<readonly string[]> {
  const fieldsAtOnce = 500;
  for (let n = 0; n < seeded.statsFields; n += fieldsAtOnce) {
    yield ['HSET', key, ...range(fieldsAtOnce).flatMap((at) => [`/product/${n + at}`, String((n + at) % 9973)])];
  }
}

function* inMsets(count: number, pair: (n: number) => readonly [string, string]): Generator<readonly string[]> {
  const pairsAtOnce = 200;
  for (let n = 0; n < count; n += pairsAtOnce) {
    yield ['MSET', ...range(Math.min(pairsAtOnce, count - n)).flatMap((at) => pair(n + at))];
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** A number that looks drawn and is not: multiplication by an odd number is one to one in 32 bits. */
function id(n: number): string {
  return (Math.imul(n + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
}
