// The cluster that the project began with: two hosts, each with a private address on eth0; eth1 has
// none of its own. Two public addresses must always be on some living host: p at home on A, q on B.

import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Program } from '../../src/lab/command.js';
import { createNetwork, type Network } from '../../src/lab/network.js';
import { until } from '../../src/lab/until.js';
import { describeOnNetwork } from './require.js';

const m = '10.0.0.1';
const n = '10.0.0.2';
const p = '203.0.113.10';
const q = '203.0.113.20';
const gateway = '203.0.113.1';

type Side = 'a' | 'b';

interface Role {
  readonly vhid: number;
  readonly address: string;
  readonly alias: string;
  readonly home: Side;
}

const roles: readonly Role[] = [
  { vhid: 1, address: p, alias: 'eth1:0', home: 'a' },
  { vhid: 2, address: q, alias: 'eth1:1', home: 'b' },
];

const upscript = `#!/bin/sh
ifconfig $1 $2 netmask 255.255.255.0; route add default gw ${gateway} eth1
`;

const downscript = `#!/bin/sh
if ifconfig $1 | grep -q inet; then ifconfig $1 down; fi
`;

export interface ClusterOptions {
  /** What the daemon is called here: a symlink of this name is what is run. */
  readonly calledAs: string;
  readonly program: string;
  readonly needs: readonly string[];
}

/** One story, told for each program and each name it goes by. */
export function describeCluster(title: string, options: ClusterOptions): void {
  describeOnNetwork(title, ['ifconfig', 'route', ...options.needs], () => {
    let network: Network;
    let folder: string;
    const daemons: { readonly on: Side; readonly vhid: number; readonly program: Program }[] = [];

    beforeAll(async () => {
      network = await createNetwork({
        hosts: [
          host('a', m),
          host('b', n),
          {
            name: 'c',
            nics: [{ device: 'eth0', segment: 'public', addresses: [`${gateway}/24`] }],
          },
        ],
      });
      folder = network.folder;
      symlinkSync(options.program, join(folder, options.calledAs));
      for (const [name, text] of Object.entries({ up: upscript, down: downscript })) {
        writeFileSync(join(folder, name), text);
        chmodSync(join(folder, name), 0o755);
      }
    });

    afterAll(async () => {
      await network.dispose();
    });

    function startOn(side: Side): void {
      const own = side === 'a' ? m : n;
      for (const { vhid, address, alias, home } of roles) {
        const rank = home === side ? ['-k', '1', '-P', '-b', '1'] : ['-b', '3'];
        const name = join(folder, options.calledAs);
        const program = network
          .host(side)
          .launch([
            ...[name, '-v', `${vhid}`, '-p', 'love', '-s', own, '-a', address, '-i', alias],
            ...[...rank, `--upscript=${folder}/up`, `--downscript=${folder}/down`],
          ]);
        daemons.push({ on: side, vhid, program });
      }
    }

    async function where(): Promise<string> {
      const places = await Promise.all(
        [p, q].map(async (address) => (await network.holders(address)).join('+') || 'nowhere'),
      );
      return `p is on ${places[0]}, q is on ${places[1]}`;
    }

    async function describeAll(): Promise<string> {
      const logs = daemons.map(
        ({ on, vhid, program }) => `--- ${on}, vhid ${vhid}\n${program.text().slice(-800)}`,
      );
      return [await where(), ...logs].join('\n');
    }

    async function settled(what: string, place: string, deadlineMs: number): Promise<void> {
      const there = async () => (await where()) === place;
      await until(what, deadlineMs, there, { everyMs: 100, describe: describeAll });
      for (const address of [p, q]) {
        const argv = ['ping', '-n', '-c', '1', '-W', '1', address];
        const reached = async () => (await network.host('c').run(argv)).status === 0;
        await until(`the client reaches ${address}`, 3_000, reached, { describe: describeAll });
      }
    }

    test('p and q are always on a living host, whichever host dies and returns', async () => {
      startOn('a');
      startOn('b');
      await settled('p settles on A and q on B', 'p is on a, q is on b', 15_000);
      await network.host('b').kill();
      await settled('A holds both after B died', 'p is on a, q is on a', 16_000);
      await network.host('b').boot();
      startOn('b');
      await settled('B returned and took q back', 'p is on a, q is on b', 12_000);
      await network.host('a').kill();
      await settled('B holds both after A died', 'p is on b, q is on b', 16_000);
      await network.host('a').boot();
      startOn('a');
      await settled('A returned and took p back', 'p is on a, q is on b', 12_000);
    }, 90_000);

    test('eth1 never was in promiscuous mode, and the addresses are labelled', async () => {
      for (const side of ['a', 'b'] as const) {
        const flags = await network.host(side).must(['cat', '/sys/class/net/eth1/flags']);
        expect(Number(flags) & 0x100).toBe(0);
      }
      const labels = (await network.host('a').addresses()).map(({ label }) => label);
      expect(labels).toContain('eth1:0');
    });
  });
}

function host(name: string, address: string) {
  return {
    name,
    nics: [
      { device: 'eth0', segment: 'private', addresses: [`${address}/24`] },
      { device: 'eth1', segment: 'public' },
    ],
  };
}
