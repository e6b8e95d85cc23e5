// Addresses against independent twins: the package `ip`, Node's net, and the URL parser.

import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import ip from 'ip';
import { describe, expect, it } from 'vitest';
import {
  broadcastMac,
  type Cidr,
  containsIpv4,
  formatCidr,
  formatIp,
  formatIpv4,
  formatIpv6,
  formatMac,
  type Ipv4,
  type Ipv6,
  isIpv6,
  isMulticastIpv4,
  type Mac,
  multicastMac,
  parseCidr,
  parseIp,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../src/protocol/address.js';
import { ipv4, mac, toHex } from './fixtures.js';

const anyIpv4 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => n as Ipv4);
/** Zero groups are frequent, so that every place of `::` is met. */
const anyIpv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n) as Ipv6);
const anyMac = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((n) => n as Mac);
const nearIpv4 = fc
  .array(fc.constantFrom('0', '1', '9', '10', '25', '255', '256', '01', '.', '.', '.', ' ', '-'), {
    maxLength: 9,
  })
  .map((parts) => parts.join(''));
const nearIpv6 = fc
  .array(
    fc.constantFrom('0', '1', 'ab', 'FFFF', '12345', ':', ':', ':', '::', '1.2.3.4', '.', 'g'),
    {
      maxLength: 18,
    },
  )
  .map((parts) => parts.join(''));

describe('IPv4 addresses', () => {
  it('are formatted and parsed as the package ip does', () => {
    fc.assert(
      fc.property(anyIpv4, (address) => {
        expect(formatIpv4(address)).toBe(ip.fromLong(address));
        expect(parseIpv4(ip.fromLong(address))).toBe(address);
        expect(ip.toLong(formatIpv4(address))).toBe(address);
      }),
    );
  });

  it('are what inet_pton calls an address, where the package ip is lax', () => {
    fc.assert(
      fc.property(fc.oneof(nearIpv4, fc.ipV4(), fc.string()), (text) => {
        expect(parseIpv4(text) !== undefined).toBe(isIPv4(text));
      }),
      { numRuns: 1000 },
    );
    for (const text of [
      '256.1.1.1',
      '10.1',
      '010.0.0.1',
      '1.2.3.4/24',
      ' 1.2.3.4',
      '1.2.3.4.5',
      '',
    ]) {
      expect(parseIpv4(text), text).toBeUndefined();
    }
  });

  it('keep the highest bit as a number above 2^31', () => {
    expect(ipv4('255.255.255.255')).toBe(0xffffffff);
    expect(ipv4('128.0.0.1')).toBe(0x80000001);
  });

  it('are in a network exactly if the package ip says so', () => {
    const prefixes = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(anyIpv4, prefixes, anyIpv4, fc.boolean(), (address, prefixLength, far, near) => {
        const other = (near ? (address ^ (far & 0xff)) >>> 0 : far) as Ipv4;
        const twin = ip.cidrSubnet(`${formatIpv4(address)}/${prefixLength}`);
        expect(containsIpv4({ address, prefixLength }, other)).toBe(
          twin.contains(formatIpv4(other)),
        );
      }),
    );
  });

  it('are all in a network of prefix length 0 and only themselves in one of 32', () => {
    fc.assert(
      fc.property(anyIpv4, anyIpv4, (one, other) => {
        expect(containsIpv4({ address: one, prefixLength: 0 }, other)).toBe(true);
        expect(containsIpv4({ address: one, prefixLength: 32 }, other)).toBe(one === other);
      }),
    );
  });

  it('are multicast from 224.0.0.0 to 239.255.255.255', () => {
    const table = { '223.255.255.255': false, '224.0.0.0': true, '239.255.255.255': true } as const;
    for (const [text, multicast] of Object.entries(table)) {
      expect(isMulticastIpv4(ipv4(text)), text).toBe(multicast);
    }
    expect(isMulticastIpv4(ipv4('240.0.0.0'))).toBe(false);
  });

  it('give the low 23 bits of a group to its Ethernet address', () => {
    expect(formatMac(multicastMac(ipv4('224.0.0.18')))).toBe('01:00:5e:00:00:12');
    expect(formatMac(multicastMac(ipv4('239.192.200.5')))).toBe('01:00:5e:40:c8:05');
    expect(formatMac(multicastMac(ipv4('239.255.255.255')))).toBe('01:00:5e:7f:ff:ff');
  });
});

