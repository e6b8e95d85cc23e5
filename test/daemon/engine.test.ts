// The engine between the pure step and the operating system: what it does, in which order, and what
// it makes of what fails.

import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { NetError } from '../../src/net/errors.js';
import type { Ipv4, Mac } from '../../src/protocol/address.js';
import { seconds } from '../../src/protocol/units.js';
import { advertisement } from '../fakes/peer.js';
import { EngineBed } from './engine-bed.js';

afterEach(() => {
  vi.useRealTimers();
});

const scripts: Partial<Config> = { upscript: '/up', downscript: '/down' };
const ours = (text: string) => expect.stringMatching(`^log info: eth1 vhid 1: ${text}`);
const arp = 'send arp 02:00:00:00:00:0a';

describe('the order of things', () => {
  test('a start ends in BACKUP and runs the down script, as with ucarp', async () => {
    const { journal } = await new EngineBed(scripts).start();
    expect(journal.take()).toEqual([
      'log warning: Switching to state: BACKUP',
      ours('BACKUP because'),
      'log warning: Spawning [/down eth1 10.0.0.10]',
      'run /down eth1 10.0.0.10',
      'ended /down',
      'log debug: /down ended after 4 ms',
    ]);
  });

  test('a takeover logs, announces, advertises, runs the script and announces again', async () => {
    const bed = await new EngineBed(scripts).start();
    bed.journal.take();
    await bed.clock.pass(2_999);
    expect(bed.journal.take()).toEqual([]);
    await bed.clock.pass(1);
    expect(bed.journal.take()).toEqual([
      'log warning: Switching to state: MASTER',
      ours('MASTER because'),
      arp,
      'send advertisement 1/0',
      'log warning: Spawning [/up eth1 10.0.0.10]',
      'run /up eth1 10.0.0.10',
      'ended /up',
      'log debug: /up ended after 4 ms',
      arp,
    ]);
  });

  test("ucarp's reason for a takeover comes after its state line and before ours", async () => {
    const bed = await new EngineBed({ ...scripts, preempt: true }).start();
    bed.journal.take();
    bed.link.deliver(advertisement(1, 100));
    await bed.clock.settle();
    expect(bed.journal.take('log')).toEqual([
      'log warning: Switching to state: MASTER',
      'log warning: Putting MASTER down - preemption',
      ours('MASTER because'),
      'log warning: Spawning [/up eth1 10.0.0.10]',
      'log debug: /up ended after 4 ms',
    ]);
  });

  test('a master that is outranked sends a last advertisement and gives way', async () => {
    const bed = await new EngineBed({ ...scripts, advskew: 50 }).start();
    await bed.clock.pass(3_196);
    bed.journal.take();
    bed.link.deliver(advertisement(1, 0));
    await bed.clock.settle();
    expect(bed.journal.take()).toEqual([
      'log warning: Switching to state: BACKUP',
      'log warning: Preferred master advertised: going back to BACKUP state',
      ours('BACKUP because'),
      'send advertisement 1/50',
      'log warning: Spawning [/down eth1 10.0.0.10]',
      'run /down eth1 10.0.0.10',
      'ended /down',
      'log debug: /down ended after 4 ms',
    ]);
  });

  test('an address of ours is added before the up, removed before the down script', async () => {
    const bed = await new EngineBed({ ...scripts, manageAddress: true }).start();
    expect(bed.journal.take().filter((line) => /^(?:run|remove)/.test(line))).toEqual([
      'remove 10.0.0.10/24 from eth1',
      'run /down eth1 10.0.0.10',
    ]);
    await bed.clock.pass(3_000);
    expect(bed.journal.take().filter((line) => /^(?:run|add|send)/.test(line))).toEqual([
      arp,
      'send advertisement 1/0',
      'add 10.0.0.10/24 to eth1',
      'run /up eth1 10.0.0.10',
      arp,
    ]);
  });

  test('an event that comes while one is handled waits for its turn', async () => {
    const bed = await new EngineBed().start();
    const deliver = bed.link.send.bind(bed.link);
    // A frame that arrives in the middle of the takeover, when its advertisement is sent.
    const states: string[] = [];
    bed.link.send = (frame) => {
      deliver(frame);
      if (states.length > 0) return;
      states.push(bed.state);
      bed.link.deliver(advertisement(0, 1));
      states.push(bed.state);
    };
    await bed.clock.pass(3_000);
    expect(states).toEqual(['master', 'master']);
    expect(bed.state).toBe('backup');
    expect(bed.journal.take('send')).toEqual([
      arp, // of the takeover, which is done to its end
      'send advertisement 1/0',
      'send advertisement 1/0', // the last one, to the better master
    ]);
  });

  test('advertises at every interval and announces once more after the third', async () => {
    const bed = await new EngineBed().becomeMaster();
    await bed.clock.pass(3_000);
    const advert = 'send advertisement 1/0';
    expect(bed.journal.take()).toEqual([advert, advert, arp, advert]);
    expect(bed.engine.counters).toMatchObject({ sent: 4, announced: 3, stateChanges: 2 });
  });

  test('announces again when it is asked to repeat it', async () => {
    const bed = await new EngineBed({ garpRepeat: [seconds(0.5), seconds(5)] }).becomeMaster();
    await bed.clock.pass(499);
    expect(bed.journal.take()).toEqual([]);
    await bed.clock.pass(1);
    expect(bed.journal.take()).toEqual([arp]);
    await bed.clock.pass(3_500);
    bed.journal.take();
    await bed.clock.pass(1_000);
    expect(bed.journal.take()).toEqual([arp, 'send advertisement 1/0']);
  });

  test('announces with the hardware address that the interface has then', async () => {
    const bed = await new EngineBed().becomeMaster();
    bed.mac = 0x02000000000b as Mac;
    bed.engine.announce();
    expect(bed.journal.take()).toEqual(['send arp 02:00:00:00:00:0b']);
  });

  test('a backup has nothing to announce', async () => {
    const bed = await new EngineBed().start();
    bed.journal.take();
    bed.engine.announce();
    expect(bed.journal.take()).toEqual([]);
  });
});

