/** What the policy does not let through waits for a person, and nothing that an agent can say stands for one. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redops } from '../cli/redops.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { approve, auditOf, folderOf, type Revision, startClient } from './client.ts';

let server: TestServer;
const revisions: readonly Revision[] = ['2026-07-28', '2025-11-25'];
const unlink = { operation_type: 'batch', select: { match: 'cache:*' }, do: { action: 'unlink' } };
const set = { operation_type: 'pipelining', commands: ['SET k new'] };

beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  await server.cli('FLUSHALL');
  await server.cli('MSET', 'k', 'old', 'cache:1', 'a', 'cache:2', 'b');
});

describe('an approval at a terminal', () => {
  test('lets exactly one run of exactly this plan through', async () => {
    const client = await startClient({ url: server.url });
    const digest = await client.plan(unlink);
    const waiting = await client.call('redops_apply', { digest });
    expect(waiting).toMatchObject({
      failed: false,
      status: 'needs_approval',
      said: { what_a_person_does: `redops approve ${digest}` },
    });
    expect(await server.cli('DBSIZE')).toBe('3');

    const approval = await client.approve(digest);
    const other = await client.plan(set);
    expect(await client.call('redops_apply', { digest: other, approval })).toMatchObject({
      failed: true,
      status: 'refused',
    });
    const applied = await client.call('redops_apply', { digest, approval });
    expect(applied).toMatchObject({ status: 'succeeded', said: { totals: { changed: 2 } } });
    expect(await server.cli('DBSIZE')).toBe('1');

    await server.cli('MSET', 'cache:1', 'a', 'cache:2', 'b');
    const again = await client.call('redops_apply', { digest, approval });
    expect(again).toMatchObject({ failed: true, status: 'refused' });
    expect(again.text).toContain('used before');
    expect(await server.cli('DBSIZE')).toBe('3');

    const events = client
      .audit()
      .map(({ event, decision, allowed_by }) => [event, decision ?? allowed_by].filter(Boolean).join(' '));
    for (const event of ['mcp_call', 'apply ask', 'approve', 'apply allow', 'run', 'mcp_result'])
      expect(events).toContain(event);
    expect(client.audit().find(({ event, decision }) => event === 'apply' && decision === 'allow')).toMatchObject({
      allowed_by: 'approval',
    });
    const verdict = await redops(['audit', 'verify'], { env: { REDOPS_STATE: client.state } });
    expect([verdict.status, verdict.err]).toEqual([0, expect.stringContaining('each follows from the one before')]);
  });

  test('is bound to the policy that it was asked for under', async () => {
    const first = await startClient({ url: server.url });
    const digest = await first.plan(set);
    await first.call('redops_apply', { digest });
    const approval = await first.approve(digest);
    await first.close();
    const second = await startClient({ url: server.url, args: ['--allow', 'write'], state: first.state });
    const refused = await second.call('redops_apply', { digest, approval });
    expect(refused).toMatchObject({ failed: true, status: 'refused' });
    expect(refused.text).toContain('policy');
    expect(await server.cli('GET', 'k')).toBe('old');
  });

  test('holds only for what an agent has asked for, and only for its time', async () => {
    const client = await startClient({ url: server.url });
    const digest = await client.plan(set);
    const unasked = await approve(client.state, digest);
    expect(await client.call('redops_apply', { digest, approval: unasked })).toMatchObject({ status: 'refused' });
    await client.call('redops_apply', { digest });
    const expired = await approve(client.state, digest, '1ms');
    const late = await client.call('redops_apply', { digest, approval: expired });
    expect(late).toMatchObject({ failed: true, status: 'refused' });
    expect(late.text).toContain('expired');
    for (const forged of ['x', 'e30.e30', `${expired.split('.')[0]}.AAAA`, digest])
      expect(await client.call('redops_apply', { digest, approval: forged })).toMatchObject({ failed: true });
    expect(await server.cli('GET', 'k')).toBe('old');
  });

  test('does not cover a plan that was changed on disk, another data set, or more keys than were foreseen', async () => {
    const client = await startClient({ url: server.url });
    const digest = await client.plan(unlink);
    await client.call('redops_apply', { digest });
    const approval = await client.approve(digest);
    await server.cli('EVAL', "for i = 1, 500 do redis.call('SET', 'cache:new:' .. i, 'x') end", '0');
    const drifted = await client.call('redops_apply', { digest, approval });
    expect(drifted).toMatchObject({ failed: true, status: 'refused', said: { code: 'drift' } });
    expect(await server.cli('DBSIZE')).toBe('503');

    const path = join(client.state, 'plans', `${digest.slice(7)}.json`);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('cache:*', '*'));
    const changed = await client.call('redops_apply', { digest, approval });
    expect(changed).toMatchObject({ failed: true, status: 'refused', said: { code: 'tampered' } });
    expect(await server.cli('DBSIZE')).toBe('503');
  });
});

describe.each(revisions)('an approval in a dialog, revision %s', (revision) => {
  const config = (more: string) => `targets:\n  shop:\n    url: ${server.url}\n    ${more}\n`;

  test('runs the plan when the person types the name of the target', async () => {
    const client = await startClient({
      url: server.url,
      config: config('policy: { elicitation: true }'),
      args: ['--target', 'shop'],
      revision,
      person: 'shop',
    });
    const digest = await client.plan(set);
    expect(await client.call('redops_apply', { digest })).toMatchObject({ status: 'succeeded' });
    expect(client.asked).toHaveLength(1);
    expect(client.asked[0]).toContain(digest.slice(7, 19));
    expect(await server.cli('GET', 'k')).toBe('new');
    expect(client.audit().filter(({ allowed_by }) => allowed_by === 'elicitation')).toHaveLength(1);
  });

  test.each([
    ['another name', 'cache'],
    ['no', { decline: true }],
  ] as const)('sends nothing on %s', async (_, person) => {
    const client = await startClient({
      url: server.url,
      config: config('policy: { elicitation: true }'),
      args: ['--target', 'shop'],
      revision,
      person,
    });
    const digest = await client.plan(set);
    expect(await client.call('redops_apply', { digest })).toMatchObject({ status: 'needs_approval' });
    expect(client.asked).toHaveLength(1);
    expect(await server.cli('GET', 'k')).toBe('old');
  });

  test.each([
    ['on production', 'tag: production\n    policy: { elicitation: true, allow: destructive }'],
    ['where the policy does not let it', 'policy: { allow: read }'],
    ['where the file forbids it and the command line asks for it', 'policy: { elicitation: false }'],
  ])('is not asked for %s', async (_, more) => {
    const args = ['--target', 'shop', ...(more.includes('false') ? ['--elicitation'] : [])];
    const client = await startClient({ url: server.url, config: config(more), args, revision, person: 'shop' });
    const digest = await client.plan(set);
    expect(await client.call('redops_apply', { digest })).toMatchObject({ status: 'needs_approval' });
    expect(client.asked).toEqual([]);
    expect(await server.cli('GET', 'k')).toBe('old');
  });
});

test('an answer that nobody was asked for counts for nothing', async () => {
  const client = await startClient({ url: server.url, args: ['--elicitation'], person: 'unused' });
  const digest = await client.plan(set);
  const inputResponses = { approval: { action: 'accept', content: { target: server.url } } };
  for (const requestState of [undefined, 'v1.e30.AAAA']) {
    const params = {
      name: 'redops_apply',
      arguments: { digest },
      inputResponses,
      ...(requestState ? { requestState } : {}),
    };
    const status = await client.client.callTool(params as Parameters<typeof client.client.callTool>[0]).then(
      ({ structuredContent }) => (structuredContent as { status?: string }).status,
      (error: Error) => error.message,
    );
    expect(status).toMatch(requestState ? /requestState/ : /^needs_approval$/);
  }
  expect(await server.cli('GET', 'k')).toBe('old');
});

test('--allow destructive on production still needs a person for what cannot be undone', async () => {
  const config = `targets:\n  shop:\n    url: ${server.url}\n    tag: production\n`;
  const client = await startClient({ url: server.url, config, args: ['--target', 'shop', '--allow', 'destructive'] });
  const planned = await client.call('redops_plan', { request: set });
  expect(planned).toMatchObject({ status: 'needs_approval', said: { waits: expect.stringContaining('production') } });
  const digest = String(planned.said.digest);
  expect(await client.call('redops_apply', { digest })).toMatchObject({ status: 'needs_approval' });
  const reversible = await client.plan({ operation_type: 'expiration', action: 'set', keys: ['k'], ttl: '1h' });
  expect(await client.call('redops_apply', { digest: reversible })).toMatchObject({ status: 'succeeded' });
  const approval = await client.approve(digest);
  expect(await client.call('redops_apply', { digest, approval })).toMatchObject({ status: 'succeeded' });
  expect(auditOf(client.state).filter(({ event }) => event === 'approve')).toHaveLength(1);
});

test('a dry run reads nothing that the policy hides, and nothing beyond the budget', async () => {
  const config = `targets:\n  shop:\n    url: ${server.url}\n    policy: { allow: read, prefixes: { "k": none }, budget: { server_ms: 1 } }\n`;
  const client = await startClient({ url: server.url, config, args: ['--target', 'shop'] });
  const dry = async (request: Readonly<Record<string, unknown>>) =>
    client.call('redops_apply', { digest: await client.plan(request), dry_run: true });
  for (const commands of [['GET k'], ['GET k', 'INCR n']]) {
    const hidden = await dry({ operation_type: 'pipelining', commands });
    expect(hidden).toMatchObject({ status: 'needs_approval' });
    expect(hidden.text).not.toMatch(/\bold\b/);
  }
  const names = await dry({ operation_type: 'key_management', action: 'find', match: '*' });
  expect(names).toMatchObject({ status: 'needs_approval' });
  expect(await dry({ operation_type: 'pipelining', commands: ['GET a', 'INCR n'] })).toMatchObject({
    status: 'succeeded',
    said: { dry_run: true },
  });
  await server.cli('EVAL', "for i = 1, 9000 do redis.call('HSET', 'h', i, i) end", '0');
  const dear = await dry({ operation_type: 'pipelining', commands: ['HGETALL h', 'HGETALL h', 'HGETALL h', 'INCR n'] });
  expect(dear).toMatchObject({ status: 'needs_approval' });
  expect(await server.cli('EXISTS', 'n')).toBe('0');
});

test('redops.yaml says for each prefix what may be done without a person', async () => {
  const config = `targets:\n  shop:\n    url: ${server.url}\n    policy:\n      allow: write\n      prefixes: { "cache:": destructive, "k": none }\n`;
  const client = await startClient({ url: server.url, config, args: ['--target', 'shop'] });
  expect(await client.inspect('GET k')).toMatchObject({ failed: true, status: 'refused' });
  const priced = await client.call('redops_explain', { commands: ['GET k'] });
  expect(Object.keys(priced.said)).not.toContain('estimate');
  const hidden = await client.plan({ operation_type: 'pipelining', commands: ['LPUSH k x', 'KEYS *'] });
  for (const tool of ['redops_explain', 'redops_lint']) {
    const told = await client.call(tool, { digest: hidden });
    expect(told.said, tool).toMatchObject({ says: expect.stringContaining('does not let its keys be read') });
    for (const member of ['findings', 'warnings', 'estimate', 'explained'])
      expect(told.said).not.toHaveProperty(member);
  }
  expect(await client.inspect('GET cache:1')).toMatchObject({ status: 'succeeded' });
  expect(await client.call('redops_apply', { digest: await client.plan(set) })).toMatchObject({
    status: 'needs_approval',
  });
  expect(await client.call('redops_apply', { digest: await client.plan(unlink) })).toMatchObject({
    status: 'succeeded',
  });
  const rest = { operation_type: 'batch', select: { match: '*' }, do: { action: 'unlink' } };
  expect(
    await client.call('redops_apply', { digest: await client.plan({ ...rest, accept: ['KEY004'] }) }),
  ).toMatchObject({ status: 'needs_approval' });
  expect(await server.cli('KEYS', '*')).toBe('k');
});

test('of a plan that was made for another target nothing is told', async () => {
  const theirs = await startClient({ url: server.url });
  const digest = await theirs.plan(set);
  const config = `targets:\n  other:\n    url: ${server.url}\n`;
  const ours = await startClient({ url: server.url, config, args: ['--target', 'other'], state: theirs.state });
  for (const tool of ['redops_explain', 'redops_lint']) {
    expect(await theirs.call(tool, { digest }), tool).toMatchObject({ failed: false });
    const none = await ours.call(tool, { digest });
    expect(none, tool).toMatchObject({ failed: true, said: { code: 'usage' } });
    expect(none.text).toContain('no plan is kept');
  }
});

test('a call that cannot be recorded is not served', async () => {
  const state = folderOf('audit');
  mkdirSync(join(state, 'audit.jsonl'));
  const client = await startClient({ url: server.url, state, args: ['--allow', 'destructive'] });
  for (const tool of ['redops_inspect', 'redops_plan'])
    expect(await client.call(tool, { request: set })).toMatchObject({
      failed: true,
      status: 'fault',
      said: { code: 'state' },
    });
  expect(await server.cli('GET', 'k')).toBe('old');
});

test('a line of the log that was changed is found', async () => {
  const client = await startClient({ url: server.url });
  await client.inspect('PING');
  await client.inspect('GET k');
  const path = join(client.state, 'audit.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [lines[0]?.replace('mcp_call', 'mcp_cxll'), ...lines.slice(1)].join('\n'));
  const verdict = await redops(['audit', 'verify', '--json'], { env: { REDOPS_STATE: client.state } });
  expect([verdict.status, JSON.parse(verdict.out)]).toEqual([1, expect.objectContaining({ ok: false, line: 2 })]);
});
