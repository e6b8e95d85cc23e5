// decode against everything that real peers sent and tshark says of it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatIp, formatMac, type IpAddress, type Mac } from '../../src/protocol/address.js';
import type { DecodedPacket, Secrets, VrrpPacket } from '../../src/protocol/decode.js';
import { linkTypes } from '../../src/protocol/link-layer.js';
import { seconds, toMilliseconds } from '../../src/protocol/units.js';
import {
  captureNames,
  decodeCapture,
  decodeFrame,
  hasTshark,
  noSecrets,
  tshark,
} from './captures.js';
import { flipBit, hex, hmacSha1, ipv4, ipv6, mac } from './fixtures.js';
import { bsd, ucarpReceive, ucarpRuns } from './vectors.js';

interface KeepalivedFrame {
  readonly kind?: string;
  readonly frame_hex?: string;
  readonly eth_src?: string;
  readonly ip_src: string;
  readonly ip_dst: string;
  readonly ttl?: number;
  readonly hop_limit?: number;
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
  readonly addrs: readonly string[];
  readonly adver_int_s?: number;
  readonly max_adver_int_cs?: number;
  readonly auth_type?: number;
  readonly auth_hmac_trailer?: object;
  readonly ah?: object;
}

const keepalived = (
  JSON.parse(readFileSync(new URL('../vectors/keepalived.json', import.meta.url), 'utf8')) as {
    readonly vectors: readonly {
      readonly pcap?: string;
      readonly counts?: Readonly<Record<string, number>>;
      readonly unique_frames: readonly KeepalivedFrame[];
    }[];
  }
).vectors.filter(({ pcap }) => pcap !== undefined);

function secretsFor(key: Uint8Array, addresses: readonly IpAddress[]): Secrets {
  return { carp: { hmac: hmacSha1(key), addresses }, vrrpPassword: key };
}

function ip(text: string): IpAddress {
  return text.includes(':') ? ipv6(text) : ipv4(text);
}

describe('what ucarp sent', () => {
  it.each(ucarpRuns)('$name is decoded, and its digest is good', ({ name, params, frames }) => {
    const secrets = secretsFor(hex(params.password_hex), [ipv4(params.vip)]);
    const expected = frames
      .map(({ decoded }) => decoded)
      .filter((decoded) => decoded !== undefined)
      .map(({ eth_src, ip: { src, dst, ttl }, carp }) => ({
        protocol: 'carp',
        mac: mac(eth_src),
        vlan: undefined,
        source: ipv4(src),
        destination: ipv4(dst),
        ttl,
        version: 2,
        vhid: carp.vhid,
        advskew: carp.advskew,
        advbase: carp.advbase,
        counter: BigInt(`0x${carp.counter}`),
        checksum: 'good',
        digest: 'good',
        drop: undefined,
        cut: false,
      }));
    const packets = decodeCapture(`ucarp-${name}.pcap`, secrets);
    expect(packets.filter(({ protocol }) => protocol === 'carp')).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
    for (const wrong of [
      secretsFor(hex('ff'), [ipv4(params.vip)]),
      secretsFor(hex(params.password_hex), [ipv4('10.0.0.1')]),
    ]) {
      expect(decodeCapture(`ucarp-${name}.pcap`, wrong).at(-1)).toMatchObject({
        digest: 'bad',
        drop: 'digest',
      });
    }
    expect(decodeCapture(`ucarp-${name}.pcap`).at(-1)?.digest).toBe('unchecked');
  });

  it('is called what it is when it is neither protocol: a stray packet of number 112', () => {
    expect(decodeCapture('ucarp-09-advbase255-skew0.pcap')[0]).toMatchObject({
      protocol: 'vrrp',
      version: 7,
      drop: 'ttl',
    });
  });
});

