// Where a router lives: what is chosen for what the command line left open, and every refusal.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { connectedPrefix, deviceOf, type Placement, place } from '../../src/daemon/placement.js';
import { NetError } from '../../src/net/errors.js';
import type { AssignedAddress } from '../../src/net/ports.js';
import { formatIpv4, type Ipv4, parseIpv4 } from '../../src/protocol/address.js';
import { FakeAddresses } from '../fakes/addresses.js';
import { testConfig } from '../fakes/config.js';
import { FakeInterfaces } from '../fakes/interfaces.js';

let interfaces: FakeInterfaces;
let addresses: FakeAddresses;

beforeEach(() => {
  interfaces = new FakeInterfaces();
  addresses = new FakeAddresses();
  for (const device of ['lo', 'eth0', 'eth1']) interfaces.put(device);
  assign('lo', '127.0.0.1', 8);
});
afterEach(() => {
  vi.useRealTimers();
});

function ipv4(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

function assigned(device: string, address: string, prefixLength: number): AssignedAddress {
  return { device, cidr: { address: ipv4(address), prefixLength }, label: device };
}

function assign(device: string, address: string, prefixLength: number): void {
  addresses.assign(assigned(device, address, prefixLength));
}

function settle(overrides: Partial<Config>): Promise<Placement> {
  return place(testConfig(overrides), { interfaces, addresses });
}

/** The code and the sentence that a start is refused with. */
async function refusal(overrides: Partial<Config>): Promise<string> {
  const error = await settle(overrides).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof NetError)) throw new Error(`not refused: ${String(error)}`);
  return `${error.code}: ${error.message}`;
}

describe('the interface', () => {
  test('as given; what follows a colon is a label', async () => {
    assign('eth1', '10.0.0.1', 24);
    const { interfaceName, facts } = await settle({ interface: 'eth1:0' });
    expect(interfaceName).toBe('eth1:0');
    expect(facts.name).toBe('eth1');
    expect(['eth1', 'eth1:0', 'eth1:', 'a:b:c'].map(deviceOf)).toEqual([
      'eth1',
      'eth1',
      'eth1',
      'a',
    ]);
  });

  test('auto is that of the default route', async () => {
    assign('eth0', '192.0.2.1', 24);
    assign('eth1', '10.0.0.1', 24);
    addresses.route = { device: 'eth1', source: ipv4('10.0.0.1') };
    const { interfaceName } = await settle({ interface: 'auto', source: 'auto' });
    expect(interfaceName).toBe('eth1');
  });

  test('auto without default route is the first that has link and an address', async () => {
    assign('eth0', '192.0.2.1', 24);
    assign('eth1', '10.0.0.1', 24);
    interfaces.put('eth0', { running: false });
    expect((await settle({ interface: 'auto' })).interfaceName).toBe('eth1');
  });

  test('auto with nothing to choose from is refused', async () => {
    expect(await refusal({ interface: 'auto' })).toBe(
      'no-such-device: No interface was given, and there is neither a default route nor an ' +
        'interface with an address to choose; give --if',
    );
  });

  test('that does not exist is refused', async () => {
    expect(await refusal({ interface: 'nope0:1' })).toBe(
      'no-such-device: There is no interface nope0; see: ip link',
    );
  });

  test('that is down is refused', async () => {
    interfaces.put('eth1', { up: false });
    expect(await refusal({})).toBe(
      'link-down: The interface eth1 is down; try: ip link set eth1 up',
    );
  });

  test('without carrier will do', async () => {
    assign('eth1', '10.0.0.1', 24);
    interfaces.put('eth1', { running: false });
    expect((await settle({})).facts.running).toBe(false);
  });
});

describe('the source', () => {
  test('as given must be an address of this host, on whichever interface', async () => {
    assign('eth0', '10.0.0.1', 24);
    expect(formatIpv4((await settle({})).source)).toBe('10.0.0.1');
  });

  test('of somebody else is refused, and what this host has is named', async () => {
    expect(await refusal({})).toBe(
      'address-refused: 10.0.0.1 (--src) is not an address of this host, which has none',
    );
    assign('eth1', '10.0.0.3', 24);
    assign('eth0', '192.0.2.1', 24);
    expect(await refusal({})).toBe(
      'address-refused: 10.0.0.1 (--src) is not an address of this host, which has ' +
        '10.0.0.3 on eth1, 192.0.2.1 on eth0',
    );
  });

  test('may be anything where no group is joined, as with ucarp', async () => {
    expect(formatIpv4((await settle({ broadcast: true })).source)).toBe('10.0.0.1');
  });

  test('auto is the first address of the interface', async () => {
    assign('eth0', '192.0.2.1', 24);
    assign('eth1', '10.0.0.3', 24);
    assign('eth1', '10.0.0.4', 24);
    addresses.route = { device: 'eth0', source: ipv4('192.0.2.1') };
    expect(formatIpv4((await settle({ source: 'auto' })).source)).toBe('10.0.0.3');
  });

  test('auto is never the virtual address that an earlier life left behind', async () => {
    assign('eth1', '10.0.0.10', 24);
    assign('eth1', '10.0.0.3', 24);
    expect(formatIpv4((await settle({ source: 'auto' })).source)).toBe('10.0.0.3');
  });

  test('auto on an interface without address is that of the default route', async () => {
    addresses.route = { device: 'eth0', source: ipv4('192.0.2.1') };
    expect(formatIpv4((await settle({ source: 'auto' })).source)).toBe('192.0.2.1');
  });

  test('auto with nothing to choose from is refused', async () => {
    const text = (has: string): string =>
      `address-refused: Interface eth1 ${has}, and no default route gives one; give --src`;
    expect(await refusal({ source: 'auto' })).toBe(text('has no address'));
    assign('eth1', '10.0.0.10', 24);
    expect(await refusal({ source: 'auto' })).toBe(text('has no address but that of --addr'));
    addresses.route = { device: 'eth1', source: ipv4('10.0.0.10') };
    expect(await refusal({ source: 'auto' })).toBe(text('has no address but that of --addr'));
  });
});

