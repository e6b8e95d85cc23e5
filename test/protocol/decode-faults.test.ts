// What decode says of packets that are wrong, cut short or none at all.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IpAddress, Ipv4, Ipv6 } from '../../src/protocol/address.js';
import { type DecodedPacket, decode } from '../../src/protocol/decode.js';
import { serializeIpv4Packet } from '../../src/protocol/ipv4.js';
import { serializeIpv6Packet } from '../../src/protocol/ipv6.js';
import { isLinkType, linkTypes } from '../../src/protocol/link-layer.js';
import { milliseconds, seconds } from '../../src/protocol/units.js';
import { passwordData, serializeAdvertisement } from '../../src/protocol/vrrp/advertisement.js';
import { decodeFrame, noSecrets } from './captures.js';
import { hex, hmacSha1, ipv4, ipv6, toHex } from './fixtures.js';

const carrier = { source: ipv4('10.0.0.1'), destination: ipv4('224.0.0.18') };
const carrierV6 = { source: ipv6('fe80::1'), destination: ipv6('ff02::12') };
const v2 = {
  version: 2,
  vrid: 7,
  priority: 100,
  interval: seconds(1),
  addresses: [ipv4('10.0.0.100')],
  authentication: { type: 'none' },
  trailer: undefined,
} as const;
const v3 = { ...v2, version: 3, interval: milliseconds(250) } as const;
// vhid 1, 1/0, from test/vectors/bsd-carp.json; password `secret`, 192.0.2.100.
const carp = hex('210100070001c05e0123456789abcdef41db29e5da58dbfa38ab98f6d21a1fd7a19cf92d');
const knowsCarp = {
  carp: { hmac: hmacSha1(Buffer.from('secret')), addresses: [ipv4('192.0.2.100')] },
  vrrpPassword: undefined,
};

interface Changes {
  readonly ttl?: number;
  readonly protocol?: number;
}

function overIpv4(payload: Uint8Array, { ttl = 255, protocol = 112 }: Changes = {}): Uint8Array {
  return serializeIpv4Packet({ tos: 0, id: 1, ttl, protocol, payload, ...carrier });
}

function overIpv6(payload: Uint8Array, { ttl = 255, protocol = 112 }: Changes = {}): Uint8Array {
  const header = { trafficClass: 0, flowLabel: 0, hopLimit: ttl, nextHeader: protocol };
  return serializeIpv6Packet({ ...header, payload, ...carrierV6 });
}

function decodeRaw(packet: Uint8Array, secrets = noSecrets): DecodedPacket | undefined {
  return decodeFrame(packet, secrets, linkTypes.raw);
}

/** The same with the bytes at an offset replaced. */
function patched(bytes: Uint8Array, at: number, text: string): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(hex(text), at);
  return copy;
}

describe('CARP and VRRP with the same number', () => {
  const addresses = (count: number): readonly Ipv4[] =>
    Array.from({ length: count }, (_, index) => ipv4(`10.0.1.${index}`));
  const trailer = hex(`01010000${'5a'.repeat(24)}`);
  const carpSized = carp.length;

  it.each([
    ['VRRPv2 with seven addresses', 44, { ...v2, addresses: addresses(7) }],
    ['VRRPv2 with seven addresses, signed', 72, { ...v2, addresses: addresses(7), trailer }],
    ['VRRPv2 of 36 bytes, with five addresses', carpSized, { ...v2, addresses: addresses(5) }],
    ['VRRPv3 of 36 bytes, with seven addresses', carpSized, { ...v3, addresses: addresses(7) }],
  ])('%s is VRRP', (_name, length, advertisement) => {
    const payload = serializeAdvertisement(advertisement, carrier);
    expect(payload.length).toBe(length);
    expect(decodeRaw(overIpv4(payload))).toMatchObject({
      protocol: 'vrrp',
      addresses: advertisement.addresses,
      drop: undefined,
    });
  });

  it('is CARP with padding after it, which is no part of the packet', () => {
    const padded = Buffer.concat([overIpv4(carp), hex('00'.repeat(8))]);
    expect(decodeRaw(padded, knowsCarp)).toMatchObject({ protocol: 'carp', drop: undefined });
  });

  it('is VRRP with padding after it: an Ethernet frame has at least 60 bytes', () => {
    const payload = serializeAdvertisement(v3, carrier);
    const padded = Buffer.concat([overIpv4(payload), hex('00'.repeat(14))]);
    expect(decodeRaw(padded)).toMatchObject({ protocol: 'vrrp', drop: undefined });
  });

  it('is CARP with bytes after it that belong to the packet, which ucarp does not sum', () => {
    const longer = Buffer.concat([carp, hex('0102')]);
    expect(decodeRaw(overIpv4(longer), knowsCarp)).toMatchObject({
      digest: 'good',
      drop: undefined,
    });
  });
});