describe('what ucarp receives', () => {
  const { receiver, cases } = ucarpReceive;
  const secrets = secretsFor(Buffer.from(receiver.password), [ipv4(receiver.vip)]);
  // What a receiver's own settings decide, and what it does not take for IP, is not ours to judge.
  const elsewhere = ['vhid2', 'dst-unicast', 'src-own-ip'];
  const unseen = ['ethertype-86dd-over-ipv4'];
  const judged = cases.filter(({ name }) => ![...elsewhere, ...unseen].includes(name));

  it.each(judged.filter(({ name }) => !name.startsWith('vlan')))(
    'it judges $name as we do',
    ({ frame, accepted }) => {
      const packet = decodeFrame(hex(frame), secrets);
      expect(packet?.protocol).toBe('carp');
      expect(packet?.drop === undefined).toBe(accepted);
    },
  );

  it.each([
    ['ttl254', 'ttl'],
    ['bad-carp-cksum', 'checksum'],
    ['bad-password', 'digest'],
    ['bad-vip', 'digest'],
    ['short-but-eth-padded', 'too-short'],
  ])('it drops %s for its %s', (name, reason) => {
    const frame = cases.find((each) => each.name === name)?.frame ?? '';
    expect(decodeFrame(hex(frame), secrets)?.drop).toBe(reason);
  });

  it.each(unseen)('%s is no IP packet', (name) => {
    const frame = cases.find((each) => each.name === name)?.frame ?? '';
    expect(decodeFrame(hex(frame), secrets)).toBeUndefined();
  });

  it('a VLAN tag is stepped over and named', () => {
    const frame = cases.find(({ name }) => name.startsWith('vlan'))?.frame ?? '';
    expect(decodeFrame(hex(frame), secrets)).toMatchObject({ vlan: 5, digest: 'good' });
  });

  it('every single wrong bit of header and advertisement is noticed', () => {
    const good = hex(cases.find(({ name }) => name === 'good')?.frame ?? '');
    expect(decodeFrame(good, secrets)?.drop).toBeUndefined();
    for (let bit = 14 * 8; bit < good.length * 8; bit += 1) {
      const packet = decodeFrame(flipBit(good, bit), secrets);
      if (packet !== undefined) expect(packet.drop).toBeDefined();
    }
  });
});

describe.each(['freebsd', 'openbsd', 'netbsd'] as const)('what %s sends', (system) => {
  const extremes = ['0.0.0.0', '255.255.255.255', '::', `${'ffff:'.repeat(7)}ffff`];
  const sent = bsd.vectors[system]
    .filter(({ carp_lladdr }) => !carp_lladdr)
    .flatMap((vector) => vector.packets.map((packet) => ({ ...vector, ...packet })));

  it.each(sent)('$name over $family is good', (vector) => {
    const addresses = [...vector.v4, ...vector.v6].filter((text) => !extremes.includes(text));
    const secrets = secretsFor(hex(vector.key_hex), addresses.map(ip));
    expect(decodeFrame(hex(vector.ip_hex), secrets, linkTypes.raw)).toMatchObject({
      protocol: 'carp',
      mac: undefined,
      vhid: vector.vhid,
      source: ip(vector.src),
      destination: ip(vector.dst),
      counter: BigInt(`0x${vector.counter}`),
      checksum: 'good',
      digest: 'good',
      drop: undefined,
    });
  });

  it('is bad when a bit of an advertisement over IPv6 is wrong', () => {
    const vector = sent.find(({ family }) => family === 'ipv6');
    const bytes = hex(vector?.ip_hex ?? '');
    expect(bytes.length).toBe(76);
    for (let bit = 44 * 8; bit < bytes.length * 8; bit += 1) {
      expect(decodeFrame(flipBit(bytes, bit), noSecrets, linkTypes.raw)?.drop).toBe('checksum');
    }
  });
});

describe('what keepalived sent', () => {
  it.each(keepalived)(
    '$pcap has as many advertisements as were counted',
    ({ pcap = '', counts }) => {
      const packets = decodeCapture(pcap);
      expect(packets.length).toBe(counts?.['vrrp'] ?? 0);
      for (const packet of packets) {
        expect(packet).toMatchObject({ protocol: 'vrrp', checksum: 'good', drop: undefined });
      }
    },
  );

  const frames = keepalived.flatMap(({ pcap, unique_frames }) =>
    unique_frames.filter(({ kind }) => kind === 'vrrp').map((frame) => ({ pcap, ...frame })),
  );

  it.each(frames)('$pcap: $frame_hex', (frame) => {
    const auth = frame.auth_hmac_trailer ? 'hmac' : ['none', 'pass', 'ah'][frame.auth_type ?? 0];
    const interval =
      frame.version === 2 ? (frame.adver_int_s ?? 0) * 1000 : (frame.max_adver_int_cs ?? 0) * 10;
    const packet = decodeFrame(hex(frame.frame_hex ?? ''));
    if (packet?.protocol !== 'vrrp') throw new Error('not VRRP');
    expect({
      ...packet,
      interval: toMilliseconds(packet.interval ?? seconds(0)),
      addresses: packet.addresses?.map(formatIp),
    }).toEqual({
      protocol: 'vrrp',
      mac: mac(frame.eth_src ?? ''),
      vlan: undefined,
      source: ip(frame.ip_src),
      destination: ip(frame.ip_dst),
      ttl: frame.ttl ?? frame.hop_limit,
      version: frame.version,
      vrid: frame.vrid,
      priority: frame.priority,
      interval,
      addresses: frame.addrs,
      auth,
      checksum: 'good',
      digest: 'unchecked',
      drop: undefined,
      cut: false,
    });
  });

  it('its password is checked, which only version 2 with a password has', () => {
    const right: Secrets = { carp: undefined, vrrpPassword: Buffer.from('s3cret12 and more') };
    const wrong: Secrets = { carp: undefined, vrrpPassword: Buffer.from('s3cret1') };
    for (const packet of decodeCapture('keepalived-v2-pass.pcap', right)) {
      expect(packet).toMatchObject({ digest: 'good', drop: undefined });
    }
    for (const packet of decodeCapture('keepalived-v2-pass.pcap', wrong)) {
      expect(packet).toMatchObject({ digest: 'bad', drop: 'digest' });
    }
    for (const name of ['v2-ah', 'v2-unicast', 'v3-ipv4', '2.4.3-v2-ipv4-hmac']) {
      expect(decodeCapture(`keepalived-${name}.pcap`, wrong)[0]?.digest).toBe('unchecked');
    }
  });
});

