// tscarp sniff, from its command line to its lines and JSON, on captures of real peers and on files
// that are not what they should be.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type OpenLive, sniff } from '../../src/cli/sniff.js';
import { NetError } from '../../src/net/errors.js';
import {
  captureBytes,
  captureNames,
  capturePath,
  recordsOf,
  writePcap,
} from '../protocol/captures.js';
import { hex } from '../protocol/fixtures.js';
import { ucarpReceive } from '../protocol/vectors.js';

interface Run {
  readonly status: number;
  readonly lines: readonly string[];
  readonly errors: readonly string[];
}

interface Surroundings {
  readonly isTty?: boolean;
  readonly openLive?: OpenLive;
  readonly signal?: AbortSignal;
}

const noLive: OpenLive = () => Promise.reject(new Error('nothing is to be captured here'));

async function run(argv: readonly string[], around: Surroundings = {}): Promise<Run> {
  const written = { lines: [] as string[], errors: [] as string[] };
  const take = (lines: string[]) => (text: string) => {
    expect(text.endsWith('\n')).toBe(true);
    lines.push(...text.slice(0, -1).split('\n'));
  };
  const status = await sniff(argv, {
    stdout: take(written.lines),
    stderr: take(written.errors),
    isTty: around.isTty ?? false,
    openLive: around.openLive ?? noLive,
    ...(around.signal && { signal: around.signal }),
  });
  return { status, ...written };
}

const folder = mkdtempSync(join(tmpdir(), 'tscarp-sniff-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const ucarp = capturePath('ucarp-01-basic.pcap');
const knowing = ['--pass', 'secret', '--addr', '10.77.0.100'];

describe('tscarp sniff --json', () => {
  it('writes one object for each CARP packet', async () => {
    const { status, lines, errors } = await run(['--read', ucarp, '--json', ...knowing]);
    expect(status).toBe(0);
    expect(errors).toEqual([]);
    expect(lines.length).toBe(4);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '2026-11-22T09:36:04.699263Z',
      protocol: 'carp',
      version: 2,
      mac: '00:00:5e:00:00:01',
      src: '10.77.0.1',
      dst: '224.0.0.18',
      ttl: 255,
      vhid: 1,
      advbase: 1,
      advskew: 0,
      counter: '6f60092975c91f3a',
      checksum: 'good',
      digest: 'good',
      drop: null,
    });
  });

  it('writes one object for each VRRP packet, with its own keys', async () => {
    const path = capturePath('keepalived-v2-pass.pcap');
    const { lines } = await run(['--json', '--read', path, '--pass', 's3cret12']);
    expect(lines.length).toBe(13);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '2026-11-22T09:34:39.679994Z',
      protocol: 'vrrp',
      version: 2,
      mac: '02:00:00:00:00:01',
      src: '10.99.0.1',
      dst: '224.0.0.18',
      ttl: 255,
      vrid: 51,
      priority: 150,
      interval: 1000,
      addresses: ['10.99.0.100'],
      auth: 'pass',
      checksum: 'good',
      digest: 'good',
      drop: null,
    });
  });

  it.each(captureNames)('leaves nothing of %s undecoded', async (name) => {
    const { status, lines } = await run(['--json', '--read', capturePath(name)]);
    expect(status).toBe(0);
    const ethernet = recordsOf(captureBytes(name)).map(({ bytes }) => bytes);
    const protocols = ethernet.map((bytes) => (bytes[12] === 8 ? bytes[23] : bytes[20]));
    expect(lines.length).toBe(protocols.filter((each) => each === 112 || each === 51).length);
  });

  it('gives the reason for a drop', async () => {
    const wrong = ['--pass', 'wrong', '--addr', '10.77.0.100'];
    const { lines } = await run(['--read', ucarp, '--json', ...wrong]);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ digest: 'bad', drop: 'digest' });
  });

  it('gives nine digits when the file has them, and the VLAN when there is one', async () => {
    const [, record] = recordsOf(captureBytes('ucarp-01-basic.pcap'));
    const bytes = record?.bytes ?? new Uint8Array(0);
    const tagged = Buffer.concat([bytes.subarray(0, 12), hex('81000005'), bytes.subarray(12)]);
    const entry = {
      time: 1_000_000_000_000_000_007n,
      bytes: tagged,
      originalLength: tagged.length,
    };
    const path = file('fine.pcap', writePcap([entry], { littleEndian: false, nanoseconds: true }));
    const { lines } = await run(['--read', path, '--json']);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      time: '2001-09-09T01:46:40.000000007Z',
      vlan: 5,
    });
  });

  it('gives a counter all of its sixteen digits', async () => {
    const bytes = hex(ucarpReceive.cases.find(({ name }) => name === 'good')?.frame ?? '');
    const path = file('zero.pcap', writePcap([{ time: 0n, bytes, originalLength: bytes.length }]));
    const { lines } = await run(['--read', path, '--json', '--pass', 'x', '-a', '10.77.0.100']);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ counter: '0000000000000000', drop: null });
  });

  it('says of a packet that the capture cut short so, and leaves out the rest', async () => {
    const [, record] = recordsOf(captureBytes('ucarp-01-basic.pcap'));
    const bytes = record?.bytes.subarray(0, 14 + 20 + 10) ?? new Uint8Array(0);
    const path = file('cut.pcap', writePcap([{ time: 0n, bytes, originalLength: 70 }]));
    const { lines } = await run(['--read', path, '--json', ...knowing]);
    const packet = JSON.parse(lines[0] ?? '');
    expect(packet).toMatchObject({
      vhid: 1,
      checksum: 'unchecked',
      digest: 'unchecked',
      drop: null,
      cut: true,
    });
    expect(packet).not.toHaveProperty('counter');
  });
});

