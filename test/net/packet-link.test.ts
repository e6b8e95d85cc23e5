// The default backend: AF_PACKET.

import { expect, test } from 'vitest';
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
});
