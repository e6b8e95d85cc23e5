// What every Link does, whatever it is made of: run on the fake one always and on the real ones as
// root.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { advert, announcement, broadcastAdvert, hex, packetOf, tagged } from './frames.js';
import type { Lan, Listener, Peer } from './lan.js';

/** Which parts of the contract a kind of link departs from, by nature. */
export interface Traits {
  /** Whole Ethernet frames; otherwise the kernel makes the header of what is sent. */
  readonly ethernet: boolean;
  /** Why it cannot live through the loss of its interface; undefined if it can. */
  readonly diesOfLoss?: string;
}

const flaps = 60;

export function linkContract<L extends Lan>(
  traits: Traits,
  createLan: () => Promise<L>,
  more: (lan: () => L) => void = () => undefined,
): void {
  describe('the contract of links', () => {
    let current: L | undefined;
    const lan = (): L => {
      if (current === undefined) throw new Error('The LAN could not be made.');
      return current;
    };
    beforeAll(async () => {
      current = await createLan();
    });
    afterAll(async () => {
      await current?.end();
    });
    beforeEach(async () => {
      await lan().restore();
    });
    receiving(lan);
    sending(lan, traits);
    refusing(lan);
    closing(lan);
    surviving(lan, traits);
    more(lan);
  });
}

/** A frame as the link under test has to deliver or send it. */
const packets = (frames: readonly string[]): readonly string[] => frames.map(packetOf);

function receiving(lan: () => Lan): void {
  test('delivers what a peer sends to the group, unchanged at the IP level', async () => {
    const { station, peer } = lan();
    await station.open();
    for (const number of [1, 2, 3]) await peer.send(advert(number));
    expect(packets(await station.frames(3))).toEqual([1, 2, 3].map((n) => packetOf(advert(n))));
  });

  test('delivers the type of IPv4 and the MAC of the group', async () => {
    const { station, peer } = lan();
    await station.open();
    await peer.send(advert(1));
    expect((await station.frames(1))[0]).toMatch(/^01005e000012.{12}0800/);
  });

  test('delivers a packet to the group that came to the broadcast MAC', async () => {
    const { station, peer } = lan();
    await station.open();
    await peer.send(broadcastAdvert(4));
    expect(packets(await station.frames(1))).toEqual([packetOf(broadcastAdvert(4))]);
  });

  test('delivers no frame that it sent itself', async () => {
    const { station, peer } = lan();
    await station.open();
    await station.send(advert(5));
    expect(packets(await peer.frames(1))).toEqual([packetOf(advert(5))]);
    await peer.send(advert(6));
    expect(packets(await station.frames(1))).toEqual([packetOf(advert(6))]);
  });

  test('delivers no other protocol than 112 of IPv4', async () => {
    const { station, peer } = lan();
    await station.open();
    await peer.send(advert(7, { protocol: 2 }));
    await peer.send(advert(8, { protocol: 17 }));
    await peer.send(announcement());
    await peer.send(advert(9));
    expect(packets(await station.frames(1))).toEqual([packetOf(advert(9))]);
  });

  test('delivers nothing of a VLAN', async () => {
    const { station, peer } = lan();
    await station.open();
    await peer.send(tagged(advert(10)));
    await peer.send(advert(11));
    expect(packets(await station.frames(1))).toEqual([packetOf(advert(11))]);
  });
}

function sending(lan: () => Lan, { ethernet }: Traits): void {
  const scope = ethernet ? 'byte for byte' : 'byte for byte at the IP level';
  test(`sends an advert ${scope}`, async () => {
    const { station, peer } = lan();
    await station.open();
    await station.send(advert(20));
    const [frame = ''] = await peer.frames(1);
    if (ethernet) expect(frame).toBe(hex(advert(20)));
    else expect(packetOf(frame)).toBe(packetOf(advert(20)));
  });

  test('sends a gratuitous ARP byte for byte', async () => {
    const { station, peer } = lan();
    await station.open();
    await station.send(announcement());
    await station.send(announcement());
    expect(await peer.frames(2)).toEqual([hex(announcement()), hex(announcement())]);
  });
}

function refusing(lan: () => Lan): void {
  test('refuses to open on an interface that does not exist', async () => {
    await expect(lan().station.open('nosuch0')).rejects.toMatchObject({
      name: 'NetError',
      code: 'no-such-device',
      message: expect.stringContaining('nosuch0'),
    });
  });

  test('refuses to open on an interface that is down', async () => {
    await lan().setUp(false);
    await expect(lan().station.open()).rejects.toMatchObject({
      name: 'NetError',
      code: 'link-down',
    });
  });
}

