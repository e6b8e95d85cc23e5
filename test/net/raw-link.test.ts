// The backend at the IP level: raw-socket.

import { expect, test } from 'vitest';
import { advert, announcement, packetOf } from './frames.js';
import { kernelLinkContract } from './kernel-link-contract.js';

kernelLinkContract(
  { backend: 'raw', ethernet: false, promiscuous: false, package: 'raw-socket' },
  (lan) => {
    test('makes up an Ethernet header without a source', async () => {
      const { station, peer } = lan();
      await station.open();
      await peer.send(advert(1));
      expect((await station.frames(1))[0]).toMatch(/^01005e000012000000000000080045/);
    });

    test('sends adverts, but no ARP, where an AF_PACKET socket is not to be had', async () => {
      const { station, peer } = lan();
      await station.open();
      await lan().stationDriver().call('drop');
      await station.send(advert(2));
      expect((await peer.frames(1)).map(packetOf)).toEqual([packetOf(advert(2))]);
      await expect(station.send(announcement())).rejects.toMatchObject({
        name: 'NetError',
        code: 'unsupported',
        message: expect.stringContaining('AF_PACKET'),
      });
    });
  },
);