describe('IPv6 addresses', () => {
  it('are read and written as the package ip reads and writes their bytes', () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        const bytes = Buffer.from(address.toString(16).padStart(32, '0'), 'hex');
        expect(toHex(ip.toBuffer(formatIpv6(address)))).toBe(toHex(bytes));
        expect(parseIpv6(ip.toString(bytes))).toBe(address);
      }),
    );
  });

  it('are formatted as a URL shows them (RFC 5952)', () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        const text = formatIpv6(address);
        expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname);
        expect(parseIpv6(text)).toBe(address);
      }),
    );
  });

  it('are what Node calls one, and have the value that a URL gives them', () => {
    fc.assert(
      fc.property(fc.oneof(nearIpv6, fc.ipV6(), fc.string()), (text) => {
        fc.pre(!text.includes('%'));
        const address = parseIpv6(text);
        expect(address !== undefined).toBe(isIPv6(text));
        if (address === undefined) return;
        expect(`[${formatIpv6(address)}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['::ffff:1.2.3.4', 0xffff_0102_0304n],
    ['1:2:3:4:5:6:7::', 0x0001_0002_0003_0004_0005_0006_0007_0000n],
    ['FE80::0001', (0xfe80n << 112n) | 1n],
  ])('read %s', (text, value) => {
    expect(parseIpv6(text)).toBe(value);
  });

  it.each(['', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '::1:2:3:4:5:6:7:8'])(
    'are not %j',
    (text) => {
      expect(parseIpv6(text)).toBeUndefined();
    },
  );

  it.each(['fe80::1%eth0', '1.2.3.4::', '1.2.3.4', '::12345', '::1.2.3.256', '::1.2.3.4:5'])(
    'are not %j either',
    (text) => {
      expect(parseIpv6(text)).toBeUndefined();
    },
  );

  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
  ])('write %s as %s', (text, canonical) => {
    const address = parseIpv6(text);
    expect(address === undefined ? undefined : formatIpv6(address)).toBe(canonical);
  });
});

describe('addresses of either family', () => {
  it('go through text and back, and are told apart', () => {
    fc.assert(
      fc.property(fc.oneof(anyIpv4, anyIpv6), (address) => {
        expect(parseIp(formatIp(address))).toBe(address);
        expect(isIpv6(address)).toBe(typeof address === 'bigint');
        expect(isIPv6(formatIp(address))).toBe(isIpv6(address));
      }),
    );
  });

  it('with a prefix length go through text and back', () => {
    const anyCidr: fc.Arbitrary<Cidr> = fc.oneof(
      fc.record({ address: anyIpv4, prefixLength: fc.integer({ min: 0, max: 32 }) }),
      fc.record({ address: anyIpv6, prefixLength: fc.integer({ min: 0, max: 128 }) }),
    );
    fc.assert(
      fc.property(anyCidr, (cidr) => {
        expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
      }),
    );
  });

  it.each([
    '10.0.0.1',
    '10.0.0.1/',
    '10.0.0.1/33',
    '::1/129',
    '10.0.0.1/024',
    '10.0.0.1/-1',
    'x/24',
  ])('have no prefix length in %j', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it('may have the longest prefix length and the shortest', () => {
    expect(parseCidr('10.0.0.1/32')?.prefixLength).toBe(32);
    expect(parseCidr('::1/128')?.prefixLength).toBe(128);
    expect(parseCidr('::/0')).toEqual({ address: 0n, prefixLength: 0 });
  });
});

describe('Ethernet addresses', () => {
  it('go through text and back', () => {
    fc.assert(
      fc.property(anyMac, (address) => {
        expect(formatMac(address)).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
        expect(parseMac(formatMac(address))).toBe(address);
      }),
    );
  });

  it('keep their order of bytes', () => {
    expect(mac('02:AA:00:00:00:01')).toBe(0x02aa00000001);
    expect(formatMac(0x00005e000101 as Mac)).toBe('00:00:5e:00:01:01');
    expect(formatMac(broadcastMac)).toBe('ff:ff:ff:ff:ff:ff');
  });

  it.each([
    '',
    '00:00:5e:00:01',
    '00:00:5e:00:01:01:02',
    '0:0:5e:0:1:1',
    '00-00-5e-00-01-01',
    'g0:00:00:00:00:00',
  ])('are not %j', (text) => {
    expect(parseMac(text)).toBeUndefined();
  });
});
