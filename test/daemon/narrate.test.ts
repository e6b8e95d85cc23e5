// The lines that operators and other people's programs read, for steps that the machine really
// took.

import { describe, expect, it } from 'vitest';
import { type Context, narrate } from '../../src/daemon/narrate.js';
import { type Ipv4, parseIpv4 } from '../../src/protocol/address.js';
import { initialState, step } from '../../src/protocol/carp/machine.js';
import type { Event, Heard, Settings, State } from '../../src/protocol/carp/state.js';
import { type Instant, instantFromMicroseconds, seconds } from '../../src/protocol/units.js';

const ours = address('10.0.0.2');
const theirs = address('10.0.0.1');
const usual: Settings = {
  advbase: 1,
  advskew: 50,
  deadRatio: 3,
  preempt: false,
  source: ours,
  announceAfter: [],
};

function address(text: string): Ipv4 {
  const value = parseIpv4(text);
  if (value === undefined) throw new Error(text);
  return value;
}

function at(s: number): Instant {
  return instantFromMicroseconds(seconds(s));
}

function hear(advbase: number, advskew: number, source = theirs): Event {
  const heard: Heard = { advbase, advskew, source, counter: 1n };
  return { type: 'advertisement', heard };
}

const goodbye = hear(255, 255);
const start: Event = { type: 'start' };
const elapsed: Event = { type: 'elapsed' };
const sendFailed: Event = { type: 'send-failed' };

/** Takes all the steps and narrates the last one, as `LEVEL text`. */
function tell(
  steps: readonly (readonly [number, Event])[],
  changes: Partial<Settings> = {},
  lastHeard?: Context['lastHeard'],
): readonly string[] {
  const settings = { ...usual, ...changes };
  let state: State = initialState(at(0));
  let lines: readonly string[] = [];
  for (const [time, event] of steps) {
    const now = at(time);
    const after = step(settings, state, event, now).state;
    const context = { settings, interface: 'eth1', vhid: 1, now, lastHeard };
    lines = narrate(state, event, after, context).map(({ level, text }) => `${level} ${text}`);
    state = after;
  }
  return lines;
}

const toMaster = 'warning Switching to state: MASTER';
const toBackup = 'warning Switching to state: BACKUP';
const preemption = 'warning Putting MASTER down - preemption';
const timingOut = 'warning Putting MASTER DOWN (going to time out)';
const reasserting =
  'warning Non-preferred master advertising: ' +
  'reasserting control of VIP with another gratuitous arp';
const asMaster: readonly (readonly [number, Event])[] = [
  [0, start],
  [4, elapsed],
];
const us = 'info eth1 vhid 1:';

