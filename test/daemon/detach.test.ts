// -B for real: a process that starts a second one, hands it the configuration, and waits for its
// word.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../fakes/bundle.js';
import { testConfig } from '../fakes/config.js';

const execute = promisify(execFile);
let program: Program | undefined;
let folder = '';
let report = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-detach-'));
  report = join(folder, 'report');
  program = await buildProgram(new URL('detach-program.ts', import.meta.url), 'detach-program');
});
afterAll(() => {
  program?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** What the first process learned of the second. */
async function run(vhid: number, personality = 'tscarp'): Promise<{ readonly pid: number }> {
  const argv = [program?.file ?? '', String(vhid), report, personality];
  const { PATH } = process.env;
  const { stdout, stderr } = await execute(process.execPath, argv, {
    env: { PATH, TSCARP_PASS_FILE: '/etc/pass' },
    timeout: 15_000,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('the second process has everything it needs, no terminal, and nothing to show', async () => {
  const outcome = await run(1);
  const second = JSON.parse(readFileSync(report, 'utf8'));
  process.kill(second.pid, 'SIGKILL');
  expect(outcome).toEqual({ ok: true, pid: expect.any(Number) });
  expect(second.pid).not.toBe(outcome.pid);
  const { password: _, ...config } = testConfig();
  expect(second).toEqual({
    pid: expect.any(Number),
    session: second.pid,
    terminal: 0,
    folder: '/',
    files: ['/dev/null', '/dev/null', '/dev/null'],
    argv: ['1', report, 'tscarp', '--pass=****'],
    environment: ['TSCARP_PASS_FILE'],
    password: [0x70, 0xff, 0x00, 0xe4],
    isBytes: true,
    messages: [{ level: 'warning', text: 'Warning: "äöü"\nsecond line' }],
    config: JSON.parse(JSON.stringify(config)),
  });
});

test('files that the caller passes on stay open: flock LOCK ucarp -B holds the lock', async () => {
  const lock = join(folder, 'lock');
  const words = ['-n', lock, process.execPath, program?.file ?? '', '1', report, 'tscarp'];
  const { stdout } = await execute('flock', words, { env: { PATH: process.env['PATH'] } });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  const again = execute('flock', ['-n', lock, 'true']);
  await expect(again).rejects.toMatchObject({ code: 1 });
  process.kill(JSON.parse(readFileSync(report, 'utf8')).pid, 'SIGKILL');
  await expect.poll(() => execute('flock', ['-n', lock, 'true'])).toBeDefined();
});

test('what the second process failed of is told in its words', async () => {
  // Its last word and its end come at the same time, so once is not enough.
  for (let count = 0; count < 3; count += 1) {
    expect(await run(2)).toMatchObject({
      ok: false,
      status: 1,
      lines: ['There is no interface nope0'],
    });
  }
});

test.each([
  [3, 'exit status 7'],
  [4, 'SIGKILL'],
  [5, 'exit status 1'],
])('a second process that ends without a word (%i) has failed', async (vhid, how) => {
  expect(await run(vhid)).toMatchObject({
    ok: false,
    status: 1,
    lines: [`Ended before it was ready (${how})`],
  });
});

test("under the name ucarp such a failure has ucarp's status", async () => {
  expect(await run(3, 'ucarp')).toMatchObject({ ok: false, status: 2 });
});
