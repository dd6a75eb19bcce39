/** Serving agents: settings from flags and redops.yaml, standard input and output for the protocol, standard error for people. */
import { Readable, Writable } from 'node:stream';
import { type ResolvedPolicy, resolvedPolicy } from '../plan/policy.ts';
import { clean } from '../report/layout.ts';
import type { Io } from './io.ts';
import { say } from './output.ts';
import { policyOf, settingsOf, stateDirectory } from './settings.ts';
import type { McpOptions } from './verbs/mcp.ts';
import { versionOf } from './version.ts';

/** Serves until the client goes away or the process is told to end. Rejects with OpsError usage, unreachable, auth, state. */
export async function serveMcp(io: Io, options: McpOptions): Promise<number> {
  const { readFile: _readFile, filePath: _filePath, ...settings } = await settingsOf(io, options); // agents reach no files of this machine
  const policy = resolvedPolicy(await policyOf(io, options), flagsOf(options));
  const { openAgent } = await io.stages();
  const open = () => openAgent({ ...settings, policy });
  const first = await open(); // what is wrong with the target is said before a client is answered
  announce(io, first.target, policy);
  await first.close();
  const { serveStdio } = await import('../mcp/serve-stdio.ts');
  const stop = new AbortController();
  const release = io.onInterrupt(() => stop.abort());
  try {
    await serveStdio(
      {
        open,
        policy,
        stateDir: stateDirectory(io.env),
        version: await versionOf(),
        log: (line) => say(io, clean(line)),
      },
      Readable.from(io.stdinChunks(), { objectMode: false }),
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          io.out(chunk.toString('utf8'));
          done();
        },
      }),
      stop.signal,
    );
    return 0;
  } finally {
    release();
  }
}

function flagsOf({ allow, elicitation }: McpOptions) {
  return { ...(allow === undefined ? {} : { allow }), ...(elicitation === undefined ? {} : { elicitation }) };
}

function announce(
  io: Io,
  target: { readonly name: string; readonly tag: string; readonly reason: string },
  policy: ResolvedPolicy,
): void {
  say(
    io,
    `redops mcp: ${clean(target.name)} counts as ${target.tag} (${clean(target.reason)}); without a person: ${policy.allow}.`,
  );
}
