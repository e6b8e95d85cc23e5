// One router with its interface: how it starts there, and what it makes of what happens to that.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NetError } from '../../src/net/errors.js';
import type { Mac } from '../../src/protocol/address.js';
import { InstanceBed } from './instance-bed.js';

let bed: InstanceBed;

beforeEach(() => {
  bed = new InstanceBed();
});
afterEach(() => {
  vi.useRealTimers();
});

const sent = (): readonly string[] => bed.journal.take('send');

describe('a start', () => {
  test('opens the link on the device, joined to the group, and says which MAC it has', async () => {
    await bed.start({ interface: 'eth1:0' });
    expect(bed.link.options).toEqual({ device: 'eth1', groups: [0xe0000012] });
    expect(bed.logger.lines[0]).toEqual({
      level: 'info',
      text: 'Local advertised ethernet address is [02:00:00:00:00:0a]',
      facts: undefined,
    });
  });

  test('joins no group when it broadcasts', async () => {
    await bed.start({ broadcast: true });
    expect(bed.link.options).toMatchObject({ groups: [] });
    await bed.clock.pass(3_000);
    expect(Buffer.from(bed.link.sent.at(-1) ?? []).toString('hex', 0, 6)).toBe('ffffffffffff');
  });

  test('says which interface it chose', async () => {
    bed.addresses.route = { device: 'eth1', source: 0x0a000001 as never };
    const instance = await bed.start({ interface: 'auto' });
    expect(bed.logger.lines[0]?.text).toBe('Using [eth1] as a network interface');
    expect(instance.interfaceName).toBe('eth1');
  });

  test('without a backend is refused before anything is done', async () => {
    const missing = new NetError('missing-module', 'The optional package cap cannot be loaded');
    const ports = { ...bed.ports, loadBackend: async () => Promise.reject(missing) };
    Object.assign(bed, { ports });
    await expect(bed.start({ downscript: '/down' })).rejects.toBe(missing);
    expect(bed.journal.take()).toEqual([]);
  });

  test('whose link cannot be opened leaves nothing behind', async () => {
    const refusal = new NetError('not-permitted', 'Cannot capture');
    const refuse = (): never => {
      throw refusal;
    };
    Object.assign(bed, { ports: { ...bed.ports, loadBackend: async () => refuse } });
    await expect(bed.start({ downscript: '/down' })).rejects.toBe(refusal);
    expect(bed.interfaces.watched).toBe(0);
    expect(bed.hooks.commands).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('whose interface cannot be watched leaves nothing behind', async () => {
    bed.interfaces.watchError = new NetError('failed', 'Cannot watch interfaces');
    await expect(bed.start({ downscript: '/down' })).rejects.toBe(bed.interfaces.watchError);
    expect(bed.link.closed).toBe(true);
    expect(bed.hooks.commands).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('removes what an earlier life left behind', async () => {
    const cidr = { address: 0x0a00000a as never, prefixLength: 24 };
    bed.addresses.assign({ device: 'eth1', cidr, label: 'eth1' });
    await bed.start({ manageAddress: true });
    expect(bed.addresses.on('eth1')).toEqual(['10.0.0.1/24 eth1']);
  });

  test('without carrier waits for it, having run the down script as ucarp does', async () => {
    bed.interfaces.put('eth1', { running: false });
    const instance = await bed.start({ downscript: '/down' });
    expect(instance.status()).toMatchObject({ state: 'initialize', reason: 'link-down' });
    expect(bed.hooks.commands).toHaveLength(1);
    await bed.clock.pass(60_000);
    expect(sent()).toEqual([]);
    bed.interfaces.put('eth1', { running: true });
    await bed.clock.pass(3_000);
    expect(instance.isMaster()).toBe(true);
  });

  test('sees what changed before it could watch', async () => {
    const watch = bed.interfaces.watch.bind(bed.interfaces);
    bed.interfaces.watch = (device, changed) => {
      bed.interfaces.put('eth1', { running: false });
      return watch(device, changed);
    };
    const instance = await bed.start();
    expect(instance.status().state).toBe('initialize');
  });

  test('as neutral runs no down script, and removes the address all the same', async () => {
    await bed.start({ downscript: '/down', neutral: true, manageAddress: true });
    expect(bed.hooks.commands).toEqual([]);
    expect(bed.journal.take('remove')).toHaveLength(1);
  });
});

describe('scripts', () => {
  test('get the interface and the address as given, and the extra parameter', async () => {
    await bed.startMaster({
      interface: 'eth1:0',
      upscript: '/up',
      downscript: '/down',
      xparam: '',
      vhid: 42,
    });
    expect(bed.hooks.commands).toEqual([
      {
        path: '/down',
        args: ['eth1:0', '10.0.0.10', ''],
        env: { TSCARP_STATE: 'backup', TSCARP_VHID: '42' },
      },
      {
        path: '/up',
        args: ['eth1:0', '10.0.0.10', ''],
        env: { TSCARP_STATE: 'master', TSCARP_VHID: '42' },
      },
    ]);
  });

  test.each([
    [
      { status: undefined, problem: 'Permission denied', milliseconds: 0.4 },
      'log error: Unable to exec /up eth1 10.0.0.10 x: Permission denied',
    ],
    [
      { status: 3, problem: 'exit status 3', milliseconds: 12.6 },
      'log info: /up ended after 13 ms with exit status 3, which is ignored',
    ],
    [
      { status: 137, problem: 'ended by SIGKILL', milliseconds: 1 },
      'log info: /up ended after 1 ms with ended by SIGKILL, which is ignored',
    ],
  ])('that fail are reported and do not matter', async (result, line) => {
    const instance = await bed.start({ upscript: '/up', xparam: 'x' });
    bed.hooks.result = result;
    await bed.clock.pass(3_000);
    expect(instance.isMaster()).toBe(true);
    expect(bed.journal.take()).toContain(line);
  });
});

describe('the interface', () => {
  test('down and up: the address goes at once, and the wait begins anew', async () => {
    const instance = await bed.startMaster({ manageAddress: true });
    bed.interfaces.put('eth1', { up: false, running: false });
    expect(instance.status()).toMatchObject({ state: 'initialize', reason: 'link-down' });
    await bed.clock.pass(10_000);
    expect(bed.addresses.on('eth1')).toEqual(['10.0.0.1/24 eth1']);
    expect(sent()).toEqual([]);
    bed.interfaces.put('eth1', { up: true, running: true });
    expect(instance.status()).toMatchObject({ state: 'backup', reason: 'link-up' });
    await bed.clock.pass(2_999);
    expect(instance.isMaster()).toBe(false);
    await bed.clock.pass(1);
    expect(instance.isMaster()).toBe(true);
    expect(bed.addresses.on('eth1')).toContain('10.0.0.10/24 eth1');
  });

  test('without carrier is no good, unless that is to be ignored', async () => {
    const instance = await bed.startMaster();
    bed.interfaces.put('eth1', { running: false });
    expect(instance.status().state).toBe('initialize');

    const other = new InstanceBed();
    const stubborn = await other.startMaster({ ignoreLinkState: true });
    other.interfaces.put('eth1', { running: false });
    expect(stubborn.isMaster()).toBe(true);
    other.interfaces.put('eth1', { up: false });
    expect(stubborn.status().state).toBe('initialize');
  });

  test('a started instance that ignores the carrier does not wait for it', async () => {
    bed.interfaces.put('eth1', { running: false });
    const instance = await bed.startMaster({ ignoreLinkState: true });
    expect(instance.isMaster()).toBe(true);
  });

  test('deleted and created again it announces its new hardware address', async () => {
    const instance = await bed.startMaster({ manageAddress: true });
    bed.interfaces.remove('eth1');
    bed.addresses.removeDevice('eth1');
    expect(instance.status()).toMatchObject({ state: 'initialize', reason: 'link-down' });
    bed.interfaces.put('eth1', { index: 9, mac: 0x02000000000b as Mac });
    bed.addresses.createDevice('eth1');
    await bed.clock.pass(3_000);
    expect(instance.isMaster()).toBe(true);
    const announced = sent().filter((line) => line.includes('arp'));
    expect(announced.length).toBeGreaterThan(0);
    expect(new Set(announced)).toEqual(new Set(['send arp 02:00:00:00:00:0b']));
    expect(bed.addresses.on('eth1')).toEqual(['10.0.0.10/24 eth1']);
  });

  test('replaced between two looks it is not taken for the old one', async () => {
    const instance = await bed.startMaster({ manageAddress: true });
    bed.addresses.removeDevice('eth1');
    bed.addresses.createDevice('eth1');
    bed.link.replaced = true;
    bed.interfaces.put('eth1');
    expect(instance.status()).toMatchObject({ state: 'backup', reason: 'link-up' });
    await bed.clock.pass(3_000);
    expect(bed.addresses.on('eth1')).toEqual(['10.0.0.10/24 eth1']);
  });

  test('on which nothing can be heard counts as no link, and is tried each second', async () => {
    const instance = await bed.startMaster();
    bed.link.refreshError = new NetError('failed', 'Cannot capture on eth1: Too many open files');
    bed.interfaces.put('eth1', { mtu: 1400 });
    expect(instance.status()).toMatchObject({ state: 'initialize', reason: 'link-down' });
    await bed.clock.pass(2_500);
    expect(bed.link.refreshed).toBe(4);
    bed.link.refreshError = undefined;
    bed.link.replaced = true;
    await bed.clock.pass(500);
    expect(instance.status()).toMatchObject({ state: 'backup', reason: 'link-up' });
    await bed.clock.pass(10_000);
    expect(bed.link.refreshed).toBe(5);
  });

  test('that is gone is not tried for', async () => {
    await bed.startMaster();
    bed.link.refreshError = new NetError('no-such-device', 'There is no interface eth1');
    bed.interfaces.remove('eth1');
    await bed.clock.pass(10_000);
    expect(bed.link.refreshed).toBe(2);
  });

  test('is not tried for any more by a daemon that has stopped', async () => {
    const instance = await bed.startMaster();
    bed.link.refreshError = new NetError('failed', 'why');
    bed.interfaces.put('eth1', { mtu: 1400 });
    await instance.stop({ keepAddresses: true });
    await bed.clock.pass(10_000);
    expect(bed.link.refreshed).toBe(2);
  });

  test('with another hardware address tells the segment at once', async () => {
    await bed.startMaster();
    bed.interfaces.put('eth1', { mac: 0x02000000000b as Mac });
    expect(sent()).toEqual(['send arp 02:00:00:00:00:0b']);
  });

  test('the link is refreshed at every change, and what it refuses is a warning', async () => {
    const instance = await bed.startMaster();
    const before = bed.link.refreshed;
    bed.link.refreshError = new NetError('link-down', 'The interface eth1 is down');
    bed.interfaces.put('eth1', { up: false });
    expect(bed.link.refreshed).toBe(before + 1);
    expect(bed.journal.take()).toContain('log warning: The interface eth1 is down');
    expect(instance.status().state).toBe('initialize');
  });

  test('trouble on the link is for the debug log', async () => {
    await bed.start();
    bed.journal.take();
    bed.link.trouble(new Error('Network is down'));
    expect(bed.journal.take()).toEqual(['log debug: Network is down']);
  });
});

describe('the source of advertisements', () => {
  const source = (): string => Buffer.from(bed.link.sent.at(-1) ?? []).toString('hex', 6, 12);

  test.each([
    ["the group's virtual MAC", {}, '00005e000101'],
    ["ucarp's, under its name", { personality: 'ucarp' }, '00005e000001'],
    ["the interface's own, if asked for", { realMac: true }, '02000000000a'],
  ] as const)('is %s', async (_, overrides, mac) => {
    await bed.startMaster(overrides);
    await bed.clock.pass(1_000);
    expect(source()).toBe(mac);
  });

  test("the interface's own is the one that it has then", async () => {
    await bed.startMaster({ realMac: true });
    bed.interfaces.put('eth1', { mac: 0x02000000000b as Mac });
    await bed.clock.pass(1_000);
    expect(source()).toBe('02000000000b');
  });
});
