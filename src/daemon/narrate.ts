// What a step means for people: the lines that a change of role, or a struggle for it, leaves in
// the log. The daemon's log and the simulator's transcript both come from here. ucarp's own lines
// stay byte for byte and come first, because other people's programs read them; after them one line
// of ours says why. Pure: nothing is written, and the same step always reads the same.

import { formatIpv4, type Ipv4 } from '../protocol/address.js';
import {
  advertisementInterval,
  effectiveSkew,
  isGoodbye,
  nominalDeadTime,
} from '../protocol/carp/priority.js';
import type { Backup, Event, Heard, Master, Settings, State } from '../protocol/carp/state.js';
import { between, type Duration, type Instant } from '../protocol/units.js';

export interface Line {
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly text: string;
}

/** The last authentic advertisement before this step. */
export interface LastHeard {
  readonly source: Ipv4;
  readonly at: Instant;
  readonly advbase: number;
  readonly advskew: number;
}

export interface Context {
  readonly settings: Settings;
  /** As the operator wrote it (`eth1:0`). */
  readonly interface: string;
  readonly vhid: number;
  readonly now: Instant;
  readonly lastHeard?: LastHeard | undefined;
}

// ucarp 1.5.2 writes these, the first two before its script runs and the others after it.
const toMaster: Line = warning('Switching to state: MASTER');
const toBackup: Line = warning('Switching to state: BACKUP');
const preempted: Line = warning('Putting MASTER down - preemption');
const timingOut: Line = warning('Putting MASTER DOWN (going to time out)');
const outranked: Line = warning('Preferred master advertised: going back to BACKUP state');
const reasserting: Line = warning(
  'Non-preferred master advertising: reasserting control of VIP with another gratuitous arp',
);
const sendingFails: Line = { level: 'error', text: 'write() error #0/3' };

/** The lines of one step, in the order in which they are to be written; most steps have none. */
export function narrate(
  before: State,
  event: Event,
  after: State,
  context: Context,
): readonly Line[] {
  const explain = (text: string): Line => ({
    level: 'info',
    text: `${context.interface} vhid ${context.vhid}: ${text}`,
  });
  if (before.type === after.type) return narrateSameRole(before, event, after, context, explain);
  switch (after.type) {
    case 'master':
      return [
        toMaster,
        ...ucarpReason(event, after, context),
        explain(`MASTER because ${whyMaster(before, event, after, context)}`),
      ];
    case 'backup':
      return [
        ...(before.type === 'master' || event.type === 'start' ? [toBackup] : []),
        ...(after.reason === 'preferred-master' ? [outranked] : []),
        explain(`BACKUP because ${whyBackup(event, after, context)}`),
      ];
    case 'initialize':
      return [
        // ucarp says so when the link is lost, and ends without a word.
        ...(before.type === 'master' && after.reason !== 'shutdown' ? [toBackup] : []),
        explain(`INITIALIZE because ${whyInitialize(before, after.reason)}`),
      ];
  }
}

function narrateSameRole(
  before: State,
  event: Event,
  after: State,
  { settings }: Context,
  explain: (text: string) => Line,
): readonly Line[] {
  if (after.type === 'master' && event.type === 'advertisement') {
    return [reasserting, explain(`still MASTER, since ${whyNotYield(event.heard, settings)}`)];
  }
  if (!before.memory.suppressed && after.memory.suppressed) {
    const text =
      'advertisements cannot be sent; advertising as the worst of masters until they can';
    return [sendingFails, explain(text)];
  }
  if (before.memory.suppressed && !after.memory.suppressed) {
    return [explain('advertisements can be sent again; advertising our own priority')];
  }
  return [];
}

/**
 * ucarp knows no goodbye: there it is a master that preemption beats, or that is going to time out.
 */
function ucarpReason(event: Event, { reason }: Master, { settings }: Context): readonly Line[] {
  switch (reason) {
    case 'preempt':
      return [preempted];
    case 'too-slow':
      return [timingOut];
    case 'goodbye':
      return [settings.preempt && isShorterThanHeard(settings, event) ? preempted : timingOut];
    default:
      return [];
  }
}

function isShorterThanHeard({ advbase, advskew }: Settings, event: Event): boolean {
  if (event.type !== 'advertisement') return false;
  const { heard } = event;
  return (
    advertisementInterval(advbase, advskew) < advertisementInterval(heard.advbase, heard.advskew)
  );
}

