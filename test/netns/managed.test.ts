// tscarp without scripts: it adds and removes the address itself, and the client finds it at once.

import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPinger } from '../../src/lab/pinger.js';
import { until } from '../../src/lab/until.js';
import { address, Lan, ownAddress } from './lan.js';
import { describeOnNetwork, tscarp } from './require.js';

let lan: Lan;

beforeEach(async () => {
  lan = await Lan.build();
});

afterEach(() => lan.dispose());

async function macThatClientUses(): Promise<string | undefined> {
  const text = await lan.client.must(['ip', '-j', 'neigh', 'show', 'to', address]);
  return (JSON.parse(text) as { lladdr?: string }[])[0]?.lladdr;
}

describeOnNetwork('tscarp that manages the address', ['build', 'ifconfig'], () => {
  test('the address moves when its host dies or returns, and the client follows', async () => {
    const b = lan.tscarp(lan.b, '--advskew', '50');
    const a = lan.tscarp(lan.a, '--preempt');
    await lan.settled(a, [b], 10_000);
    const pinger = startPinger(lan.client, address);
    await lan.until('the client has answers', 3_000, () => pinger.replies > 20);
    expect(await macThatClientUses()).toBe(lan.a.nics[0]?.mac);

    await lan.a.kill();
    await lan.settled(b, [], 6_000);
    const taken = performance.now();
    const { replies } = pinger;
    await lan.until('the client has answers again', 3_000, () => pinger.replies > replies);
    // Without a gratuitous ARP the client goes on asking the dead host for many seconds.
    expect(performance.now() - taken).toBeLessThan(1_000);
    expect(await macThatClientUses()).toBe(lan.b.nics[0]?.mac);
    expect(pinger.longestGapMs).toBeGreaterThan(1_500);
    expect(pinger.longestGapMs).toBeLessThan(4_500);

    await lan.a.boot();
    pinger.reset();
    const returned = lan.tscarp(lan.a, '--preempt');
    await lan.settled(returned, [b], 6_000);
    await until('the client uses host a', 3_000, async () => {
      return (await macThatClientUses()) === lan.a.nics[0]?.mac;
    });
    expect(pinger.longestGapMs).toBeLessThan(1_000);
    await pinger.stop();
  });

  test('a planned stop hands the address over at once', async () => {
    const { a, b } = await lan.pair();
    const pinger = startPinger(lan.client, address);
    await lan.until('the client has answers', 3_000, () => pinger.replies > 20);
    const stopped = performance.now();
    a.program.signal('SIGTERM');
    expect(await a.program.exited).toEqual({ status: 0, signal: undefined });
    await lan.settled(b, [], 3_000);
    expect(b.since - stopped).toBeLessThan(1_000);
    const { replies } = pinger;
    await lan.until('the client has answers again', 3_000, () => pinger.replies > replies);
    expect(pinger.longestGapMs).toBeLessThan(1_000);
    await pinger.stop();
  });

  test('the address has the prefix length and label that were asked for', async () => {
    const own = ownAddress(lan.a);
    const shapes = [
      { addr: '10.0.0.10/25', device: 'eth0', prefixLength: 25, label: 'eth0' },
      { addr: '10.0.0.11/24', device: 'eth0:0', prefixLength: 24, label: 'eth0:0' },
      { addr: '10.0.0.12', device: 'eth0', prefixLength: 24, label: 'eth0' },
      { addr: '192.0.2.1', device: 'eth0:web', prefixLength: 32, label: 'eth0:web' },
    ];
    const daemons = shapes.map(({ addr, device }, index) => {
      const line = ['--vhid', `${index + 1}`, '--pass', 'love', '--src', own, '--addr', addr];
      return lan.start(lan.a, [tscarp, ...line, '--if', device]);
    });
    const expected = shapes.map(({ addr, prefixLength, label }) => {
      return { device: 'eth0', label, address: addr.replace(/\/.*/, ''), prefixLength };
    });
    await lan.until('all are master', 10_000, () =>
      daemons.every(({ state }) => state === 'MASTER'),
    );
    await lan.until('all addresses are there', 3_000, async () => {
      const there = await lan.a.addresses();
      return shapes.every(({ addr }) => there.some((one) => addr.startsWith(one.address)));
    });
    expect(await lan.a.addresses()).toEqual(expect.arrayContaining(expected));
    expect(await lan.a.must(['ifconfig', 'eth0:0'])).toContain('inet 10.0.0.11');
    for (const { program } of daemons) program.signal('SIGTERM');
    for (const { program } of daemons) expect((await program.exited).status).toBe(0);
    const left = (await lan.a.addresses()).filter(({ device }) => device === 'eth0');
    expect(left.map((one) => one.address).filter((one) => one.includes('.'))).toEqual([own]);
  });
});
