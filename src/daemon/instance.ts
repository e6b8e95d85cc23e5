// One running virtual router: puts configuration, operating system and protocol together and keeps
// them together while the interface comes and goes.

import type {
  Addresses,
  Backend,
  Clock,
  Hmac,
  Hooks,
  InterfaceFacts,
  Interfaces,
  Link,
  OpenLink,
  Subscription,
} from '../net/ports.js';
import { formatIpv4, formatMac, type Ipv4, type Mac } from '../protocol/address.js';
import { deadTime, outranks } from '../protocol/carp/machine.js';
import { between, toMilliseconds } from '../protocol/units.js';
import { carpMac, createCarpRouter, type VirtualRouter } from '../protocol/virtual-router.js';
import type { Config } from './config.js';
import { Engine } from './engine.js';
import { createHolding } from './holding.js';
import type { Logger } from './log.js';
import type { Placement } from './placement.js';
import type { Status } from './status.js';

export interface Ports {
  readonly clock: Clock;
  readonly interfaces: Interfaces;
  readonly addresses: Addresses;
  readonly hooks: Hooks;
  /** Rejects with a NetError when the backend's package is missing. */
  loadBackend(backend: Backend): Promise<OpenLink>;
  hmac(password: Uint8Array): Hmac;
}

/** What an operator's request came to. */
export type Outcome =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly text: string };

const retryMs = 1_000; // for a capture that cannot be opened although there is link

export class Instance {
  readonly config: Config;
  readonly interfaceName: string;
  readonly #engine: Engine;
  readonly #router: VirtualRouter;
  readonly #ports: Ports;
  readonly #link: Link;
  readonly #logger: Logger;
  readonly #subscription: Subscription;
  #facts: InterfaceFacts;
  #usable = true;
  #retry: NodeJS.Timeout | undefined;

  /** Opens the capture and enters BACKUP. Rejects with a NetError and leaves nothing behind. */
  static async start(
    config: Config,
    placement: Placement,
    ports: Ports,
    logger: Logger,
  ): Promise<Instance> {
    const openLink = await ports.loadBackend(config.backend);
    if (config.interface === 'auto') {
      logger.log('info', `Using [${placement.interfaceName}] as a network interface`);
    }
    const mac = formatMac(placement.facts.mac);
    logger.log('info', `Local advertised ethernet address is [${mac}]`);
    return new Instance(config, ports, logger, placement, openLink);
  }

