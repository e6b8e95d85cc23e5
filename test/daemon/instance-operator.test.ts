// What an instance tells, and what it makes of an operator and of its end.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dropReasons } from '../../src/protocol/parsed.js';
import { advertisement, goodbye } from '../fakes/peer.js';
import { InstanceBed } from './instance-bed.js';

let bed: InstanceBed;

beforeEach(() => {
  bed = new InstanceBed();
});
afterEach(() => {
  vi.useRealTimers();
});

const sent = (): readonly string[] => bed.journal.take('send');
const arp = 'send arp 02:00:00:00:00:0a';

describe('the status', () => {
  test('of a backup has exactly these keys', async () => {
    const instance = await bed.start({ advskew: 20, preempt: true });
    bed.link.deliver(advertisement(1, 10));
    await bed.clock.pass(250);
    const status = instance.status();
    expect(status).toEqual({
      protocol: 'carp',
      vhid: 1,
      interface: 'eth1',
      state: 'backup',
      since: '2026-11-22T12:00:00.000Z',
      reason: 'start',
      addresses: ['10.0.0.10'],
      master: { address: '10.0.0.2', advbase: 1, advskew: 10, age: 250 },
      counters: {
        sent: 0,
        sendFailed: 0,
        received: 1,
        announced: 0,
        announceFailed: 0,
        stateChanges: 1,
        linkLost: 0,
        logSuppressed: 0,
        dropped: Object.fromEntries(dropReasons.map((reason) => [reason, 0])),
      },
      source: '10.0.0.1',
      advbase: 1,
      advskew: 20,
      preempt: true,
      backend: 'packet',
      pid: process.pid,
    });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  test('of a master says since when and why, and that nobody was heard', async () => {
    const instance = await bed.startMaster({ interface: 'eth1:0' });
    expect(instance.status()).toMatchObject({
      interface: 'eth1:0',
      state: 'master',
      since: '2026-11-22T12:00:03.000Z',
      reason: 'master-down',
      master: null,
    });
  });
});

describe('an operator', () => {
  test('demotes a master, which says goodbye and waits for three seconds more', async () => {
    const instance = await bed.startMaster({ preempt: true });
    expect(instance.demote()).toMatchObject({ ok: true, text: expect.stringMatching(/^demoted/) });
    expect(sent()).toEqual(['send advertisement 255/255']);
    expect(instance.status()).toMatchObject({ state: 'backup', reason: 'demoted' });
    for (let second = 0; second < 3; second += 1) {
      bed.link.deliver(advertisement(1, 100));
      await bed.clock.pass(1_000);
    }
    expect(instance.isMaster()).toBe(false);
    bed.link.deliver(advertisement(1, 100));
    expect(instance.status()).toMatchObject({ state: 'master', reason: 'preempt' });
  });

  test('demotes a master for three seconds and the dead time when it is alone', async () => {
    const instance = await bed.startMaster();
    instance.demote();
    await bed.clock.pass(5_999);
    expect(instance.isMaster()).toBe(false);
    await bed.clock.pass(1);
    expect(instance.isMaster()).toBe(true);
  });

  test('demotes a backup in vain', async () => {
    const instance = await bed.start();
    bed.journal.take();
    expect(instance.demote()).toEqual({ ok: true, text: 'not master (backup)' });
    expect(bed.journal.take()).toEqual([]);
  });

  test('promotes a backup that hears nobody', async () => {
    const instance = await bed.start();
    expect(instance.promote()).toEqual({ ok: true, text: 'promoted: master' });
    expect(instance.status()).toMatchObject({ state: 'master', reason: 'promoted' });
    expect(sent()).toEqual([arp, 'send advertisement 1/0']);
    expect(instance.promote()).toEqual({ ok: true, text: 'master already' });
  });

  test('promotes a backup over a worse master', async () => {
    const instance = await bed.start();
    bed.link.deliver(advertisement(1, 1));
    expect(instance.promote()).toMatchObject({ ok: true });
  });

  test('promotes a backup whose better master was heard too long ago', async () => {
    const instance = await bed.start({ advskew: 50 });
    bed.link.deliver(advertisement(1, 0));
    bed.interfaces.put('eth1', { running: false });
    await bed.clock.pass(3_190);
    bed.interfaces.put('eth1', { running: true });
    expect(instance.promote().ok).toBe(false);
    await bed.clock.pass(10);
    expect(instance.promote().ok).toBe(true);
  });

  test('promotes a backup whose better master has said goodbye', async () => {
    const instance = await bed.start({ advskew: 50 });
    bed.interfaces.put('eth1', { running: false });
    bed.link.deliver(advertisement(1, 0));
    bed.link.deliver(goodbye());
    bed.interfaces.put('eth1', { running: true });
    expect(instance.promote().ok).toBe(true);
  });

  test('cannot promote a backup while a better master lives', async () => {
    const instance = await bed.start({ advskew: 50 });
    bed.link.deliver(advertisement(1, 0));
    const { ok, text } = instance.promote();
    expect(ok).toBe(false);
    expect(text).toMatch(/^10\.0\.0\.2 \(advbase 1 advskew 0\) is a better master/);
    expect(instance.isMaster()).toBe(false);
  });

  test('cannot promote what has no link, or is being stopped', async () => {
    const instance = await bed.start();
    bed.interfaces.put('eth1', { running: false });
    expect(instance.promote()).toEqual({ ok: false, text: 'the interface eth1 has no link' });
    await instance.stop({ keepAddresses: false });
    expect(instance.promote()).toEqual({ ok: false, text: 'the daemon is being stopped' });
  });
});

describe('a stop', () => {
  test('says goodbye, removes the address and closes everything', async () => {
    const instance = await bed.startMaster({ manageAddress: true });
    await instance.stop({ keepAddresses: false });
    expect(sent()).toEqual(['send advertisement 255/255']);
    expect(bed.addresses.on('eth1')).toEqual(['10.0.0.1/24 eth1']);
    expect(bed.link.closed).toBe(true);
    expect(bed.addresses.closed).toBe(true);
    expect(bed.interfaces.watched).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('hears nothing of the interface any more', async () => {
    const instance = await bed.startMaster({ downscript: '/down' });
    const endDown = bed.hooks.hold();
    const stopped = instance.stop({ keepAddresses: false });
    bed.interfaces.put('eth1', { running: false });
    bed.interfaces.put('eth1', { running: true });
    await bed.clock.pass(60_000);
    expect(instance.status()).toMatchObject({ state: 'initialize', reason: 'shutdown' });
    endDown();
    await stopped;
  });
});
