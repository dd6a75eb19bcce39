/** Every rule, in the order of its code. `npm run new-rule` adds to it. */
import type { Rule } from '../rule.ts';
import { cap001 } from './cap001-max-keys.ts';
import { cap002 } from './cap002-max-percent.ts';
import { cap003 } from './cap003-prefixes.ts';
import { clu001 } from './clu001-crossslot-command.ts';
import { clu002 } from './clu002-hot-slot.ts';
import { clu003 } from './clu003-one-node-only.ts';
import { clu004 } from './clu004-databases-in-a-cluster.ts';
import { del001 } from './del001-blocking-delete.ts';
import { del002 } from './del002-huge-string.ts';
import { del003 } from './del003-flush.ts';
import { del004 } from './del004-consumer-groups.ts';
import { key001 } from './key001-keys-command.ts';
import { key002 } from './key002-scan-count.ts';
import { key004 } from './key004-every-key.ts';
import { key005 } from './key005-rename-onto.ts';
import { key006 } from './key006-one-node-sample.ts';
import { lua001 } from './lua001-undeclared-key.ts';
import { lua002 } from './lua002-zero-is-true.ts';
import { lua003 } from './lua003-unbounded-work.ts';
import { lua004 } from './lua004-missing-script.ts';
import { lua005 } from './lua005-spliced-values.ts';
import { lua006 } from './lua006-script-flags.ts';
import { lua007 } from './lua007-lost-replies.ts';
import { lua008 } from './lua008-numkeys.ts';
import { lua009 } from './lua009-globals.ts';
import { lua010 } from './lua010-refused-call.ts';
import { lua011 } from './lua011-not-in-scripts.ts';
import { lua012 } from './lua012-unreachable-code.ts';
import { lua013 } from './lua013-ignored-error.ts';
import { lua014 } from './lua014-whole-value-in-loop.ts';
import { lua015 } from './lua015-unknown-function.ts';
import { lua016 } from './lua016-library-change.ts';
import { lua017 } from './lua017-not-in-a-library.ts';
import { ops001 } from './ops001-forks-and-failovers.ts';
import { ops002 } from './ops002-memory-headroom.ts';
import { ops003 } from './ops003-replicas-behind.ts';
import { ops004 } from './ops004-costly-inspection.ts';
import { ops005 } from './ops005-events-per-key.ts';
import { ops006 } from './ops006-aof-growth.ts';
import { ops007 } from './ops007-script-kill.ts';
import { pip001 } from './pip001-pipeline-budget.ts';
import { pip002 } from './pip002-not-in-a-pipeline.ts';
import { pip003 } from './pip003-large-replies.ts';
import { pip004 } from './pip004-not-idempotent.ts';
import { rep001 } from './rep001-replica.ts';
import { sec001 } from './sec001-administration.ts';
import { sec002 } from './sec002-not-permitted.ts';
import { sec003 } from './sec003-open-target.ts';
import { sec004 } from './sec004-secrets.ts';
import { ttl001 } from './ttl001-write-without-ttl.ts';
import { ttl002 } from './ttl002-set-drops-ttl.ts';
import { ttl003 } from './ttl003-write-then-expire.ts';
import { ttl004 } from './ttl004-relative-expiry.ts';
import { ttl005 } from './ttl005-same-deadline.ts';
import { ttl006 } from './ttl006-expired-at-once.ts';
import { ttl007 } from './ttl007-persist-in-bulk.ts';
import { ttl008 } from './ttl008-evictable.ts';
import { ttl009 } from './ttl009-conditional-expire.ts';
import { ttl010 } from './ttl010-outside-strategy.ts';
import { ttl011 } from './ttl011-convention.ts';
import { tx001 } from './tx001-read-modify-write.ts';
import { tx004 } from './tx004-watch-too-late.ts';
import { tx005 } from './tx005-crossslot-transaction.ts';
import { tx006 } from './tx006-long-transaction.ts';
import { tx008 } from './tx008-hot-watched-key.ts';
import { tx009 } from './tx009-fails-at-run-time.ts';
import { val001 } from './val001-valkey9-undeclared-keys.ts';
import { ver001 } from './ver001-unknown-to-server.ts';

/** The rules that lint runs. */
export const rules: readonly Rule[] = [
  cap001,
  cap002,
  cap003,
  clu001,
  clu002,
  clu003,
  clu004,
  del001,
  del002,
  del003,
  del004,
  key001,
  key002,
  key004,
  key005,
  key006,
  lua001,
  lua002,
  lua003,
  lua004,
  lua005,
  lua006,
  lua007,
  lua008,
  lua009,
  lua010,
  lua011,
  lua012,
  lua013,
  lua014,
  lua015,
  lua016,
  lua017,
  ops001,
  ops002,
  ops003,
  ops004,
  ops005,
  ops006,
  ops007,
  pip001,
  pip002,
  pip003,
  pip004,
  rep001,
  sec001,
  sec002,
  sec003,
  sec004,
  ttl001,
  ttl002,
  ttl003,
  ttl004,
  ttl005,
  ttl006,
  ttl007,
  ttl008,
  ttl009,
  ttl010,
  ttl011,
  tx001,
  tx004,
  tx005,
  tx006,
  tx008,
  tx009,
  val001,
  ver001,
];
