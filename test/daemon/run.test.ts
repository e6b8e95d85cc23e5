// The life of a daemon on fakes, but for its control socket and pid file, which are real. Signals
// are raised without the kernel's help, because their default would end the tests.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { ask, listen, socketPath } from '../../src/daemon/control.js';
import { type Ending, type Message, type Readiness, run } from '../../src/daemon/run.js';
import { NetError } from '../../src/net/errors.js';
import type { Ipv4 } from '../../src/protocol/address.js';
import { testConfig } from '../fakes/config.js';
import { advertisement } from '../fakes/peer.js';
import { InstanceBed } from './instance-bed.js';

const handled = [
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'uncaughtException',
] as const;
type Handled = (typeof handled)[number];
type Listener = (...args: unknown[]) => void;

let bed: InstanceBed;
let folder = '';
let before = new Map<Handled, readonly Listener[]>();
let ending: Promise<Ending> | undefined;

const listeners = (name: Handled): Listener[] => process.listeners(name as 'SIGTERM') as Listener[];

beforeEach(() => {
  bed = new InstanceBed();
  folder = mkdtempSync(join(tmpdir(), 'tscarp-run-'));
  before = new Map(handled.map((name) => [name, listeners(name)]));
  ending = undefined;
});
afterEach(async () => {
  raise('SIGTERM');
  await ending;
  for (const name of handled) {
    for (const listener of added(name)) process.off(name, listener);
  }
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** What the daemon listens with, and not the test runner. */
function added(name: Handled): readonly Listener[] {
  return listeners(name).filter((listener) => before.get(name)?.includes(listener) === false);
}

function raise(name: Handled, ...args: readonly unknown[]): void {
  for (const listener of added(name)) listener(...args);
}

const pidfile = (): string => join(folder, 'pid');
const socket = (name = 'eth1'): string => socketPath(folder, 1, name);

/** Resolves when the daemon is ready or has failed. */
function start(
  overrides: Partial<Config> = {},
  messages: readonly Message[] = [],
): Promise<Readiness> {
  return new Promise((ready) => {
    const config = testConfig({ runDir: folder, pidfile: pidfile(), ...overrides });
    const { ports, logger } = bed;
    ending = run({ config, messages, ports, logger, ready });
  });
}

async function startMaster(overrides: Partial<Config> = {}): Promise<void> {
  expect(await start(overrides)).toEqual({ ok: true });
  await bed.clock.pass(3_000);
  bed.journal.take();
}

const scripts: Partial<Config> = { upscript: '/up', downscript: '/down' };
const done = (): readonly string[] => bed.journal.take().filter((line) => !line.startsWith('log'));

describe('a start', () => {
  test('is ready when it is in BACKUP and can be asked', async () => {
    expect(await start()).toEqual({ ok: true });
    expect(readFileSync(pidfile(), 'utf8')).toBe(`${process.pid}\n`);
    expect(await ask(socket(), 'status')).toMatchObject({
      ok: true,
      status: { state: 'backup', reason: 'start', pid: process.pid },
    });
  });

  test('says first what the command line gave rise to, and at last what runs', async () => {
    const warning = { level: 'warning', text: 'Warning: no script called when going up' } as const;
    await start({ interface: 'eth1:0' }, [warning]);
    const lines = bed.journal.take('log');
    expect(lines[0]).toBe('log warning: Warning: no script called when going up');
    expect(lines.at(-1)).toBe('log info: vhid 1 for 10.0.0.10 on eth1:0, backend packet');
  });

  test.each([
    ['tscarp', 1, 'There is no interface nope0; see: ip link'],
    ['ucarp', 2, 'Unable to get hardware info about an interface: No such device'],
  ] as const)('that fails under the name %s has status %i', async (personality, status, line) => {
    const readiness = await start({ interface: 'nope0', personality });
    expect(readiness).toMatchObject({ ok: false, status });
    expect(bed.journal.take('log error')[0]).toBe(`log error: ${line}`);
    expect(await ending).toEqual({ status });
    expect(bed.addresses.closed).toBe(true);
    expect(existsSync(pidfile())).toBe(false);
    expect(existsSync(socket())).toBe(false);
    expect(handled.flatMap(added)).toEqual([]);
  });

  test('goes on without control socket and pid file, with a warning for each', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const inFile = join(file, 'x');
    expect(await start({ runDir: inFile, pidfile: inFile })).toEqual({
      ok: true,
      warnings: [
        expect.stringMatching(/^No control socket/),
        expect.stringMatching(/^No pid file/),
      ],
    });
    expect(bed.journal.take('log warning')).toEqual([
      'log warning: Switching to state: BACKUP',
      expect.stringMatching(/No control socket, so tscarp status cannot see this daemon: ENOTDIR/),
      expect.stringMatching(/No pid file: ENOTDIR/),
    ]);
  });

  test.each([
    ['tscarp', 2],
    ['ucarp', 0],
  ] as const)(
    'warns of scripts that cannot be run under the name %s',
    async (personality, count) => {
      bed.hooks.wrong = 'No such file or directory';
      const ready = await start({ ...scripts, personality });
      const text = 'The script /up cannot be run: No such file or directory';
      const warned = bed.journal.take('log warning: The script');
      expect(warned).toHaveLength(count);
      if (count > 0) expect(ready).toMatchObject({ ok: true, warnings: [text, expect.anything()] });
      else expect(ready).toEqual({ ok: true });
    },
  );

  test('leaves the socket of another daemon alone', async () => {
    await start();
    const first = ending;
    bed.journal.take();
    const other = { address: 0x0a00000b as Ipv4, personality: 'ucarp' } as const;
    await start({ pidfile: undefined, ...other });
    expect(bed.journal.take('log warning: No control socket')).toEqual([
      expect.stringContaining(`Another daemon (process ${process.pid}) already answers`),
    ]);
    expect(existsSync(socket())).toBe(true);
    raise('SIGTERM');
    await first;
  });

  describe('under the name ucarp', () => {
    const ucarp: Partial<Config> = { ...scripts, personality: 'ucarp', shutdown: true };

    test('takes the place of one that does the same, when its down script is done', async () => {
      await startMaster(ucarp);
      const first = ending;
      bed.addresses.close = () => undefined;
      expect(await start({ ...ucarp, pidfile: undefined })).toEqual({ ok: true });
      expect(await first).toEqual({ status: 0 });
      await bed.clock.settle();
      expect(
        bed.journal.take().filter((line) => /^(?:send|run|log info: Repl)/.test(line)),
      ).toEqual([
        `log info: Replacing process ${process.pid}, which was left by an ifdown`,
        'send advertisement 255/255',
        'run /down eth1 10.0.0.10',
        'run /down eth1 10.0.0.10',
      ]);
      expect(await ask(socket(), 'status')).toMatchObject({ status: { reason: 'start' } });
    });

    test('and of one with another address that has seen the interface go', async () => {
      await startMaster(ucarp);
      const first = ending;
      bed.interfaces.put('eth1', { up: false, running: false });
      bed.interfaces.put('eth1', { up: true, running: true });
      bed.addresses.close = () => undefined;
      const address = 0x0a00000b as Ipv4;
      expect(await start({ ...ucarp, address, pidfile: undefined })).toEqual({ ok: true });
      expect(await first).toEqual({ status: 0 });
      expect(await ask(socket(), 'status')).toMatchObject({ status: { addresses: ['10.0.0.11'] } });
    });
  });

  test('is refused and touches nothing while another one runs the same group here', async () => {
    await startMaster({ manageAddress: true });
    const first = ending;
    bed.addresses.close = () => undefined;
    const text = `vhid 1 on eth1 is run by process ${process.pid} already: end that one first, `;
    expect(await start({ manageAddress: true })).toEqual({
      ok: false,
      status: 1,
      lines: [`${text}or see "tscarp status"`],
    });
    expect(bed.journal.take('remove')).toEqual([]);
    expect(await ask(socket(), 'status')).toMatchObject({ status: { state: 'master' } });
    raise('SIGTERM');
    await first;
  });

  test('is allowed beside one that is being stopped, and gets its socket after that', async () => {
    await start({ ...scripts, shutdown: true });
    await bed.clock.pass(3_000);
    const first = ending;
    const endDown = bed.hooks.hold();
    raise('SIGTERM');
    await start({ pidfile: undefined });
    expect(bed.journal.take('log warning: No control socket')).toHaveLength(1);
    endDown();
    await first;
    await bed.clock.pass(5_000);
    await vi.waitFor(async () =>
      expect(await ask(socket(), 'status')).toMatchObject({ status: { state: 'master' } }),
    );
  });
});

describe('a signal', () => {
  test('USR1 has the state logged as ucarp does', async () => {
    await start({ interface: 'eth1:0', vhid: 1 });
    bed.journal.take();
    raise('SIGUSR1');
    await bed.clock.pass(3_000);
    expect(bed.journal.take()).toContain('log info: BACKUP on eth1:0 id 1');
    raise('SIGUSR1');
    expect(bed.journal.take()).toEqual(['log info: MASTER on eth1:0 id 1']);
  });

  test('USR2 demotes, with a goodbye', async () => {
    await startMaster();
    raise('SIGUSR2');
    expect(bed.journal.take()).toEqual([
      'log debug: Caught signal (USR2) considering going down',
      'log warning: Switching to state: BACKUP',
      expect.stringMatching(/^log info: eth1 vhid 1: BACKUP because/),
      'send advertisement 255/255',
    ]);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s with -z says goodbye, runs the down script and ends with 0',
    async (signal) => {
      await startMaster({ ...scripts, shutdown: true });
      raise(signal);
      expect(await ending).toEqual({ status: 0 });
      const lines = bed.journal.take();
      expect(lines[0]).toBe('log debug: sighandler_exit(): Calling [/down] and exiting');
      expect(lines.filter((line) => !line.startsWith('log'))).toEqual([
        'send advertisement 255/255',
        'run /down eth1 10.0.0.10',
        'ended /down',
      ]);
      expect(existsSync(pidfile())).toBe(false);
      expect(existsSync(socket())).toBe(false);
      expect(bed.link.closed).toBe(true);
    },
  );

  test('TERM without -z says goodbye, leaves the address and has its default', async () => {
    await startMaster(scripts);
    raise('SIGTERM');
    expect(await ending).toEqual({ signal: 'SIGTERM' });
    expect(done()).toEqual(['send advertisement 255/255']);
    expect(existsSync(pidfile())).toBe(false);
    expect(existsSync(socket())).toBe(false);
  });

  test('TERM without -z always removes an address of ours', async () => {
    await startMaster({ manageAddress: true });
    raise('SIGTERM');
    expect(await ending).toEqual({ status: 0 });
    expect(done()).toEqual(['send advertisement 255/255', 'remove 10.0.0.10/24 from eth1']);
  });

  test('TERM ends with 1 and says so when the address stays', async () => {
    await startMaster({ manageAddress: true });
    bed.addresses.error = new NetError('failed', 'Cannot remove 10.0.0.10/24 from eth1: why');
    raise('SIGTERM');
    expect(await ending).toEqual({ status: 1 });
    expect(bed.journal.take('log error')).toEqual([
      'log error: Cannot remove 10.0.0.10/24 from eth1: why',
      'log error: The address could not be removed and is still on this host; see: ip address',
    ]);
    expect(existsSync(socket())).toBe(false);
  });

  test('TERM to a backup with -z runs nothing', async () => {
    await start({ ...scripts, shutdown: true });
    await bed.clock.settle();
    bed.journal.take();
    raise('SIGTERM');
    expect(await ending).toEqual({ status: 0 });
    expect(done()).toEqual([]);
  });

  test('TERM without carrier is heard', async () => {
    await startMaster({ ...scripts, shutdown: true });
    bed.interfaces.put('eth1', { running: false });
    raise('SIGTERM');
    expect(await ending).toEqual({ status: 0 });
  });

  test('that comes while a script runs waits, and can be asked about meanwhile', async () => {
    await start({ ...scripts, shutdown: true });
    await bed.clock.settle();
    const endUp = bed.hooks.hold();
    await bed.clock.pass(3_000);
    raise('SIGTERM');
    raise('SIGTERM');
    await bed.clock.settle();
    expect(await ask(socket(), 'status')).toMatchObject({ status: { reason: 'shutdown' } });
    endUp();
    expect(await ending).toEqual({ status: 0 });
    expect(bed.hooks.commands.map(({ path }) => path)).toEqual(['/down', '/up', '/down']);
  });
});

describe('a bug', () => {
  test('is logged, says goodbye, leaves no address behind and ends with 70', async () => {
    await startMaster({ ...scripts, manageAddress: true });
    raise('uncaughtException', new Error('a state that cannot be'));
    expect(await ending).toEqual({ status: 70 });
    const lines = bed.journal.take();
    expect(lines[0]).toMatch(
      /^log error: This is a bug in tscarp: Error: a state that cannot be\n +at /,
    );
    expect(lines).toEqual(
      expect.arrayContaining(['send advertisement 255/255', 'remove 10.0.0.10/24 from eth1']),
    );
  });

  test('that is no Error is logged too', async () => {
    await startMaster();
    raise('uncaughtException', 'just words');
    expect(await ending).toEqual({ status: 70 });
    expect(bed.journal.take()[0]).toBe('log error: This is a bug in tscarp: just words');
  });

  test('in the stop that it causes does not hang it', async () => {
    await startMaster({ manageAddress: true });
    bed.link.close = () => {
      throw new Error('another one');
    };
    raise('uncaughtException', new Error('a bug'));
    expect(await ending).toEqual({ status: 70 });
    expect(bed.journal.take('log error')).toHaveLength(2);
    expect(bed.addresses.on('eth1')).toEqual(['10.0.0.1/24 eth1']);
  });
});

describe('the control socket', () => {
  test('demotes and promotes', async () => {
    await startMaster();
    expect(await ask(socket(), 'demote')).toMatchObject({
      ok: true,
      status: { state: 'backup', reason: 'demoted' },
      text: expect.stringMatching(/^demoted/),
    });
    expect(await ask(socket(), 'promote')).toMatchObject({
      ok: true,
      status: { state: 'master', reason: 'promoted' },
      text: 'promoted: master',
    });
  });

  test('is made when the daemon that was in the way has ended', async () => {
    const other = await listen(socket(), folder, () => ({ ok: false, error: 'I am another' }));
    await start({ personality: 'ucarp' });
    expect(bed.journal.take('log warning')).toContainEqual(
      expect.stringMatching(/^log warning: No control socket.*Another daemon/),
    );
    other.close();
    await bed.clock.pass(5_000);
    await vi.waitFor(() =>
      expect(bed.journal.take()).toContain('log info: The control socket is there now'),
    );
    expect(await ask(socket(), 'status')).toMatchObject({ ok: true });
  });

  test('refuses in words', async () => {
    await start({ advskew: 50 });
    bed.link.deliver(advertisement(1, 0));
    expect(await ask(socket(), 'promote')).toEqual({
      ok: false,
      error: expect.stringMatching(/^10\.0\.0\.2 .* is a better master/),
    });
  });
});
