// The default backend: AF_PACKET.

import { expect, test } from 'vitest';
import { advert, hex } from './frames.js';
import { device } from './kernel-lan.js';
import { kernelLinkContract } from './kernel-link-contract.js';
import { expectTraffic } from './link-contract.js';

kernelLinkContract({ backend: 'packet', ethernet: true, promiscuous: false }, (lan) => {
  test('follows its interface by the changes that are watched', async () => {
    const { station } = lan();
    await station.open();
    await lan().stationDriver().call('follow', { device });
    await lan().flap(10);
    await lan().remove();
    await lan().create('same');
    await lan().setUp(true);
    await expectTraffic(lan());
    await lan().remove();
    await lan().create('new');
    await lan().setUp(true);
    await expectTraffic(lan());
    expect(lan().stationDriver().alive).toBe(true);
  });

  test('notices a new interface with the same index although it has joined no group', async () => {
    const driver = lan().stationDriver();
    await driver.call('open', { backend: 'packet', device, groups: [] });
    await lan().remove();
    await lan().create('same');
    await lan().setUp(true);
    await driver.call('refresh');
    await expectTraffic(lan());
  });

  test('lets timers ring although frames come faster than they are dealt with', async () => {
    await lan().station.open();
    await lan().stationDriver().call('slow', { milliseconds: 1 });
    const [worst] = await Promise.all([
      lan().stationDriver().call('gap', { milliseconds: 1200 }),
      lan()
        .peerDriver()
        .call('flood', { frame: hex(advert(1)), count: 3000, milliseconds: 1500 }),
    ]);
    expect(worst).toBeLessThan(700);
  });
});
