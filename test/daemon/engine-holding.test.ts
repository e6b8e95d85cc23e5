// The engine and what it holds: addresses that cannot be had, scripts that take long, results that
// come late, and the orderly end.

import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { NetError } from '../../src/net/errors.js';
import { advertisement, goodbye } from '../fakes/peer.js';
import { EngineBed } from './engine-bed.js';

afterEach(() => {
  vi.useRealTimers();
});

const scripts: Partial<Config> = { upscript: '/up', downscript: '/down' };
const ours = (text: string) => expect.stringMatching(`^log info: eth1 vhid 1: ${text}`);
const arp = 'send arp 02:00:00:00:00:0a';

describe('the address cannot be had', () => {
  test('it is tried again each second, and announced when it is there', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    bed.addresses.error = new NetError('address-refused', 'Cannot add 10.0.0.10/24 to eth1: why');
    await bed.clock.pass(3_000);
    expect(bed.journal.take('log error')).toEqual([
      'log error: Cannot add 10.0.0.10/24 to eth1: why',
    ]);
    await bed.clock.pass(2_500);
    expect(bed.journal.take('log error')).toHaveLength(2);
    bed.addresses.error = undefined;
    await bed.clock.pass(499);
    expect(bed.journal.take('add')).toEqual([]);
    await bed.clock.pass(1);
    expect(bed.journal.take().filter((line) => /^(?:add|run|send arp)/.test(line))).toEqual([
      'add 10.0.0.10/24 to eth1',
      'run /up eth1 10.0.0.10',
      arp,
    ]);
    await bed.clock.pass(3_000);
    expect(bed.journal.take('add')).toEqual([]);
    expect(bed.state).toBe('master');
  });

  test('the up script does not run for an address that is not there', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    bed.journal.take();
    bed.addresses.error = new NetError('failed', 'why');
    await bed.clock.pass(3_000);
    expect(bed.journal.take('run')).toEqual([]);
  });

  test('an address that cannot be removed is reported, and the down script runs', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).becomeMaster();
    bed.addresses.error = new NetError('failed', 'Cannot remove it');
    bed.engine.handle({ type: 'demote' });
    await bed.clock.settle();
    expect(bed.journal.take()).toEqual(
      expect.arrayContaining(['log error: Cannot remove it', 'run /down eth1 10.0.0.10']),
    );
    expect(bed.state).toBe('backup');
  });

  test('and is removed as soon as it can be, without the script', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).becomeMaster();
    bed.addresses.error = new NetError('failed', 'Cannot remove it');
    bed.engine.handle({ type: 'demote' });
    await bed.clock.pass(2_500);
    bed.addresses.error = undefined;
    bed.journal.take();
    await bed.clock.pass(499);
    expect(bed.addresses.on('eth1')).toHaveLength(1);
    await bed.clock.pass(1);
    expect(bed.addresses.on('eth1')).toEqual([]);
    await bed.clock.pass(2_000);
    expect(bed.journal.take()).toEqual(['remove 10.0.0.10/24 from eth1']);
  });

  test('a role that comes and goes leaves one script to run and not all of them', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).becomeMaster();
    const endDown = bed.hooks.hold();
    for (let count = 0; count < 100; count += 1) {
      bed.engine.handle({ type: 'demote' });
      bed.engine.handle({ type: 'promote' });
      await bed.clock.settle();
    }
    expect(bed.journal.take('run')).toEqual(['run /down eth1 10.0.0.10']);
    endDown();
    await bed.clock.settle();
    expect(bed.journal.take('run')).toEqual(['run /up eth1 10.0.0.10']);
    expect(bed.addresses.on('eth1')).toHaveLength(1);
  });
});

describe('results that come late', () => {
  test('of a claim whose role is over change nothing', async () => {
    const bed = await new EngineBed({ manageAddress: true }).start();
    const finish = bed.addresses.hold();
    await bed.clock.pass(3_000);
    bed.engine.handle({ type: 'demote' });
    bed.journal.take();
    finish();
    await bed.clock.settle();
    expect(bed.journal.take()).toEqual([
      'add 10.0.0.10/24 to eth1',
      'remove 10.0.0.10/24 from eth1',
    ]);
    expect(bed.state).toBe('backup');
  });

  test('of an earlier claim are not taken for those of the present one', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    const finish = bed.addresses.hold();
    const add = bed.addresses.add.bind(bed.addresses);
    let calls = 0;
    bed.addresses.add = async (address) => {
      calls += 1;
      const isFirst = calls === 1;
      await add(address);
      if (isFirst) throw new NetError('failed', 'why');
    };
    await bed.clock.pass(3_000);
    bed.engine.handle({ type: 'demote' });
    bed.engine.handle({ type: 'promote' });
    finish();
    // The second claim is done but for its script.
    bed.hooks.hold();
    await bed.clock.settle();
    bed.journal.take();
    await bed.clock.pass(5_000);
    expect(bed.journal.take('add')).toEqual([]);
    expect(bed.state).toBe('master');
  });

  test('do not keep a script or an address from being released in order', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    const endUp = bed.hooks.hold();
    await bed.clock.pass(3_000);
    expect(bed.journal.take().at(-1)).toBe('run /up eth1 10.0.0.10');
    bed.engine.handle({ type: 'demote' });
    await bed.clock.settle();
    // The up script still runs: the address goes all the same, the down script waits.
    expect(bed.journal.take().filter((line) => /^(?:run|remove|add)/.test(line))).toEqual([
      'remove 10.0.0.10/24 from eth1',
    ]);
    endUp();
    await bed.clock.settle();
    expect(bed.journal.take().filter((line) => /^(?:run|ended)/.test(line))).toEqual([
      'ended /up',
      'run /down eth1 10.0.0.10',
      'ended /down',
    ]);
  });

  test('adverts go on while a script does not end', async () => {
    const bed = await new EngineBed(scripts).start();
    bed.hooks.hold();
    await bed.clock.pass(3_000);
    bed.journal.take();
    await bed.clock.pass(10_000);
    expect(bed.journal.take('send advertisement')).toHaveLength(10);
  });
});

