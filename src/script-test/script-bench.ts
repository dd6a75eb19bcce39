/** Where scripts are tested: one throwaway server for each program, which stays up between runs. */
import type { ScriptTestReport, ScriptTestResult } from '../plan/script-results.ts';
import { runTest, type TestSubject } from './run-test.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Servers that are up. */
export interface ScriptBench {
  /** Engine and version of each, in the order of the programs. */
  readonly servers: readonly string[];
  /** Runs every test on every server; `onResult` hears of each as it ends. When aborted its servers are killed, and what was under way is left out: only close() may follow. */
  run(
    subjects: readonly TestSubject[],
    options?: { readonly signal?: AbortSignal; readonly onResult?: (result: ScriptTestResult) => void },
  ): Promise<ScriptTestReport>;
  close(): Promise<void>;
  /** The same at once, for a process's exit. */
  killSync(): void;
}

/** Starts a server of each program (paths of redis-server or valkey-server). `timeoutMs`: the most that a call may take. Throws OpsError unreachable, and leaves nothing running. */
export async function openBench(programs: readonly string[], timeoutMs: number): Promise<ScriptBench> {
  const servers: TestServer[] = [];
  const killSync = (): void => {
    for (const server of servers) server.killSync();
  };
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (const program of programs) servers.push(await startTestServer(program));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    servers: servers.map(({ name }) => name),
    run: async (subjects, { signal, onResult } = {}) => {
      const results: ScriptTestResult[] = [];
      // what is under way ends with its server: nobody who interrupts waits for a script
      signal?.addEventListener('abort', killSync, { once: true });
      for (const { subject, test, server } of everyTest(subjects, servers)) {
        if (signal?.aborted) break;
        const result = await runTest(server, subject, test, timeoutMs);
        if (signal?.aborted) break;
        results.push(result);
        onResult?.(result);
      }
      signal?.removeEventListener('abort', killSync);
      return reportOf(
        servers.map(({ name }) => name),
        results,
      );
    },
    close,
    killSync,
  };
}

function everyTest(subjects: readonly TestSubject[], servers: readonly TestServer[]) {
  return subjects.flatMap((subject) =>
    subject.fixtures.tests.flatMap((test) => servers.map((server) => ({ subject, test, server }))),
  );
}

function reportOf(servers: readonly string[], results: readonly ScriptTestResult[]): ScriptTestReport {
  const count = (outcome: ScriptTestResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  return {
    servers: [...servers],
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    results: [...results],
  };
}