describe('sending fails', () => {
  const refusal = new NetError('failed', 'No buffer space available');

  test('the third failure in a row makes it advertise as the worst of masters', async () => {
    const bed = await new EngineBed({ garpRepeat: [] }).becomeMaster();
    bed.link.sendError = refusal;
    await bed.clock.pass(2_000);
    expect(bed.journal.take('log')).toEqual([
      'log warning: write() has failed: No buffer space available',
      'log warning: write() has failed: No buffer space available',
      'log error: write() in garp: No buffer space available',
    ]);
    await bed.clock.pass(1_000);
    expect(bed.journal.take('log')).toEqual([
      'log warning: write() has failed: No buffer space available',
      'log error: write() error #0/3',
      ours('.*cannot be sent'),
    ]);
    // The fourth is the one that says at once that it is a bad master; it fails like the others.
    expect(bed.engine.counters).toMatchObject({ sendFailed: 4, announceFailed: 1 });
    bed.link.sendError = undefined;
    await bed.clock.pass(3_000);
    expect(bed.journal.take('send')).toContain('send advertisement 1/240');
    await bed.clock.pass(3_000);
    expect(bed.journal.take()).toContainEqual(ours('.*can be sent again'));
    await bed.clock.pass(2_000);
    expect(bed.journal.take('send')).toEqual(['send advertisement 1/0', 'send advertisement 1/0']);
  });

  test('a success in between starts the count anew', async () => {
    const bed = await new EngineBed().becomeMaster();
    bed.link.sendError = refusal;
    await bed.clock.pass(2_000);
    bed.link.sendError = undefined;
    await bed.clock.pass(1_000);
    bed.link.sendError = refusal;
    await bed.clock.pass(2_000);
    expect(bed.engine.state.memory).toMatchObject({ sendFailures: 2, suppressed: false });
    expect(bed.state).toBe('master');
  });

  test('an announcement that fails is counted and does not hold up the advertisement', async () => {
    const bed = await new EngineBed().start();
    const send = bed.link.send.bind(bed.link);
    bed.link.send = (frame) => {
      if (frame[13] === 0x06) throw refusal;
      send(frame);
    };
    await bed.clock.pass(3_000);
    expect(bed.journal.take()).toEqual(
      expect.arrayContaining([
        'log error: write() in garp: No buffer space available',
        'send advertisement 1/0',
      ]),
    );
    expect(bed.engine.counters).toMatchObject({ announced: 0, sent: 1 });
    expect(bed.engine.counters.announceFailed).toBeGreaterThan(0);
  });
});

