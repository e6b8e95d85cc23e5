// Daemons that meet: a second one for the same group on the same host, one that is being stopped,
// one that an ifdown has left, and the control socket that they want.

import { existsSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { ask, listen } from '../../src/daemon/control.js';
import type { Ipv4 } from '../../src/protocol/address.js';
import { advertisement } from '../fakes/peer.js';
import { scripts, useLife } from './run-bed.js';

const life = useLife();

describe('a start', () => {
  test('leaves the socket of another daemon alone', async () => {
    await life.start();
    const first = life.ending;
    life.bed.journal.take();
    const other = { address: 0x0a00000b as Ipv4, personality: 'ucarp' } as const;
    await life.start({ pidfile: undefined, ...other });
    expect(life.bed.journal.take('log warning: No control socket')).toEqual([
      expect.stringContaining(`Another daemon (process ${process.pid}) already answers`),
    ]);
    expect(existsSync(life.socket())).toBe(true);
    life.raise('SIGTERM');
    await first;
  });

  describe('under the name ucarp', () => {
    const ucarp: Partial<Config> = { ...scripts, personality: 'ucarp', shutdown: true };

    test('takes the place of one that does the same, when its down script is done', async () => {
      await life.startMaster(ucarp);
      const first = life.ending;
      life.bed.addresses.close = () => undefined;
      expect(await life.start({ ...ucarp, pidfile: undefined })).toEqual({ ok: true });
      expect(await first).toEqual({ status: 0 });
      await life.bed.clock.settle();
      expect(
        life.bed.journal.take().filter((line) => /^(?:send|run|log info: Repl)/.test(line)),
      ).toEqual([
        `log info: Replacing process ${process.pid}, which runs the same group`,
        'send advertisement 255/255',
        'run /down eth1 10.0.0.10',
        'run /down eth1 10.0.0.10',
      ]);
      expect(await ask(life.socket(), 'status')).toMatchObject({ status: { reason: 'start' } });
    });

    test('and of one with another address that has seen the interface go', async () => {
      await life.startMaster(ucarp);
      const first = life.ending;
      life.bed.interfaces.put('eth1', { up: false, running: false });
      life.bed.interfaces.put('eth1', { up: true, running: true });
      life.bed.addresses.close = () => undefined;
      const address = 0x0a00000b as Ipv4;
      expect(await life.start({ ...ucarp, address, pidfile: undefined })).toEqual({ ok: true });
      expect(await first).toEqual({ status: 0 });
      expect(await ask(life.socket(), 'status')).toMatchObject({
        status: { addresses: ['10.0.0.11'] },
      });
    });
  });

  test('is refused and touches nothing while another one runs the same group here', async () => {
    await life.startMaster({ manageAddress: true });
    const first = life.ending;
    life.bed.addresses.close = () => undefined;
    const text = `vhid 1 on eth1 is run by process ${process.pid} already: end that one first, `;
    expect(await life.start({ manageAddress: true })).toEqual({
      ok: false,
      status: 1,
      lines: [`${text}or see "tscarp status"`],
    });
    expect(life.bed.journal.take('remove')).toEqual([]);
    expect(await ask(life.socket(), 'status')).toMatchObject({ status: { state: 'master' } });
    life.raise('SIGTERM');
    await first;
  });

  test('is allowed beside one that is being stopped, and gets its socket after that', async () => {
    await life.start({ ...scripts, shutdown: true });
    await life.bed.clock.pass(3_000);
    const first = life.ending;
    const endDown = life.bed.hooks.hold();
    life.raise('SIGTERM');
    await life.start({ pidfile: undefined });
    expect(life.bed.journal.take('log warning: No control socket')).toHaveLength(1);
    endDown();
    await first;
    await life.bed.clock.pass(5_000);
    await vi.waitFor(async () =>
      expect(await ask(life.socket(), 'status')).toMatchObject({ status: { state: 'master' } }),
    );
  });
});

describe('the control socket', () => {
  test('demotes and promotes', async () => {
    await life.startMaster();
    expect(await ask(life.socket(), 'demote')).toMatchObject({
      ok: true,
      status: { state: 'backup', reason: 'demoted' },
      text: expect.stringMatching(/^demoted/),
    });
    expect(await ask(life.socket(), 'promote')).toMatchObject({
      ok: true,
      status: { state: 'master', reason: 'promoted' },
      text: 'promoted: master',
    });
  });

  test('is made when the daemon that was in the way has ended', async () => {
    const other = await listen(life.socket(), life.folder, () => ({
      ok: false,
      error: 'I am another',
    }));
    await life.start({ personality: 'ucarp' });
    expect(life.bed.journal.take('log warning')).toContainEqual(
      expect.stringMatching(/^log warning: No control socket.*Another daemon/),
    );
    other.close();
    await life.bed.clock.pass(5_000);
    await vi.waitFor(() =>
      expect(life.bed.journal.take()).toContain('log info: The control socket is there now'),
    );
    expect(await ask(life.socket(), 'status')).toMatchObject({ ok: true });
  });

  test('refuses in words', async () => {
    await life.start({ advskew: 50 });
    life.bed.link.deliver(advertisement(1, 0));
    expect(await ask(life.socket(), 'promote')).toEqual({
      ok: false,
      error: expect.stringMatching(/^10\.0\.0\.2 .* is a better master/),
    });
  });
});
