// The VRRP codec: known frames of both versions, in every form of checksum, and any other.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IpAddress, Ipv4, Ipv6 } from '../../../src/protocol/address.js';
import { milliseconds, seconds } from '../../../src/protocol/units.js';
import {
  type Advertisement,
  type Carrier,
  type ChecksumForm,
  parseAdvertisement,
  passwordData,
  readFields,
  serializeAdvertisement,
  verifyChecksum,
} from '../../../src/protocol/vrrp/advertisement.js';
import { accepted, flipBit, hex, ipv4, ipv6, toHex, verdict } from '../fixtures.js';

const multicast: Carrier = { source: ipv4('10.99.0.1'), destination: ipv4('224.0.0.18') };
const unicast: Carrier = { source: ipv4('10.99.0.1'), destination: ipv4('10.99.0.2') };
const overIpv6: Carrier = { source: ipv6('fe80::ff:fe00:1'), destination: ipv6('ff02::12') };

const v2: Advertisement = {
  version: 2,
  vrid: 51,
  priority: 150,
  interval: seconds(1),
  addresses: [ipv4('10.99.0.100')],
  authentication: { type: 'none' },
  trailer: undefined,
};
const v2WithPassword: Advertisement = {
  ...v2,
  authentication: { type: 'pass', data: passwordData(Buffer.from('s3cret12')) },
};
const v3: Advertisement = {
  version: 3,
  vrid: 51,
  priority: 150,
  interval: seconds(1),
  addresses: [ipv4('10.99.0.100')],
  trailer: undefined,
};
const v3OverIpv6: Advertisement = {
  ...v3,
  addresses: [ipv6('fe80::100'), ipv6('2001:db8:99::100')],
};
// The same, signed by keepalived 2.4.3 with key 1, bytes 00 to 1f.
const signedV2: Advertisement = {
  ...v2,
  trailer: hex('010100006b02bf90aa240000071dc9d664d0f42dbc00900a84fe791b'),
};
const signedOverIpv6: Advertisement = {
  ...v3OverIpv6,
  trailer: hex('010100006b02bf8539fe00005106e26d00fa7da4535853085fe697ec'),
};

// What keepalived 2.2.7 and 2.4.3 put on the wire, and RFC 9568's form of the same.
const known: readonly (readonly [string, Advertisement, Carrier, ChecksumForm, string])[] = [
  [
    'v2 with a password',
    v2WithPassword,
    multicast,
    'message',
    '213396010101cfb60a6300647333637265743132',
  ],
  [
    'v2 leaving',
    { ...v2WithPassword, priority: 0 },
    multicast,
    'message',
    '21330001010165b70a6300647333637265743132',
  ],
  ['v2', v2, multicast, 'message', '2133960100013e030a6300640000000000000000'],
  [
    'v2 in AH',
    { ...v2, authentication: { type: 'ah' } },
    multicast,
    'message',
    '2133960102013c030a6300640000000000000000',
  ],
  [
    'v2 signed',
    signedV2,
    multicast,
    'message',
    '2133960100013e030a630064' +
      '0000000000000000010100006b02bf90aa240000071dc9d664d0f42dbc00900a84fe791b',
  ],
  ['v3 with the pseudo-header', v3, multicast, 'pseudo', '31339601006442ad0a630064'],
  ['v3 as RFC 9568 sums it', v3, multicast, 'message', '3133960100642da00a630064'],
  ['v3 unicast', v3, unicast, 'pseudo', '313396010064185b0a630064'],
  ['v3 unicast with the group in the sum', v3, unicast, 'group-pseudo', '31339601006442ad0a630064'],
  [
    'v3 at 100 ms',
    { ...v3, interval: milliseconds(100) },
    multicast,
    'pseudo',
    '31339601000a43070a630064',
  ],
  [
    'v3 over IPv6',
    v3OverIpv6,
    overIpv6,
    'pseudo',
    '3133960200640c64fe80000000000000000000000000010020010db8009900000000000000000100',
  ],
  [
    'v3 over IPv6, signed',
    signedOverIpv6,
    overIpv6,
    'pseudo',
    '313396020064567afe80000000000000000000000000010020010db8009900000000000000000100' +
      '010100006b02bf8539fe00005106e26d00fa7da4535853085fe697ec',
  ],
];