describe('a CARP packet', () => {
  it.each([
    ['ttl', overIpv4(carp, { ttl: 64 })],
    ['ttl', overIpv6(carp, { ttl: 64 })],
    ['version', overIpv4(patched(carp, 0, '11'))],
    ['checksum', overIpv4(patched(carp, 2, '01'))],
    ['checksum', overIpv6(patched(carp, 2, '01'))],
    // advskew more by one and the checksum less: the digest does not cover either.
    ['digest', overIpv4(patched(carp, 6, 'c05d0123456789abcdf0'))],
    ['too-short', overIpv4(carp.subarray(0, 35))],
    ['too-short', overIpv4(carp.subarray(0, 4))],
  ])('is dropped for its %s', (reason, packet) => {
    expect(decodeRaw(packet, knowsCarp)).toMatchObject({ protocol: 'carp', drop: reason });
  });

  it('of any type is taken: nobody looks at it', () => {
    const typed = patched(patched(carp, 0, '25'), 6, 'bc5e');
    expect(decodeRaw(overIpv4(typed), knowsCarp)).toMatchObject({
      digest: 'good',
      drop: undefined,
    });
  });

  it('over IPv6 may have its checksum with or without the pseudo-header', () => {
    // 0xc05e less the pseudo-header's fe80 + 1 + ff02 + 12 + 24 + 70.
    const sums = ['c05e', 'c233'].map((sum) =>
      decodeRaw(overIpv6(patched(carp, 6, sum)), knowsCarp),
    );
    for (const packet of sums) {
      expect(packet).toMatchObject({ protocol: 'carp', checksum: 'good', digest: 'good' });
    }
  });

  it('is good for OpenBSD and for the others when one of the addresses is link-local', () => {
    const addresses: readonly IpAddress[] = [ipv4('192.0.2.100'), ipv6('fe80::100')];
    const secrets = { ...knowsCarp, carp: { ...knowsCarp.carp, addresses } };
    expect(decodeRaw(overIpv4(carp), secrets)?.digest).toBe('good');
    const global = {
      ...secrets,
      carp: { ...secrets.carp, addresses: [...addresses, ipv6('2001:db8::1')] },
    };
    expect(decodeRaw(overIpv4(carp), global)?.digest).toBe('bad');
  });
});

describe('a VRRP packet', () => {
  const message = serializeAdvertisement(v2, carrier);
  const v3Message = serializeAdvertisement(v3, carrier);

  it.each([
    ['ttl', overIpv4(v3Message, { ttl: 254 })],
    ['version', overIpv4(patched(v3Message, 0, '41'))],
    ['version', overIpv6(message)],
    ['type', overIpv4(patched(v3Message, 0, '32'))],
    ['length', overIpv4(patched(v3Message, 3, '02'))],
    ['checksum', overIpv4(patched(v3Message, 2, '65'))],
    ['checksum', patched(overIpv4(v3Message), 1, '01')],
    ['interval', overIpv4(serializeAdvertisement({ ...v3, interval: seconds(0) }, carrier))],
    ['auth', overIpv4(serializeAdvertisement({ ...v2, authentication: { type: 'ah' } }, carrier))],
    ['too-short', overIpv4(v3Message.subarray(0, 7))],
    ['too-short', overIpv4(v3Message.subarray(0, 0))],
    ['length', overIpv4(v3Message.subarray(0, 11))],
  ])('is dropped for its %s: %j', (reason, packet) => {
    expect(decodeRaw(packet)).toMatchObject({ protocol: 'vrrp', drop: reason });
  });

  it('whose authentication type does not exist is said to have an unknown one', () => {
    const packet = overIpv4(patched(message, 4, '09'));
    expect(decodeRaw(packet)).toMatchObject({ auth: 'unknown', drop: 'checksum' });
  });

  it('of an unknown version is not read further than its identifier', () => {
    const packet = decodeRaw(overIpv4(patched(v3Message, 0, '41')));
    expect(packet).toMatchObject({
      version: 4,
      vrid: 7,
      priority: undefined,
      addresses: undefined,
    });
  });

  it('of seven bytes, or of none, is read as far as it goes', () => {
    expect(decodeRaw(overIpv4(v3Message.subarray(0, 7)))).toMatchObject({ version: 3, vrid: 7 });
    expect(decodeRaw(overIpv4(v3Message.subarray(0, 0)))).toMatchObject({ version: undefined });
  });

  it('is checked for its password', () => {
    const data = passwordData(Buffer.from('pw'));
    const payload = serializeAdvertisement(
      { ...v2, authentication: { type: 'pass', data } },
      carrier,
    );
    const secrets = (password: string) => ({
      carp: undefined,
      vrrpPassword: Buffer.from(password),
    });
    expect(decodeRaw(overIpv4(payload), secrets('pw'))).toMatchObject({
      digest: 'good',
      auth: 'pass',
    });
    expect(decodeRaw(overIpv4(payload), secrets('pws'))?.drop).toBe('digest');
  });
});

