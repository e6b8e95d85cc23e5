// What passes between a frame and what a daemon does about it, seen from another host: kernel times
// of both frames at one interface, so the way there and back is included.

import { setTimeout as delay } from 'node:timers/promises';
import type { Backend } from '../../src/net/ports.js';
import type { Seen } from './capture.js';
import { arpRequest, echoRequest, type FrameKind } from './frames.js';
import { Lan, type Note, type Tools } from './lan.js';
import type { Subject } from './programs.js';
import { type Sample, summarize } from './statistics.js';

const skew = 2;
const betterSkew = 1;
const worseSkew = 200;
const settleMs = 1_000;
/** More often than ten times a second a worse master is not answered each time by tscarp. */
const unhurriedMs = 150;
const takeoverMs = 150;
const filter = 'arp or icmp or proto 112';

/** Not a multiple of anything that a daemon does by itself. */
const irregular = (ms: number): number => ms * (1 + 0.5 * Math.random());

export interface ReactionOptions {
  readonly rounds: number;
  readonly backend?: Backend;
}

export interface Reaction {
  /** From an advert of a worse master to the daemon's answer. */
  readonly answer: Sample;
  /** From an echo request to the kernel's answer: the same way without a process. */
  readonly wire: Sample;
  /** The difference: from the arrival of a frame to what was decided about it. */
  readonly decision: Sample;
}

/** A master hears an advert of a worse one, which it must contradict at once. */
export function measureReaction(
  subject: Subject,
  tools: Tools,
  options: ReactionOptions,
): Promise<Reaction> {
  return Lan.use(subject, tools, async (lan) => {
    const { rounds, ...backend } = options;
    const daemon = lan.start('a', { skew, preempt: false, ...backend });
    await daemon.backup();
    await lan.play([{ at: 0, frame: subject.goodbye(lan.sender) }]);
    await daemon.master();
    await delay(settleMs + subject.noticeMs);
    const capture = await lan.capture(filter);
    await lan.play(composeReactions(subject, lan, rounds));
    await delay(subject.noticeMs);
    const seen = await capture.stop();
    const answers = pairUp(seen, lan, 'advert', subject.reaction);
    if (answers.length < rounds / 2) {
      throw new Error(`of ${rounds} adverts only ${answers.length} were answered`);
    }
    const wire = summarize(pairUp(seen, lan, 'echo-request', 'echo-reply'));
    const decisions = answers.map((ms) => ms - wire.median);
    return { answer: summarize(answers), wire, decision: summarize(decisions) };
  });
}

/** After every advert, when it has been answered, a ping. */
function composeReactions(subject: Subject, lan: Lan, rounds: number): readonly Note[] {
  const { sender } = lan;
  const score: Note[] = [];
  let at = 0;
  for (let round = 1; round <= rounds; round += 1) {
    score.push({ at, frame: subject.advert(sender, worseSkew) });
    at += irregular(unhurriedMs + subject.noticeMs);
    score.push({ at, frame: echoRequest(sender, lan.identity('a'), round) });
    at += irregular(10);
  }
  return score;
}

/**
 * From each of the prober's frames of one kind to the first answer before the next of its frames.
 */
function pairUp(seen: readonly Seen[], lan: Lan, asks: FrameKind, answers: FrameKind): number[] {
  const isOurs = ({ source }: Seen): boolean => source === lan.sender.mac;
  const ours = seen.filter((one) => isOurs(one) && /advert|echo/.test(one.kind));
  const theirs = seen.filter((one) => !isOurs(one) && one.kind === answers);
  return ours.flatMap(({ at, kind }, index) => {
    const next = ours[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const answer = theirs.find((one) => one.at > at && one.at < next);
    return kind !== asks || answer === undefined ? [] : [answer.at - at];
  });
}

export interface Takeover {
  /** From the goodbye to the first gratuitous ARP. */
  readonly announced: Sample;
  /** From the goodbye to the first answer to an ARP request for the address. */
  readonly answered: Sample;
}

/**
 * A backup hears the master's goodbye and takes over, which includes adding the address; somebody
 * asks for the address every millisecond. What the protocol makes it wait is taken off.
 */
export function measureTakeover(subject: Subject, tools: Tools, rounds: number): Promise<Takeover> {
  return Lan.use(subject, tools, async (lan) => {
    const daemon = lan.start('a', { skew, preempt: false });
    await daemon.backup();
    await lan.play([{ at: 0, frame: subject.goodbye(lan.sender) }]);
    await daemon.master();
    await delay(settleMs);
    const capture = await lan.capture(filter);
    const score: Note[] = [];
    for (let round = 0, at = 0; round < rounds; round += 1) {
      at = composeTakeover(subject, lan, score, at);
    }
    await lan.play(score);
    const { announced, answered } = readTakeovers(await capture.stop(), lan, subject);
    return { announced: summarize(announced), answered: summarize(answered) };
  });
}

/** Makes the daemon a backup, and then master again. Answers with when the next round may begin. */
function composeTakeover(subject: Subject, lan: Lan, score: Note[], begin: number): number {
  const { sender } = lan;
  score.push({ at: begin, frame: subject.advert(sender, betterSkew) });
  const goodbyeAt = begin + irregular(500 + subject.noticeMs);
  score.push({ at: goodbyeAt - 50, frame: arpRequest(sender) });
  score.push({ at: goodbyeAt, frame: subject.goodbye(sender) });
  const askMs = takeoverMs + subject.patienceMs(skew) + subject.noticeMs;
  for (let ms = 0; ms < askMs; ms += 1) {
    score.push({ at: goodbyeAt + ms, frame: arpRequest(sender) });
  }
  return goodbyeAt + askMs + 200;
}

function readTakeovers(
  seen: readonly Seen[],
  lan: Lan,
  subject: Subject,
): { announced: number[]; answered: number[] } {
  const announced: number[] = [];
  const answered: number[] = [];
  const ours = seen.filter(({ kind, source }) => kind === 'advert' && source === lan.sender.mac);
  const first = (kind: FrameKind, from: number, to: number): number | undefined =>
    seen.find((one) => {
      return one.kind === kind && one.source !== lan.sender.mac && one.at > from && one.at < to;
    })?.at;
  // Adverts and goodbyes take turns.
  for (let index = 1; index < ours.length; index += 2) {
    const goodbyeAt = ours[index]?.at ?? 0;
    const end = ours[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    // Who still answers has not given the address up yet, and has nothing to take over.
    if (first('arp-reply', goodbyeAt - 60, goodbyeAt) !== undefined) continue;
    const since = goodbyeAt + subject.patienceMs(skew);
    const garp = first('garp', goodbyeAt, end);
    const reply = first('arp-reply', goodbyeAt, end);
    if (garp !== undefined) announced.push(garp - since);
    if (reply !== undefined) answered.push(reply - since);
  }
  return { announced, answered };
}
