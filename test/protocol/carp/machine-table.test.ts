// Every state x every event of the CARP machine. The type of the table is what makes it complete.

import { describe, expect, it } from 'vitest';
import { deadline, step } from '../../../src/protocol/carp/machine.js';
import type { Event, Reason, State } from '../../../src/protocol/carp/state.js';
import {
  at,
  backup,
  heard,
  initialize,
  master,
  plain,
  settings,
  words,
} from './machine-fixtures.js';

interface Row {
  readonly because: string;
  readonly event?: Event;
  /** At second 0.5 unless given. */
  readonly when?: number;
  /** The next state; left out when the whole state stays as it is. */
  readonly next?: State['type'];
  /** Left out when the reason stays that of the state before. */
  readonly reason?: Reason;
  readonly actions?: readonly string[];
  /** Seconds; null for no deadline; left out when it stays. */
  readonly deadline?: number | null;
}

type Table = Record<State['type'], Record<Event['type'], Row>>;

const preferred = heard('0/100');

const table: Table = {
  initialize: {
    start: {
      because: 'ucarp: INIT becomes BACKUP at once and runs the down script',
      next: 'backup',
      reason: 'start',
      actions: ['release start'],
      deadline: 3.5,
    },
    'link-up': {
      because: 'a link that comes up makes a backup that listens for the whole dead time',
      next: 'backup',
      reason: 'link-up',
      deadline: 3.5,
    },
    'link-down': { because: 'there is no link to lose' },
    elapsed: { because: 'an alarm that nobody set means nothing' },
    advertisement: { because: 'BSD: INIT ignores what it hears', event: preferred },
    sent: { because: 'success ends a row of failures that never began', next: 'initialize' },
    'send-failed': { because: 'the failure is counted and nothing is sent', next: 'initialize' },
    claimed: { because: 'a claim that ends after its time means nothing' },
    'claim-failed': { because: 'a claim that fails after its time means nothing' },
    'release-failed': {
      because: 'nobody may keep addresses that another host has: it is tried again',
      next: 'initialize',
      deadline: 1.5,
    },
    demote: { because: 'who holds nothing has nothing to give up' },
    promote: { because: 'nobody becomes master without link' },
    shutdown: {
      because: 'a shutdown is remembered, so that a link-up does not undo it',
      next: 'initialize',
      reason: 'shutdown',
    },
  },
  backup: {
    start: { because: 'it has been started' },
    'link-up': { because: 'the link is up' },
    'link-down': {
      because: 'no link: neither advertise nor take over',
      next: 'initialize',
      reason: 'link-down',
      deadline: null,
    },
    elapsed: {
      because: 'ucarp: master-down timer expiry in BACKUP makes a MASTER',
      when: 3,
      next: 'master',
      reason: 'master-down',
      actions: ['claim', 'announce', 'advertise 1/0 #random'],
      deadline: 4,
    },
    advertisement: {
      because: 'ucarp: any valid advertisement restarts the master-down timer',
      event: preferred,
      next: 'backup',
      deadline: 3.5,
    },
    sent: { because: 'the last advertisement of a former master went out', next: 'backup' },
    'send-failed': { because: 'the failure is counted and nothing is sent', next: 'backup' },
    claimed: { because: 'a claim that ends after its time means nothing' },
    'claim-failed': { because: 'a claim that fails after its time means nothing' },
    'release-failed': {
      because: 'nobody may keep addresses that another host has: it is tried again',
      next: 'backup',
      deadline: 1.5,
    },
    demote: { because: 'ucarp: SIGUSR2 in BACKUP changes nothing' },
    promote: {
      because: 'an operator may hand the role to a backup',
      next: 'master',
      reason: 'promoted',
      actions: ['claim', 'announce', 'advertise 1/0 #random'],
      deadline: 1.5,
    },
    shutdown: {
      because: 'a backup holds nothing: it goes without a word',
      next: 'initialize',
      reason: 'shutdown',
      deadline: null,
    },
  },
  master: {
    start: { because: 'it has been started' },
    'link-up': { because: 'the link is up' },
    'link-down': {
      because: 'ucarp: nothing is sent when the link is lost; the addresses are given up',
      next: 'initialize',
      reason: 'link-down',
      actions: ['release'],
      deadline: null,
    },
    elapsed: {
      because: 'ucarp: the advertisement timer sends one and is armed again',
      when: 1,
      next: 'master',
      actions: ['advertise 1/0 #random'],
      deadline: 2,
    },
    advertisement: {
      because: 'ucarp: a preferred master is answered with one last advertisement and obeyed',
      event: preferred,
      next: 'backup',
      reason: 'preferred-master',
      actions: ['advertise 1/0 #101', 'release'],
      deadline: 3.5,
    },
    sent: { because: 'all is well', next: 'master' },
    'send-failed': { because: 'ucarp: one failure is counted and changes nothing', next: 'master' },
    claimed: {
      because: 'the announcement is repeated when the addresses are really there',
      next: 'master',
      actions: ['announce'],
    },
    'claim-failed': {
      because: 'the claim is tried again after a second; adverts go on meanwhile',
      next: 'master',
      deadline: 1,
    },
    'release-failed': { because: 'a master wants the addresses that are still there' },
    demote: {
      because: 'OpenBSD: a goodbye makes a successor take over at once; ucarp: then 3 s of silence',
      next: 'backup',
      reason: 'demoted',
      actions: ['advertise 255/255 #random', 'release'],
      deadline: 6.5,
    },
    promote: { because: 'it is master' },
    shutdown: {
      because: 'OpenBSD, NetBSD: a master that is stopped says goodbye',
      next: 'initialize',
      reason: 'shutdown',
      actions: ['advertise 255/255 #random', 'release'],
      deadline: null,
    },
  },
};

