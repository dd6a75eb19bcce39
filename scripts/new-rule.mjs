/**
 * `npm run new-rule <ID> <name>`: the rule, its test and its page as a start, a row in the table of codes, and a place in the
 * index. The start compiles and its tests fail until the rule is written.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const usage = 'npm run new-rule <ID> <name>, such as: npm run new-rule TTL012 field-without-ttl';
const root = process.env.REDOPS_ROOT ?? fileURLToPath(new URL('..', import.meta.url));
const [code = '', name = ''] = process.argv.slice(2);

main();

function main() {
  if (!/^[A-Z]{2,3}\d{3}$/.test(code) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) stop(`not an ID and a name\n${usage}`);
  const id = code.toLowerCase();
  const taken = ruleFiles().find((file) => file.startsWith(`${id}-`));
  if (taken) stop(`${code} is taken: src/lint/rules/${taken}`);
  if (existsSync(path(`docs/rules/${code}.md`))) stop(`${code} is taken: docs/rules/${code}.md`);
  write(`src/lint/rules/${id}-${name}.ts`, rule(id));
  write(`src/lint/rules/${id}-${name}.test.ts`, test(id));
  write(`docs/rules/${code}.md`, page());
  write('src/lint/rules/index.ts', index());
  write('docs/rules/README.md', table());
  console.log('Next: write the rule, its cases and its page, and its title in the table of docs/rules/README.md.');
}

function rule(id) {
  return `/** Why this loses data, time or sleep: one or two sentences. */
import { eachCommand } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** ${code}: what it looks for. */
export const ${id}: Rule = {
  code: '${code}',
  severity: 'warning',
  title: '${name.replaceAll('-', ' ')}',
  check: (subject) => ({
    findings: eachCommand(subject, (name) => {
      if (name !== '${id}') return undefined;
      return { message: 'what is wrong', why: 'what breaks', fix: 'the safe way' };
    }),
  }),
};
`;
}

function test(id) {
  return `import { expect, test } from 'vitest';
import { file, found } from '../../../test/support/lint.ts';
import { ${id} } from './${id}-${name}.ts';

test.each(['A COMMAND THAT IS WRONG'])('%s', (line) => {
  expect(found(${id}, file(line))).toEqual(['warning app.redis:1:1']);
});

test.each(['A COMMAND THAT IS RIGHT'])('%s is fine', (line) => {
  expect(found(${id}, file(line))).toEqual([]);
});
`;
}

function page() {
  return `# ${code}: ${name.replaceAll('-', ' ')}

Severity: warning.

## Problem

What breaks, with a number that was measured.

## Solution

The safe way.

## Example

\`\`\`redis
A COMMAND THAT IS WRONG
\`\`\`

Instead:

\`\`\`redis
A COMMAND THAT IS RIGHT
\`\`\`
`;
}

/** The index is written from the files, so that it is complete and in order whatever it was. */
function index() {
  const files = ruleFiles();
  const names = files.map((file) => file.slice(0, file.indexOf('-')));
  return `/** Every rule, in the order of its code. \`npm run new-rule\` adds to it. */
import type { Rule } from '../rule.ts';
${files.map((file, at) => `import { ${names[at]} } from './${file}';`).join('\n')}

/** The rules that lint runs. */
export const rules: readonly Rule[] = [
${names.map((one) => `  ${one},`).join('\n')}
];
`;
}

function table() {
  const lines = readFileSync(path('docs/rules/README.md'), 'utf8').split('\n');
  const row = `| [${code}](${code}.md) | warning | ${name.replaceAll('-', ' ')} |`;
  const first = lines.findIndex((line) => line.startsWith('| ['));
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('| ['));
  const rows = [...lines.slice(first, end), row].sort();
  return [...lines.slice(0, first), ...rows, ...lines.slice(end)].join('\n');
}

function ruleFiles() {
  return readdirSync(path('src/lint/rules'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'index.ts')
    .sort();
}

function write(file, text) {
  writeFileSync(path(file), text);
  console.log(`wrote ${file}`);
}

function path(file) {
  return join(root, file);
}

function stop(message) {
  console.error(message);
  process.exit(2);
}