describe('the managed address', () => {
  beforeEach(() => assign('eth1', '10.0.0.1', 24));

  test('is none of ours when it is the business of scripts', async () => {
    expect((await settle({})).managed).toBeUndefined();
  });

  test('has the prefix that was given', async () => {
    const { managed } = await settle({ manageAddress: true, prefixLength: 16 });
    expect(managed).toEqual({
      device: 'eth1',
      cidr: { address: ipv4('10.0.0.10'), prefixLength: 16 },
      label: undefined,
    });
  });

  test('has the label that was given', async () => {
    const labelOf = async (name: string): Promise<string | undefined> =>
      (await settle({ manageAddress: true, interface: name })).managed?.label;
    expect(await labelOf('eth1:vip')).toBe('eth1:vip');
    expect(await labelOf('eth1:')).toBeUndefined();
  });

  test('without prefix has that of its subnet on the interface', async () => {
    const { managed } = await settle({ manageAddress: true, prefixLength: undefined });
    expect(managed?.cidr.prefixLength).toBe(24);
  });

  test.each([
    ['no subnet that contains it', [['eth1', '10.0.1.1', 24]], 32],
    ['a subnet on another interface', [['eth0', '10.0.0.1', 24]], 32],
    ['only itself, left behind', [['eth1', '10.0.0.10', 24]], 32],
    [
      'several subnets, the narrowest',
      [
        ['eth1', '10.0.0.1', 8],
        ['eth1', '10.0.0.2', 25],
        ['eth1', '10.0.0.3', 16],
      ],
      25,
    ],
  ] as const)('with %s', (_, list, expected) => {
    const all = list.map(([device, address, length]) => assigned(device, address, length));
    expect(connectedPrefix(all, 'eth1', ipv4('10.0.0.10'))).toBe(expected);
  });
});

test('an interface may be called by an alternative name', async () => {
  assign('eth1', '10.0.0.1', 24);
  const { mac, index } = interfaces.read('eth1') ?? {};
  interfaces.put('lan0', { name: 'eth1', ...(mac && { mac }), ...(index && { index }) });
  const found = await settle({ interface: 'lan0:7', source: 'auto', manageAddress: true });
  expect(found).toMatchObject({
    interfaceName: 'lan0:7',
    source: ipv4('10.0.0.1'),
    managed: { device: 'eth1', label: 'eth1:7', cidr: { prefixLength: 24 } },
  });
  expect((await settle({ interface: 'lan0', manageAddress: true })).managed?.label).toBeUndefined();
});

test('a source that is local without being assigned is taken', async () => {
  assign('eth1', '10.0.0.1', 24);
  addresses.local.add(ipv4('10.50.0.1'));
  expect((await settle({ source: ipv4('10.50.0.1') })).source).toBe(ipv4('10.50.0.1'));
  expect(await refusal({ source: ipv4('10.50.0.2') })).toMatch(/^address-refused/);
});

test('an address that it may not put there is refused before it is needed', async () => {
  assign('eth1', '10.0.0.1', 24);
  addresses.forbidden = new NetError('not-permitted', 'Cannot change addresses on eth1: ...');
  expect(await refusal({ manageAddress: true })).toMatch(/^not-permitted: Cannot change/);
  await settle({ manageAddress: false });
});

describe('without iproute2', () => {
  beforeEach(() => {
    addresses.error = new NetError('missing-program', 'Cannot run ip(8)');
  });

  test('what does not need it starts all the same, its source unchecked', async () => {
    const { source, managed } = await settle({});
    expect(formatIpv4(source)).toBe('10.0.0.1');
    expect(managed).toBeUndefined();
  });

  test.each([
    ['a managed address', { manageAddress: true }],
    ['an interface to choose', { interface: 'auto' }],
    ['a source to choose', { source: 'auto' }],
  ] as const)('%s is refused', async (_, overrides) => {
    expect(await refusal(overrides)).toBe('missing-program: Cannot run ip(8)');
  });

  test('every other failure is one', async () => {
    addresses.error = new NetError('failed', 'ip(8) ended without an answer');
    expect(await refusal({})).toBe('failed: ip(8) ended without an answer');
  });
});
