// Signals to a command that is no daemon: it neither ends nor opens a debugger.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../fakes/bundle.js';

let program: Program | undefined;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-signals-'));
  program = await buildProgram(new URL('../../bin/tscarp.ts', import.meta.url), 'tscarp');
});
afterAll(() => {
  program?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('USR1 and USR2 do nothing to a command that waits', async () => {
  // A daemon that does not answer is waited for.
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, '1@eth0.sock'), resolve));
  const asked = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const child = spawn(process.execPath, [program?.file ?? '', 'status', '--run-dir', folder]);
  const ended = new Promise((resolve) => child.once('close', (...how) => resolve(how)));
  const said = text(child.stderr);
  const socket = await asked;
  child.kill('SIGUSR1');
  child.kill('SIGUSR2');
  expect(await ended).toEqual([2, null]);
  expect(await said).toMatch(/^tscarp status: 1@eth0\.sock: .* does not answer\n$/);
  socket.destroy();
  server.close();
});