describe.runIf(hasTshark)('tshark agrees with us', () => {
  const common = ['eth.src', 'ip.src', 'ipv6.src', 'ip.dst', 'ipv6.dst', 'ip.ttl', 'ipv6.hlim'];
  const carp = ['carp.vhid', 'carp.advskew', 'carp.adver_int', 'carp.counter'];
  const vrrp = [
    ...['vrrp.version', 'vrrp.virt_rtr_id', 'vrrp.prio', 'vrrp.adver_int'],
    ...['vrrp.short_adver_int', 'vrrp.ip_addr', 'vrrp.ipv6_addr', 'vrrp.checksum.status'],
  ];

  function commonFields({ mac: sender = 0 as Mac, source, destination, ttl }: DecodedPacket) {
    const wide = typeof source === 'bigint';
    const ends = [formatIp(source), formatIp(destination)];
    const addresses = ends.flatMap((end) => (wide ? ['', end] : [end, '']));
    return [formatMac(sender), ...addresses, ...(wide ? ['', ttl] : [ttl, ''])];
  }

  function vrrpFields(packet: VrrpPacket, checksum: number) {
    const { version, vrid, priority, interval = seconds(0), addresses = [] } = packet;
    const every = toMilliseconds(interval);
    const times = version === 2 ? [every / 1000, ''] : ['', every / 10];
    const list = addresses.map(formatIp).join(',');
    const lists = typeof packet.source === 'bigint' ? ['', list] : [list, ''];
    return [version, vrid, priority, ...times, ...lists, checksum];
  }

  it('about the fields of every CARP packet', () => {
    const names = captureNames.filter((name) => name.startsWith('ucarp'));
    const rows = tshark(names, 'carp.version == 2', [...common, ...carp], '-dip.proto==112,carp');
    const packets = names
      .flatMap((name) => decodeCapture(name))
      .filter((packet) => packet.protocol === 'carp')
      .map((packet) => [
        ...commonFields(packet),
        ...[packet.vhid, packet.advskew, packet.advbase, packet.counter],
      ]);
    expect(packets.map((fields) => fields.map(String))).toEqual(rows);
    expect(packets.length).toBe(43);
  });

  it('about the fields and the checksum of every VRRP packet', () => {
    // tshark 4.0 knows neither the trailer nor the old sum of unicast packets.
    const unknown = [
      'keepalived-2.4.3-v2-ipv4-hmac.pcap',
      'keepalived-2.4.3-v3-ipv6-hmac.pcap',
      'keepalived-v3-unicast-oldcsum.pcap',
    ];
    const names = captureNames.filter(
      (name) => !name.startsWith('ucarp') && !unknown.includes(name),
    );
    const packets = names
      .flatMap((name) => decodeCapture(name))
      .filter((packet) => packet.protocol === 'vrrp')
      .map((packet) => [
        ...commonFields(packet),
        ...vrrpFields(packet, packet.checksum === 'good' ? 1 : 0),
      ]);
    const rows = tshark(names, 'vrrp', [...common, ...vrrp]);
    expect(packets.map((fields) => fields.map(String))).toEqual(rows);
    expect(packets.length).toBeGreaterThan(400);
  });
});
