// One segment with hosts a and b and a client c, the daemons on them, and how things stand there.

import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Line, Program } from '../../src/lab/command.js';
import type { Host } from '../../src/lab/host.js';
import { createNetwork, type Network } from '../../src/lab/network.js';
import { until } from '../../src/lab/until.js';
import { tscarp, ucarp } from './require.js';

export const address = '10.0.0.10';

export interface Daemon {
  readonly host: string;
  readonly program: Program;
  /** The last state that it logged. */
  readonly state: 'MASTER' | 'BACKUP' | undefined;
  /** When it logged that. */
  readonly since: number;
}

export class Lan {
  readonly network: Network;
  readonly a: Host;
  readonly b: Host;
  readonly client: Host;
  readonly #daemons: Daemon[] = [];

  private constructor(network: Network) {
    this.network = network;
    this.a = network.host('a');
    this.b = network.host('b');
    this.client = network.host('c');
  }

  static async build(): Promise<Lan> {
    const nics = (own: string) => [{ device: 'eth0', segment: 'lan', addresses: [`${own}/24`] }];
    return new Lan(
      await createNetwork({
        hosts: [
          { name: 'a', nics: nics('10.0.0.1') },
          { name: 'b', nics: nics('10.0.0.2') },
          { name: 'c', nics: nics('10.0.0.99') },
        ],
      }),
    );
  }

  /** `tscarp --vhid 1 --pass love --addr ADDRESS/24 --if eth0 --src ...`, and what is added. */
  tscarp(host: Host, ...more: readonly string[]): Daemon {
    const line = ['--vhid', '1', '--pass', 'love', '--addr', `${address}/24`, '--if', 'eth0'];
    return this.start(host, [tscarp, ...line, '--src', ownAddress(host), ...more]);
  }

  /** A master on a and a worse backup on b, neither of which preempts. */
  async pair(): Promise<{ readonly a: Daemon; readonly b: Daemon }> {
    const a = this.tscarp(this.a);
    await this.settled(a, [], 10_000);
    const b = this.tscarp(this.b, '--advskew', '50');
    await this.settled(a, [b], 10_000);
    return { a, b };
  }

  /** The real one, with scripts that do what tscarp does without. */
  ucarp(host: Host, ...more: readonly string[]): Daemon {
    const up = this.script('up', 'ip address add "$2"/24 dev "$1"');
    const down = this.script('down', 'ip address delete "$2"/24 dev "$1"');
    const line = ['-v', '1', '-p', 'love', '-a', address, '-i', 'eth0', '-u', up, '-d', down];
    return this.start(host, [ucarp, ...line, '-s', ownAddress(host), ...more]);
  }

  start(host: Host, argv: readonly string[]): Daemon {
    let last: { state: 'MASTER' | 'BACKUP'; at: number } | undefined;
    const program = host.launch(argv, {
      onLine: ({ text, at }: Line) => {
        const state = /Switching to state: (MASTER|BACKUP)/.exec(text)?.[1];
        if (state === 'MASTER' || state === 'BACKUP') last = { state, at };
      },
    });
    const daemon: Daemon = {
      host: host.name,
      program,
      get state() {
        return last?.state;
      },
      get since() {
        return last?.at ?? 0;
      },
    };
    this.#daemons.push(daemon);
    return daemon;
  }

  /** An executable shell script in the network's folder; returns its path. */
  script(name: string, body: string): string {
    const path = join(this.network.folder, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** tscarp under this name, linked as a package manager would; returns the path. */
  installed(name: 'tscarp' | 'ucarp'): string {
    const path = join(this.network.folder, name);
    symlinkSync(tscarp, path);
    return path;
  }

  /**
   * Waits until `master` says that it is, the others that they are not, and only the master's host
   * has the address. Returns the milliseconds it took.
   */
  settled(master: Daemon, others: readonly Daemon[], deadlineMs: number): Promise<number> {
    const { host } = master;
    const what = `only the daemon on ${host} is master and only ${host} has ${address}`;
    return this.until(what, deadlineMs, async () => {
      const agreed = master.state === 'MASTER' && others.every(({ state }) => state === 'BACKUP');
      return agreed && (await this.network.holders(address)).join() === host;
    });
  }

  until(what: string, deadlineMs: number, condition: () => boolean | Promise<boolean>) {
    return until(what, deadlineMs, condition, { describe: () => this.describe() });
  }

  async describe(): Promise<string> {
    const holders = (await this.network.holders(address)).join(' and ') || 'no host';
    const logs = this.#daemons.map(
      ({ host, program }) =>
        `--- ${host}, pid ${program.pid}${program.exit ? ', ended' : ''}\n${program.text()}`,
    );
    return [`${address} is on ${holders}; it is ${Math.round(performance.now())} ms`, ...logs].join(
      '\n',
    );
  }

  dispose(): Promise<void> {
    return this.network.dispose();
  }
}

export function ownAddress(host: Host): string {
  return host.nics[0]?.addresses[0]?.split('/')[0] ?? '';
}
