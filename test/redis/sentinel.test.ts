/** Targets behind Sentinels: found by a majority, worked on like one server, found again after a failover. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTarget } from '../../src/redis/connect.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { startSentinel, type TestSentinel } from '../support/servers.ts';
import { conforms } from './conformance.ts';

let deployment: TestSentinel;
beforeAll(async () => {
  deployment = await startSentinel();
}, 60_000);
afterAll(() => deployment.stop());

describe('a connection to the primary that Sentinels name', () => {
  conforms(
    () => ({
      cli: (...args) => deployment.primary.cli(...args),
      at: (_address, ...args) => deployment.primary.cli(...args),
      addresses: [`127.0.0.1:${deployment.primary.port}`],
    }),
    () => connectTarget(parseUrl(deployment.url)),
  );
});