function closing(lan: () => Lan): void {
  test('delivers nothing after close, which may be called twice', async () => {
    const { station, peer } = lan();
    await station.open();
    await station.close();
    await station.close();
    await peer.send(advert(30));
    expect(await station.frames(1, 100)).toEqual([]);
  });

  test('sends nothing after close', async () => {
    const { station } = lan();
    await station.open();
    await station.close();
    await expect(station.send(advert(31))).rejects.toMatchObject({ code: 'closed' });
  });

  test('does not open again by a refresh after close', async () => {
    const { station, peer } = lan();
    await station.open();
    await station.close();
    expect(await station.refresh()).toBe(false);
    await peer.send(advert(32));
    expect(await station.frames(1, 100)).toEqual([]);
  });

  test('does nothing at a refresh when all is well', async () => {
    const { station, peer } = lan();
    await station.open();
    for (let round = 0; round < 20; round += 1) {
      expect(await station.refresh()).toBe(false);
      await peer.send(advert(40 + round));
    }
    const expected = Array.from({ length: 20 }, (_, round) => packetOf(advert(40 + round)));
    expect(packets(await station.frames(20))).toEqual(expected);
  });
}

function surviving(lan: () => Lan, { diesOfLoss }: Traits): void {
  const lossTest = (name: string, body: () => Promise<void>): void => {
    if (diesOfLoss === undefined) test(name, body);
    else test.skip(`${name} (${diesOfLoss})`, body);
  };

  lossTest(`receives and sends after its interface went down and up ${flaps} times`, async () => {
    const { station } = lan();
    await station.open();
    await lan().flap(flaps);
    await station.refresh();
    await expectTraffic(lan());
  });

  lossTest('receives and sends after its interface was down for a while', async () => {
    const { station } = lan();
    await station.open();
    for (let round = 0; round < 3; round += 1) {
      await lan().setUp(false);
      await station.refresh();
      await lan().setUp(true);
      await station.refresh();
      await expectTraffic(lan());
    }
  });

  lossTest('receives and sends after three deletions and creations of its interface', async () => {
    const { station } = lan();
    await station.open();
    for (let round = 0; round < 3; round += 1) {
      await lan().remove();
      await expect(station.refresh()).rejects.toMatchObject({ code: 'no-such-device' });
      await lan().create('new');
      await expect(station.refresh()).rejects.toMatchObject({ code: 'link-down' });
      await lan().setUp(true);
      expect(await station.refresh()).toBe(true);
      await expectTraffic(lan());
    }
  });

  lossTest('notices that its interface is a new one with the same index', async () => {
    const { station } = lan();
    await station.open();
    await lan().remove();
    await lan().create('same');
    await lan().setUp(true);
    expect(await station.refresh()).toBe(true);
    await expectTraffic(lan());
  });

  lossTest('throws when it sends on an interface that is down or gone', async () => {
    const { station } = lan();
    await station.open();
    await lan().setUp(false);
    await expect(station.send(advert(50))).rejects.toMatchObject({ code: 'link-down' });
    await lan().remove();
    await expect(station.send(advert(51))).rejects.toMatchObject({ code: 'no-such-device' });
    await expect(station.send(announcement())).rejects.toMatchObject({ code: 'no-such-device' });
  });
}

/** Adverts pass in both directions, and none of the next ones is lost. */
export async function expectTraffic({ station, peer }: Lan): Promise<void> {
  await passes(60, peer, station);
  await passes(61, station, peer);
  await Promise.all([station.clear(), peer.clear()]);
  const numbers = Array.from({ length: 20 }, (_, index) => 70 + index);
  for (const number of numbers) await peer.send(advert(number));
  const expected = numbers.map((number) => packetOf(advert(number)));
  expect(packets(await station.frames(20))).toEqual(expected);
}

/** The cable may take a moment until it carries again. */
async function passes(number: number, from: Pick<Peer, 'send'>, to: Listener): Promise<void> {
  await to.clear();
  for (let attempt = 0; attempt < 40; attempt += 1) {
    await from.send(advert(number));
    const frames = await to.frames(1, 50);
    if (frames.some((frame) => packetOf(frame) === packetOf(advert(number)))) return;
  }
  expect.fail('no advert came through within two seconds');
}
