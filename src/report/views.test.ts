import { describe, expect, it } from 'vitest';
import { someDiagnostic, somePlan, someTarget } from '../../test/cli/documents.ts';
import type { Report } from '../plan/report.ts';
import { diagnosticsText } from './diagnostics-text.ts';
import { foldEvents, needsApprovalReport, refusedReport } from './fold.ts';
import { columnsOf, type Paint, plainPaint } from './layout.ts';
import { estimateText, planText } from './plan-text.ts';
import { reportText } from './report-text.ts';
import { auditText, inspectText, keysText } from './tables.ts';

/** Asserts the width and the harmlessness of a view, and gives its text. */
function checked(text: string, width = 80): string {
  for (const line of text.split('\n')) expect(columnsOf(line), line).toBeLessThanOrEqual(width);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  return text;
}

const pipeline = somePlan({ execution_plan: { strategy: 'pipeline' } });
const lines = (text: string): string => `\n${text}\n`;

function reportOf(results: Report['results'], changes: Partial<Report> = {}): Report {
  const events = results.map((result) => ({ kind: 'result', result, effect: 'changed' }) as const);
  const report = foldEvents(pipeline, 'r', [
    { kind: 'run_started', run_id: '20300101-120000-abc123', plan_digest: '', dry_run: false, at_ms: 0 },
    ...events,
    { kind: 'run_finished', status: 'succeeded', at_ms: 1234 },
  ]);
  return { ...report, ...changes };
}

describe('planText', () => {
  it('is a screen that says what will happen, how sure that is and whether it can be undone', () => {
    const plan = somePlan({
      warnings: [someDiagnostic({ code: 'EVI001', message: 'half of the keys have no TTL' })],
      unchecked: [{ code: 'ACL001', reason: 'the server is older than 7.0' }],
    });
    expect(lines(checked(planText(plan)))).toMatchInlineSnapshot(`
      "
      Plan: unlink every key that matches session:*
        on        cache: valkey 8.1.1, standalone master, database 0, 1,203,441 keys,
                  700 MB in use

        keys      about 500,000; sampled: 490,000 to 510,000 with 95% confidence (42%
                  of the database)
                  for example         type    size  time to live
                  session:1           string  88 B           5 m
                  "session:\\x1b[2Jx"  hash    2 KB          none
                  50% of the sampled keys have a TTL
        sends     UNLINK {{key}}
        how       scan_job: batches of 500, 4 batches in flight, 2,204 round trips of
                  0.12 ms
        takes     about 1.9 s, 900 ms of it the server's own time; 19.1 MB sent, 8.6
                  MB received
        touches   1,703,441 elements on the server
        nature    DESTRUCTIVE: what is deleted or overwritten is gone
                  NOT reversible: there is no undo
                  not atomic: each key by itself, other clients act in between
                  idempotent: running it again changes nothing more
        retries   at most 3, from 500 ms upwards, on connection_timeout, BUSY
        because   UNLINK, not DEL: the memory of a large collection is freed by
                  another thread.
        needs     +scan +unlink +info ~session:*

      warning EVI001 at commands[0]
        half of the keys have no TTL
        why  DEL frees the value on the main thread: about 400 ms in which no other
             client is served.
        fix  Use UNLINK, which frees the memory in another thread.
        docs docs/rules/DEL001.md

      0 errors, 1 warning

      not checked (1): these rules could not be judged, which is not a pass
        ACL001  the server is older than 7.0

      digest 3f2a9c1b7d4e
      "
    `);
  });

  it("names a transaction's lack of rollback and a read that only reads", () => {
    const transaction = somePlan({
      request: { operation_type: 'transaction', commands: ['SET a 1', 'INCR b'], when: 'x > 1', let: { x: 'GET c' } },
      target: someTarget({ selections: [] }),
      commands: [
        { argv: ['SET', 'a', { expr: 'x - 1' }] },
        { argv: ['PEXPIREAT', 'a', { deadline: { after_ms: 86_400_000, jitter_ms: 8_640_000 } }] },
      ],
      execution_plan: {
        strategy: 'watch_transaction',
        atomic: true,
        idempotent: false,
        destructive: false,
        rollback: 'none',
        estimate: { ...somePlan().execution_plan.estimate, keys: 3, low: 3, high: 3, basis: 'counted' },
      },
    });
    expect(lines(checked(planText(transaction)))).toMatchInlineSnapshot(`
      "
      Plan: run 2 commands in one MULTI/EXEC under WATCH, if x > 1
        on        cache: valkey 8.1.1, standalone master, database 0, 1,203,441 keys,
                  700 MB in use

        keys      3, counted
        sends     SET a {{ x - 1 }}
                  PEXPIREAT a <now + 1 d + 0 to 2 h 24 m>
        how       watch_transaction: batches of 500, 4 batches in flight, 2,204 round
                  trips of 0.12 ms
        takes     about 1.9 s, 900 ms of it the server's own time; 19.1 MB sent, 8.6
                  MB received
        touches   1,703,441 elements on the server
        nature    NOT reversible: there is no undo
                  atomic: no other client's command runs in between
                  NOT idempotent: running it twice counts twice
                  no rollback: a command that fails inside EXEC leaves the others
                  applied
        retries   at most 3, from 500 ms upwards, on connection_timeout, BUSY
        because   UNLINK, not DEL: the memory of a large collection is freed by
                  another thread.
        needs     +scan +unlink +info ~session:*

      digest 3f2a9c1b7d4e
      "
    `);
    const read = checked(planText(somePlan({ execution_plan: { writes: false } })));
    expect(read).toContain('nature    only reads');
    expect(read).not.toContain('undo');
  });

  it.each([60, 80, 132])('fits %i columns, whatever the names', (width) => {
    const target = someTarget({ name: '名前'.repeat(60) });
    const plan = somePlan({
      target,
      request: { operation_type: 'key_management', action: 'delete', keys: ['\u202e'.repeat(90)] },
    });
    checked(planText(plan, { width }), width);
  });

  it('adds colour and nothing else', () => {
    const paint: Paint = { ...plainPaint, red: (text) => `<${text}>`, bold: (text) => `<${text}>` };
    const plain = planText(somePlan());
    const coloured = planText(somePlan(), { paint });
    expect(coloured).not.toBe(plain);
    expect(coloured.replace(/[<>]/g, '')).toBe(plain.replace(/[<>]/g, ''));
  });
});