describe('a VRRP packet in an authentication header', () => {
  const header = hex(`70040000${'0a000001'}00000001${'00'.repeat(12)}`);
  const wrap = (payload: Uint8Array): Uint8Array =>
    overIpv4(Buffer.concat([header, payload]), { protocol: 51 });

  it('is read', () => {
    const inner = serializeAdvertisement({ ...v2, authentication: { type: 'ah' } }, carrier);
    expect(decodeRaw(wrap(inner))).toMatchObject({ protocol: 'vrrp', auth: 'ah', drop: undefined });
  });

  it('is dropped when it does not say that it is in one', () => {
    expect(decodeRaw(wrap(serializeAdvertisement(v2, carrier)))?.drop).toBe('auth');
  });

  it('is nothing to us when there is no room for one, or when it holds another protocol', () => {
    expect(decodeRaw(overIpv4(hex('70'), { protocol: 51 }))).toBeUndefined();
    expect(decodeRaw(overIpv4(patched(header, 0, '06'), { protocol: 51 }))).toBeUndefined();
    expect(decodeRaw(overIpv4(header.subarray(0, 9), { protocol: 51 }))?.drop).toBe('too-short');
  });
});

describe('a packet of which the capture has only the start', () => {
  const full = (linkLength: number, packet: Uint8Array) =>
    decode(
      {
        linkType: linkTypes.raw,
        bytes: packet.subarray(0, linkLength),
        originalLength: packet.length,
      },
      knowsCarp,
    );

  it('is described as far as it goes and not accused of anything', () => {
    const packet = overIpv4(carp);
    expect(full(20 + 35, packet)).toMatchObject({
      protocol: 'carp',
      vhid: 1,
      advbase: 1,
      counter: 0x0123456789abcdefn,
      checksum: 'unchecked',
      digest: 'unchecked',
      drop: undefined,
      cut: true,
    });
    expect(full(20 + 15, packet)).toMatchObject({ advbase: 1, counter: undefined });
    expect(full(20 + 5, packet)).toMatchObject({ vhid: 1, advskew: 0, advbase: undefined });
  });

  it('is described as far as it goes when it is VRRP', () => {
    const addresses = [ipv4('10.0.0.100'), ipv4('10.0.0.101')];
    const packet = overIpv4(serializeAdvertisement({ ...v2, addresses }, carrier));
    const unchecked = { checksum: 'unchecked', digest: 'unchecked', drop: undefined, cut: true };
    expect(full(20 + 13, packet)).toMatchObject({ ...unchecked, addresses: addresses.slice(0, 1) });
    expect(full(20 + 5, packet)).toMatchObject({ ...unchecked, version: 2, vrid: 7 });
  });

  it('is dropped for what can be seen of it all the same', () => {
    const payload = serializeAdvertisement(v3, carrier);
    expect(full(20 + 10, overIpv4(payload, { ttl: 1 }))?.drop).toBe('ttl');
    expect(full(20 + 10, overIpv4(patched(payload, 0, '41')))?.drop).toBe('version');
    expect(full(20 + 10, overIpv4(patched(payload, 0, '32')))?.drop).toBe('type');
  });

  it('that lost nothing but its padding is whole', () => {
    const padded = Buffer.concat([overIpv4(carp), hex('0000')]);
    expect(full(20 + 36, padded)).toMatchObject({ digest: 'good', cut: false });
    const short = Buffer.concat([overIpv4(carp.subarray(0, 30)), hex('0000')]);
    expect(full(20 + 30, short)).toMatchObject({ drop: 'too-short', cut: false });
  });
});

