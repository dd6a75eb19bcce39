/** How many bytes a command takes on the wire. */
import { byteLength } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';

/** Bytes of a command in RESP; an argument that is not known yet counts as 8 bytes. */
export function commandBytes(argv: Argv): number {
  return argv.reduce<number>(
    (sum, argument) => sum + bulkBytes(argument === undefined ? 8 : byteLength(argument)),
    header(argv.length),
  );
}

/** Bytes of a bulk string of that length: `$len\r\n...\r\n`. */
export function bulkBytes(length: number): number {
  return header(length) + length + 2;
}

/** `*n\r\n` or `$n\r\n`. */
function header(value: number): number {
  return 1 + String(value).length + 2;
}
