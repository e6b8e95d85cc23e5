// What every Link over the kernel does besides the contract: memory, descriptors, floods, multicast
// groups, rights. Needs root. Each runs in a process of its own in a network namespace.

import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/net/ports.js';
import { describeOnNetwork } from '../netns/require.js';
import { advert, announcement, group, hex, packetOf } from './frames.js';
import { createKernelLan, device, ip, type KernelLan } from './kernel-lan.js';
import { expectTraffic, linkContract, type Traits } from './link-contract.js';

interface KernelTraits extends Traits {
  readonly backend: Backend;
  readonly promiscuous: boolean;
  /** The optional package that it needs. */
  readonly package?: string;
}

const framesPerSecond = 20_000;
const floodMs = 2000;

export function kernelLinkContract(
  traits: KernelTraits,
  more: (lan: () => KernelLan) => void = () => undefined,
): void {
  const title = `the ${traits.backend} backend`;
  const body = (): void => {
    linkContract(
      traits,
      () => createKernelLan(traits.backend),
      (lan) => {
        hearing(lan, traits);
        lasting(lan, traits);
        permitting(lan);
        more(lan);
        vanishing(lan, traits);
      },
    );
  };
  if (traits.package === undefined || loads(traits.package) || process.env['CI'] !== undefined) {
    describeOnNetwork(title, [], body);
  } else {
    describe.skip(`${title} (needs the optional package ${traits.package})`, body);
  }
}

function loads(name: string): boolean {
  try {
    createRequire(import.meta.url)(name);
    return true;
  } catch {
    return false;
  }
}

function hearing(lan: () => KernelLan, { backend, promiscuous }: KernelTraits): void {
  test('joins the group by IGMP on an interface without address, until it is closed', async () => {
    const { station, stationNamespace } = lan();
    const groups = (): Promise<string> =>
      ip('-n', stationNamespace, 'maddr', 'show', 'dev', device);
    expect(await groups()).not.toContain('224.0.0.18');
    await station.open();
    expect(await groups()).toMatch(/inet\s+224\.0\.0\.18/);
    expect(await groups()).toMatch(/link\s+01:00:5e:00:00:12/);
    await station.close();
    expect(await groups()).not.toContain('224.0.0.18');
  });

  test(`${promiscuous ? 'makes' : 'does not make'} the interface promiscuous`, async () => {
    const { station, stationNamespace } = lan();
    await station.open();
    const [link] = JSON.parse(
      await ip('-n', stationNamespace, '-details', '-json', 'link', 'show', device),
    );
    expect(link.promiscuity).toBe(promiscuous ? 1 : 0);
  });

  test('hears nothing of another interface, not even while it opens', async () => {
    const { station } = lan();
    const { unplug } = await lan().plugElsewhere();
    try {
      const frame = hex(advert(81));
      const [, sent] = await Promise.all([
        lan()
          .stationDriver()
          .call('cycle', { backend, device, groups: [group], count: 60 }),
        lan().peerDriver().call('flood', { frame, count: 4000, milliseconds: 1000 }),
      ]);
      await station.open();
      await lan().peer.send(advert(82));
      expect(sent).toBeGreaterThan(1000);
      expect(await station.frames(1, 100)).toEqual([]);
    } finally {
      await unplug();
    }
  });

  test('goes on receiving after the callback has thrown, and hides no error', async () => {
    const { station, peer } = lan();
    await station.open();
    await lan().stationDriver().call('fail');
    for (const number of [83, 84, 85]) await peer.send(advert(number));
    expect(await station.frames(3)).toHaveLength(3);
    const reports = (): Promise<unknown> => lan().stationDriver().call('reports');
    await expect.poll(reports).toEqual([{ uncaught: 'the next frame was to fail' }]);
  });

  test(`lets timers ring on time in a flood of ${framesPerSecond} frames a second`, async () => {
    const { station } = lan();
    await station.open();
    const frame = hex(advert(80));
    const [worst, sent] = await Promise.all([
      lan().stationDriver().call('gap', { milliseconds: floodMs }),
      lan().peerDriver().call('flood', { frame, count: framesPerSecond, milliseconds: floodMs }),
    ]);
    expect(sent).toBeGreaterThan((framesPerSecond * floodMs * 0.9) / 1000);
    const heard = await lan().stationDriver().call('heard');
    expect(heard, `frames that ${backend} heard`).toBeGreaterThan(framesPerSecond / 4);
    expect(worst).toBeLessThan(250);
  });
}

function lasting(lan: () => KernelLan, { backend }: KernelTraits): void {
  test('receives on although nothing refers to it and garbage is collected', async () => {
    const { station, peer } = lan();
    await station.open();
    await lan().stationDriver().call('abandon');
    const numbers = Array.from({ length: 60 }, (_, index) => 100 + index);
    for (const number of numbers) {
      await lan().stationDriver().call('collect');
      await peer.send(advert(number));
    }
    const expected = numbers.map((number) => packetOf(advert(number)));
    expect((await station.frames(60)).map(packetOf)).toEqual(expected);
  });

  test('leaks no descriptor when it is opened and closed 100 times', async () => {
    const driver = lan().stationDriver();
    const cycle = (count: number): Promise<unknown> =>
      driver.call('cycle', { backend, device, groups: [group], count });
    await cycle(1);
    const before = await driver.call('descriptors');
    await cycle(100);
    expect(await driver.call('descriptors')).toBe(before);
    await lan().station.open();
    await expectTraffic(lan());
  });
}

function permitting(lan: () => KernelLan): void {
  test('says which capability is missing', async () => {
    const { station } = lan();
    // Loaded before the rights are gone, since these files may be root's alone.
    await station.open();
    await station.close();
    await lan().stationDriver().call('drop');
    await expect(station.open()).rejects.toMatchObject({
      name: 'NetError',
      code: 'not-permitted',
      message: expect.stringContaining('CAP_NET_RAW'),
    });
  });
}

/** Last, since it takes the peer away for good. */
function vanishing(lan: () => KernelLan, { diesOfLoss }: KernelTraits): void {
  const name = 'outlives a peer whose host vanishes together with the cable';
  test.skipIf(diesOfLoss !== undefined)(
    diesOfLoss === undefined ? name : `${name} (${diesOfLoss})`,
    async () => {
      const { station } = lan();
      await station.open();
      await lan().removePeer();
      await expect.poll(() => lan().index(), { timeout: 5000 }).toBe(0);
      await expect(station.send(advert(90))).rejects.toMatchObject({ code: 'no-such-device' });
      await expect(station.send(announcement())).rejects.toMatchObject({ code: 'no-such-device' });
      await station.close();
    },
  );
}