describe('estimateText', () => {
  it('says counted, sampled or bound', () => {
    const { estimate } = somePlan().execution_plan;
    expect(lines(checked(estimateText(estimate, 1_703_441)))).toMatchInlineSnapshot(`
      "
      Estimate
        keys      about 500,000; sampled: 490,000 to 510,000 with 95% confidence
        touches   1,703,441 elements on the server
        takes     about 1.9 s, 900 ms of it the server's own time; 19.1 MB sent, 8.6
                  MB received
      "
    `);
    expect(estimateText({ ...estimate, basis: 'counted' }, 1)).toContain('500,000, counted');
    expect(estimateText({ ...estimate, basis: 'bound' }, 1)).toContain(
      '490,000 to 510,000; not measured, only bounded',
    );
    expect(estimateText({ ...estimate, basis: 'bound', low: 3, high: 3 }, 1)).toContain('3, exactly');
  });
});

describe('reportText', () => {
  it('says what other clients felt and how the run made way, and nothing of what it did not do', () => {
    const governor: Report['governor'] = {
      slo_p99_ms: 5,
      probes: 4211,
      idle_p99_ms: 0.21,
      p99_added_ms: 0.4,
      share: { lowest: 0, highest: 1, last: 0.85 },
      smallest_chunk: 120,
      rested: [
        { reason: 'replica_lag', ms: 4100 },
        { reason: 'latency', ms: 312 },
      ],
      unmeasured: ['INFO was refused (NOPERM \u001b[2J)'],
    };
    expect(lines(checked(reportText(reportOf([], { governor }))))).toMatchInlineSnapshot(`
      "
      Done. 1.2 s.
        others felt  p99 +0.4 ms (idle 0.21 ms, allowed +5 ms), 4,211 probes
                     took 0 % to 100 % of the server's time; rested 4.1 s for replicas
                     behind; rested 312 ms for the latency of others; at times 120
                     commands at once
                     INFO was refused (NOPERM ?[2J)

      run 20300101-120000-abc123, plan 3f2a9c1b7d4e
      "
    `);
    const calm: Report['governor'] = {
      probes: 90,
      idle_p99_ms: 0.2,
      p99_added_ms: 0,
      share: { lowest: 1, highest: 1, last: 1 },
      rested: [],
      unmeasured: [],
    };
    expect(reportText(reportOf([], { governor: calm })).split('\n')[1]).toBe(
      '  others felt  p99 +0 ms (idle 0.2 ms), 90 probes',
    );
    const blind: Report['governor'] = {
      probes: 0,
      share: { lowest: 1, highest: 1, last: 1 },
      rested: [],
      unmeasured: ['no probe: ERR max number of clients reached'],
    };
    expect(reportText(reportOf([], { governor: blind }))).toContain('others felt  no probe: ERR max');
  });

  it('says what was applied, what was not, and what is unknown', () => {
    const report = reportOf([
      { index: 0, argv: ['SET', 'a b', '1'], outcome: 'ok', reply: 'OK' },
      {
        index: 1,
        argv: ['GET', 'x'],
        outcome: 'ok',
        reply: ['a\u001b[2J', null, 5, { integer: '9223372036854775807' }],
      },
      {
        index: 2,
        argv: ['INCR', { base64: '/w==' }],
        outcome: 'error',
        reply: null,
        error: {
          code: 'E218',
          name: 'WRONGTYPE',
          message: 'Operation against a key holding \u001b[31mthe wrong kind of value',
        },
      },
      { index: 3, argv: ['INCR', 'n'], outcome: 'unknown', reply: null },
      { index: 4, argv: ['SET', 'last', 'x'.repeat(200)], outcome: 'not_sent', reply: null },
    ]);
    expect(lines(checked(reportText(report)))).toMatchInlineSnapshot(`
      "
      Ran to its end, but not everything was applied. 1.2 s.
        changed      2
        not applied  1 refused by the server
        unknown      1 without a reply: may or may not have been applied
        not sent     1

      E218 WRONGTYPE: 1 command
        INCR "\\xff"
        do   Look at the key (TYPE), and correct the command or rename the key.

      E232 outcome_unknown: 1 command
        INCR n
        do   Read the keys that the report names and decide; give a script a marker
             key, or use commands that may be repeated.

      #  outcome   command                        reply
      0  ok        SET "a b" 1                    OK
      1  ok        GET x                          ["a\\x1b[2J", (nil), (integer) 5, ...
      2  error     INCR "\\xff"                    E218 WRONGTYPE
            Operation against a key holding ?[31mthe wrong kind of value
      3  unknown   INCR n
      4  not_sent  SET last xxxxxxxxxxxxxxxxx...

      run 20300101-120000-abc123, plan 3f2a9c1b7d4e
      "
    `);
  });

  it('shows one reply in full, twenty results, and how many more', () => {
    const one = reportOf([{ index: 0, argv: ['LRANGE', 'l', '0', '-1'], outcome: 'ok', reply: ['a', ['b', null]] }]);
    expect(checked(reportText(one))).toContain('  1) "a"\n  2) 1) "b"');
    const many = reportOf(
      [...Array(25).keys()].map((index) => ({ index, argv: ['PING'], outcome: 'ok', reply: 'PONG' }) as const),
      { results_left_out: 3 },
    );
    expect(checked(reportText(many))).toContain('and 8 more: --json');
  });

  it('says where a job worked on its keys when that was on the server', () => {
    const totals = { scanned: 30, matched: 20, changed: 20, unchanged: 0, failed: 0, unknown: 0, retried: 0 };
    const onServer = checked(reportText(reportOf([], { totals, engine: 'server' })));
    expect(onServer).toContain('scanned      30 visited, 20 matched, acted on by a script there');
    expect(checked(reportText(reportOf([], { totals, engine: 'client' })))).not.toContain('script');
  });

  it.each([
    ['committed', 'every command was applied'],
    ['conflict', 'nothing was applied'],
    ['redirected', 'nothing was applied'],
    ['aborted', 'nothing was applied'],
    ['partial', 'the others are applied'],
    ['not_met', 'nothing was written'],
    ['unknown', 'all of it was applied, or'],
  ] as const)('explains a transaction that is %s', (outcome, words) => {
    const text = checked(
      reportText(reportOf([], { transaction: { outcome, attempts: 2, engine: 'watch', reads: { a: 5 } } })),
    );
    expect(text.replace(/\s+/g, ' ')).toContain(words);
    expect(text.replace(/\s+/g, ' ')).toContain('(2 attempts)');
    expect(text).toContain('read a = (integer) 5');
  });

  it('claims nothing for what did not run, and no completeness that is not proven', () => {
    expect(
      lines(checked(reportText(refusedReport(undefined, [someDiagnostic({ severity: 'error' })], 0)))),
    ).toMatchInlineSnapshot(`
      "
      Refused: nothing was sent.

      error DEL001 at commands[0]
        DEL of a hash of 1,000,000 fields holds the server
        why  DEL frees the value on the main thread: about 400 ms in which no other
             client is served.
        fix  Use UNLINK, which frees the memory in another thread.
        docs docs/rules/DEL001.md

      1 error, 0 warnings
      "
    `);
    expect(checked(reportText(needsApprovalReport(somePlan(), 'it is destructive', 0)))).toContain('nothing was sent');
    const unproven = reportOf([], { verification: { complete: false, unproven: ['keys were created meanwhile'] } });
    expect(checked(reportText(unproven))).toContain('completeness is not proven');
    expect(checked(reportText(unproven))).toContain('keys were created meanwhile');
    const met = someDiagnostic({ severity: 'info', at: 'the run', message: 'a reply was lost' });
    const noted = reportOf([], { warnings: [someDiagnostic({ severity: 'warning' }), met] });
    expect(checked(reportText(noted, { warnings: false }))).toMatch(/^ {2}note +a reply was lost\. /m);
    expect(checked(reportText(noted, { warnings: false }))).not.toContain('DEL001');
    const dry = reportOf([{ index: 0, argv: ['DEL', 'a'], outcome: 'not_sent', reply: null }], {
      dry_run: true,
      would_send: 1,
    });
    expect(checked(reportText(dry))).toContain('Dry run: nothing was written. 1 command would be sent.');
  });
});

