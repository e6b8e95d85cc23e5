// status, demote and promote as programs, speaking to control sockets that this test answers on.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Command, listen, type Reply, socketPath } from '../../src/daemon/control.js';
import { createCounters } from '../../src/daemon/counters.js';
import type { Status } from '../../src/daemon/status.js';
import { buildProgram, type Program } from '../fakes/bundle.js';

let program: Program | undefined;
let folder = '';
let open: { close(): void }[] = [];
let asked: string[] = [];

beforeAll(async () => {
  program = await buildProgram(new URL('../../bin/tscarp.ts', import.meta.url), 'tscarp');
});
afterAll(() => program?.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-instances-'));
  open = [];
  asked = [];
});
afterEach(() => {
  for (const one of open) one.close();
  rmSync(folder, { recursive: true, force: true });
});

function statusOf(vhid: number, more: Partial<Status> = {}): Status {
  return {
    protocol: 'carp',
    vhid,
    interface: 'eth1',
    state: 'master',
    since: new Date(2026, 10, 22, 11, 45, 42).toISOString(),
    reason: 'master-down',
    addresses: ['10.0.0.10'],
    master: null,
    counters: createCounters(),
    source: '10.0.0.1',
    advbase: 1,
    advskew: 0,
    preempt: false,
    backend: 'packet',
    pid: 4711,
    ...more,
  };
}

async function daemon(status: Status, refusal?: string): Promise<void> {
  const answer = (command: Command): Reply => {
    if (command !== 'status') asked.push(`${command} ${status.vhid}`);
    if (command !== 'status' && refusal !== undefined) return { ok: false, error: refusal };
    return { ok: true, status, text: 'done' };
  };
  const path = socketPath(folder, status.vhid, status.interface);
  open.push(await listen(path, folder, answer));
}

