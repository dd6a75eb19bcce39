/**
 * MCP over HTTP: on the loopback address unless told otherwise, for whoever has the token. The order of the checks is that
 * of their cost: a foreign Host or Origin (a web page that rebinds a name) is refused before anything of it is read.
 */
import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/hono';
import { createMcpHandler, localhostAllowedHostnames, localhostAllowedOrigins } from '@modelcontextprotocol/server';
import { Hono, type MiddlewareHandler } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { HTTPException } from 'hono/http-exception';
import { OpsError } from '../base/ops-error.ts';
import { type McpSettings, openDoor } from './server.ts';

/** Where and for whom. */
export interface HttpSettings extends McpSettings {
  /** 0: any free one. */
  readonly port: number;
  /** The address to listen on: a loopback one, or any with `hosts`. */
  readonly address: string;
  /** Names by which clients may call the server, beside those of this machine. */
  readonly hosts: readonly string[];
  /** At least 16 characters. */
  readonly token: string;
}

/** A server that listens. */
export interface HttpServer {
  readonly url: string;
  /** Stops listening, and the runs in motion, which can be resumed. */
  close(): Promise<void>;
}

/** Bytes of a request at most: more than any call that is read. */
const mostBytes = 256 * 1024;
/** Requests under way at the same time, and connections. */
const mostRequests = 32;
const mostConnections = 64;

/** Listens. Rejects with OpsError usage, state. */
export async function serveHttp(settings: HttpSettings): Promise<HttpServer> {
  mustBeSafe(settings);
  const door = await openDoor(settings);
  const handler = createMcpHandler(() => door.create(), {
    maxRequestBodySize: mostBytes,
    maxSubscriptions: 16,
    onerror: (error) => settings.log(`redops mcp: ${error.message}`),
  });
  const app = new Hono();
  const names = [...localhostAllowedHostnames(), ...settings.hosts];
  app.use(hostHeaderValidation(names));
  app.use(originValidation([...localhostAllowedOrigins(), ...settings.hosts]));
  app.use(bearerAuth({ token: settings.token }));
  app.use(atMost(mostRequests));
  app.all('/mcp', (context) => handler.fetch(context.req.raw));
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    settings.log(`redops mcp: ${error.message}`);
    return context.text('internal error', 500);
  });
  const server = serve({ fetch: app.fetch, port: settings.port, hostname: settings.address });
  server.maxConnections = mostConnections;
  try {
    await listening(server, settings);
  } catch (error) {
    await door.close();
    throw error;
  }
  const place = server.address();
  const port = typeof place === 'object' && place !== null ? place.port : settings.port;
  return {
    url: `http://${settings.address.includes(':') ? `[${settings.address}]` : settings.address}:${port}/mcp`,
    close: async () => {
      await door.close();
      await handler.close();
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
    },
  };
}

/** Throws OpsError usage where the server would be open to others. */
function mustBeSafe({ address, hosts, token }: HttpSettings): void {
  if (token.length < 16) {
    throw new OpsError('usage', 'the token is shorter than 16 characters', {
      remedy: 'Give a longer one in REDOPS_MCP_TOKEN, or none: one is made then.',
    });
  }
  if (loopback.test(address) || hosts.length > 0) return;
  throw new OpsError('usage', `${address} is not a loopback address, and no name is allowed`, {
    remedy: 'Name the host by which clients call it: --allow-host. Put TLS in front of it.',
  });
}

const loopback = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

async function listening(server: ReturnType<typeof serve>, { address, port }: HttpSettings): Promise<void> {
  try {
    if (!server.listening) await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    throw new OpsError('usage', `${address}:${port} cannot be listened on (${code})`, {
      remedy: 'Name another port: --http 8932.',
      cause,
    });
  }
}

/** Refuses what is more than so many requests at once. */
function atMost(most: number): MiddlewareHandler {
  let open = 0;
  return async (context, next) => {
    if (open >= most) return context.text('too many requests', 503, { 'Retry-After': '1' });
    open += 1;
    try {
      await next();
    } finally {
      open -= 1;
    }
  };
}
