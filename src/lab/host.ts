// One machine of the test bed: a network namespace, its cables to the switches, and the programs
// that run in it. It can lose a cable, die and boot again.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  launch,
  must,
  type Outcome,
  type Program,
  type RunOptions,
  run,
  type StartOptions,
} from './command.js';

/** A network card of a host and the switch that it is plugged into. */
export interface Nic {
  readonly device: string;
  readonly segment: string;
  readonly mac: string;
  /** Set at boot: `10.0.0.1/24`. */
  readonly addresses: readonly string[];
  /** The other end of the cable, a port of the switch. */
  readonly port: string;
}

/** What a host must know of the network that it belongs to. */
export interface HostNetwork {
  readonly id: string;
  readonly folder: string;
  readonly switchNamespace: string;
}

export interface HostAddress {
  readonly device: string;
  readonly label: string | undefined;
  readonly address: string;
  readonly prefixLength: number;
}

interface IpAddressReport {
  readonly ifname?: string;
  readonly addr_info?: readonly {
    readonly label?: string;
    readonly local?: string;
    readonly prefixlen?: number;
  }[];
}

export class Host {
  readonly name: string;
  readonly namespace: string;
  /** For its files: the hosts have all others in common. Gone when the network is. */
  readonly folder: string;
  readonly nics: readonly Nic[];
  readonly #switchNamespace: string;
  readonly #programs = new Set<Program>();
  #alive = true;

  constructor(name: string, network: HostNetwork, nics: readonly Nic[]) {
    this.name = name;
    this.namespace = `${network.id}-${name}`;
    this.folder = join(network.folder, name);
    this.nics = nics;
    this.#switchNamespace = network.switchNamespace;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The commands, for `ip -n NAMESPACE -batch -`, that set the host's own addresses up. */
  bootCommands(): readonly string[] {
    return [
      'link set lo up',
      ...this.nics.flatMap(({ device, addresses }) => [
        ...addresses.map((address) => `address replace ${address} dev ${device}`),
        `link set ${device} up`,
      ]),
    ];
  }

  /** Runs a program in the host to its end. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.#inside(argv), this.#withPlaces(options));
  }

  /** As `run`, but a failure rejects; returns the output. */
  must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(this.#inside(argv), this.#withPlaces(options));
  }

  /** Starts a program in the host; its pid is the program's own. */
  launch(argv: readonly string[], options: StartOptions = {}): Program {
    const program = launch(this.#inside(argv), this.#withPlaces(options));
    this.#programs.add(program);
    const forget = () => this.#programs.delete(program);
    program.exited.then(forget, forget);
    return program;
  }

  /** Every process in the host, daemons that detached themselves included. */
  async pids(): Promise<number[]> {
    const outcome = await run(['ip', 'netns', 'pids', this.namespace]);
    return outcome.stdout.split('\n').filter(Boolean).map(Number);
  }

  /** The processes whose command name (`/proc/PID/comm`) is this, as pidof(8) finds them. */
  async pidsOf(comm: string): Promise<number[]> {
    const pids = await this.pids();
    const names = await Promise.all(pids.map(readComm));
    return pids.filter((_, index) => names[index] === comm);
  }

  async addresses(): Promise<HostAddress[]> {
    if (!this.#alive) return [];
    const text = await must(['ip', '-j', '-n', this.namespace, 'address', 'show']);
    const links = JSON.parse(text) as readonly IpAddressReport[];
    return links.flatMap(({ ifname = '', addr_info = [] }) =>
      addr_info.map(({ label, local = '', prefixlen = 0 }) => ({
        device: ifname,
        label,
        address: local,
        prefixLength: prefixlen,
      })),
    );
  }

  async has(address: string): Promise<boolean> {
    return (await this.addresses()).some((own) => own.address === address);
  }

  /** Unplugs one cable, or all: the host sees its link go. */
  async cut(device?: string): Promise<void> {
    await this.#setPorts('down', device);
  }

  async restore(device?: string): Promise<void> {
    await this.#setPorts('up', device);
  }

  /**
   * The machine loses power: it is off the network and every process ends in the same moment,
   * without a chance to say or tidy anything; its memory, addresses included, is lost.
   */
  async kill(): Promise<void> {
    this.#alive = false;
    for (const program of this.#programs) program.signal('SIGKILL');
    await this.cut();
    await this.killAll();
    const flush = this.nics.flatMap(({ device }) => [
      `link set ${device} down`,
      `address flush dev ${device}`,
    ]);
    await must(['ip', '-n', this.namespace, '-batch', '-'], { input: flush.join('\n') });
  }

  /** Kills every process in the host and waits until they are gone. */
  async killAll(): Promise<void> {
    for (let round = 0; round < 100; round += 1) {
      const pids = await this.pids();
      if (pids.length === 0) return;
      for (const pid of pids) killQuietly(pid);
    }
    throw new Error(`The processes of host ${this.name} do not end.`);
  }

  /** Power is back: the host has its own addresses and no program runs. */
  async boot(): Promise<void> {
    await must(['ip', '-n', this.namespace, '-batch', '-'], {
      input: this.bootCommands().join('\n'),
    });
    await this.restore();
    this.#alive = true;
  }

  /** The switches carry nothing that this host sends, receives, or both; its links stay up. */
  async block(direction: 'from' | 'to' | 'both', device?: string): Promise<void> {
    const rules = this.#portsOf(device).flatMap((port) => [
      ...(direction === 'to' ? [] : [`add rule bridge lab cut iifname "${port}" drop`]),
      ...(direction === 'from' ? [] : [`add rule bridge lab cut oifname "${port}" drop`]),
    ]);
    await this.#nft([
      'add table bridge lab',
      'add chain bridge lab cut { type filter hook forward priority 0; }',
      ...rules,
    ]);
  }

  /** Takes back every block, those of other hosts included. */
  async unblock(): Promise<void> {
    await this.#nft(['add table bridge lab', 'delete table bridge lab']);
  }

  async #nft(commands: readonly string[]): Promise<void> {
    const argv = ['ip', 'netns', 'exec', this.#switchNamespace, 'nft', '-f', '-'];
    await must(argv, { input: `${commands.join('\n')}\n` });
  }

  async #setPorts(state: 'up' | 'down', device?: string): Promise<void> {
    const input = this.#portsOf(device).map((port) => `link set ${port} ${state}`);
    await must(['ip', '-n', this.#switchNamespace, '-batch', '-'], { input: input.join('\n') });
  }

  #portsOf(device?: string): string[] {
    const chosen = this.nics.filter((nic) => device === undefined || nic.device === device);
    if (chosen.length === 0) throw new RangeError(`Host ${this.name} has no device ${device}.`);
    return chosen.map(({ port }) => port);
  }

  /** Two daemons of the same virtual router would otherwise meet at one control socket. */
  #withPlaces<T extends RunOptions>(options: T): T {
    const places = {
      TSCARP_RUN_DIR: join(this.folder, 'run'),
      TSCARP_STATE_DIR: join(this.folder, 'lib'),
    };
    return { ...options, env: { ...places, ...options.env } };
  }

  // `ip netns exec` also shows the namespace's own devices in /sys; the program keeps its pid.
  #inside(argv: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace, ...argv];
  }
}

async function readComm(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  } catch {
    return undefined; // It ended meanwhile.
  }
}

/** A process that is gone already is what was wanted. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH.
  }
}
