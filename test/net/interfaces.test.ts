// What interfaces are and when they change, as the kernel of a namespace of our own says.

import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { interfaceNames, interfaces } from '../../src/net/linux/interfaces.js';
import type { InterfaceFacts } from '../../src/net/ports.js';
import { broadcastMac, formatMac, parseMac } from '../../src/protocol/address.js';
import { describeOnNetwork } from '../netns/require.js';
import { createKernelLan, device, ip, type KernelLan } from './kernel-lan.js';

describe('reading interfaces, without any rights', () => {
  test('reads the loopback interface', () => {
    expect(interfaces.read('lo')).toMatchObject({ name: 'lo', index: 1, mac: 0, ethernet: true });
  });

  test.each(['', 'nosuch0', 'x'.repeat(16), 'é'.repeat(15), 'é'.repeat(40), 'a/b'])(
    'knows no interface %j',
    (name) => {
      expect(interfaces.read(name)).toBeUndefined();
    },
  );

  test('lists the interfaces that there are', () => {
    const names = interfaceNames();
    expect(names).toContain('lo');
    expect(names).toEqual(expect.arrayContaining(Object.keys(networkInterfaces())));
  });

  test('says the same of every interface as /sys', () => {
    // Those that have an address do not come and go while other tests run.
    for (const name of Object.keys(networkInterfaces())) {
      const facts = interfaces.read(name);
      const file = (attribute: string): string =>
        readFileSync(`/sys/class/net/${name}/${attribute}`, 'utf8').trim();
      expect(facts?.index).toBe(Number(file('ifindex')));
      expect(facts?.up).toBe((Number(file('flags')) & 1) === 1);
      if (file('addr_len') === '6')
        expect(formatMac(facts?.mac ?? broadcastMac)).toBe(file('address'));
    }
  });
});

describeOnNetwork('watching interfaces', [], () => {
  let current: KernelLan | undefined;
  const lan = (): KernelLan => {
    if (current === undefined) throw new Error('The LAN could not be made.');
    return current;
  };
  beforeAll(async () => {
    current = await createKernelLan('packet');
  });
  afterAll(async () => {
    await current?.end();
  });
  beforeEach(async () => {
    await lan().restore();
  });

  type Report = InterfaceFacts | null;
  const reports = async (): Promise<readonly Report[]> =>
    (await lan().stationDriver().call('reports')) as Report[];
  const facts = async (name = device): Promise<Report> =>
    (await lan().stationDriver().call('facts', { device: name })) as Report;
  const watch = (name = device): Promise<unknown> =>
    lan().stationDriver().call('watch', { device: name });
  const last = async (): Promise<Report | undefined> => (await reports()).at(-1);
  const eventually = (check: () => Promise<unknown>) =>
    expect.poll(check, { timeout: 5000, interval: 10 });

  test('reads an interface of its namespace', async () => {
    const mac = '02:00:00:00:00:2a';
    await ip('-n', lan().stationNamespace, 'link', 'set', device, 'address', mac);
    expect(await facts()).toEqual({
      name: device,
      index: await lan().index(),
      mac: parseMac(mac),
      mtu: 1500,
      ethernet: true,
      up: true,
      running: true,
    });
  });

  test('knows its first name when it is called by another', async () => {
    const { stationNamespace } = lan();
    const property = ['link', 'property', 'add', 'dev', device, 'altname', 'other0'];
    await ip('-n', stationNamespace, ...property);
    expect(await facts('other0')).toEqual(await facts());
    expect((await facts('other0'))?.name).toBe(device);
  });

  test('tells when an interface goes down and up', async () => {
    await watch();
    await lan().setUp(false);
    await eventually(last).toMatchObject({ up: false, running: false });
    await lan().setUp(true);
    await eventually(last).toMatchObject({ up: true, running: true });
  });

  test('tells when the carrier goes and comes although the interface stays up', async () => {
    await watch();
    await ip('-n', lan().peerNamespace, 'link', 'set', 'port0', 'down');
    await eventually(last).toMatchObject({ up: true, running: false });
    await ip('-n', lan().peerNamespace, 'link', 'set', 'port0', 'up');
    await eventually(last).toMatchObject({ up: true, running: true });
  });

  test('tells when an interface is deleted and created', async () => {
    await watch();
    const before = await lan().index();
    await lan().remove();
    await eventually(last).toBe(null);
    await lan().create('new');
    await eventually(last).toMatchObject({ name: device, up: false });
    expect((await last())?.index).not.toBe(before);
  });

  test('tells of an interface that does not exist yet', async () => {
    await lan().remove();
    await watch();
    await lan().create('new');
    await lan().setUp(true);
    await eventually(last).toMatchObject({ name: device, up: true, running: true });
  });

  test('tells when the MAC changes', async () => {
    const mac = '02:00:00:00:00:2b';
    await watch();
    await ip('-n', lan().stationNamespace, 'link', 'set', device, 'address', mac);
    await eventually(last).toMatchObject({ mac: parseMac(mac) });
  });

  test('tells when the MTU changes', async () => {
    await watch();
    await ip('-n', lan().stationNamespace, 'link', 'set', device, 'mtu', '1400');
    await eventually(last).toMatchObject({ mtu: 1400 });
    await ip('-n', lan().stationNamespace, 'link', 'set', device, 'mtu', '1500');
    await eventually(last).toMatchObject({ mtu: 1500 });
  });

  test('says nothing of other interfaces', async () => {
    const { stationNamespace } = lan();
    await watch();
    await ip('-n', stationNamespace, 'link', 'add', 'other0', 'type', 'bridge');
    await ip('-n', stationNamespace, 'link', 'set', 'other0', 'up');
    await ip('-n', stationNamespace, 'link', 'del', 'other0');
    await lan().setUp(false);
    await eventually(last).toMatchObject({ up: false });
    for (const report of await reports()) expect(report?.name).toBe(device);
  });

  test('tells of a replacement that looks the same, seen in one look', async () => {
    await watch();
    const before = await facts();
    await lan().stationDriver().call('stall', { milliseconds: 1000 });
    const stationAddress = [
      'link',
      'set',
      device,
      'address',
      formatMac(before?.mac ?? broadcastMac),
    ];
    await lan().remove();
    await lan().create('same');
    await ip('-n', lan().stationNamespace, ...stationAddress);
    await lan().setUp(true);
    await eventually(last).toEqual(before);
  });

  test('misses no change when more happens than the kernel can queue', async () => {
    await watch();
    await lan().stationDriver().call('stall', { milliseconds: 1500 });
    await lan().flap(400);
    await lan().setUp(false);
    await eventually(last).toMatchObject({ up: false });
    await lan().setUp(true);
    await eventually(last).toMatchObject({ up: true });
  });
});
