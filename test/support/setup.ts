/** Runs before each file of server tests: whatever a file starts is stopped when it ends, passed or failed. */
import { afterAll } from 'vitest';
import { stopServers } from './server.ts';

afterAll(stopServers, 30_000);
