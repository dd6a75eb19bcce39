/**
 * How tests drive a reader: everything it gives as one value, problem included, however the bytes are cut. Chunks are
 * overwritten by nobody but are buffers of their own, as they are when a file is read.
 */
import { type CommandReader, type ReadCommand, ReadProblem } from '../../src/formats/reader.ts';

/** What came out of a reader. */
export interface ReadOut {
  readonly commands: readonly ReadCommand[];
  readonly problem?: { readonly message: string; readonly fix: string; readonly line: number; readonly column: number };
}

/** Reads bytes given at once. */
export function readAll(reader: CommandReader, bytes: Buffer): ReadOut {
  return readCut(reader, bytes, () => Math.max(1, bytes.length));
}

/** Reads bytes in chunks of the sizes that `size` gives. Throws what is no ReadProblem. */
export function readCut(reader: CommandReader, bytes: Buffer, size: () => number): ReadOut {
  const commands: ReadCommand[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + size());
      for (const command of reader.push(Buffer.from(bytes.subarray(at, end)))) commands.push(command);
      at = end;
    }
    for (const command of reader.end()) commands.push(command);
    return { commands };
  } catch (error) {
    if (!(error instanceof ReadProblem)) throw error;
    for (const command of error.before) commands.push(command);
    const { message, fix, line, column } = error;
    return { commands, problem: { message, fix, line, column } };
  }
}