describe('frames that are dropped', () => {
  test('are counted by their reason and move nothing', async () => {
    const bed = await new EngineBed().start();
    bed.link.deliver(advertisement(1, 0, { password: 'hate' }));
    bed.link.deliver(advertisement(1, 0, { vhid: 2 }));
    bed.link.deliver(advertisement(1, 0, { source: 0x0a000001 as Ipv4 }));
    bed.link.deliver(new Uint8Array(20));
    const { received, dropped } = bed.engine.counters;
    expect(received).toBe(0);
    expect(dropped).toMatchObject({ digest: 1, vhid: 1, 'own-source': 1 });
    expect(Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(bed.engine.lastHeard).toBeUndefined();
    await bed.clock.pass(3_000);
    expect(bed.state).toBe('master');
  });

  test("are worded as ucarp does, once a second, with a count of what wasn't said", async () => {
    const bed = await new EngineBed().start();
    bed.journal.take();
    const wrong = advertisement(1, 0, { password: 'hate' });
    for (let count = 0; count < 5; count += 1) bed.link.deliver(wrong);
    const digests = String.raw`md2=\[[0-9a-f]{8}\.\.\.] md=\[[0-9a-f]{8}\.\.\.]`;
    const advice = 'Check vhid, password and virtual IP address';
    const text = new RegExp(`^log warning: Bad digest - ${digests} - ${advice}$`);
    const sender = 'log info: eth1 vhid 1: that was sent by 10.0.0.2';
    expect(bed.journal.take()).toEqual([expect.stringMatching(text), sender]);
    expect(bed.engine.counters.logSuppressed).toBe(4);
    await bed.clock.pass(1_000);
    bed.link.deliver(wrong);
    expect(bed.journal.take()).toEqual([
      expect.stringMatching(text),
      'log info: 4 more like it before were not logged',
      sender,
    ]);
    await bed.clock.pass(1_000);
    bed.link.deliver(wrong);
    expect(bed.journal.take()).toEqual([expect.stringMatching(/virtual IP address$/), sender]);
  });

  test.each([
    ['a TTL that shows a router on the way', 22, 254, 'warning: Bad TTL: [254]'],
    ['another version', 34, 0x31, 'warning: Bad version: [3]'],
    ['another vhid', 35, 9, 'debug: Ignoring vhid: [9]'],
    ['another group', 33, 0x13, 'debug: Ignoring different multicast ip: [224.0.0.19]'],
    ['a wrong checksum', 41, 0xff, 'warning: Bad IP checksum'],
  ])('with %s', async (_, at, value, line) => {
    const bed = await new EngineBed().start();
    bed.journal.take();
    const frame = advertisement(1, 0);
    frame[at] = value;
    bed.link.deliver(frame);
    const sender = line.startsWith('warning')
      ? ['log info: eth1 vhid 1: that was sent by 10.0.0.2']
      : [];
    expect(bed.journal.take()).toEqual([`log ${line}`, ...sender]);
  });

  test('one kind does not hold back another', async () => {
    const bed = await new EngineBed().start();
    bed.journal.take();
    bed.link.deliver(advertisement(1, 0, { password: 'hate' }));
    bed.link.deliver(advertisement(1, 0, { vhid: 2 }));
    expect(bed.journal.take()).toHaveLength(3);
  });
});

describe('a struggle for the role', () => {
  test('with a worse master that goes on is not logged at its rate', async () => {
    const bed = await new EngineBed().becomeMaster();
    for (let count = 0; count < 100; count += 1) {
      bed.link.deliver(advertisement(1, 100));
      await bed.clock.pass(10);
    }
    const lines = bed.journal.take('log warning: Non-preferred');
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(2);
    expect(bed.engine.counters.received).toBe(100);
  });
});

describe('what is remembered', () => {
  test('the last authentic advertisement and when it came', async () => {
    const bed = await new EngineBed().start();
    bed.link.deliver(advertisement(1, 20));
    const { engine, clock } = bed;
    expect(engine.lastHeard).toEqual({
      source: 0x0a000002,
      advbase: 1,
      advskew: 20,
      at: clock.now(),
    });
  });

  test('when the state was entered last, by the wall clock', async () => {
    const bed = await new EngineBed().start();
    const start = bed.engine.changedAt.getTime();
    await bed.clock.pass(5_000);
    expect(bed.engine.changedAt.getTime() - start).toBe(3_000);
  });

  test('a change of state comes with facts for programs', async () => {
    const bed = await new EngineBed().becomeMaster();
    expect(bed.logger.lines).toContainEqual({
      level: 'warning',
      text: 'Switching to state: MASTER',
      facts: {
        interface: 'eth1',
        vhid: 1,
        from: 'backup',
        to: 'master',
        reason: 'master-down',
      },
    });
  });
});