interface Around {
  readonly cwd?: string;
  readonly stdout?: number | 'pipe';
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the program; its answers come from this process, which must not be blocked meanwhile. */
async function tscarp(words: readonly string[], around: Around = {}) {
  const { cwd = folder, stdout = 'pipe', env = { TSCARP_RUN_DIR: folder } } = around;
  const child = spawn(process.execPath, [program?.file ?? '', ...words], {
    cwd,
    stdio: ['ignore', stdout, 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const out = child.stdout === null ? '' : text(child.stdout);
  const err = child.stderr === null ? '' : text(child.stderr);
  return { status: await ended, stdout: await out, stderr: await err };
}

const rows = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

describe('status', () => {
  test('shows who is master, of whom, since when and why', async () => {
    await daemon(statusOf(2, { state: 'backup', reason: 'start', master: heard(400) }));
    await daemon(statusOf(10));
    const { status, stdout, stderr } = await tscarp(['status']);
    expect([status, stderr]).toEqual([1, '']);
    const since = '2026-11-22 11:45:42';
    expect(rows(stdout).slice(1)).toEqual([
      ['2', 'eth1', 'BACKUP', since, '10.0.0.10', '10.0.0.2 1/50, 0.4 s ago', 'started', 'none'],
      ['10', 'eth1', 'MASTER', since, '10.0.0.10', 'never heard', 'no master was heard', 'none'],
    ]);
  });

  const heard = (age: number, advbase = 1, advskew = 50) => {
    return { address: '10.0.0.2', advbase, advskew, age };
  };

  test.each([
    [heard(99_900), '10.0.0.2 1/50, 99.9 s ago'],
    [heard(100_000), '10.0.0.2 1/50, 1 min ago'],
    [heard(3 * 3_600_000), '10.0.0.2 1/50, 3 h ago'],
    [heard(72 * 3_600_000), '10.0.0.2 1/50, 3 days ago'],
    [heard(2_000, 255, 255), '10.0.0.2 said goodbye, 2.0 s ago'],
  ])('tells of the other master %o', async (master, expected) => {
    await daemon(statusOf(1, { master }));
    expect(rows((await tscarp(['status'])).stdout)[1]?.[5]).toBe(expected);
  });

  test('says what was dropped, and why the role was taken', async () => {
    const counters = createCounters();
    counters.dropped.digest = 7;
    counters.dropped.ttl = 2;
    await daemon(statusOf(1, { counters, reason: 'goodbye' }));
    const row = rows((await tscarp(['status'])).stdout)[1];
    expect(row?.slice(6)).toEqual(['the master said goodbye', 'ttl 2, digest 7']);
  });

  test('is an array in JSON, and its status tells master of all, not, none', async () => {
    expect(await tscarp(['status', '--json'])).toMatchObject({ status: 3, stdout: '[]\n' });
    await daemon(statusOf(1));
    const all = await tscarp(['status', '--json']);
    expect([all.status, JSON.parse(all.stdout)]).toEqual([0, [statusOf(1)]]);
    await daemon(statusOf(2, { state: 'initialize' }));
    expect((await tscarp(['status'])).status).toBe(1);
  });

  test.each([
    [['-v', '8'], ['8']],
    [['--vhid', '010'], ['8']],
    [['--if', 'eth2'], ['9']],
    [['--vhid', '8', '--if', 'eth2'], []],
  ])('%j', async (words, vhids) => {
    await daemon(statusOf(8));
    await daemon(statusOf(9, { interface: 'eth2' }));
    const { stdout, status } = await tscarp(['status', ...words]);
    expect(
      rows(stdout)
        .slice(1)
        .map(([vhid]) => vhid),
    ).toEqual(vhids);
    expect(status).toBe(vhids.length > 0 ? 0 : 3);
  });

  test('shows the others when one cannot be asked, names that one and ends with 2', async () => {
    await daemon(statusOf(1));
    const mute = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => mute.listen(socketPath(folder, 2, 'eth1'), resolve));
    open.push(mute);
    const { status, stdout, stderr } = await tscarp(['status']);
    expect([status, rows(stdout)[1]?.[0]]).toEqual([2, '1']);
    expect(stderr).toMatch(/^tscarp status: 2@eth1\.sock: .* closed without an answer\n$/);
    expect((await tscarp(['status', '--vhid', '1'])).status).toBe(0);
  });

  test('takes an empty variable for none', async () => {
    const { status, stderr } = await tscarp(['status'], { env: { TSCARP_RUN_DIR: '' } });
    expect(status).not.toBe(2);
    expect(stderr).not.toContain('in )');
  });

  test('works in a directory that is gone', async () => {
    await daemon(statusOf(1));
    const gone = mkdtempSync(join(tmpdir(), 'tscarp-gone-'));
    const command = `rmdir "$PWD"; exec '${process.execPath}' '${program?.file}' status --help`;
    const { status, stdout } = spawnSync('sh', ['-c', command], { cwd: gone, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('--json');
  });

  test('that cannot be written is no success', async () => {
    await daemon(statusOf(1));
    const { status, stderr } = await tscarp(['status'], { stdout: openSync('/dev/full', 'w') });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^tscarp status: cannot write: ENOSPC/);
  });

  test.each([
    [['--vhid', '0'], 'is not a virtual host id'],
    [['--vhid', 'x'], 'is not a virtual host id'],
    [['--nope'], 'nknown argument'],
    [['word'], 'no words'],
  ])('refuses %j', async (words, reason) => {
    const { status, stdout, stderr } = await tscarp(['status', ...words]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
  });
});

describe('demote and promote', () => {
  test('reach every instance that is meant, and say what came of it', async () => {
    await daemon(statusOf(1));
    await daemon(statusOf(2));
    expect(await tscarp(['demote'])).toEqual({
      status: 0,
      stdout: 'vhid 1 on eth1: done\nvhid 2 on eth1: done\n',
      stderr: '',
    });
    await tscarp(['promote', '--vhid', '2']);
    expect(asked.sort()).toEqual(['demote 1', 'demote 2', 'promote 2']);
  });

  test('end with 1 when one refuses, and 3 when there is none', async () => {
    expect((await tscarp(['demote'])).status).toBe(3);
    await daemon(statusOf(1), 'a better master lives');
    expect(await tscarp(['promote'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'vhid 1 on eth1: not done: a better master lives\n',
    });
    const { status, stdout } = await tscarp(['promote', '--json']);
    expect([status, JSON.parse(stdout)]).toEqual([
      1,
      [{ vhid: 1, interface: 'eth1', ok: false, text: 'a better master lives' }],
    ]);
  });
});
