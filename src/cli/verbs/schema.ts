/** redops schema: the JSON Schema of a document, from the one schema that also checks it. */
import { Argument, type Command } from 'commander';
import type { Finish, Io } from '../io.ts';

/** Adds the verb. */
export function addSchema(program: Command, io: Io, finish: Finish): void {
  program
    .command('schema')
    .description('print the JSON Schema (2020-12) of request, plan, report or explanation')
    .addArgument(new Argument('<document>', 'which').choices(['request', 'plan', 'report', 'explanation']))
    .action((name: 'request' | 'plan' | 'report' | 'explanation') =>
      finish(async () => {
        const [{ toJSONSchema }, schema] = await Promise.all([import('zod'), schemaOf(name)]);
        // as it is written: byte strings are read in two forms, and defaults may be left out
        io.out(`${JSON.stringify(toJSONSchema(schema, { io: 'input' }), null, 2)}\n`);
        return 0;
      }),
    );
}

async function schemaOf(name: 'request' | 'plan' | 'report' | 'explanation') {
  switch (name) {
    case 'request':
      return (await import('../../plan/request.ts')).Request;
    case 'plan':
      return (await import('../../plan/plan.ts')).Plan;
    case 'explanation':
      return (await import('../../plan/explanation.ts')).Explanation;
    case 'report':
      return (await import('../../plan/report.ts')).Report;
  }
}