  private constructor(
    config: Config,
    ports: Ports,
    logger: Logger,
    placement: Placement,
    openLink: OpenLink,
  ) {
    const { interfaceName, facts, managed } = placement;
    this.config = config;
    this.interfaceName = interfaceName;
    this.#facts = facts;
    this.#ports = ports;
    this.#logger = logger;
    this.#router = createRouter(config, placement.source, {
      hmac: ports.hmac(config.password),
      mac: () => this.#facts.mac,
    });
    const groups = config.broadcast ? [] : [config.group];
    this.#link = openLink(
      { device: facts.name, groups },
      {
        frame: (bytes) => this.#engine.receive(bytes),
        trouble: (error) => logger.log('debug', error.message),
      },
    );
    try {
      this.#subscription = ports.interfaces.watch(facts.name, (now) => this.#follow(now));
    } catch (error) {
      this.#link.close();
      throw error;
    }
    this.#engine = new Engine({
      router: this.#router,
      interfaceName,
      clock: ports.clock,
      link: this.#link,
      holding: createHolding({ ...ports, config, interfaceName, managed, logger }),
      logger,
      mac: () => this.#facts.mac,
    });
    this.#engine.handle({ type: 'start' });
    // Whatever changed before the watch began is seen now.
    this.#follow(ports.interfaces.read(facts.name));
  }

  status(): Status {
    const { clock } = this.#ports;
    const { state, lastHeard, changedAt, counters } = this.#engine;
    return {
      protocol: this.#router.protocol,
      vhid: this.#router.id,
      interface: this.interfaceName,
      state: state.type,
      since: changedAt.toISOString(),
      reason: state.reason,
      addresses: this.#router.addresses.map(formatIpv4),
      master:
        lastHeard === undefined
          ? null
          : {
              address: formatIpv4(lastHeard.source),
              advbase: lastHeard.advbase,
              advskew: lastHeard.advskew,
              age: Math.round(toMilliseconds(between(lastHeard.at, clock.now()))),
            },
      counters,
      source: formatIpv4(this.#router.settings.source),
      advbase: this.config.advbase,
      advskew: this.config.advskew,
      preempt: this.config.preempt,
      backend: this.config.backend,
      pid: process.pid,
    };
  }

  isMaster(): boolean {
    return this.#engine.state.type === 'master';
  }

  /** As SIGUSR2: a master says goodbye and leaves the role to others for three seconds. */
  demote(): Outcome {
    if (!this.isMaster()) return { ok: true, text: `not master (${this.#engine.state.type})` };
    this.#engine.handle({ type: 'demote' });
    return { ok: true, text: 'demoted: the addresses are given up and others may take them' };
  }

  /** Takes the role now, unless a better master that was just heard would take it back at once. */
  promote(): Outcome {
    const { state, lastHeard } = this.#engine;
    if (state.type === 'master') return { ok: true, text: 'master already' };
    if (state.type === 'initialize') {
      const text =
        state.reason === 'shutdown'
          ? 'the daemon is being stopped'
          : `the interface ${this.interfaceName} has no link`;
      return { ok: false, text };
    }
    const age = lastHeard && between(lastHeard.at, this.#ports.clock.now());
    const alive = age !== undefined && age < deadTime(this.#router.settings);
    if (alive && lastHeard && outranks(lastHeard, this.#router.settings)) {
      const { advbase, advskew, source } = lastHeard;
      const better = `advbase ${advbase} advskew ${advskew}`;
      const text =
        `${formatIpv4(source)} (${better}) is a better master and would take the role back at ` +
        'once; demote it there instead';
      return { ok: false, text };
    }
    this.#engine.handle({ type: 'promote' });
    return { ok: true, text: 'promoted: master' };
  }

  /**
   * Says goodbye if master, gives the addresses up unless they are to stay, and closes everything.
   * Resolves to false when the addresses were to go and did not.
   */
  async stop(options: { readonly keepAddresses: boolean }): Promise<boolean> {
    this.#subscription.close();
    clearTimeout(this.#retry);
    const released = await this.#engine.stop(options);
    this.#link.close();
    this.#ports.addresses.close();
    return released;
  }

  /**
   * After any change of the interface: the capture follows it, and the machine learns whether there
   * is link. If it had to be opened anew, another interface has taken the place, without the
   * addresses.
   */
  #follow(facts: InterfaceFacts | undefined): void {
    const { mac } = this.#facts;
    if (facts !== undefined) this.#facts = facts;
    const capture = this.#refresh(facts);
    const hasLink = facts?.up === true && (facts.running || this.config.ignoreLinkState);
    const usable = hasLink && capture !== 'closed';
    const lost = !usable || capture === 'new';
    if (this.#usable && lost) this.#engine.handle({ type: 'link-down' });
    if (usable && (lost || !this.#usable)) this.#engine.handle({ type: 'link-up' });
    this.#usable = usable;
    if (this.#facts.mac !== mac) this.#engine.announce();
  }

  /** If it stays closed although there is an interface, it is tried again. */
  #refresh(facts: InterfaceFacts | undefined): 'same' | 'new' | 'closed' {
    clearTimeout(this.#retry);
    try {
      return this.#link.refresh() ? 'new' : 'same';
    } catch (error) {
      this.#logger.log('warning', (error as Error).message);
      if (facts?.up === true) {
        const look = (): void => this.#follow(this.#ports.interfaces.read(facts.name));
        this.#retry = setTimeout(look, retryMs);
      }
      return 'closed';
    }
  }
}

function createRouter(
  config: Config,
  source: Ipv4,
  { hmac, mac }: { readonly hmac: Hmac; mac(): Mac },
): VirtualRouter {
  const { vhid, advbase, advskew, deadRatio, preempt, group, broadcast } = config;
  const virtualMac = carpMac(vhid, config.personality === 'ucarp');
  return createCarpRouter({
    vhid,
    settings: { advbase, advskew, deadRatio, preempt, source, announceAfter: config.garpRepeat },
    addresses: [config.address],
    group,
    broadcast,
    // The interface's own may change.
    get sourceMac() {
      return config.realMac ? mac() : virtualMac;
    },
    hmac,
  });
}
