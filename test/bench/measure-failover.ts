// What a client notices when the master's host dies, when the master is stopped as planned, and
// when the better host is back: the longest time between two answers, and what was never answered.

import { setTimeout as delay } from 'node:timers/promises';
import type { Seen } from './capture.js';
import { calm, type Daemon, Lan, type Tools } from './lan.js';
import type { Subject } from './programs.js';
import { type Sample, summarize } from './statistics.js';

const askEveryMs = 2;
const graceMs = 100; // an answer that takes longer belongs to the next episode

export interface Failover {
  readonly hostDeath: Sample;
  /**
   * From the dead master's last advert to the next answer: what a client sees at worst, whenever in
   * the interval between two adverts the host died.
   */
  readonly sinceLastAdvert: Sample;
  readonly plannedStop: Sample;
  readonly plannedStopLost: Sample;
  readonly comeback: Sample;
  readonly comebackLost: Sample;
}

type Kind = 'hostDeath' | 'plannedStop' | 'comeback';

interface Silence {
  readonly from: number;
  readonly to: number;
}

/** From the beginning of an episode to its end, in milliseconds since 1970. */
interface Episode {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
}

export function measureFailover(subject: Subject, tools: Tools, rounds: number): Promise<Failover> {
  return Lan.use(subject, tools, async (lan) => {
    const story = new Story(subject, lan);
    await story.begin();
    const capture = await lan.capture('icmp or proto 112');
    await lan.ask(askEveryMs);
    await delay(500);
    for (let round = 0; round < rounds; round += 1) {
      await story.tell('hostDeath', () => story.kill('a'), 'b');
      await lan.host('a').boot();
      await story.tell('comeback', () => story.start('a'), 'a');
      await story.tell('plannedStop', () => story.stop('a'), 'b');
      await story.tell('comeback', () => story.start('a'), 'a');
    }
    return summarizeEpisodes(story.episodes, await capture.stop());
  });
}

class Story {
  readonly episodes: Episode[] = [];
  readonly #subject: Subject;
  readonly #lan: Lan;
  readonly #daemons = new Map<'a' | 'b', Daemon>();

  constructor(subject: Subject, lan: Lan) {
    this.#subject = subject;
    this.#lan = lan;
  }

  async begin(): Promise<void> {
    await this.start('a');
    await this.#daemons.get('a')?.master();
    await this.start('b');
    await this.#daemons.get('b')?.backup();
    await calm(this.#subject);
  }

  async start(name: 'a' | 'b'): Promise<void> {
    const rank = name === 'a' ? { skew: 2, preempt: true } : { skew: 100, preempt: false };
    this.#daemons.set(name, this.#lan.start(name, rank));
  }

  /** Off the network first: keepalived's child says goodbye when its parent is killed. */
  async kill(name: 'a' | 'b'): Promise<void> {
    await this.#lan.host(name).cut();
    await this.#lan.host(name).kill();
  }

  async stop(name: 'a' | 'b'): Promise<void> {
    this.#daemons.get(name)?.program.signal('SIGTERM');
  }

  /** Does something, waits until the other host is master because of it, and until all is calm. */
  async tell(kind: Kind, act: () => Promise<void>, master: 'a' | 'b'): Promise<void> {
    const from = Date.now();
    const daemon = this.#daemons.get(master);
    if (master === 'b') await Promise.all([daemon?.becomes('master'), act()]);
    else {
      const loser = this.#daemons.get('b')?.becomes('backup');
      await act();
      await Promise.all([loser, this.#daemons.get(master)?.master()]);
    }
    await calm(this.#subject);
    this.episodes.push({ kind, from, to: Date.now() });
  }
}

function summarizeEpisodes(episodes: readonly Episode[], seen: readonly Seen[]): Failover {
  const of = (kind: Kind): readonly Episode[] => episodes.filter((one) => one.kind === kind);
  const gaps = (kind: Kind): Sample => summarize(of(kind).map((one) => longestGap(one, seen)));
  const lost = (kind: Kind): Sample => summarize(of(kind).map((one) => countLost(one, seen)));
  return {
    hostDeath: gaps('hostDeath'),
    sinceLastAdvert: summarize(of('hostDeath').map((one) => sinceLastAdvert(one, seen))),
    plannedStop: gaps('plannedStop'),
    plannedStopLost: lost('plannedStop'),
    comeback: gaps('comeback'),
    comebackLost: lost('comeback'),
  };
}

function sinceLastAdvert({ from, to }: Episode, seen: readonly Seen[]): number {
  const during = seen.filter(({ at }) => at <= to);
  const silence = longestSilence(from, to, answersOf(during));
  // Its host died within a question's interval of the last answer; the next to advertise is the
  // successor.
  const advert = during.findLast(({ kind, at }) => kind === 'advert' && at <= silence.from);
  if (advert === undefined) throw new Error('the master did not advertise before it died');
  return silence.to - advert.at;
}

function longestGap({ from, to }: Episode, seen: readonly Seen[]): number {
  const silence = longestSilence(from, to, answersOf(seen));
  return silence.to - silence.from;
}

function answersOf(seen: readonly Seen[]): readonly number[] {
  return seen.filter(({ kind }) => kind === 'echo-reply').map(({ at }) => at);
}

/** Between two answers; the last one before the episode counts as the first. */
function longestSilence(from: number, to: number, answers: readonly number[]): Silence {
  let last = answers.findLast((at) => at <= from);
  if (last === undefined) throw new Error('nobody answered before something was done');
  let longest = { from: last, to: last };
  for (const at of answers.filter((one) => one > from && one <= to)) {
    if (at - last > longest.to - longest.from) longest = { from: last, to: at };
    last = at;
  }
  if (to - last > graceMs) throw new Error('nobody answered any more when all was calm');
  return longest;
}

function countLost({ from, to }: Episode, seen: readonly Seen[]): number {
  const answered = new Set(seen.flatMap(({ kind, echo }) => (kind === 'echo-reply' ? [echo] : [])));
  return seen.filter(({ kind, at, echo }) => {
    const during = at >= from && at < to - graceMs;
    return kind === 'echo-request' && during && !answered.has(echo);
  }).length;
}