describe('tscarp sniff for people', () => {
  const clock = new Date('2026-11-22T09:36:04Z').toTimeString().slice(0, 8);

  it('writes one line a packet, in columns, and counts them', async () => {
    const { status, lines, errors } = await run(['--read', ucarp, ...knowing]);
    expect(status).toBe(0);
    expect(lines[0]).toBe(
      `${clock}.699263  carp v2  10.77.0.1 > 224.0.0.18        vhid 1    1/0               ` +
        'ttl 255  checksum good  digest good       -',
    );
    expect(errors).toEqual(['4 CARP, 0 VRRP, 0 that receivers drop']);
  });

  it('aligns VRRP with CARP', async () => {
    const { lines } = await run(['--read', capturePath('keepalived-v2-ah.pcap')]);
    expect(lines[0]?.slice(8 + 7)).toBe(
      '  vrrp v2  10.99.0.1 > 224.0.0.18        vrid 51   prio 150 1000ms   ' +
        'ttl 255  checksum good  digest unchecked  -  10.99.0.100  auth ah',
    );
  });

  it('colours on a terminal what is good and what is bad, and nowhere else', async () => {
    const wrong = ['--read', ucarp, '--pass', 'wrong', '--addr', '10.77.0.100'];
    const plain = await run(wrong);
    expect(plain.lines.join()).not.toContain('\x1b');
    const { lines } = await run(wrong, { isTty: true });
    expect(lines[0]).toContain('\x1b[32mchecksum good\x1b[0m  \x1b[1;31mdigest bad\x1b[0m');
    expect(lines[0]).toContain('\x1b[1;31mdigest\x1b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    expect(lines.map((line) => line.replaceAll(/\x1b\[[0-9;]*m/g, ''))).toEqual(plain.lines);
    const json = await run([...wrong, '--json'], { isTty: true });
    expect(json.lines.join()).not.toContain('\x1b');
  });

  it('names a stump, a VLAN and a cut', async () => {
    const ip = '4500001800010000ff700000' + '0a000001' + 'e0000012';
    const bytes = hex(`01005e00001200005e000101${'8100000c'}0800${ip}31`);
    const path = file('stump.pcap', writePcap([{ time: 0n, bytes, originalLength: 60 }]));
    const { lines } = await run(['--read', path]);
    expect(lines[0]).toMatch(/vrrp v3 .* vrid \? +prio \? \?ms .* - {2}vlan 12 {2}cut short/);
  });
});

describe('a file that is not what it should be', () => {
  it.each([
    ['pcapng', hex('0a0d0d0a1c0000004d3c2b1a'), 'this is pcapng; convert with editcap -F pcap'],
    ['text', 'Hello, world, this is no capture.', 'this is not a pcap file'],
    ['empty', '', 'it is empty'],
    [
      'wireless',
      writePcap([], { linkType: 105 }),
      'its link type 105 is not known (Ethernet, Linux cooked and raw IP are)',
    ],
  ])('is refused in one sentence: %s', async (name, content, sentence) => {
    const path = file(name, content);
    expect(await run(['--read', path])).toEqual({
      status: 1,
      lines: [],
      errors: [`tscarp sniff: ${path}: ${sentence}`],
    });
  });

  it('is refused when it does not exist or is a directory', async () => {
    const missing = join(folder, 'missing');
    expect(await run(['--read', missing])).toEqual({
      status: 1,
      lines: [],
      errors: [`tscarp sniff: ${missing}: cannot be read: no such file or directory`],
    });
    expect((await run(['--read', folder])).errors[0]).toContain('illegal operation on a directory');
  });

  it('gives what it has when it is cut off, and says so', async () => {
    const path = file('cut-off.pcap', captureBytes('ucarp-01-basic.pcap').subarray(0, -1));
    const { status, lines, errors } = await run(['--read', path, '--json']);
    expect(status).toBe(1);
    expect(lines.length).toBe(3);
    expect(errors).toEqual([`tscarp sniff: ${path}: it is cut off inside packet 6`]);
  });
});

describe('the command line of tscarp sniff', () => {
  it.each([
    [['--bogus'], 'unknown argument: bogus'],
    [['capture.pcap'], 'unknown argument: capture.pcap'],
    [['--', 'capture.pcap'], 'unknown argument: capture.pcap'],
    [['--constructor'], 'unknown argument: constructor'],
    [['-psecret'], 'unknown argument: psecret'],
    [['--pass'], 'not enough arguments following: pass'],
    [
      ['--if', 'eth0', '--read', ucarp],
      '--if and --read exclude each other: capture live or read a file',
    ],
    [['--if', ''], '--if needs the name of an interface'],
    [['--read='], '--read needs the name of a file'],
    [['--pass', ''], 'the password is empty'],
    [['--pass', 'a', '--passfile', 'b'], '--pass and --passfile exclude each other'],
    [['--addr', '10.0.0.300'], "--addr: '10.0.0.300' is not an IP address"],
    [['--addr', '10.0.0.1/33'], "--addr: '10.0.0.1/33' is not an IP address"],
  ])('%j is refused', async (argv, sentence) => {
    const { status, lines, errors } = await run(argv);
    expect(status).toBe(2);
    expect(lines).toEqual([]);
    expect(errors).toEqual([`tscarp sniff: ${sentence}`, 'Try: tscarp sniff --help']);
  });

  it('has every problem named, not only the first', async () => {
    const { errors } = await run(['--addr', 'x,10.0.0.1', '--addr', 'y', '--pass', '']);
    expect(errors.length).toBe(4);
  });

  it('explains itself', async () => {
    const { status, lines, errors } = await run(['--help']);
    expect(status).toBe(0);
    expect(lines[0]).toBe(
      'tscarp sniff [--if IF | --read FILE] [--pass PW --addr VIP...] [--json]',
    );
    for (const option of ['--if', '--read', '--pass', '--passfile', '--addr', '--json']) {
      expect(lines.join('\n')).toContain(option);
    }
    expect(errors).toEqual([]);
  });

  async function digests(argv: readonly string[], path = ucarp): Promise<readonly string[]> {
    const { lines } = await run(['--read', path, '--json', ...argv]);
    return [...new Set(lines.map((line) => JSON.parse(line).digest as string))];
  }

  it('takes addresses with prefix length, repeated, with commas, and in any order', async () => {
    expect(await digests(['--pass', 'secret', '--addr', '10.77.0.100/24'])).toEqual(['good']);
    expect(await digests(['--pass', 'secret', '-a', '10.77.0.100', '-a', '10.77.0.100'])).toEqual([
      'good',
    ]);
    expect(await digests(['--pass', 'secret', '--addr', '10.77.0.100,10.77.0.101'])).toEqual([
      'bad',
    ]);
    // FreeBSD's advertisement of one address of each family.
    const packet = '45e0003800004000ff70d861c0000201e0000012211400070001479588888888888888';
    const bytes = hex(`${'00'.repeat(12)}0800${packet}88cfe5a44e8ab9d07e4c911c2a2bd941a15c0b737e`);
    const path = file('dual.pcap', writePcap([{ time: 0n, bytes, originalLength: bytes.length }]));
    const secret = ['--pass', 'dual', '--addr'];
    expect(await digests([...secret, '2001:db8::100,192.0.2.100'], path)).toEqual(['good']);
    expect(
      await digests([...secret, '192.0.2.100/24', '--addr', '2001:DB8::100/64'], path),
    ).toEqual(['good']);
    expect(await digests([...secret, '192.0.2.100'], path)).toEqual(['bad']);
  });

  it('takes the last of several passwords, whatever they look like', async () => {
    const address = ['--addr', '10.77.0.100'];
    expect(await digests(['--pass', '--json', '-p', 'secret', ...address])).toEqual(['good']);
    expect(await digests(['--pass', 'secret', '--pass', '007', ...address])).toEqual(['bad']);
    expect(await digests(['--pass=secret', ...address])).toEqual(['good']);
    const zero = capturePath('ucarp-09-advbase255-skew0.pcap');
    expect(await digests(['--pass', '0', '--addr', '198.51.100.1'], zero)).toContain('good');
    expect(await digests(['--pass', '00', '--addr', '198.51.100.1'], zero)).not.toContain('good');
  });

  it('reads the password from the first line of a file, UTF-8 or not', async () => {
    const path = file('password', hex('fffe807261770a6e6578740a'));
    const capture = capturePath('ucarp-07-advbase0-skew64.pcap');
    const argv = ['--passfile', path, '--addr', '10.77.0.103'];
    expect(await digests(argv, capture)).toEqual(['good']);
    expect((await run(['--passfile', join(folder, 'missing')])).status).toBe(2);
  });

  it('takes the first 19 bytes of a longer password, as the BSDs do', async () => {
    const capture = capturePath('ucarp-03-pass19-max.pcap');
    const argv = ['--pass', '1234567890abcdefXYZ and more', '--addr', '10.77.0.101'];
    expect(await digests(argv, capture)).toEqual(['good']);
  });

  it('says when digests stay unchecked although there is something to check with', async () => {
    const read = ['--read', ucarp, '--json'];
    expect((await run([...read, '--addr', '10.77.0.100'])).errors).toEqual([
      'tscarp sniff: without --pass or --passfile, digests cannot be checked',
    ]);
    expect((await run([...read, '--pass', 'secret'])).errors).toEqual([
      'tscarp sniff: without --addr, the digests of CARP cannot be checked',
    ]);
    expect((await run(read)).errors).toEqual([]);
  });
});

describe('a live capture', () => {
  const frames = recordsOf(captureBytes('ucarp-01-basic.pcap')).map(({ bytes }) => bytes);

  it('writes each frame as it comes, and ends in good order when it is told to', async () => {
    const stop = new AbortController();
    const seen: (string | undefined)[] = [];
    const closed: string[] = [];
    const openLive: OpenLive = (device, onFrame) => {
      seen.push(device);
      for (const bytes of frames) onFrame(bytes, 1_795_341_364_699_263_999n);
      setImmediate(() => stop.abort());
      return Promise.resolve({ close: () => void closed.push('once') });
    };
    const around = { openLive, signal: stop.signal };
    const { status, lines, errors } = await run(['--if', 'eth1', '--json', ...knowing], around);
    expect(status).toBe(0);
    expect(seen).toEqual(['eth1']);
    expect(closed).toEqual(['once']);
    expect(errors).toEqual([]);
    expect(lines.map((line) => JSON.parse(line).digest)).toEqual(['good', 'good', 'good', 'good']);
    expect(JSON.parse(lines[0] ?? '').time).toBe('2026-11-22T09:56:04.699263Z');
  });

  it('leaves the interface to who opens it, and may be told to end before it began', async () => {
    const openLive: OpenLive = (device) => {
      expect(device).toBeUndefined();
      return Promise.resolve({ close: () => undefined });
    };
    const { status, errors } = await run([], { openLive, signal: AbortSignal.abort() });
    expect(status).toBe(0);
    expect(errors).toEqual(['0 CARP, 0 VRRP, 0 that receivers drop']);
  });

  it('that cannot be opened says why', async () => {
    const openLive: OpenLive = () =>
      Promise.reject(new NetError('not-permitted', 'capturing on eth1 needs CAP_NET_RAW'));
    expect(await run(['--if', 'eth1'], { openLive })).toEqual({
      status: 1,
      lines: [],
      errors: ['tscarp sniff: capturing on eth1 needs CAP_NET_RAW'],
    });
  });

  it('is what is asked for without --read, and reading a file can be ended as well', async () => {
    expect((await run([])).errors).toEqual(['tscarp sniff: nothing is to be captured here']);
    const { status, lines } = await run(['--read', ucarp], { signal: AbortSignal.abort() });
    expect([status, lines]).toEqual([0, []]);
  });
});