function whyMaster(before: State, event: Event, after: Master, context: Context): string {
  const heard = event.type === 'advertisement' ? event.heard : undefined;
  const who = heard === undefined ? 'the master' : `the master ${formatIpv4(heard.source)}`;
  switch (after.reason) {
    case 'goodbye':
      return `${who} said goodbye`;
    case 'too-slow':
      return (
        `${who} advertises less often than our dead time of ` +
        `${briefly(nominalDeadTime(context.settings))} allows${priorityOf(heard)}`
      );
    case 'preempt':
      return `our ${ours(context.settings, after)} beats that of ${who}${priorityOf(heard)}`;
    case 'promoted':
      return 'an operator promoted it';
    default:
      return whySilent(before, context);
  }
}

/**
 * A master heard before the present wait began is none that fell silent: nobody was heard at all.
 */
function whySilent({ since }: State, { lastHeard, now }: Context): string {
  if (lastHeard === undefined || lastHeard.at < since) {
    return `no master has been heard for ${exactly(between(since, now))}`;
  }
  const silence = exactly(between(lastHeard.at, now));
  return `the master ${formatIpv4(lastHeard.source)} has been silent for ${silence}`;
}

function whyBackup(event: Event, after: Backup, { settings, now }: Context): string {
  const wait = briefly(between(now, after.masterDownAt));
  switch (after.reason) {
    case 'preferred-master':
      return event.type === 'advertisement'
        ? whyYield(event.heard, settings, after)
        : 'a better master was heard';
    case 'demoted': {
      const truce = after.yieldUntil === undefined ? '' : briefly(between(now, after.yieldUntil));
      const intent = settings.preempt ? `, will not preempt for ${truce}` : '';
      return `an operator demoted it${intent}; MASTER after ${wait} without a master`;
    }
    case 'link-up':
      return `the link is up; MASTER after ${wait} without a master`;
    default:
      return `it started; MASTER after ${wait} without a master`;
  }
}

function whyYield(heard: Heard, settings: Settings, after: Backup): string {
  const source = formatIpv4(heard.source);
  if (!after.memory.suppressed && samePriority(heard, settings)) {
    return (
      `${source} advertises the same priority${priorityOf(heard)} and its address ` +
      `wins the tie-break against ours, ${formatIpv4(settings.source)}`
    );
  }
  return (
    `${source} advertises a better priority ` +
    `(advbase ${heard.advbase} advskew ${heard.advskew} beats ${ours(settings, after, 'ours, ')})`
  );
}

function whyNotYield(heard: Heard, settings: Settings): string {
  const source = formatIpv4(heard.source);
  if (isGoodbye(heard)) return `${source} says goodbye`;
  return samePriority(heard, settings)
    ? `${source} advertises the same priority${priorityOf(heard)} and our address, ` +
        `${formatIpv4(settings.source)}, wins the tie-break`
    : `${source} advertises a worse priority${priorityOf(heard)}`;
}

function whyInitialize(before: State, reason: State['reason']): string {
  if (reason !== 'shutdown') return 'the link was lost';
  return before.type === 'master' ? 'it is being stopped; said goodbye' : 'it is being stopped';
}

function samePriority({ advbase, advskew }: Heard, settings: Settings): boolean {
  return (
    advertisementInterval(advbase, advskew) ===
    advertisementInterval(settings.advbase, settings.advskew)
  );
}

function priorityOf(heard: Heard | undefined): string {
  return heard === undefined ? '' : ` (advbase ${heard.advbase} advskew ${heard.advskew})`;
}

function ours(settings: Settings, { memory }: State, label = 'priority '): string {
  const lowered = memory.suppressed ? ', lowered while sending fails' : '';
  return `${label}${settings.advbase}/${effectiveSkew(settings, memory.suppressed)}${lowered}`;
}

/** A measured time, to the millisecond. */
function exactly(length: Duration): string {
  return `${(length / 1_000_000).toFixed(3)} s`;
}

/** A configured time, without the zeros at its end. */
function briefly(length: Duration): string {
  return `${Number((length / 1_000_000).toFixed(3))} s`;
}

function warning(text: string): Line {
  return { level: 'warning', text };
}
