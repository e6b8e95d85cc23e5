// The test bed itself: the network, its faults, and its tidiness.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { build as bundle } from 'esbuild';
import { afterEach, expect, test } from 'vitest';
import { launch } from '../../src/lab/command.js';
import { createNetwork, type Network } from '../../src/lab/network.js';
import { type Gap, startPinger } from '../../src/lab/pinger.js';
import { DeadlineError, until } from '../../src/lab/until.js';
import { describeOnNetwork } from './require.js';

const plan = {
  hosts: [
    {
      name: 'a',
      nics: [
        { device: 'eth0', segment: 'private', addresses: ['10.0.0.1/24'] },
        { device: 'eth1', segment: 'public' },
      ],
    },
    { name: 'b', nics: [{ device: 'eth0', segment: 'private', addresses: ['10.0.0.2/24'] }] },
  ],
};

/** A process that builds a network with another process in it, says so, and waits to be killed. */
const abandoning = `
import { createNetwork } from '../../src/lab/network.js';
const network = await createNetwork(${JSON.stringify(plan)});
const sleeper = network.host('a').launch(['sleep', '60']);
process.stdout.write(\`ready \${process.pid} \${sleeper.pid}\\n\`);
`;

let network: Network | undefined;

async function build(): Promise<Network> {
  network = await createNetwork(plan);
  return network;
}