describe('the VRRP advertisement', () => {
  it.each(known)('%s is read', (_name, advertisement, carrier, form, bytes) => {
    expect(accepted(parseAdvertisement(hex(bytes), carrier))).toEqual(advertisement);
    expect(verifyChecksum(hex(bytes), readFields(hex(bytes), carrier), carrier)).toBe(form);
  });

  it.each(known)('%s is written', (_name, advertisement, carrier, form, bytes) => {
    expect(toHex(serializeAdvertisement(advertisement, carrier, form))).toBe(bytes);
  });

  const unsigned = known.filter(([, { trailer }]) => trailer === undefined);

  it.each(unsigned)(
    '%s is dropped when its end is missing',
    (_name, _value, carrier, _form, text) => {
      const bytes = hex(text);
      for (let length = 0; length < bytes.length; length += 1) {
        const expected = length < 8 ? 'too-short' : 'length';
        expect(verdict(parseAdvertisement(bytes.subarray(0, length), carrier))).toBe(expected);
      }
    },
  );

  it.each(unsigned)('%s is dropped when a bit is wrong', (_name, _value, carrier, _form, text) => {
    const bytes = hex(text);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      expect(verdict(parseAdvertisement(flipBit(bytes, bit), carrier))).not.toBe('accepted');
    }
  });

  it('is dropped when a part of its trailer is missing', () => {
    for (const [signed, carrier, whole] of [
      [signedV2, multicast, 20],
      [signedOverIpv6, overIpv6, 40],
    ] as const) {
      const bytes = serializeAdvertisement(signed, carrier);
      for (let length = whole + 1; length < bytes.length; length += 1) {
        expect(verdict(parseAdvertisement(bytes.subarray(0, length), carrier))).toBe('length');
      }
      // Without any of it a message over IPv4 is whole; over IPv6 the checksum misses it.
      const expected = carrier === multicast ? 'accepted' : 'checksum';
      expect(verdict(parseAdvertisement(bytes.subarray(0, whole), carrier))).toBe(expected);
    }
  });

  it('uses the forms that make no difference to a version as that version needs it', () => {
    for (const form of ['message', 'pseudo', 'group-pseudo'] as const) {
      expect(toHex(serializeAdvertisement(v2, multicast, form))).toBe(
        '2133960100013e030a6300640000000000000000',
      );
      expect(serializeAdvertisement(v3OverIpv6, overIpv6, form)).toEqual(
        serializeAdvertisement(v3OverIpv6, overIpv6),
      );
    }
    expect(serializeAdvertisement(v3, multicast)).toEqual(
      serializeAdvertisement(v3, multicast, 'pseudo'),
    );
  });

  it.each([
    ['version', '11', 0],
    ['version', '41', 0],
    ['type', '32', 0],
    ['length', '00', 3],
    ['length', '02', 3],
    ['checksum', '97', 2],
  ])('is dropped for its %s with %s at byte %i', (reason, byte, at) => {
    const bytes = hex('31339601006442ad0a630064');
    bytes.set(hex(byte), at);
    expect(verdict(parseAdvertisement(bytes, multicast))).toBe(reason);
  });

  it('is dropped for no address at all, although the length fits (erratum 8299)', () => {
    const none = serializeAdvertisement({ ...v3, addresses: [] }, multicast);
    expect(verdict(parseAdvertisement(none, multicast))).toBe('length');
  });

  it('is dropped for an interval of 0 (erratum 8301)', () => {
    for (const advertisement of [v2, v3]) {
      const bytes = serializeAdvertisement({ ...advertisement, interval: seconds(0) }, multicast);
      expect(verdict(parseAdvertisement(bytes, multicast))).toBe('interval');
    }
  });

  it('is dropped for an authentication type that does not exist', () => {
    // No authentication, 3 instead of 0: the sum is less by 0x0300.
    const bytes = hex('2133960103013b030a6300640000000000000000');
    expect(verdict(parseAdvertisement(bytes, multicast))).toBe('auth');
  });

  it('of version 2 does not exist over IPv6', () => {
    const bytes = serializeAdvertisement(v2, overIpv6);
    expect(verdict(parseAdvertisement(bytes, overIpv6))).toBe('version');
  });

  it('takes only a well-formed trailer for one', () => {
    const message = serializeAdvertisement(v3, multicast);
    for (const start of ['02010000', '01000000', '01010001']) {
      const bytes = Buffer.concat([message, hex(start + '00'.repeat(24))]);
      expect(readFields(bytes, multicast).trailer).toBeUndefined();
      expect(verdict(parseAdvertisement(bytes, multicast))).toBe('length');
    }
    const trailer = hex(`01ff0000${'00'.repeat(24)}`);
    const bytes = Buffer.concat([message, trailer]);
    expect(accepted(parseAdvertisement(bytes, multicast)).trailer).toEqual(trailer);
  });

  it('ignores the reserved bits beside the interval (RFC 9568 §5.2.6)', () => {
    const bytes = hex('31339601f06452ac0a630064');
    expect(accepted(parseAdvertisement(bytes, multicast))).toEqual(v3);
  });

  it('carries the first eight bytes of a password', () => {
    expect(toHex(passwordData(Buffer.from('pw')))).toBe('7077000000000000');
    expect(toHex(passwordData(Buffer.from('123456789')))).toBe('3132333435363738');
  });
});

