// Gratuitous ARP against every ARP frame that ucarp was seen to send.

import { describe, expect, it } from 'vitest';
import { gratuitousArp } from '../../src/protocol/arp.js';
import { ipv4, mac, toHex } from './fixtures.js';
import { ucarpRuns } from './vectors.js';

const secondNode = '02:bb:00:00:00:02'; // of the one run with two nodes

const recorded = ucarpRuns.flatMap((run) =>
  run.frames
    .filter(({ kind }) => kind === 'arp')
    .map((frame, index) => ({ name: `${run.name}, ARP ${index + 1}`, run, frame })),
);

describe('gratuitousArp', () => {
  it.each(recorded)('builds the frame that ucarp sent in $name', ({ run, frame }) => {
    const sender = frame.hex.slice(12, 24).replaceAll(/..(?=.)/g, '$&:');
    expect([run.interface_mac, secondNode]).toContain(sender);
    const built = gratuitousArp(ipv4(run.params.vip), mac(sender));
    expect(toHex(built)).toBe(frame.hex);
  });

  it('was recorded in every run that became master', () => {
    expect(recorded.length).toBeGreaterThanOrEqual(ucarpRuns.length);
  });

  it('is 42 bytes, a broadcast request, with the target hardware address filled in', () => {
    expect(toHex(gratuitousArp(ipv4('192.0.2.100'), mac('02:aa:00:00:00:01')))).toBe(
      `ffffffffffff02aa000000010806${'0001080006040001'}${'02aa00000001c0000264'.repeat(2)}`,
    );
  });
});