describe('diagnosticsText', () => {
  const source = 'SET a 1\nDEL big:hash\t\u001b[2J\r\n';
  const span = { file: 'app.redis', line: 2, column: 5, length: 8 };

  it('underlines the offending part, worst first, with a count', () => {
    const text = diagnosticsText(
      [
        someDiagnostic({ at: 'app.redis:2:5', span }),
        someDiagnostic({ code: 'KEY001', severity: 'error', error: 'E204', accepted: true }),
      ],
      { sources: new Map([['app.redis', source]]), unchecked: [{ code: 'SIZ001', reason: 'no server was asked' }] },
    );
    expect(lines(checked(text))).toMatchInlineSnapshot(`
      "
      error KEY001 (accepted) at commands[0], E204 at the server
        DEL of a hash of 1,000,000 fields holds the server
        why  DEL frees the value on the main thread: about 400 ms in which no other
             client is served.
        fix  Use UNLINK, which frees the memory in another thread.
        docs docs/rules/DEL001.md

      warning DEL001 at app.redis:2:5
        DEL of a hash of 1,000,000 fields holds the server
        2 | DEL big:hash ?[2J
          |     ^^^^^^^^
        why  DEL frees the value on the main thread: about 400 ms in which no other
             client is served.
        fix  Use UNLINK, which frees the memory in another thread.
        docs docs/rules/DEL001.md

      not checked (1): these rules could not be judged, which is not a pass
        SIZ001  no server was asked

      1 error, 1 warning
      "
    `);
  });

  it('shows the part of a long line, wide characters counted as two columns', () => {
    const long = `SET k ${'x'.repeat(300)}漢字 DEL end`;
    const at = long.indexOf('DEL') + 1;
    const text = diagnosticsText([someDiagnostic({ span: { line: 1, column: at, length: 3 } })], {
      sources: new Map([['', long]]),
    });
    const shown = checked(text).split('\n');
    const line = shown.findIndex((one) => one.includes('1 | '));
    const start = columnsOf((shown[line] ?? '').slice(0, (shown[line] ?? '').indexOf('DEL')));
    expect((shown[line + 1] ?? '').indexOf('^^^')).toBe(start);
  });

  it('is silent about nothing, and survives a span beyond the source', () => {
    expect(diagnosticsText([])).toBe('');
    const beyond = someDiagnostic({ span: { line: 99, column: 99, length: 9 } });
    expect(diagnosticsText([beyond], { sources: new Map([['', 'x']]) })).toContain('DEL001');
  });
});

