// Addresses through iproute2, held to the same contract as the fake that the daemon is tested with,
// and what only a co-process can suffer from.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAddresses } from '../../src/net/linux/addresses.js';
import { FakeAddresses } from '../fakes/addresses.js';
import type { Program } from '../fakes/bundle.js';
import { describeOnNetwork } from '../netns/require.js';
import { ipv4, managed, refusal, testAddressesContract } from './addresses-contract.js';
import { buildAddressesDriver, KernelAddressesLab } from './addresses-kernel.js';
import type { AddressesLab } from './addresses-lab.js';

async function createFakeLab(): Promise<AddressesLab> {
  let addresses = new FakeAddresses();
  return {
    get addresses() {
      return addresses;
    },
    on: async (device) => addresses.on(device),
    assign: async (device, text) => {
      const [address = '', prefixLength] = text.split('/');
      const cidr = { address: ipv4(address), prefixLength: Number(prefixLength) };
      addresses.assign({ device, cidr, label: device });
    },
    createDevice: async (device) => addresses.createDevice(device),
    removeDevice: async (device) => addresses.removeDevice(device),
    setDefaultRoute: async (device, source) => {
      addresses.route = { device, source };
    },
    restore: async () => {
      addresses = new FakeAddresses();
      addresses.createDevice('car0');
      addresses.createDevice('car1');
    },
    end: async () => undefined,
  };
}

describe('fake addresses', () => {
  testAddressesContract(createFakeLab);
});

describe('without iproute2', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  test('says which package to install', async () => {
    process.env['PATH'] = '';
    const addresses = openAddresses();
    const error = await refusal(addresses.add(managed()));
    expect(error).toMatchObject({ code: 'missing-program', message: /iproute2/ });
    addresses.close();
  });
});

describeOnNetwork('addresses of a kernel', [], () => {
  let program: Program | undefined;
  beforeAll(async () => {
    program = await buildAddressesDriver();
  });
  afterAll(() => program?.remove());
  const create = (): Promise<KernelAddressesLab> => {
    if (program === undefined) throw new Error('The driver could not be built.');
    return KernelAddressesLab.create(program);
  };

  describe('the contract', () => {
    testAddressesContract(create);
  });

  describe('the co-process', () => {
    let made: KernelAddressesLab | undefined;
    const lab = (): KernelAddressesLab => {
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

    /** Whoever was told to end has ended. */
    const settled = (): Promise<void> =>
      expect.poll(() => lab().children(), { timeout: 5_000, interval: 10 }).toEqual([]);

    test('is one for all requests, and gone after close', async () => {
      await settled();
      await lab().addresses.add(managed());
      const first = await lab().children();
      expect(first).toHaveLength(1);
      await lab().addresses.remove(managed());
      await lab().addresses.list();
      expect(await lab().children()).toEqual(first);
      lab().addresses.close();
      await settled();
    });

    test('is replaced when it is killed between two requests', async () => {
      await lab().addresses.add(managed());
      const [first] = await lab().children();
      await lab().signal('SIGKILL');
      await lab().addresses.remove(managed());
      expect(await lab().on('car0')).toEqual([]);
      const [second] = await lab().children();
      expect(second).not.toBe(first);
    });

    test('is replaced when it is killed under a request', async () => {
      await lab().addresses.list();
      await lab().signal('SIGSTOP');
      const added = lab().addresses.add(managed());
      const listed = lab().addresses.list();
      await lab().signal('SIGKILL');
      await added;
      expect(await listed).toMatchObject([{ device: 'car0' }]);
      expect(await lab().on('car0')).toEqual(['10.0.0.10/24 car0']);
    });

    test('is replaced when it does not answer', async () => {
      await lab().addresses.list();
      await lab().signal('SIGSTOP');
      expect(await refusal(lab().addresses.add(managed()))).toMatchObject({
        code: 'failed',
        message: /has not answered/,
      });
      await lab().addresses.add(managed());
      expect(await lab().on('car0')).toEqual(['10.0.0.10/24 car0']);
      expect(await lab().children()).toHaveLength(1);
    });

    test('is told nothing that it would take for something else', async () => {
      const bad = ['car0:a b', 'car0:\nx', 'car0:\\', 'car0:#', 'car0:"', ''];
      for (const label of bad) {
        const error = await refusal(lab().addresses.add(managed('car0', 24, label)));
        expect(error.code).toBe('address-refused');
      }
      expect(await lab().on('car0')).toEqual([]);
      await lab().addresses.add(managed());
    });

    describe('without rights', () => {
      beforeEach(() => lab().drop());
      afterEach(() => lab().renewDriver());

      test('the capability is named', async () => {
        const error = await refusal(lab().addresses.add(managed()));
        expect(error).toMatchObject({ code: 'not-permitted', message: /CAP_NET_ADMIN/ });
        expect(error.message).toContain('10.0.0.10/24 to car0');
      });

      test('what is not there can be removed all the same', async () => {
        await lab().addresses.remove(managed());
        await lab().assign('car0', '10.0.0.10/24');
        const error = await refusal(lab().addresses.remove(managed()));
        expect(error).toMatchObject({ code: 'not-permitted', message: /Cannot remove/ });
      });
    });
  });
});
