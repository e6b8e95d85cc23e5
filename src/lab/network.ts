// A LAN on one machine: hosts in network namespaces, cabled to switches (bridges) in a namespace of
// their own. Needs root. Everything is removed by `dispose`, when the process ends or is
// interrupted, and, if it was killed, by the next process that builds a network.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NetError } from '../net/errors.js';
import { must, run } from './command.js';
import { Host, killQuietly, type Nic } from './host.js';

export interface NicPlan {
  readonly device: string;
  /** The name of a switch; hosts with NICs on the same segment see each other. */
  readonly segment: string;
  readonly addresses?: readonly string[];
}

export interface HostPlan {
  /** Short: with the device name it makes the name of a switch port, at most 15 characters. */
  readonly name: string;
  readonly nics: readonly NicPlan[];
}

export interface NetworkPlan {
  readonly hosts: readonly HostPlan[];
}

const prefix = 'tscarp-lab';
// Only root writes there, and paths are short enough for sockets.
const folders = '/run';
const live = new Set<Network>();
let built = 0;

export class Network {
  /** For files of the hosts, which share the file system; removed with the network. */
  readonly folder: string;
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #switchNamespace: string;

  /** Use `createNetwork`. */
  constructor(id: string, plan: NetworkPlan) {
    const folder = join(folders, id);
    const switchNamespace = `${id}-switch`;
    this.folder = folder;
    this.#switchNamespace = switchNamespace;
    const hosts = plan.hosts.map(({ name, nics }, index) => {
      const cabled = nics.map((nic, card) => cable(name, index, nic, card));
      return new Host(name, { id, folder, switchNamespace }, cabled);
    });
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`The network has no host "${name}".`);
    return host;
  }

  /** The names of the living hosts that have the address. */
  async holders(address: string): Promise<string[]> {
    const having = await Promise.all(this.hosts.map((host) => host.has(address)));
    return this.hosts.filter((_, index) => having[index]).map(({ name }) => name);
  }

  get namespaces(): readonly string[] {
    return [this.#switchNamespace, ...this.hosts.map(({ namespace }) => namespace)];
  }

  /** Called by `createNetwork`. */
  async build(): Promise<void> {
    mkdirSync(this.folder, { mode: 0o755 });
    for (const { folder } of this.hosts) mkdirSync(folder);
    await addNamespaces(this.namespaces);
    await batch(['-n', this.#switchNamespace], this.#switchCommands());
    await Promise.all(this.hosts.map((host) => batch(['-n', host.namespace], host.bootCommands())));
  }

  #switchCommands(): string[] {
    const nics = this.hosts.flatMap(({ nics, namespace }) =>
      nics.map((nic) => ({ ...nic, namespace })),
    );
    const segments = new Set(nics.map(({ segment }) => segment));
    return [
      ...[...segments].flatMap((segment) => [
        // With snooping and no querier a bridge forgets group members after minutes.
        `link add ${segment} type bridge mcast_snooping 0 forward_delay 0`,
        // A switch says nothing of its own.
        `link set ${segment} addrgenmode none up`,
      ]),
      ...nics.flatMap(({ port, device, mac, namespace, segment }) => [
        `link add ${port} type veth peer name ${device} address ${mac} netns ${namespace}`,
        `link set ${port} addrgenmode none master ${segment} up`,
      ]),
    ];
  }

  /** Ends every process in the hosts and deletes them; may be called twice. */
  async dispose(): Promise<void> {
    live.delete(this);
    if (live.size === 0) unhook();
    for (const host of this.hosts) await host.killAll();
    const existing = new Set(namespacesNow());
    const doomed = this.namespaces.filter((namespace) => existing.has(namespace));
    await batch(
      ['-force'],
      doomed.map((namespace) => `netns delete ${namespace}`),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The same without waiting, for a process that is about to end. */
  disposeNow(): void {
    live.delete(this);
    for (const namespace of this.namespaces) removeNow(namespace);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Builds the network and removes what dead processes have left of theirs. */
export async function createNetwork(plan: NetworkPlan): Promise<Network> {
  sweep();
  built += 1;
  const network = new Network(`${prefix}-${process.pid}-${built}`, plan);
  if (live.size === 0) hook();
  live.add(network);
  try {
    await network.build();
  } catch (error) {
    network.disposeNow();
    throw error;
  }
  return network;
}

/** The Debian packages of the programs that a network may need, and what their `-V` prints. */
const programs = {
  ip: { package: 'iproute2', prints: 'iproute2' },
  // Busybox has a ping that does not tell when an answer came.
  ping: { package: 'iputils-ping', prints: 'iputils' },
  nft: { package: 'nftables', prints: 'nftables' },
} as const;

/** Throws NetError with what to do when networks cannot be built here. */
export async function requireNetworks(needed: readonly (keyof typeof programs)[]): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new NetError('not-permitted', 'Network namespaces need root: run it with sudo.');
  }
  await requireProgram('ip');
  await requireNamespaces();
  for (const name of needed) await requireProgram(name);
}

/** Asks for one that is gone with the process that had it: nothing can be left behind. */
async function requireNamespaces(): Promise<void> {
  const { status, stderr } = await run(['unshare', '--net', 'true']);
  if (status !== 0) throw withoutNamespaces(`"unshare --net" said: ${stderr.trim()}`);
}

function withoutNamespaces(why: string): NetError {
  return new NetError(
    'not-permitted',
    'This machine does not allow network namespaces; a container must be privileged ' +
      `(docker run --privileged). ${why}`,
  );
}

async function requireProgram(name: keyof typeof programs): Promise<void> {
  const wanted = programs[name];
  try {
    if ((await run([name, '-V'])).stdout.includes(wanted.prints)) return;
  } catch (error) {
    if (!(error instanceof NetError) || error.code !== 'missing-program') throw error;
  }
  throw new NetError(
    'missing-program',
    `The program "${name}" of ${wanted.prints} is missing: install the package ${wanted.package}.`,
  );
}

function cable(host: string, index: number, plan: NicPlan, card: number): Nic {
  const hex = (number: number): string => number.toString(16).padStart(2, '0');
  return {
    device: plan.device,
    segment: plan.segment,
    addresses: plan.addresses ?? [],
    mac: `02:00:00:00:${hex(index + 1)}:${hex(card)}`,
    port: `${host}.${plan.device}`,
  };
}

async function batch(options: readonly string[], commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  await must(['ip', ...options, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

async function addNamespaces(names: readonly string[]): Promise<void> {
  try {
    await batch(
      [],
      names.map((name) => `netns add ${name}`),
    );
  } catch (error) {
    throw withoutNamespaces((error as Error).message);
  }
}

function namespacesNow(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return []; // None has ever been made.
  }
}

/** Removes the networks of processes that ended without doing so themselves. */
function sweep(): void {
  for (const namespace of namespacesNow().filter(isAbandoned)) removeNow(namespace);
  for (const folder of readdirSync(folders).filter(isAbandoned)) {
    rmSync(join(folders, folder), { recursive: true, force: true });
  }
}

function isAbandoned(name: string): boolean {
  const owner = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
  return owner !== undefined && !isAlive(Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function removeNow(namespace: string): void {
  if (!namespacesNow().includes(namespace)) return;
  try {
    const pids = execFileSync('ip', ['netns', 'pids', namespace], { stdio: 'pipe' }).toString();
    for (const pid of pids.split('\n').filter(Boolean)) killQuietly(Number(pid));
    execFileSync('ip', ['netns', 'delete', namespace], { stdio: 'pipe' });
  } catch {
    // Another process that sweeps at the same time was faster, or nothing can be done about it.
  }
}

const fatal = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

function hook(): void {
  process.on('exit', disposeAllNow);
  for (const signal of fatal) process.on(signal, interrupted);
}

function unhook(): void {
  process.off('exit', disposeAllNow);
  for (const signal of fatal) process.off(signal, interrupted);
}

function disposeAllNow(): void {
  for (const network of [...live]) network.disposeNow();
}

/** Tidies up and then dies of the signal as it would have done without this handler. */
function interrupted(signal: NodeJS.Signals): void {
  disposeAllNow();
  unhook();
  process.kill(process.pid, signal);
}