describe('a stop', () => {
  test('says goodbye, releases and waits for the script', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).becomeMaster();
    const endDown = bed.hooks.hold();
    let stopped = false;
    const stop = bed.engine.stop({ keepAddresses: false }).then(() => {
      stopped = true;
    });
    await bed.clock.pass(60_000);
    expect(bed.journal.take()).toEqual([
      ours('INITIALIZE because'),
      'send advertisement 255/255',
      'remove 10.0.0.10/24 from eth1',
      'log warning: Spawning [/down eth1 10.0.0.10]',
      'run /down eth1 10.0.0.10',
    ]);
    expect(stopped).toBe(false);
    endDown();
    await stop;
    expect(stopped).toBe(true);
  });

  test('waits for an up script that still runs, and runs the down script after it', async () => {
    const bed = await new EngineBed(scripts).start();
    const endUp = bed.hooks.hold();
    await bed.clock.pass(3_000);
    bed.journal.take();
    const stop = bed.engine.stop({ keepAddresses: false });
    await bed.clock.pass(1_000);
    expect(bed.journal.take('run')).toEqual([]);
    endUp();
    await stop;
    expect(bed.journal.take('run')).toEqual(['run /down eth1 10.0.0.10']);
  });

  test('that keeps the addresses says goodbye and touches nothing, nor waits', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    bed.hooks.hold();
    await bed.clock.pass(3_000);
    bed.journal.take();
    await bed.engine.stop({ keepAddresses: true });
    await bed.clock.settle();
    expect(bed.journal.take().filter((line) => !line.startsWith('log'))).toEqual([
      'send advertisement 255/255',
    ]);
  });

  test('of a backup sends nothing and runs nothing', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    bed.journal.take();
    await bed.engine.stop({ keepAddresses: false });
    expect(bed.journal.take()).toEqual([ours('INITIALIZE because')]);
  });

  test('is the end: nothing is sent or done afterwards, whatever comes', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).becomeMaster();
    await bed.engine.stop({ keepAddresses: false });
    bed.journal.take();
    bed.link.deliver(advertisement(1, 100));
    bed.link.deliver(goodbye());
    bed.engine.handle({ type: 'link-up' });
    bed.engine.handle({ type: 'promote' });
    bed.engine.handle({ type: 'elapsed' });
    bed.engine.announce();
    await bed.clock.pass(100_000);
    expect(bed.journal.take()).toEqual([]);
    expect(bed.state).toBe('initialize');
  });

  test('tries three times to get rid of the address, and says when it could not', async () => {
    const bed = await new EngineBed({ manageAddress: true }).becomeMaster();
    bed.addresses.error = new NetError('failed', 'why');
    let calls = 0;
    const remove = bed.addresses.remove.bind(bed.addresses);
    bed.addresses.remove = (address) => {
      calls += 1;
      return remove(address);
    };
    expect(await bed.engine.stop({ keepAddresses: false })).toBe(false);
    expect(calls).toBe(3);
    await bed.clock.pass(10_000);
    expect(calls).toBe(3);
  });

  test('of a backup that could not release the address tries it once more', async () => {
    const bed = await new EngineBed({ manageAddress: true }).becomeMaster();
    bed.addresses.error = new NetError('failed', 'why');
    bed.engine.handle({ type: 'demote' });
    await bed.clock.settle();
    bed.addresses.error = undefined;
    expect(await bed.engine.stop({ keepAddresses: false })).toBe(true);
    expect(bed.addresses.on('eth1')).toEqual([]);
  });

  test('whose goodbye cannot be sent releases all the same', async () => {
    const bed = await new EngineBed({ manageAddress: true }).becomeMaster();
    bed.link.sendError = new NetError('link-down', 'eth1 is down');
    await bed.engine.stop({ keepAddresses: false });
    expect(bed.journal.take('remove')).toHaveLength(1);
  });
});
