/** MCP over standard input and output: one client, the process that started us. What is not protocol goes to the log. */
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport, serveStdio as serve } from '@modelcontextprotocol/server/stdio';
import { type McpSettings, openDoor } from './server.ts';

/** Larger than any call that is read (answer.ts refuses those beyond its budget), and bounded. */
const mostBuffered = 1024 * 1024;

/** Serves until the client closes its end, or `stop` is aborted. */
export async function serveStdio(
  settings: McpSettings,
  input: Readable,
  output: Writable,
  stop: AbortSignal,
): Promise<void> {
  const door = await openDoor(settings);
  const transport = new StdioServerTransport(input, output, { maxBufferSize: mostBuffered });
  const gone = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) input.once(event, () => resolve());
    stop.addEventListener('abort', () => resolve(), { once: true });
    if (stop.aborted) resolve();
  });
  const handle = serve(() => door.create(), {
    transport,
    onerror: (error) => settings.log(`redops mcp: ${error.message}`),
  });
  try {
    await gone;
  } finally {
    await door.close();
    await handle.close();
    input.destroy(); // an input that is still open would keep the process
  }
}