const before: Record<State['type'], State> = {
  initialize: initialize(),
  backup: backup(),
  master: master(),
};

const rows = (Object.keys(table) as State['type'][]).flatMap((type) =>
  (Object.entries(table[type]) as [Event['type'], Row][]).map(([event, row]) => ({
    name: `${type}, ${event}: ${row.because}`,
    state: before[type],
    event: row.event ?? plain(event),
    row,
  })),
);

describe('the CARP machine', () => {
  it.each(rows)('$name', ({ state, event, row }) => {
    const now = at(row.when ?? 0.5);
    const next = step(settings(), state, event, now);
    if (row.next === undefined) expect(next.state).toBe(state);
    else expect(next.state.type).toBe(row.next);
    expect(next.state.reason).toBe(row.reason ?? state.reason);
    expect(next.state.since).toBe(row.reason === undefined ? state.since : now);
    expect(words(next.actions)).toEqual(row.actions ?? []);
    expect(deadline(next.state)).toBe(
      row.deadline === undefined
        ? deadline(state)
        : row.deadline === null
          ? undefined
          : at(row.deadline),
    );
  });

  it('starts in INITIALIZE, with nothing heard and nothing to wait for', () => {
    expect(initialize()).toEqual({
      type: 'initialize',
      since: at(0),
      reason: 'start',
      memory: {
        counter: undefined,
        sendFailures: 0,
        sendSuccesses: 0,
        suppressed: false,
        releaseAgainAt: undefined,
      },
    });
    expect(deadline(initialize())).toBeUndefined();
  });

  it('stays down after a shutdown until it is started again, from whichever state', () => {
    for (const state of Object.values(before)) {
      const { state: down } = step(settings(), state, { type: 'shutdown' }, at(1));
      expect(step(settings(), down, { type: 'link-up' }, at(2)).state).toBe(down);
      expect(step(settings(), down, { type: 'start' }, at(2)).state.type).toBe('backup');
    }
  });

  it('comes back by itself when the link does, from whichever state', () => {
    for (const type of ['backup', 'master'] as const) {
      const { state: down } = step(settings(), before[type], { type: 'link-down' }, at(1));
      const { state: back } = step(settings(), down, { type: 'link-up' }, at(2));
      expect([back.type, back.reason, deadline(back)]).toEqual(['backup', 'link-up', at(5)]);
    }
  });
});
