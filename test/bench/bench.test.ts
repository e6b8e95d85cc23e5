// What the bench concludes from what it saw: a wrong median would be believed.

import { expect, test } from 'vitest';
import type { Ipv4, Mac } from '../../src/protocol/address.js';
import { gratuitousArp } from '../../src/protocol/arp.js';
import { arpRequest, carpAdvert, echoRequest, inspect, vrrpAdvert } from './frames.js';
import { type Document, formatDocument, Results } from './results.js';
import { percentile, summarize } from './statistics.js';

const prober = { mac: 0x020000000001 as Mac, address: 0x0a000009 as Ipv4 };
const host = { mac: 0x020000000002 as Mac, address: 0x0a000001 as Ipv4 };
const virtualAddress = 0x0a00000a as Ipv4;

test('a percentile lies between the two nearest measurements', () => {
  expect(percentile([3, 1, 2], 50)).toBe(2);
  expect(percentile([4, 1, 3, 2], 50)).toBe(2.5);
  expect(percentile([1, 2, 3, 4, 5], 99)).toBeCloseTo(4.96);
  expect(percentile([7], 99)).toBe(7);
});

test('nothing measured is an error and not a number', () => {
  expect(() => summarize([])).toThrow('nothing was measured');
});

test('frames are told apart as a capture shows them', () => {
  expect(inspect(carpAdvert(prober, 1, 0))).toMatchObject({ kind: 'advert', source: prober.mac });
  expect(inspect(vrrpAdvert(prober, 100)).kind).toBe('advert');
  expect(inspect(gratuitousArp(virtualAddress, host.mac)).kind).toBe('garp');
  expect(inspect(arpRequest(prober)).kind).toBe('arp-request');
  const reply = arpRequest(prober);
  reply.set([0, 2], 20);
  reply.set([10, 0, 0, 10], 28);
  reply.set([10, 0, 0, 9], 38);
  expect(inspect(reply).kind).toBe('arp-reply');
  const echo = echoRequest(prober, host, 0x10002);
  expect(inspect(echo)).toEqual({ kind: 'echo-request', source: prober.mac, echo: 0x10002 });
  expect(inspect(echo.subarray(0, 10)).kind).toBe('other');
});

test('no two adverts carry the same counter', () => {
  const counters = [1, 2, 3].map(() =>
    Buffer.from(carpAdvert(prober, 1, 0)).toString('hex', 42, 50),
  );
  expect(new Set(counters).size).toBe(3);
});

const quantities = [
  { id: 'fast', what: 'fast', unit: 'ms', decimals: 1, target: 2 },
  { id: 'slow', what: 'slow', unit: 'ms', decimals: 1, target: 2 },
  { id: 'never', what: 'never measured', unit: 'ms', decimals: 1 },
] as const;

function document(results: Results): Document {
  const load = [0, 0, 0];
  const machine = { date: '', kernel: '', cpus: '', memory: '', node: '' };
  return {
    machine: { ...machine, loadBefore: load, loadAfter: load },
    quick: false,
    seconds: 1,
    programs: { tscarp: '1', ucarp: '2', keepalived: null },
    rows: results.rows(),
  };
}

test('a row says how often tscarp is the other, and whether it met its target', () => {
  const results = new Results(quantities);
  results.set('fast', 'tscarp', { ok: true, sample: summarize([1]) });
  results.set('fast', 'ucarp', { ok: true, sample: summarize([4]) });
  results.set('slow', 'tscarp', { ok: true, sample: summarize([2]) });
  results.set('slow', 'ucarp', { ok: false, problem: 'it did not start' });
  const [fast, slow, ...more] = results.rows();
  expect(fast).toMatchObject({ met: true, ratios: { ucarp: 0.25 } });
  expect(slow).toMatchObject({ met: false, ratios: {} });
  expect(more).toEqual([]);
  expect(results.failures).toEqual(['ucarp, slow: it did not start']);
  const [titles, first, second] = formatDocument(document(results)).trimEnd().split('\n').slice(-3);
  expect(titles).toMatch(
    /^what +unit +tscarp +ucarp +keepalived +\/ ucarp +\/ keepalived +target$/,
  );
  expect(first).toMatch(/^fast +ms +1\.0 \(1\) +4\.0 \(1\) +not installed +x 0\.25 +- +< 2: met$/);
  expect(second).toMatch(/^slow +ms +2\.0 \(1\) +failed +not installed +- +- +< 2: MISSED$/);
});

test('a row that does not exist cannot be filled', () => {
  const cell = { ok: true, sample: summarize([1]) } as const;
  expect(() => new Results(quantities).set('other', 'tscarp', cell)).toThrow('no row "other"');
});