const wordV4 = fc.nat(2 ** 32 - 1).map((value) => value as Ipv4);
const wordV6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => value as Ipv6);
const trailer = fc
  .option(
    fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ minLength: 24, maxLength: 24 })),
    { nil: undefined },
  )
  .map((parts) =>
    parts === undefined ? undefined : Uint8Array.of(1, parts[0], 0, 0, ...parts[1]),
  );
const common = { vrid: fc.nat(255), priority: fc.nat(255), trailer };

function carrierOf(address: fc.Arbitrary<IpAddress>): fc.Arbitrary<Carrier> {
  return fc.record({ source: address, destination: address });
}

const anyV2 = fc.record({
  ...common,
  version: fc.constant(2 as const),
  interval: fc.integer({ min: 1, max: 255 }).map(seconds),
  addresses: fc.array(wordV4, { minLength: 1, maxLength: 255 }),
  authentication: fc.oneof(
    fc.constant({ type: 'none' as const }),
    fc.constant({ type: 'ah' as const }),
    fc.record({
      type: fc.constant('pass' as const),
      data: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    }),
  ),
});

function anyV3(address: fc.Arbitrary<IpAddress>): fc.Arbitrary<Advertisement> {
  return fc.record({
    ...common,
    version: fc.constant(3 as const),
    interval: fc.integer({ min: 1, max: 4095 }).map((cs) => milliseconds(cs * 10)),
    addresses: fc.array(address, { minLength: 1, maxLength: 255 }),
  });
}

describe('any VRRP advertisement', () => {
  const form = fc.constantFrom<ChecksumForm>('message', 'pseudo', 'group-pseudo');
  it.each([
    ['v2', anyV2, carrierOf(wordV4)],
    ['v3 over IPv4', anyV3(wordV4), carrierOf(wordV4)],
    ['v3 over IPv6', anyV3(wordV6), carrierOf(wordV6)],
  ] as const)('%s is written and read back', (_name, advertisements, carriers) => {
    fc.assert(
      fc.property<[Advertisement, Carrier, ChecksumForm]>(
        advertisements,
        carriers,
        form,
        (advertisement, carrier, used) => {
          const bytes = serializeAdvertisement(advertisement, carrier, used);
          expect(accepted(parseAdvertisement(bytes, carrier))).toEqual(advertisement);
        },
      ),
    );
  });

  it('is read or dropped, never thrown, whatever the bytes', () => {
    const carrier = fc.oneof(carrierOf(wordV4), carrierOf(wordV6));
    const first = fc.constantFrom(0x21, 0x31, 0x22, 0x11, 0xff);
    fc.assert(
      fc.property(first, fc.uint8Array({ maxLength: 120 }), carrier, (byte, rest, around) => {
        expect([
          'accepted',
          'too-short',
          'version',
          'type',
          'length',
          'checksum',
          'auth',
          'interval',
        ]).toContain(verdict(parseAdvertisement(Uint8Array.of(byte, ...rest), around)));
      }),
      { numRuns: 2000 },
    );
  });
});