describe('what an operator reads', () => {
  it('says at the start that it is backup and until when', () => {
    expect(tell([[0, start]])).toEqual([
      toBackup,
      `${us} BACKUP because it started; MASTER after 3.195 s without a master`,
    ]);
  });

  it('tells a segment without master from a master that fell silent', () => {
    expect(
      tell([
        [0, start],
        [3.2, elapsed],
      ]),
    ).toEqual([toMaster, `${us} MASTER because no master has been heard for 3.200 s`]);
    const lastHeard = { source: theirs, at: at(1), advbase: 1, advskew: 0 };
    expect(
      tell(
        [
          [0, start],
          [1, hear(1, 0)],
          [4.2, elapsed],
        ],
        {},
        lastHeard,
      ),
    ).toEqual([toMaster, `${us} MASTER because the master 10.0.0.1 has been silent for 3.200 s`]);
  });

  it('does not call a master silent that was heard before the link was lost', () => {
    const steps = [
      [0, start],
      [1, hear(1, 0)],
      [2, { type: 'link-down' }],
      [5, { type: 'link-up' }],
      [9, elapsed],
    ] as const;
    const lastHeard = { source: theirs, at: at(1), advbase: 1, advskew: 0 };
    expect(tell(steps, {}, lastHeard).at(-1)).toBe(
      `${us} MASTER because no master has been heard for 4.000 s`,
    );
  });

  it('gives the reason of a preemption after the switch, as ucarp does', () => {
    expect(
      tell(
        [
          [0, start],
          [1, hear(1, 51)],
        ],
        { preempt: true },
      ),
    ).toEqual([
      toMaster,
      preemption,
      `${us} MASTER because our priority 1/50 beats that of the master 10.0.0.1 ` +
        '(advbase 1 advskew 51)',
    ]);
  });

  it('names a master that is slower than our dead time', () => {
    expect(
      tell([
        [0, start],
        [1, hear(10, 0)],
      ]),
    ).toEqual([
      toMaster,
      timingOut,
      `${us} MASTER because the master 10.0.0.1 advertises less often than our dead time of ` +
        '3.195 s allows (advbase 10 advskew 0)',
    ]);
  });

  it('reads a goodbye as ucarp does: preemption with -P, going to time out without', () => {
    const why = `${us} MASTER because the master 10.0.0.1 said goodbye`;
    const steps = [
      [0, start],
      [1, goodbye],
    ] as const;
    expect(tell(steps)).toEqual([toMaster, timingOut, why]);
    expect(tell(steps, { preempt: true })).toEqual([toMaster, preemption, why]);
  });

  it('does not call it preemption where our own interval is no shorter than a goodbye', () => {
    // 255 times this ratio is 1 modulo 2^32, so that even this host has patience for two seconds
    // only.
    const worst = { advbase: 255, advskew: 255, deadRatio: 0xfefefeff, preempt: true };
    expect(
      tell(
        [
          [0, start],
          [1, goodbye],
        ],
        worst,
      ).slice(0, 2),
    ).toEqual([toMaster, timingOut]);
  });

  it('names the better master that it goes back for, with both priorities', () => {
    expect(tell([...asMaster, [5, hear(1, 0)]])).toEqual([
      toBackup,
      'warning Preferred master advertised: going back to BACKUP state',
      `${us} BACKUP because 10.0.0.1 advertises a better priority ` +
        '(advbase 1 advskew 0 beats ours, 1/50)',
    ]);
  });

  it('explains a tie-break to the loser and to the winner', () => {
    expect(tell([...asMaster, [5, hear(1, 50)]]).at(-1)).toBe(
      `${us} BACKUP because 10.0.0.1 advertises the same priority (advbase 1 advskew 50) ` +
        'and its address wins the tie-break against ours, 10.0.0.2',
    );
    expect(tell([...asMaster, [5, hear(1, 50, address('10.0.0.3'))]])).toEqual([
      reasserting,
      `${us} still MASTER, since 10.0.0.3 advertises the same priority (advbase 1 advskew 50) ` +
        'and our address, 10.0.0.2, wins the tie-break',
    ]);
  });

  it('says against whom it holds on to the role', () => {
    expect(tell([...asMaster, [5, hear(1, 60)]])).toEqual([
      reasserting,
      `${us} still MASTER, since 10.0.0.1 advertises a worse priority (advbase 1 advskew 60)`,
    ]);
    expect(tell([...asMaster, [5, goodbye]]).at(-1)).toBe(
      `${us} still MASTER, since 10.0.0.1 says goodbye`,
    );
  });

  it('says how long a demoted host stays away', () => {
    const steps = [...asMaster, [5, { type: 'demote' }]] as const;
    const why = `${us} BACKUP because an operator demoted it`;
    expect(tell(steps)).toEqual([toBackup, `${why}; MASTER after 6.195 s without a master`]);
    expect(tell(steps, { preempt: true })).toEqual([
      toBackup,
      `${why}, will not preempt for 3 s; MASTER after 6.195 s without a master`,
    ]);
  });

  it('says that an operator promoted it', () => {
    expect(
      tell([
        [0, start],
        [1, { type: 'promote' }],
      ]),
    ).toEqual([toMaster, `${us} MASTER because an operator promoted it`]);
  });

  it('switches to BACKUP in ucarp’s words when a master loses its link, not at its end', () => {
    expect(tell([...asMaster, [5, { type: 'link-down' }]])).toEqual([
      toBackup,
      `${us} INITIALIZE because the link was lost`,
    ]);
    expect(tell([...asMaster, [5, { type: 'shutdown' }]])).toEqual([
      `${us} INITIALIZE because it is being stopped; said goodbye`,
    ]);
  });

  it('has no words of ucarp where ucarp has none: a backup without link, stopped, or back', () => {
    expect(
      tell([
        [0, start],
        [1, { type: 'link-down' }],
      ]),
    ).toEqual([`${us} INITIALIZE because the link was lost`]);
    expect(
      tell([
        [0, start],
        [1, { type: 'shutdown' }],
      ]),
    ).toEqual([`${us} INITIALIZE because it is being stopped`]);
    expect(
      tell([
        [0, start],
        [1, { type: 'link-down' }],
        [2, { type: 'link-up' }],
      ]),
    ).toEqual([`${us} BACKUP because the link is up; MASTER after 3.195 s without a master`]);
  });

  it('reports failing advertisements once, then that they work again', () => {
    const failing = [...asMaster, [5, sendFailed], [6, sendFailed], [7, sendFailed]] as const;
    expect(tell(failing.slice(0, -1))).toEqual([]);
    expect(tell(failing)).toEqual([
      'error write() error #0/3',
      `${us} advertisements cannot be sent; advertising as the worst of masters until they can`,
    ]);
    expect(tell([...failing, [8, sendFailed]])).toEqual([]);
    const sent: readonly [number, Event] = [9, { type: 'sent' }];
    expect(tell([...failing, sent, sent])).toEqual([]);
    expect(tell([...failing, sent, sent, sent])).toEqual([
      `${us} advertisements can be sent again; advertising our own priority`,
    ]);
    expect(tell([...failing, [8, hear(1, 100)]]).at(-1)).toBe(
      `${us} BACKUP because 10.0.0.1 advertises a better priority ` +
        '(advbase 1 advskew 100 beats ours, 1/240, lowered while sending fails)',
    );
  });

  it('is silent about what changes nothing', () => {
    expect(
      tell([
        [0, start],
        [1, hear(1, 0)],
      ]),
    ).toEqual([]);
    expect(
      tell([
        [0, start],
        [1, elapsed],
      ]),
    ).toEqual([]);
    expect(tell([...asMaster, [5.3, elapsed]])).toEqual([]);
    expect(tell([...asMaster, [5, { type: 'claimed' }]])).toEqual([]);
  });
});
