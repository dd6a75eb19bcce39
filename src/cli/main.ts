#!/usr/bin/env node
/**
 * The command's entry. It must start as fast as node itself, so help is printed from the list of verbs alone, and
 * everything else is loaded once it is known that it is needed.
 */
import { topHelp } from './help.ts';

const argv = process.argv.slice(2);
const [first] = argv;

if (first === undefined || first === '--help' || first === '-h' || (first === 'help' && argv.length === 1)) {
  // without a verb there is nothing to do: that is a mistake of the call, but --help is not
  (first === undefined ? process.stderr : process.stdout).write(topHelp());
  process.exitCode = first === undefined ? 2 : 0;
} else {
  const [{ processIo }, { runCli }] = await Promise.all([import('./process-io.ts'), import('./program.ts')]);
  process.exitCode = await runCli(argv, processIo(argv));
}