/** Nobody may be there to reap a process that lost its parent. */
function runs(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function answers(from: string, address: string): Promise<boolean> {
  const argv = ['ping', '-n', '-c', '1', '-W', '1', address];
  return (await network?.host(from).run(argv))?.status === 0;
}

afterEach(async () => {
  await network?.dispose();
  network = undefined;
});

describeOnNetwork('the test bed', ['nft'], () => {
  test('builds a network in less than 300 ms on a machine that is not busy', async () => {
    const times: number[] = [];
    await until('one was built as fast as that', 10_000, async () => {
      await network?.dispose();
      const start = performance.now();
      await build();
      times.push(performance.now() - start);
      return Math.min(...times) < 300;
    });
  });

  test('deletes all of a network', async () => {
    const { namespaces, folder } = await build();
    expect(readdirSync('/run/netns')).toEqual(expect.arrayContaining([...namespaces]));
    expect(await answers('a', '10.0.0.2')).toBe(true);
    await network?.dispose();
    expect(readdirSync('/run/netns').filter((name) => namespaces.includes(name))).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test('gives every card its address and hardware address', async () => {
    const { hosts } = await build();
    const mac = await hosts[0]?.must(['cat', '/sys/class/net/eth1/address']);
    expect(mac?.trim()).toBe('02:00:00:00:01:01');
    expect(await hosts[0]?.addresses()).toContainEqual({
      device: 'eth0',
      label: 'eth0',
      address: '10.0.0.1',
      prefixLength: 24,
    });
  });

  test('finds the hosts that hold an address', async () => {
    const { hosts } = await build();
    expect(await network?.holders('10.0.0.9')).toEqual([]);
    for (const host of hosts) await host.must(['ip', 'address', 'add', '10.0.0.9', 'dev', 'eth0']);
    expect(await network?.holders('10.0.0.9')).toEqual(['a', 'b']);
  });

  test('a cut cable takes the link from the host until it is restored', async () => {
    const a = (await build()).host('a');
    const carrier = async () => (await a.must(['cat', '/sys/class/net/eth0/carrier'])).trim();
    await a.cut('eth0');
    expect(await carrier()).toBe('0');
    expect(await answers('b', '10.0.0.1')).toBe(false);
    await a.restore('eth0');
    expect(await carrier()).toBe('1');
    await until('the host answers again', 5_000, () => answers('b', '10.0.0.1'));
  });

  test('a blocked host keeps its link, and one direction can be blocked alone', async () => {
    const a = (await build()).host('a');
    const b = network?.host('b');
    const hears = async () => {
      const received = async () =>
        Number(await a.must(['cat', '/sys/class/net/eth0/statistics/rx_packets']));
      const before = await received();
      await b?.must(['arping', '-c', '2', '-w', '1', '-A', '-I', 'eth0', '10.0.0.2']);
      return (await received()) >= before + 2;
    };
    await a.block('from');
    expect(await answers('b', '10.0.0.1')).toBe(false);
    expect(await hears()).toBe(true);
    await a.unblock();
    await until('the host answers again', 5_000, () => answers('b', '10.0.0.1'));
    await a.block('to');
    expect(await hears()).toBe(false);
    expect((await a.must(['cat', '/sys/class/net/eth0/carrier'])).trim()).toBe('1');
  });

  test('a host that dies loses its processes and addresses, and boots with its own', async () => {
    const a = (await build()).host('a');
    await a.must(['ip', 'address', 'add', '10.0.0.9', 'dev', 'eth0']);
    const sleeper = a.launch(['sleep', '60']);
    await a.run(['sh', '-c', 'setsid sleep 61 >/dev/null 2>&1 &']);
    await until('both run', 2_000, async () => (await a.pidsOf('sleep')).length === 2);
    await a.kill();
    expect((await sleeper.exited).signal).toBe('SIGKILL');
    expect(await a.pids()).toEqual([]);
    expect(await network?.holders('10.0.0.9')).toEqual([]);
    await a.boot();
    expect(await network?.holders('10.0.0.1')).toEqual(['a']);
    expect(await network?.holders('10.0.0.9')).toEqual([]);
    expect(await answers('b', '10.0.0.1')).toBe(true);
  });

  test('the pinger measures how long the client went without an answer', async () => {
    const a = (await build()).host('a');
    const gaps: Gap[] = [];
    const pinger = startPinger(a, '10.0.0.2', { onGap: (gap) => gaps.push(gap) });
    await until('there are answers', 5_000, () => pinger.replies > 50);
    expect(pinger.longestGapMs).toBeLessThan(100);
    await network?.host('b').block('both');
    await until('it has been silent for 700 ms', 5_000, () => (pinger.silentMs ?? 0) >= 700);
    await network?.host('b').unblock();
    await until('the gap was reported', 5_000, () => gaps.length > 0);
    expect(pinger.longestGapMs).toBeGreaterThanOrEqual(690);
    expect(pinger.longestGapMs).toBeLessThan(1_500);
    pinger.reset();
    const { replies } = pinger;
    await until('there are more answers', 5_000, () => pinger.replies > replies + 20);
    expect(pinger.longestGapMs).toBeLessThan(100);
    await pinger.stop();
  });

  test('a wait that fails says for what and how things stood', async () => {
    const wait = until('pigs fly', 60, () => false, { describe: () => 'pigs: 3 on the ground' });
    await expect(wait).rejects.toThrow(DeadlineError);
    await expect(wait).rejects.toThrow(
      'Waited 60 ms in vain for: pigs fly.\npigs: 3 on the ground',
    );
  });

  test.each([
    { signal: 'SIGINT', leavesNothing: true },
    { signal: 'SIGTERM', leavesNothing: true },
    { signal: 'SIGKILL', leavesNothing: false },
  ] as const)(
    'a process ended by $signal leaves nothing behind for long',
    async ({ signal, leavesNothing }) => {
      const script = join((await build()).folder, 'abandon.mjs');
      await bundle({
        stdin: { contents: abandoning, resolveDir: import.meta.dirname, loader: 'ts' },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile: script,
      });
      const abandon = launch([process.execPath, script]);
      await until(
        'the network of the other process is up',
        15_000,
        () => abandon.lines.some(({ text }) => text.startsWith('ready')),
        { describe: () => abandon.text() },
      );
      const [, pid = '', sleeper = ''] = abandon.text().split(' ');
      const left = () =>
        readdirSync('/run/netns').filter((name) => name.startsWith(`tscarp-lab-${pid}-`));
      expect(left().length).toBe(3);
      process.kill(Number(pid), signal);
      await abandon.exited;
      if (!leavesNothing) {
        expect(left().length).toBe(3);
        await build();
      }
      expect(left()).toEqual([]);
      await until('its process in the network is gone', 2_000, () => !runs(sleeper));
    },
  );
});