describe('tables', () => {
  it('keys are whole, one a line, and read back', () => {
    const report = reportOf([], { found: { keys: ['a', 'with blank', { base64: '/wo=' }], more: false } });
    expect(keysText(report)).toBe('a\n"with blank"\n"\\xff\\n"');
  });

  it('inspect has one row a key, "-" where there is no answer', () => {
    const argvs: readonly (readonly [string[], Report['results'][number]['reply']])[] = [
      [['TYPE', 'a'], 'hash'],
      [['PTTL', 'a'], 61_000],
      [['OBJECT', 'ENCODING', 'a'], 'listpack'],
      [['MEMORY', 'USAGE', 'a'], 2048],
      [['HLEN', 'a'], 12],
      [['TYPE', 'none'], 'none'],
      [['PTTL', 'none'], -2],
      [['MEMORY', 'USAGE', 'none'], null],
    ];
    const results = argvs.map(([argv, reply], index) => ({ index, argv, outcome: 'ok' as const, reply }));
    expect(lines(checked(inspectText(reportOf(results))))).toMatchInlineSnapshot(`
      "
      key   type  encoding  elements  memory  time to live
      a     hash  listpack        12    2 KB       1 m 1 s
      none  none  -                -       -       missing
      "
    `);
  });

  it('audit shows the prefixes with most keys without TTL first', () => {
    const groups = [
      { prefix: 'a:', keys: 10, without_ttl: 1, shortest_ms: 1000, longest_ms: 90_000 },
      { prefix: 'b\u001b:', keys: 2000, without_ttl: 2000 },
    ];
    expect(lines(checked(auditText(groups)))).toMatchInlineSnapshot(`
      "
      prefix     keys  without TTL  part  shortest   longest
      "b\\x1b:"  2,000        2,000  100%         -         -
      a:           10            1   10%       1 s  1 m 30 s
      "
    `);
  });
});
