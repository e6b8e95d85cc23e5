// Addresses through iproute2, held to the same contract as the fake that the daemon is tested with,
// and what only a co-process can suffer from.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NetError } from '../../src/net/errors.js';
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

describe('instead of iproute2', () => {
  const path = process.env['PATH'];
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tscarp-ip-'));
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  const refused = async (script: string): Promise<NetError> => {
    writeFileSync(join(folder, 'ip'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env['PATH'] = `${folder}:${path}`;
    const addresses = openAddresses();
    const error = await refusal(addresses.remove(managed()));
    addresses.close();
    return error;
  };

  test('something that answers in another language is not taken for success', async () => {
    const error = await refused('while read line; do echo "Dump was interrupted"; done');
    expect(error).toMatchObject({ code: 'failed', message: /no JSON: Dump was interrupted/ });
  });

  test('something that never answers is asked twice', async () => {
    const begun = join(folder, 'begun');
    const error = await refused(`echo begun >> ${begun}; exec sleep 60`);
    expect(error).toMatchObject({ code: 'failed', message: /has not answered/ });
    expect(readFileSync(begun, 'utf8')).toBe('begun\nbegun\n');
  });

  test('nothing: says which package to install', async () => {
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
      await lab().addresses.add(managed());
      expect(await lab().on('car0')).toEqual(['10.0.0.10/24 car0']);
      expect(await lab().children()).toHaveLength(1);
    });

    test('knows what is of this host by the routing table alone', async () => {
      await lab().addLocalRoute('10.50.0.0/24');
      expect(await lab().addresses.isLocal(ipv4('10.50.0.1'))).toBe(true);
      expect(await lab().addresses.isLocal(ipv4('127.0.0.2'))).toBe(true);
      expect(await lab().addresses.isLocal(ipv4('10.51.0.1'))).toBe(false);
    });

    test('finds the address on a device that was renamed meanwhile', async () => {
      await lab().addresses.add(managed());
      await lab().rename('car0', 'car9');
      await lab().addresses.remove(managed());
      expect(await lab().on('car9')).toEqual([]);
      await lab().removeDevice('car9');
    });

    test('leaves an address alone that somebody else put on the renamed device', async () => {
      await lab().addresses.add(managed());
      await lab().addresses.remove(managed());
      await lab().rename('car0', 'car9');
      await lab().assign('car9', '10.0.0.10/24');
      await lab().addresses.remove(managed());
      expect(await lab().on('car9')).toEqual(['10.0.0.10/24 car9']);
      await lab().removeDevice('car9');
    });

    test('leaves the host its own address of the subnet, whichever came first', async () => {
      await lab().set('promote_secondaries', '0');
      await lab().addresses.add(managed());
      await lab().assign('car0', '10.0.0.1/24');
      await lab().addresses.remove(managed());
      expect(await lab().on('car0')).toEqual(['10.0.0.1/24 car0']);
      expect(await lab().get('promote_secondaries')).toBe('0');
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

      test('and before anything is to be changed', async () => {
        const error = await refusal(lab().addresses.mayChange('car0'));
        expect(error).toMatchObject({ code: 'not-permitted', message: /CAP_NET_ADMIN/ });
        expect(error.message).toContain('change addresses on car0');
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
