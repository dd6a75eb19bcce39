/** The examples that people read are requests: each in examples/requests compiles, each in docs/rules is refused with its page's code. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { targetWith } from '../../test/support/target.ts';
import { Request } from '../plan/request.ts';
import { compile } from './compile.ts';
import { inlineFiles } from './files.ts';
import { parseRequest } from './parse.ts';

const examples = new URL('../../examples/requests/', import.meta.url);
const pages = new URL('../../docs/rules/', import.meta.url);

function diagnosticsOf(input: unknown) {
  const parsed = parseRequest(input);
  if (parsed.request === undefined) return parsed.diagnostics;
  const inlined = inlineFiles(parsed.request, (path) => {
    throw new Error(`ENOENT: ${path}`);
  });
  return inlined.request === undefined ? inlined.diagnostics : compile(inlined.request, targetWith()).diagnostics;
}

describe('examples/requests', () => {
  const files = readdirSync(examples).filter((name) => name.endsWith('.json'));

  it.each(files)('%s compiles', (name) => {
    expect(diagnosticsOf(JSON.parse(readFileSync(new URL(name, examples), 'utf8')))).toEqual([]);
  });

  it('has one for every operation and action', () => {
    const shown = files.map((name) => {
      const { operation_type, action, do: job } = JSON.parse(readFileSync(new URL(name, examples), 'utf8'));
      return [operation_type, action ?? job?.action].filter((part) => part !== undefined).join(' ');
    });
    expect([...new Set(shown)].sort()).toEqual(allActions().sort());
  });
});

describe('docs/rules', () => {
  const codes = ['REQ001', 'REQ002', 'REQ003', 'TXT001', 'CMD001', 'CMD002', 'EXP001', 'ATM001'];
  it.each(codes)('the example of %s is refused with it', (code) => {
    const page = readFileSync(new URL(`${code}.md`, pages), 'utf8');
    const example = /```json\n([\s\S]*?)```/.exec(page)?.[1];
    expect(diagnosticsOf(JSON.parse(example!))[0]).toMatchObject({ code });
  });
});

/** Every operation and action of the schema, as `batch unlink`. */
function allActions(): string[] {
  return Request.options.flatMap((option) => {
    const variants = 'options' in option ? option.options : [option];
    return variants.flatMap((variant) => {
      const [type] = variant.shape.operation_type.values;
      if ('action' in variant.shape) return [...variant.shape.action.values].map((action) => `${type} ${action}`);
      if (!('do' in variant.shape)) return [String(type)];
      return variant.shape.do.options.flatMap((job) =>
        [...job.shape.action.values].map((action) => `${type} ${action}`),
      );
    });
  });
}