describe('a frame', () => {
  const packet = toHex(overIpv4(carp));
  const packetV6 = toHex(overIpv6(carp));
  const macs = '01005e00001200005e000101';
  const source = 0x00005e000101;

  it.each([
    ['Ethernet', 1, `${macs}0800${packet}`, { mac: source, vlan: undefined }],
    ['Ethernet with IPv6', 1, `${macs}86dd${packetV6}`, { mac: source, vlan: undefined }],
    ['tagged Ethernet', 1, `${macs}8100e07b0800${packet}`, { mac: source, vlan: 123 }],
    ['Linux cooked', 113, `0002000100060000${'5e000101'}00000800${packet}`, { mac: source }],
    [
      'Linux cooked, without address',
      113,
      `00020304000000000000000000000800${packet}`,
      { mac: undefined },
    ],
    ['Linux cooked v2', 276, `08000000000000020001020600005e0001010000${packet}`, { mac: source }],
    [
      'Linux cooked v2, without address',
      276,
      `86dd000000000002030402000000000000000000${packetV6}`,
      { mac: undefined },
    ],
    ['raw IPv4', 101, packet, { mac: undefined, vlan: undefined }],
    ['raw IPv6', 101, packetV6, { mac: undefined }],
  ])('of link type %s is opened', (_name, linkType, text, expected) => {
    if (!isLinkType(linkType)) throw new Error(`link type ${linkType}`);
    const bytes = hex(text);
    expect(decodeFrame(bytes, knowsCarp, linkType)).toMatchObject({ ...expected, digest: 'good' });
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = decodeFrame(bytes.subarray(0, length), knowsCarp, linkType);
      if (cut !== undefined) expect(cut.drop).toBe('too-short');
    }
  });

  it.each([
    ['ARP', `${macs}0806${'00'.repeat(28)}`],
    ['another IP protocol', `${macs}0800${toHex(overIpv4(carp, { protocol: 17 }))}`],
    ['IPv6 that says IPv4', `${macs}0800${packetV6}`],
    ['IPv4 that says IPv6', `${macs}86dd${packet}`],
    ['two VLAN tags', `${macs}8100000181000002${'0800'}${packet}`],
    ['a later fragment of a packet', `${macs}0800${toHex(patched(overIpv4(carp), 6, '2001'))}`],
  ])('with %s is passed over', (_name, text) => {
    expect(decodeFrame(hex(text))).toBeUndefined();
  });

  it('of link types other than these four is not known', () => {
    expect([0, 1, 101, 105, 113, 228, 276].filter(isLinkType)).toEqual([1, 101, 113, 276]);
  });

  /** Only the packets below are that long and say 112. */
  function whole112(bytes: Uint8Array, linkType: number): boolean {
    if (linkType !== linkTypes.raw) return false;
    return bytes[0] === 0x45 ? bytes[9] === 112 && bytes.length > 20 && bytes[6] === 0x40 : false;
  }

  it('is described or passed over, never thrown, whatever the bytes', () => {
    const type = fc.constantFrom(...Object.values(linkTypes));
    const random = fc.uint8Array({ maxLength: 200 });
    const address = fc.nat(2 ** 32 - 1).map((value) => value as Ipv4);
    const addressV6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => value as Ipv6);
    const version = fc.constantFrom(0x21, 0x31, 0x25, 0x41);
    const payload = fc.tuple(version, random).map(([first, rest]) => Uint8Array.of(first, ...rest));
    const protocol = fc.constantFrom(112, 51);
    const ends = { source: address, destination: address };
    const endsV6 = { source: addressV6, destination: addressV6 };
    const numbers = { tos: fc.nat(255), id: fc.nat(65_535), ttl: fc.nat(255), protocol, payload };
    const numbersV6 = {
      trafficClass: fc.nat(255),
      flowLabel: fc.nat(0xfffff),
      hopLimit: fc.nat(255),
    };
    const whole = fc.oneof(
      fc.record({ ...numbers, ...ends }).map(serializeIpv4Packet),
      fc
        .record({ ...numbersV6, nextHeader: protocol, payload, ...endsV6 })
        .map(serializeIpv6Packet),
    );
    const secrets = { ...knowsCarp, vrrpPassword: Buffer.from('secret') };
    fc.assert(
      fc.property(type, fc.oneof(random, whole), fc.nat(200), (linkType, bytes, missing) => {
        const frame = { linkType, bytes, originalLength: bytes.length + missing };
        const packet = decode(frame, secrets);
        if (packet?.checksum === 'bad') expect(packet.drop).toBeDefined();
        if (whole112(bytes, linkType)) expect(packet).toBeDefined();
        if (packet?.cut) expect(packet.checksum).toBe('unchecked');
      }),
      { numRuns: 3000 },
    );
  });
});
