// What a daemon does from its start to its end: readiness, signals, and a bug of its own.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask } from '../../src/daemon/control.js';
import { NetError } from '../../src/net/errors.js';
import { handled, scripts, useLife } from './run-bed.js';

const life = useLife();

describe('a start', () => {
  test('is ready when it is in BACKUP and can be asked', async () => {
    expect(await life.start()).toEqual({ ok: true });
    expect(readFileSync(life.pidfile, 'utf8')).toBe(`${process.pid}\n`);
    expect(await ask(life.socket(), 'status')).toMatchObject({
      ok: true,
      status: { state: 'backup', reason: 'start', pid: process.pid },
    });
  });

  test('says first what the command line gave rise to, and at last what runs', async () => {
    const warning = { level: 'warning', text: 'Warning: no script called when going up' } as const;
    await life.start({ interface: 'eth1:0' }, [warning]);
    const lines = life.bed.journal.take('log');
    expect(lines[0]).toBe('log warning: Warning: no script called when going up');
    expect(lines.at(-1)).toBe('log info: vhid 1 for 10.0.0.10 on eth1:0, backend packet');
  });

  test.each([
    ['tscarp', 1, 'There is no interface nope0; see: ip link'],
    ['ucarp', 2, 'Unable to get hardware info about an interface: No such device'],
  ] as const)('that fails under the name %s has status %i', async (personality, status, line) => {
    const readiness = await life.start({ interface: 'nope0', personality });
    expect(readiness).toMatchObject({ ok: false, status });
    expect(life.bed.journal.take('log error')[0]).toBe(`log error: ${line}`);
    expect(await life.ending).toEqual({ status });
    expect(life.bed.addresses.closed).toBe(true);
    expect(existsSync(life.pidfile)).toBe(false);
    expect(existsSync(life.socket())).toBe(false);
    expect(handled.flatMap((name) => life.added(name))).toEqual([]);
  });

  test('goes on without control socket and pid file, with a warning for each', async () => {
    const file = join(life.folder, 'file');
    writeFileSync(file, '');
    const inFile = join(file, 'x');
    expect(await life.start({ runDir: inFile, pidfile: inFile })).toEqual({
      ok: true,
      warnings: [
        expect.stringMatching(/^No control socket/),
        expect.stringMatching(/^No pid file/),
      ],
    });
    expect(life.bed.journal.take('log warning')).toEqual([
      'log warning: Switching to state: BACKUP',
      expect.stringMatching(/No control socket, so .* this daemon: .* is not a directory$/),
      expect.stringMatching(/No pid file: ENOTDIR/),
    ]);
  });

  test.each([
    ['tscarp', 2],
    ['ucarp', 0],
  ] as const)(
    'warns of scripts that cannot be run under the name %s',
    async (personality, count) => {
      life.bed.hooks.wrong = 'No such file or directory';
      const ready = await life.start({ ...scripts, personality });
      const text = 'The script /up cannot be run: No such file or directory';
      const warned = life.bed.journal.take('log warning: The script');
      expect(warned).toHaveLength(count);
      if (count > 0) expect(ready).toMatchObject({ ok: true, warnings: [text, expect.anything()] });
      else expect(ready).toEqual({ ok: true });
    },
  );
});

