// An instance on fakes: interface eth1 with 10.0.0.1/24, and nobody else on the segment.

import type { Config } from '../../src/daemon/config.js';
import { Instance, type Ports } from '../../src/daemon/instance.js';
import { place } from '../../src/daemon/placement.js';
import { hmacSha1 } from '../../src/net/hmac.js';
import { FakeAddresses } from '../fakes/addresses.js';
import { FakeClock } from '../fakes/clock.js';
import { ownAddress, testConfig } from '../fakes/config.js';
import { FakeHooks } from '../fakes/hooks.js';
import { FakeInterfaces } from '../fakes/interfaces.js';
import { Journal, MemoryLogger } from '../fakes/journal.js';
import { FakeLink } from '../fakes/link.js';

export class InstanceBed {
  readonly journal = new Journal();
  readonly clock = new FakeClock();
  readonly link = new FakeLink(this.journal);
  readonly addresses = new FakeAddresses(this.journal);
  readonly hooks = new FakeHooks(this.journal);
  readonly interfaces = new FakeInterfaces();
  readonly logger = new MemoryLogger(this.journal);
  readonly ports: Ports = {
    clock: this.clock,
    interfaces: this.interfaces,
    addresses: this.addresses,
    hooks: this.hooks,
    loadBackend: async () => this.link.open,
    hmac: hmacSha1,
  };

  constructor() {
    this.interfaces.put('eth1');
    const cidr = { address: ownAddress, prefixLength: 24 };
    this.addresses.assign({ device: 'eth1', cidr, label: 'eth1' });
  }

  async start(overrides: Partial<Config> = {}): Promise<Instance> {
    const config = testConfig(overrides);
    const placement = await place(config, this.ports);
    const instance = await Instance.start(config, placement, this.ports, this.logger);
    await this.clock.settle();
    return instance;
  }

  /** Of an instance that has taken the role, because nobody else is there. */
  async startMaster(overrides: Partial<Config> = {}): Promise<Instance> {
    const instance = await this.start(overrides);
    await this.clock.pass(3_000);
    this.journal.take();
    return instance;
  }
}
