// Reads and runs one scenario: commands above the line of dashes, what came of them below it. Every
// frame takes 0.2 ms, every alarm rings on time, and every number is the same each time.
//
//   host NAME ADDRESS [advbase=N] [advskew=N] [ratio=N] [preempt] [pass=TEXT] [announce=MS,MS]
//   start|crash|leave|demote|promote|pause|resume|link-down|link-up NAME
//   send-failures|claim-failures NAME  begin, and end when said again
//   mute NAME              nobody hears it any more
//   deaf NAME SPEAKER      frames of SPEAKER do not reach NAME any more
//   mend                   everybody hears everybody again
//   run SECONDS
//   advertisements on|off  whether each advertisement sent is shown
//   status                 one line a host

import { formatIpv4, formatMac, type Ipv4, parseIpv4 } from '../../src/protocol/address.js';
import type { Action } from '../../src/protocol/carp/state.js';
import { between, milliseconds, seconds } from '../../src/protocol/units.js';
import { createCarpRouter } from '../../src/protocol/virtual-router.js';
import { carpOptions, macOf } from '../sim/cluster.js';
import { breakDigest, every, type FaultName, inflict } from '../sim/faults.js';
import { Host } from '../sim/host.js';
import { Lan, type Report } from '../sim/lan.js';
import { Random } from '../sim/random.js';

const divider = '----';

/** The scenario's text again, with what comes of its commands today. */
export function rewrite(text: string): string {
  const lines = text.split('\n');
  const end = lines.indexOf(divider);
  const script = (end < 0 ? lines : lines.slice(0, end)).join('\n').trimEnd();
  return `${script}\n${divider}\n${new Scenario().play(script).join('\n')}\n`;
}

class Scenario {
  readonly #lan = new Lan(new Random(1), breakDigest);
  #showAdvertisements = false;

  play(script: string): readonly string[] {
    this.#lan.observers.push({ stepped: (report) => this.#show(report) });
    for (const [index, line] of script.split('\n').entries()) {
      const words = line.replace(/#.*/, '').trim().split(/\s+/);
      if (words[0] !== '' && !this.#obey(words)) throw new Error(`line ${index + 1}: ${line}`);
    }
    return this.#lan.transcript;
  }

  #obey([command = '', ...words]: readonly string[]): boolean {
    const [first = '', second = ''] = words;
    switch (command) {
      case 'host':
        return this.#addHost(first, second, words.slice(2));
      case 'run':
        this.#lan.run(seconds(Number(first)));
        return Number(first) > 0;
      case 'deaf':
        this.#lan.cut(first, second);
        this.#lan.note(`${first} is deaf to ${second}`);
        return this.#find(first) !== undefined && this.#find(second) !== undefined;
      case 'mend':
        this.#lan.mend();
        this.#lan.note('everybody hears everybody');
        return true;
      case 'advertisements':
        this.#showAdvertisements = first === 'on';
        return first === 'on' || first === 'off';
      case 'status':
        for (const host of this.#lan.hosts) this.#status(host);
        return true;
      default:
        return this.#inflict(command, this.#find(first));
    }
  }

  #inflict(command: string, host: Host | undefined): boolean {
    const fault = every.find((name): name is FaultName => name === command);
    return fault !== undefined && host !== undefined && inflict(this.#lan, host, fault);
  }

  #find(name: string): Host | undefined {
    return this.#lan.hosts.find((host) => host.name === name);
  }

  #addHost(name: string, address: string, words: readonly string[]): boolean {
    const source: Ipv4 | undefined = parseIpv4(address);
    if (source === undefined) return false;
    const given = new Map(
      words.map((word): [string, string] => {
        const [key = '', value = ''] = word.split('=');
        return [key, value];
      }),
    );
    const waits = given.get('announce')?.split(',') ?? [];
    const settings = {
      advbase: Number(given.get('advbase') ?? 1),
      advskew: Number(given.get('advskew') ?? 0),
      deadRatio: Number(given.get('ratio') ?? 3),
      preempt: given.has('preempt'),
      source,
      announceAfter: waits.map((wait) => milliseconds(Number(wait))),
    };
    const router = createCarpRouter(carpOptions(settings, given.get('pass')));
    this.#lan.hosts.push(new Host(this.#lan, name, router, macOf(this.#lan.hosts.length)));
    return true;
  }

  #show({ host, actions }: Report): void {
    for (const action of actions) {
      const text = this.#describe(action);
      if (text !== undefined) this.#lan.show(host.name, text);
    }
  }

  #describe(action: Action): string | undefined {
    switch (action.type) {
      case 'advertise': {
        const priority = `${action.advbase}/${action.advskew}`;
        if (action.advbase === 255 && action.advskew === 255) return `> goodbye ${priority}`;
        return this.#showAdvertisements ? `> advertisement ${priority}` : undefined;
      }
      case 'announce':
        return '> gratuitous ARP';
      case 'claim':
        return '+ addresses';
      case 'release':
        return action.occasion === 'start' ? '- addresses of an earlier life' : '- addresses';
    }
  }

  #status(host: Host): void {
    const { state, neighbour, drops, holds } = host;
    if (state === undefined) {
      this.#lan.show(host.name, '= does not run');
      return;
    }
    const since = (between(state.since, this.#lan.now) / 1_000_000).toFixed(3);
    const parts = [
      `= ${state.type} for ${since} s`,
      `as ${formatIpv4(host.router.settings.source)}`,
      ...(holds ? ['holds the addresses'] : []),
      ...(neighbour === undefined ? [] : [`was told that ${formatMac(neighbour)} has them`]),
      ...[...drops].map(([reason, count]) => `dropped ${count} for ${reason}`),
    ];
    this.#lan.show(host.name, parts.join(', '));
  }
}