describe('a signal', () => {
  test('USR1 has the state logged as ucarp does', async () => {
    await life.start({ interface: 'eth1:0', vhid: 1 });
    life.bed.journal.take();
    life.raise('SIGUSR1');
    await life.bed.clock.pass(3_000);
    expect(life.bed.journal.take()).toContain('log info: BACKUP on eth1:0 id 1');
    life.raise('SIGUSR1');
    expect(life.bed.journal.take()).toEqual(['log info: MASTER on eth1:0 id 1']);
  });

  test('USR2 demotes, with a goodbye', async () => {
    await life.startMaster();
    life.raise('SIGUSR2');
    expect(life.bed.journal.take()).toEqual([
      'log debug: Caught signal (USR2) considering going down',
      'log warning: Switching to state: BACKUP',
      expect.stringMatching(/^log info: eth1 vhid 1: BACKUP because/),
      'send advertisement 255/255',
    ]);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s with -z says goodbye, runs the down script and ends with 0',
    async (signal) => {
      await life.startMaster({ ...scripts, shutdown: true });
      life.raise(signal);
      expect(await life.ending).toEqual({ status: 0 });
      const lines = life.bed.journal.take();
      expect(lines[0]).toBe('log debug: sighandler_exit(): Calling [/down] and exiting');
      expect(lines.filter((line) => !line.startsWith('log'))).toEqual([
        'send advertisement 255/255',
        'run /down eth1 10.0.0.10',
        'ended /down',
      ]);
      expect(existsSync(life.pidfile)).toBe(false);
      expect(existsSync(life.socket())).toBe(false);
      expect(life.bed.link.closed).toBe(true);
    },
  );

  test('TERM without -z says goodbye, leaves the address and has its default', async () => {
    await life.startMaster(scripts);
    life.raise('SIGTERM');
    expect(await life.ending).toEqual({ signal: 'SIGTERM' });
    expect(life.done()).toEqual(['send advertisement 255/255']);
    expect(existsSync(life.pidfile)).toBe(false);
    expect(existsSync(life.socket())).toBe(false);
  });

  test('TERM without -z always removes an address of ours', async () => {
    await life.startMaster({ manageAddress: true });
    life.raise('SIGTERM');
    expect(await life.ending).toEqual({ status: 0 });
    expect(life.done()).toEqual(['send advertisement 255/255', 'remove 10.0.0.10/24 from eth1']);
  });

  test('TERM ends with 1 and says so when the address stays', async () => {
    await life.startMaster({ manageAddress: true });
    life.bed.addresses.error = new NetError('failed', 'Cannot remove 10.0.0.10/24 from eth1: why');
    life.raise('SIGTERM');
    expect(await life.ending).toEqual({ status: 1 });
    expect(life.bed.journal.take('log error')).toEqual([
      'log error: Cannot remove 10.0.0.10/24 from eth1: why',
      'log error: The address could not be removed and is still on this host; see: ip address',
    ]);
    expect(existsSync(life.socket())).toBe(false);
  });

  test('TERM to a backup with -z runs nothing', async () => {
    await life.start({ ...scripts, shutdown: true });
    await life.bed.clock.settle();
    life.bed.journal.take();
    life.raise('SIGTERM');
    expect(await life.ending).toEqual({ status: 0 });
    expect(life.done()).toEqual([]);
  });

  test('TERM without carrier is heard', async () => {
    await life.startMaster({ ...scripts, shutdown: true });
    life.bed.interfaces.put('eth1', { running: false });
    life.raise('SIGTERM');
    expect(await life.ending).toEqual({ status: 0 });
  });

  test('that comes while a script runs waits, and can be asked about meanwhile', async () => {
    await life.start({ ...scripts, shutdown: true });
    await life.bed.clock.settle();
    const endUp = life.bed.hooks.hold();
    await life.bed.clock.pass(3_000);
    life.raise('SIGTERM');
    life.raise('SIGTERM');
    await life.bed.clock.settle();
    expect(await ask(life.socket(), 'status')).toMatchObject({ status: { reason: 'shutdown' } });
    endUp();
    expect(await life.ending).toEqual({ status: 0 });
    expect(life.bed.hooks.commands.map(({ path }) => path)).toEqual(['/down', '/up', '/down']);
  });
});

describe('a bug', () => {
  test('is logged, says goodbye, leaves no address behind and ends with 70', async () => {
    await life.startMaster({ ...scripts, manageAddress: true });
    life.raise('uncaughtException', new Error('a state that cannot be'));
    expect(await life.ending).toEqual({ status: 70 });
    const lines = life.bed.journal.take();
    expect(lines[0]).toMatch(
      /^log error: This is a bug in tscarp: Error: a state that cannot be\n +at /,
    );
    expect(lines).toEqual(
      expect.arrayContaining(['send advertisement 255/255', 'remove 10.0.0.10/24 from eth1']),
    );
  });

  test('that is no Error is logged too', async () => {
    await life.startMaster();
    life.raise('uncaughtException', 'just words');
    expect(await life.ending).toEqual({ status: 70 });
    expect(life.bed.journal.take()[0]).toBe('log error: This is a bug in tscarp: just words');
  });

  test('in the stop that it causes does not hang it', async () => {
    await life.startMaster({ manageAddress: true });
    life.bed.link.close = () => {
      throw new Error('another one');
    };
    life.raise('uncaughtException', new Error('a bug'));
    expect(await life.ending).toEqual({ status: 70 });
    expect(life.bed.journal.take('log error')).toHaveLength(2);
    expect(life.bed.addresses.on('eth1')).toEqual(['10.0.0.1/24 eth1']);
  });
});
