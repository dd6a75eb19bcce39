/**
 * Whether an error reply to a script came before its first line: then nothing of it was applied, and it may be called
 * again. The code alone does not tell, since a script may answer with any code after it wrote. The server's refusals have
 * words of their own. An error that a script raises never ends with them: from 7.0 on it ends with
 * " script: ..., on @user_script:1.", on 6.x it begins with "ERR Error running script". An error that it returns is
 * passed on as it is, so words that stand in the script or its arguments prove nothing.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import { isReadOnly, runsScript } from '../catalog/nature.ts';
import { ReplyError } from '../formats/resp.ts';
import type { Reply } from '../redis/reply.ts';

/** What the script could repeat. */
export interface ScriptWords {
  readonly source: Bytes;
  readonly keys: readonly Bytes[];
  readonly args: readonly Bytes[];
}

/** As Redis 6.0 to 8.0, Valkey 8.0 to 9 and Redict 7.3 say it; each puts its own name. */
const refusals: readonly RegExp[] = [
  /^BUSY \S+ is busy running a (script\. You can only call (SCRIPT|FUNCTION) KILL or SHUTDOWN NOSAVE|module command)\.$/,
  /^LOADING \S+ is loading the dataset in memory$/,
  /^NOSCRIPT No matching script\.( Please use EVAL\.)?$/,
  /^NOAUTH Authentication required\.?$/,
  /^MOVED \d+ \S+$/,
  /^ASK \d+ \S+$/,
  /^TRYAGAIN Multiple keys request during rehashing of slot$/,
  /^CROSSSLOT Keys in request don't hash to the same slot$/,
  /^CLUSTERDOWN (The cluster is down( and only accepts read commands)?|Hash slot not served)$/,
];

/** True for a refusal by the server itself that the script cannot have said. */
export function refusedBeforeStart(reply: Reply, { source, keys, args }: ScriptWords): reply is ReplyError {
  if (!(reply instanceof ReplyError) || !refusals.some((refusal) => refusal.test(reply.message))) return false;
  const words = reply.message.slice(reply.message.indexOf(' ') + 1);
  return ![source, ...keys, ...args].some((said) => toBuffer(said).includes(words));
}

/** True for an error that says nothing of what was applied: a script that may write had begun. Of EVALSHA and FCALL the source is not known here, only what they are given. */
export function mayHaveRun(argv: readonly Bytes[], error: ReplyError): boolean {
  if (!runsScript(argv) || isReadOnly(argv)) return false;
  const [, source = '', , ...rest] = argv;
  return !refusedBeforeStart(error, { source, keys: [], args: rest });
}
