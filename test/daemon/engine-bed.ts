// An engine on fakes: one router of the group, eth1, whose every deed is noted in one journal.

import type { Config } from '../../src/daemon/config.js';
import { Engine } from '../../src/daemon/engine.js';
import { createHolding } from '../../src/daemon/holding.js';
import { hmacSha1 } from '../../src/net/hmac.js';
import type { Mac } from '../../src/protocol/address.js';
import type { State } from '../../src/protocol/carp/state.js';
import { carpMac, createCarpRouter } from '../../src/protocol/virtual-router.js';
import { FakeAddresses } from '../fakes/addresses.js';
import { FakeClock } from '../fakes/clock.js';
import { ownAddress, testConfig } from '../fakes/config.js';
import { FakeHooks } from '../fakes/hooks.js';
import { Journal, MemoryLogger } from '../fakes/journal.js';
import { FakeLink } from '../fakes/link.js';

export class EngineBed {
  readonly journal = new Journal();
  readonly clock = new FakeClock();
  readonly link = new FakeLink(this.journal);
  readonly addresses = new FakeAddresses(this.journal);
  readonly hooks = new FakeHooks(this.journal);
  readonly logger = new MemoryLogger(this.journal);
  readonly engine: Engine;
  mac = 0x02000000000a as Mac;

  constructor(overrides: Partial<Config> = {}) {
    const config = testConfig(overrides);
    const { vhid, advbase, advskew, deadRatio, preempt, group, broadcast } = config;
    const source = ownAddress;
    this.addresses.createDevice('eth1');
    const cidr = { address: config.address, prefixLength: 24 };
    const managed = config.manageAddress ? { device: 'eth1', cidr, label: undefined } : undefined;
    const { addresses, hooks, logger, clock, link } = this;
    this.link.open(
      { device: 'eth1', groups: [group] },
      { frame: (bytes) => this.engine.receive(bytes), trouble: () => undefined },
    );
    this.engine = new Engine({
      router: createCarpRouter({
        vhid,
        settings: {
          advbase,
          advskew,
          deadRatio,
          preempt,
          source,
          announceAfter: config.garpRepeat,
        },
        addresses: [config.address],
        group,
        broadcast,
        sourceMac: carpMac(vhid, false),
        hmac: hmacSha1(config.password),
      }),
      interfaceName: 'eth1',
      clock,
      link,
      holding: createHolding({ config, interfaceName: 'eth1', managed, addresses, hooks, logger }),
      logger,
      mac: () => this.mac,
    });
  }

  get state(): State['type'] {
    return this.engine.state.type;
  }

  async start(): Promise<this> {
    this.engine.handle({ type: 'start' });
    await this.clock.settle();
    return this;
  }

  /** Starts and takes the role, because nobody else is there. */
  async becomeMaster(): Promise<this> {
    await this.start();
    await this.clock.pass(3_000);
    this.journal.take();
    return this;
  }
}
