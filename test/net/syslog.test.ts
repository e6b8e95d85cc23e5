// Lines for syslog as a syslog daemon gets them, and what happens when there is none, or one that
// hangs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  AF_UNIX,
  bindSocket,
  closeSocket,
  openSocket,
  receiveBytes,
  SOCK_DGRAM,
} from '../../src/net/linux/libc.js';
import { Structure } from '../../src/net/linux/structures.js';
import { openSyslog } from '../../src/net/linux/syslog.js';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-syslog-'));
  path = join(folder, 'log');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** The socket of a syslog daemon; what is sent to it is there at once. */
class Daemon {
  readonly #fd: number;

  constructor(at = path) {
    this.#fd = openSocket(AF_UNIX, SOCK_DGRAM, 0, 'test');
    bindSocket(this.#fd, new Structure(110).u16(0, AF_UNIX).text(2, at).bytes, 'test');
  }

  read(): string | undefined {
    const buffer = new Uint8Array(4096);
    const length = receiveBytes(this.#fd, buffer);
    return length < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, length));
  }

  end(): void {
    closeSocket(this.#fd);
    rmSync(path, { force: true });
  }
}

test('a line has priority, local time, name, process id and text', () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 2, 9, 5, 7), toFake: ['Date'] });
  const daemon = new Daemon();
  openSyslog('ucarp', 'daemon', path).write('warning', '[WARNING] Switching to state: MASTER');
  expect(daemon.read()).toBe(
    `<28>Nov  2 09:05:07 ucarp[${process.pid}]: [WARNING] Switching to state: MASTER`,
  );
  daemon.end();
});

test.each([
  ['kern', 'error', 0 * 8 + 3],
  ['user', 'debug', 1 * 8 + 7],
  ['daemon', 'info', 3 * 8 + 6],
  ['auth', 'warning', 4 * 8 + 4],
  ['security', 'warning', 4 * 8 + 4],
  ['authpriv', 'info', 10 * 8 + 6],
  ['ftp', 'info', 11 * 8 + 6],
  ['local0', 'info', 16 * 8 + 6],
  ['local7', 'error', 23 * 8 + 3],
  ['local8', 'info', 3 * 8 + 6],
  ['nonsense', 'info', 3 * 8 + 6],
] as const)('facility %s with severity %s has priority %i', (facility, severity, priority) => {
  const daemon = new Daemon();
  openSyslog('tscarp', facility, path).write(severity, 'x');
  expect(daemon.read()).toMatch(new RegExp(`^<${priority}>`));
  daemon.end();
});

test('letters that are not ASCII arrive', () => {
  const daemon = new Daemon();
  openSyslog('tscarp', 'daemon', path).write('info', 'pässwörd €');
  expect(daemon.read()).toMatch(/: pässwörd €$/);
  daemon.end();
});

test('without a syslog daemon lines are lost and counted, and the next ones arrive', () => {
  const syslog = openSyslog('tscarp', 'daemon', path);
  syslog.write('info', 'one');
  syslog.write('info', 'two');
  expect(syslog.lost).toBe(2);
  const daemon = new Daemon();
  syslog.write('info', 'three');
  expect(daemon.read()).toMatch(/three$/);
  expect(syslog.lost).toBe(2);
  daemon.end();
});

test('a syslog daemon that was restarted gets the very next line', () => {
  const first = new Daemon();
  const syslog = openSyslog('tscarp', 'daemon', path);
  syslog.write('info', 'one');
  first.end();
  const second = new Daemon();
  syslog.write('info', 'two');
  expect(second.read()).toMatch(/two$/);
  expect(syslog.lost).toBe(0);
  second.end();
});

test('a syslog daemon that does not read holds nobody up', () => {
  const daemon = new Daemon();
  const syslog = openSyslog('tscarp', 'daemon', path);
  const started = performance.now();
  for (let count = 0; count < 5_000; count += 1) syslog.write('info', `line ${count}`);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(syslog.lost).toBeGreaterThan(0);
  expect(daemon.read()).toMatch(/line 0$/);
  daemon.end();
});
