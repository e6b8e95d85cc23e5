// The pcap reader, against captures of real peers and against tshark.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcapReader, type PcapRecord } from '../../src/protocol/pcap.js';
import { captureBytes, captureNames, hasTshark, recordsOf, tshark, writePcap } from './captures.js';
import { hex, toHex } from './fixtures.js';
import { ucarpRuns } from './vectors.js';

/** All records, and the sentence at the end. */
function read(bytes: Uint8Array): { records: readonly PcapRecord[]; problem: string | undefined } {
  const reader = new PcapReader();
  const records = reader.push(bytes);
  return { records, problem: reader.end() };
}

const sample = captureBytes('ucarp-01-basic.pcap');

describe('the pcap reader', () => {
  it.each(ucarpRuns)('reads the frames of $name as they were recorded', (run) => {
    const records = recordsOf(captureBytes(`ucarp-${run.name}.pcap`));
    expect(records.map(({ bytes }) => toHex(bytes))).toEqual(run.frames.map((frame) => frame.hex));
    const start = records[0]?.time ?? 0n;
    const times = records.map(({ time }) => Number(time - start) / 1e9);
    expect(times).toEqual(run.frames.map(({ t }) => expect.closeTo(t, 6)));
  });

  it.runIf(hasTshark)('agrees with tshark about the times and lengths of every file', () => {
    const fields = ['frame.time_epoch', 'frame.len', 'frame.cap_len'];
    const records = captureNames.flatMap((name) => recordsOf(captureBytes(name)));
    const ours = records.map(({ time, bytes, originalLength }) => [
      `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`,
      String(originalLength),
      String(bytes.length),
    ]);
    expect(ours).toEqual(tshark(captureNames, 'frame', fields));
    expect(ours.length).toBeGreaterThan(700);
  });

  it('reads both byte orders, in microseconds and in nanoseconds', () => {
    const record = {
      time: 1_795_341_364_699_263_017n,
      bytes: hex('0102030405'),
      originalLength: 70,
    };
    for (const littleEndian of [true, false]) {
      const fine = writePcap([record], { littleEndian, nanoseconds: true, linkType: 276 });
      const reader = new PcapReader();
      expect(reader.push(fine)).toEqual([record]);
      expect(reader.header).toMatchObject({ linkType: 276, nanoseconds: true });
      const coarse = { ...record, time: 1_795_341_364_699_263_000n };
      expect(read(writePcap([coarse], { littleEndian }))).toEqual({
        records: [coarse],
        problem: undefined,
      });
    }
  });

  it('takes the lower half of the link type: the upper one is about frame checksums', () => {
    const reader = new PcapReader();
    reader.push(writePcap([], { linkType: 0x2400_0001 }));
    expect(reader.header?.linkType).toBe(1);
  });

  it('gives the same records in whatever pieces the file comes', () => {
    const whole = recordsOf(sample);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 })), (lengths) => {
        const reader = new PcapReader();
        const records: PcapRecord[] = [];
        let at = 0;
        for (const length of [...lengths, sample.length]) {
          records.push(...reader.push(sample.subarray(at, at + length)));
          at += length;
        }
        expect(records).toEqual(whole);
        expect(reader.end()).toBeUndefined();
      }),
    );
  });

  it('gives the whole records of a file that was cut off anywhere, and says so', () => {
    const whole = recordsOf(sample);
    const ends = [24];
    for (const { bytes } of whole) ends.push((ends.at(-1) ?? 0) + 16 + bytes.length);
    expect(ends.at(-1)).toBe(sample.length);
    for (let length = 1; length < sample.length; length += 1) {
      const { records, problem } = read(sample.subarray(0, length));
      const complete = Math.max(0, ends.filter((end) => end <= length).length - 1);
      expect(records).toEqual(whole.slice(0, complete));
      if (ends.includes(length)) expect(problem).toBeUndefined();
      else if (length < 4) expect(problem).toBe('this is not a pcap file');
      else if (length < 24) expect(problem).toBe('it is cut off inside the header of the file');
      else expect(problem).toBe(`it is cut off inside packet ${complete + 1}`);
    }
  });

  it.each([
    ['nothing', '', 'it is empty'],
    ['text', '48656c6c6f20776f726c64', 'this is not a pcap file'],
    ['pcapng', '0a0d0d0a1c0000004d3c2b1a', 'this is pcapng; convert with editcap -F pcap'],
    ['gzip', '1f8b0800000000000003', 'this is compressed with gzip; unpack it first'],
    [
      'version 3',
      `d4c3b2a10300040${'0'.repeat(33)}`,
      'this is a pcap file of a version other than 2.4',
    ],
    [
      'version 3, big-endian',
      `a1b2c3d400030004${'0'.repeat(32)}`,
      'this is a pcap file of a version other than 2.4',
    ],
  ])('says in one sentence what is wrong with %s', (_what, bytes, sentence) => {
    expect(read(hex(bytes))).toEqual({ records: [], problem: sentence });
  });

  it('stops at a record that cannot be that long, and keeps what came before', () => {
    const [first] = recordsOf(sample);
    const start = sample.subarray(0, 24 + 16 + (first?.bytes.length ?? 0));
    const damaged = Buffer.concat([start, hex('00000000000000000100040001000400'), sample]);
    expect(read(damaged)).toEqual({
      records: [first],
      problem: 'it is damaged: packet 2 claims to have 262145 bytes',
    });
    const reader = new PcapReader();
    reader.push(damaged);
    expect(reader.push(sample)).toEqual([]);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void read(bytes)));
    const place = fc.nat(sample.length - 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Uint8Array.from(sample);
        for (const [at, value] of changes) bytes[at] = value;
        const { records } = read(bytes);
        const taken = records.reduce((sum, record) => sum + 16 + record.bytes.length, 24);
        expect(taken).toBeLessThanOrEqual(sample.length);
      }),
      { numRuns: 1000 },
    );
  });
});
