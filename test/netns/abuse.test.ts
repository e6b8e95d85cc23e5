// What must do no harm: command lines that cannot be, and a flood of forged advertisements.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hmacSha1 } from '../../src/net/hmac.js';
import { type Ipv4, parseIpv4 } from '../../src/protocol/address.js';
import { carpMac, createCarpRouter } from '../../src/protocol/virtual-router.js';
import { address, Lan, ownAddress } from './lan.js';
import { describeOnNetwork, tscarp } from './require.js';

const framesPerSecond = 20_000;
const floodSeconds = 5;

let lan: Lan;

beforeEach(async () => {
  lan = await Lan.build();
});

afterEach(() => lan.dispose());

/** Sends the frames of a file over and over at a steady rate, then tells how many it has sent. */
const sender = `
import { readFileSync } from 'node:fs';
import { openPacketLink } from './src/net/linux/packet-link.js';
const frames = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const bytes = frames.map((hex: string) => Buffer.from(hex, 'hex'));
const link = openPacketLink({ device: 'eth0', groups: [] }, { frame() {}, trouble() {} });
const begin = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const elapsed = performance.now() - begin;
  const due = Math.min(elapsed / 1000, ${floodSeconds}) * ${framesPerSecond};
  for (; sent < due; sent += 1) link.send(bytes[sent % bytes.length]);
  if (elapsed < ${floodSeconds * 1000}) return;
  clearInterval(timer);
  link.close();
  process.stdout.write(String(sent));
}, 5);
`;

function ipv4(text: string): Ipv4 {
  const value = parseIpv4(text);
  if (value === undefined) throw new RangeError(text);
  return value;
}

/** Advertisements better than any master's, under passwords that are not the right one. */
function forgedFrames(): string[] {
  const source = ipv4('10.0.0.66');
  return Array.from({ length: 256 }, (_, index) => {
    const router = createCarpRouter({
      vhid: 1,
      settings: { advbase: 1, advskew: 0, deadRatio: 3, preempt: true, source, announceAfter: [] },
      addresses: [ipv4(address)],
      group: ipv4('224.0.0.18'),
      broadcast: false,
      sourceMac: carpMac(1, false),
      hmac: hmacSha1(randomBytes(8)),
    });
    const frame = router.advertisement(
      { type: 'advertise', advbase: 0, advskew: 1, counter: BigInt(index) },
      { packetId: index, counter: 0n },
    );
    // Every fourth is no advertisement at all, some of them too short to be one.
    if (index % 4 === 0) frame.set(randomBytes(frame.length - 34), 34);
    return Buffer.from(index % 8 === 0 ? frame.subarray(0, 34 + (index % 36)) : frame).toString(
      'hex',
    );
  });
}

async function flood(): Promise<number> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const script = join(lan.network.folder, 'flood.cjs');
  const frames = join(lan.network.folder, 'frames.json');
  writeFileSync(frames, JSON.stringify(forgedFrames()));
  await bundle({
    stdin: { contents: sender, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['koffi'],
    outfile: script,
  });
  return Number(
    await lan.client.must([process.execPath, script, frames], {
      env: { NODE_PATH: join(root, 'node_modules') },
      timeoutMs: 30_000,
    }),
  );
}

describeOnNetwork('bad command lines', ['build'], () => {
  test.each([
    { wrong: 'no vhid', line: ['--pass', 'love', '--addr', '10.0.0.10'] },
    { wrong: 'a vhid of 0', line: ['--vhid', '0', '--pass', 'love', '--addr', '10.0.0.10'] },
    { wrong: 'no password', line: ['--vhid', '1', '--addr', '10.0.0.10'] },
    { wrong: 'half an address', line: ['--vhid', '1', '--pass', 'love', '--addr', '10.0.0'] },
    { wrong: 'a prefix of 33', line: ['--vhid', '1', '--pass', 'love', '--addr', '10.0.0.10/33'] },
    {
      wrong: 'an unknown option',
      line: ['--vhid', '1', '--pass', 'love', '--addr', '10.0.0.10', '--fly'],
    },
  ])('$wrong ends with status 2, a sentence, and no address', async ({ line }) => {
    const before = await lan.a.addresses();
    const own = ['--if', 'eth0', '--src', ownAddress(lan.a)];
    const outcome = await lan.a.run([tscarp, ...own, ...line], { timeoutMs: 8_000 });
    expect(outcome.status).toBe(2);
    expect(outcome.stderr.trim()).not.toBe('');
    expect(await lan.a.addresses()).toEqual(before);
    expect(await lan.a.pids()).toEqual([]);
  });
});

describeOnNetwork('a flood of forged advertisements', ['build', 'tcpdump'], () => {
  test('leaves the master on time and master, and the log readable', async () => {
    const { a, b } = await lan.pair();
    const { since } = a;
    const filter = `proto 112 and src ${ownAddress(lan.a)}`;
    const capture = lan.client.launch([
      ...['tcpdump', '-i', 'eth0', '-n', '-tt', '--immediate-mode', '-l', filter],
    ]);
    const heard = () => capture.lines.filter(({ text }) => /^\d+\.\d+ IP /.test(text));
    await lan.until('an advertisement is seen', 5_000, () => heard().length > 0);

    const sent = await flood();
    expect(sent).toBe(framesPerSecond * floodSeconds);

    const times = heard().map(({ text }) => Number(text.split(' ')[0]));
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.length).toBeGreaterThanOrEqual(floodSeconds - 1);
    expect(Math.max(...gaps)).toBeLessThan(1.5);
    expect(Math.min(...gaps)).toBeGreaterThan(0.5);
    expect([a.state, a.since]).toEqual(['MASTER', since]);
    // A machine too busy to read all of it may have lost three of the master's in a row.
    await lan.settled(a, [b], 5_000);

    // They did arrive: most were read and refused.
    const status = await lan.a.run([process.execPath, tscarp, 'status', '--json']);
    const [{ counters }] = JSON.parse(status.stdout);
    expect(counters.dropped.digest).toBeGreaterThan(sent / 10);
    expect(a.program.lines.length).toBeLessThan(100);

    a.program.signal('SIGTERM');
    await lan.settled(b, [], 5_000);
  }, 60_000);
});
