// The live capture of sniff, on the wire between two namespaces.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeOnNetwork } from '../netns/require.js';
import { advert, announcement, broadcastAdvert, hex } from './frames.js';
import { createKernelLan, device, ip, type KernelLan } from './kernel-lan.js';

describeOnNetwork('the live capture', [], () => {
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

  interface Report {
    readonly frame?: string;
    readonly lateNs?: number;
    readonly trouble?: string;
  }
  const capture = (on: string): Promise<unknown> =>
    lan().stationDriver().call('capture', { device: on });
  const reports = async (): Promise<readonly Report[]> =>
    (await lan().stationDriver().call('reports')) as Report[];
  const framesOf = async (): Promise<readonly (string | undefined)[]> =>
    (await reports()).map(({ frame }) => frame);
  const eventually = (check: () => Promise<unknown>) =>
    expect.poll(check, { timeout: 5000, interval: 10 });

  test.each([
    ['one interface', device],
    ['all interfaces', ''],
  ])('shows adverts and authentication headers on %s, and nothing else', async (_, on) => {
    await capture(on);
    const shown = [advert(1), broadcastAdvert(2), advert(3, { protocol: 51 }), advert(4)];
    await lan().peer.send(announcement());
    await lan().peer.send(advert(5, { protocol: 17 }));
    for (const frame of shown) await lan().peer.send(frame);
    await eventually(framesOf).toEqual(shown.map(hex));
  });

  test('shows what another process of this host sends', async () => {
    await capture(device);
    await lan().station.open();
    await lan().station.send(advert(6));
    await eventually(framesOf).toEqual([hex(advert(6))]);
  });

  test('tells when a frame arrived and not when it was read', async () => {
    await capture(device);
    await lan().peer.send(advert(7));
    await eventually(framesOf).toHaveLength(1);
    // Nobody reads for a second, in which the next frame arrives.
    await lan().stationDriver().call('stall', { milliseconds: 1000 });
    await lan().peer.send(advert(8));
    await eventually(framesOf).toHaveLength(2);
    const [prompt, late] = (await reports()).map(({ lateNs = 0 }) => lateNs / 1e6);
    expect(prompt).toBeGreaterThan(-5);
    expect(prompt).toBeLessThan(100);
    expect(late).toBeGreaterThan(100);
    expect(late).toBeLessThan(5000);
  });

  test('joins the group and accepts all multicast until it is closed', async () => {
    const { stationNamespace } = lan();
    const groups = (): Promise<string> =>
      ip('-n', stationNamespace, 'maddr', 'show', 'dev', device);
    const allMulticast = async (): Promise<number> => {
      const details = await ip('-n', stationNamespace, '-d', '-j', 'link', 'show', device);
      return JSON.parse(details)[0].allmulti;
    };
    await capture('');
    expect(await groups()).toContain('224.0.0.18');
    expect(await allMulticast()).toBe(1);
    await lan().stationDriver().call('reset');
    expect(await groups()).not.toContain('224.0.0.18');
    expect(await allMulticast()).toBe(0);
  });

  test('tells that the interface went down, and goes on when it is up again', async () => {
    await capture(device);
    await lan().setUp(false);
    await eventually(reports).toEqual([{ trouble: expect.stringContaining(device) }]);
    await lan().setUp(true);
    await expect
      .poll(
        async () => {
          await lan().peer.send(advert(9));
          return await framesOf();
        },
        { timeout: 5000, interval: 50 },
      )
      .toContain(hex(advert(9)));
  });

  test('refuses an interface that does not exist', async () => {
    await expect(capture('nosuch0')).rejects.toMatchObject({ code: 'no-such-device' });
  });
});
