// What every implementation of Addresses keeps. Each test begins with two devices, car0 and car1,
// and no addresses.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NetError } from '../../src/net/errors.js';
import type { ManagedAddress } from '../../src/net/ports.js';
import { type Ipv4, parseIpv4 } from '../../src/protocol/address.js';
import type { AddressesLab } from './addresses-lab.js';

export const virtual = ipv4('10.0.0.10');

export function ipv4(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export function managed(
  device = 'car0',
  prefixLength = 24,
  label: string | undefined = undefined,
): ManagedAddress {
  return { device, cidr: { address: virtual, prefixLength }, label };
}

/** What a promise is rejected with; fails when it is not, or not with a NetError. */
export async function refusal(work: Promise<unknown>): Promise<NetError> {
  const outcome = await work.then(
    () => 'it was done',
    (error: unknown) => error,
  );
  if (outcome instanceof NetError) return outcome;
  throw new Error(`not refused with a NetError: ${String(outcome)}`);
}

export function testAddressesContract(create: () => Promise<AddressesLab>): void {
  let made: AddressesLab | undefined;
  const lab = (): AddressesLab => {
    if (made === undefined) throw new Error('The lab could not be made.');
    return made;
  };
  beforeAll(async () => {
    made = await create();
  });
  beforeEach(() => lab().restore());
  afterAll(async () => {
    await made?.end();
  });

  test('adds an address with the prefix and the label that were asked for', async () => {
    await lab().addresses.add(managed('car0', 24, 'car0:vip'));
    await lab().addresses.add(managed('car1', 32));
    expect(await lab().on('car0')).toEqual(['10.0.0.10/24 car0:vip']);
    expect(await lab().on('car1')).toEqual(['10.0.0.10/32 car1']);
  });

  test('lists what there is, with device, prefix and label', async () => {
    await lab().assign('car1', '192.0.2.1/28');
    await lab().addresses.add(managed('car0', 24, 'car0:vip'));
    expect(await lab().addresses.list()).toEqual([
      { device: 'car0', cidr: { address: virtual, prefixLength: 24 }, label: 'car0:vip' },
      {
        device: 'car1',
        cidr: { address: ipv4('192.0.2.1'), prefixLength: 28 },
        label: 'car1',
      },
    ]);
  });

  test('adding what is there is a success and changes nothing', async () => {
    await lab().addresses.add(managed());
    await lab().addresses.add(managed());
    expect(await lab().on('car0')).toEqual(['10.0.0.10/24 car0']);
  });

  test('takes an address that somebody else has added for its own', async () => {
    await lab().assign('car0', '10.0.0.10/24');
    await lab().addresses.add(managed());
    await lab().addresses.remove(managed());
    expect(await lab().on('car0')).toEqual([]);
  });

  test('removes the address with every prefix it has, on that device only', async () => {
    await lab().assign('car0', '10.0.0.10/16');
    await lab().assign('car0', '10.0.0.11/24');
    await lab().addresses.add(managed('car0', 24));
    await lab().addresses.add(managed('car0', 32));
    await lab().addresses.add(managed('car1', 24));
    const removed = await lab().addresses.remove(managed('car0', 24));
    expect(removed.map(({ cidr: { prefixLength } }) => prefixLength).sort()).toEqual([16, 24, 32]);
    expect(await lab().on('car0')).toEqual(['10.0.0.11/24 car0']);
    expect(await lab().on('car1')).toEqual(['10.0.0.10/24 car1']);
  });

  test('removing what is not there is a success, even from a device that is not', async () => {
    expect(await lab().addresses.remove(managed('car0'))).toEqual([]);
    expect(await lab().addresses.remove(managed('nosuch0'))).toEqual([]);
  });

  test('refuses a device that does not exist, by its name', async () => {
    const error = await refusal(lab().addresses.add(managed('nosuch0')));
    expect(error).toMatchObject({ code: 'no-such-device', message: /10\.0\.0\.10\/24.*nosuch0/ });
  });

  test('works at once on a device that was deleted and created again', async () => {
    await lab().addresses.add(managed());
    await lab().removeDevice('car0');
    await lab().createDevice('car0');
    await lab().addresses.add(managed());
    expect(await lab().on('car0')).toEqual(['10.0.0.10/24 car0']);
    await lab().addresses.remove(managed());
    await lab().removeDevice('car0');
    await lab().createDevice('car0');
    await lab().assign('car0', '10.0.0.10/24');
    await lab().addresses.remove(managed());
    expect(await lab().on('car0')).toEqual([]);
  });

  test('does what is asked for all at once in the order in which it was asked for', async () => {
    const { addresses } = lab();
    const there = async (): Promise<boolean> =>
      (await addresses.list()).some(({ cidr }) => cidr.address === virtual);
    const answers = await Promise.all([
      addresses.add(managed()),
      there(),
      addresses.remove(managed()),
      there(),
      refusal(addresses.add(managed('nosuch0'))),
      addresses.add(managed()),
      there(),
    ]);
    expect(answers.filter((answer) => typeof answer === 'boolean')).toEqual([true, false, true]);
  });

  test('refuses a label that is longer than the kernel takes', async () => {
    const label = 'car0:abcdefghijk';
    const error = await refusal(lab().addresses.add(managed('car0', 24, label)));
    expect(error).toMatchObject({ code: 'address-refused' });
    expect(error.message).toContain(label);
    await lab().addresses.add(managed('car0', 24, label.slice(0, 15)));
    expect(await lab().on('car0')).toEqual([`10.0.0.10/24 ${label.slice(0, 15)}`]);
  });

  test('knows the default route, if there is one', async () => {
    expect(await lab().addresses.defaultRoute()).toBeUndefined();
    await lab().assign('car1', '192.0.2.1/28');
    await lab().setDefaultRoute('car1', ipv4('192.0.2.1'));
    expect(await lab().addresses.defaultRoute()).toEqual({
      device: 'car1',
      source: ipv4('192.0.2.1'),
    });
  });

  test('knows which addresses are of this host', async () => {
    await lab().assign('car0', '192.0.2.1/28');
    expect(await lab().addresses.isLocal(ipv4('192.0.2.1'))).toBe(true);
    expect(await lab().addresses.isLocal(ipv4('192.0.2.2'))).toBe(false);
    expect(await lab().addresses.isLocal(ipv4('9.9.9.9'))).toBe(false);
  });

  test('may be asked whether it may change anything, and changes nothing', async () => {
    await lab().assign('car0', '192.0.2.1/28');
    await lab().addresses.mayChange('car0');
    expect(await lab().on('car0')).toEqual(['192.0.2.1/28 car0']);
  });

  test('does nothing any more when it is closed', async () => {
    lab().addresses.close();
    expect(await refusal(lab().addresses.add(managed()))).toMatchObject({ code: 'closed' });
    expect(await refusal(lab().addresses.list())).toMatchObject({ code: 'closed' });
    expect(await lab().on('car0')).toEqual([]);
  });
}
