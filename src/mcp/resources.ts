/** Resources: the full schemas, the page of every rule, the table of errors, and what is known of each command. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { toJSONSchema, type z } from 'zod';
import { Plan } from '../plan/plan.ts';
import { Report } from '../plan/report.ts';
import { Request } from '../plan/request.ts';
import type { Desk } from './desk.ts';

const schemas: Readonly<Record<string, z.ZodType>> = { request: Request, plan: Plan, report: Report };

/** Adds them to a server. */
export function addResources(server: McpServer, { files }: Desk): void {
  for (const [name, schema] of Object.entries(schemas)) {
    server.registerResource(
      `schema-${name}`,
      `redops://schema/${name}`,
      { title: `JSON Schema of a ${name}`, mimeType: 'application/schema+json' },
      (uri) => contents(uri, 'application/schema+json', JSON.stringify(toJSONSchema(schema, { io: 'input' }))),
    );
  }
  server.registerResource(
    'errors',
    'redops://errors',
    { title: 'Errors of a run: cause and recovery', mimeType: 'application/json' },
    (uri) => contents(uri, 'application/json', JSON.stringify(files.errorTable)),
  );
  server.registerResource(
    'rule',
    new ResourceTemplate('redops://rule/{code}', {
      list: undefined,
      complete: {
        code: async (begun) => (await codes()).filter((code) => code.startsWith(begun.toUpperCase())).slice(0, 100),
      },
    }),
    { title: 'The page of a lint rule: problem, solution, example', mimeType: 'text/markdown' },
    async (uri, { code }) => contents(uri, 'text/markdown', await pageOf(String(code), uri)),
  );
  server.registerResource(
    'command',
    new ResourceTemplate('redops://command/{name}', {
      list: undefined,
      complete: {
        name: (begun) =>
          files
            .commandNames()
            .filter((name) => name.startsWith(begun.toLowerCase()))
            .slice(0, 100),
      },
    }),
    { title: 'A command: flags, complexity, since, where it was seen', mimeType: 'application/json' },
    (uri, { name }) => {
      const facts = files.commandFacts(decodeURIComponent(String(name)));
      if (facts === undefined) throw new ResourceNotFoundError(uri.href);
      return contents(uri, 'application/json', JSON.stringify(facts));
    },
  );
}

const pages = new URL('../../docs/rules/', import.meta.url);

async function codes(): Promise<readonly string[]> {
  return (await readdir(fileURLToPath(pages))).flatMap((name) => /^([A-Z]{2,4}\d{3})\.md$/.exec(name)?.[1] ?? []);
}

async function pageOf(code: string, uri: URL): Promise<string> {
  // of the list of the folder, so that no other path can be named
  const known = (await codes()).find((one) => one === code.toUpperCase());
  if (known === undefined) throw new ResourceNotFoundError(uri.href);
  return readFile(new URL(`${known}.md`, pages), 'utf8');
}

function contents(uri: URL, mimeType: string, text: string) {
  return { contents: [{ uri: uri.href, mimeType, text }] };
}
