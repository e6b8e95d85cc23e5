// getopt against glibc's wording and habits; differential.test.ts holds it against the real thing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GetoptError, getopt, glibcMessage } from '../../src/cli/getopt.js';
import { grammar, type Option, options } from '../../src/cli/options.js';

/** What was understood, in short: `name=value`, the words, and the messages. */
function read(argv: readonly string[], posixlyCorrect = false): readonly string[] {
  return getopt(argv, grammar, posixlyCorrect).map((item) => {
    if (item.type === 'word') return `word ${item.text}`;
    if (item.type === 'error') return glibcMessage(item);
    return item.option.value === undefined ? item.option.name : `${item.option.name}=${item.value}`;
  });
}

describe('options and their values', () => {
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['a short option takes the next word', ['-i', 'eth0'], ['interface=eth0']],
    ['a short option takes what is attached', ['-ieth0'], ['interface=eth0']],
    ['an attached value keeps its equals sign', ['-p=x'], ['pass==x']],
    ['flags can be bundled', ['-Pzn'], ['preempt', 'shutdown', 'neutral']],
    ['the last of a bundle takes the next word', ['-Pzp', 'x'], ['preempt', 'shutdown', 'pass=x']],
    ['the rest of a bundle is the value', ['-Pplove'], ['preempt', 'pass=love']],
    ['a value may begin with a dash', ['-p', '-secret'], ['pass=-secret']],
    ['a value may be two dashes', ['-p', '--', '-P'], ['pass=--', 'preempt']],
    ['a value may be empty', ['-x', ''], ['xparam=']],
    ['a long option takes the next word', ['--pass', 'x'], ['pass=x']],
    ['a long option takes what follows the equals sign', ['--pass=x=y'], ['pass=x=y']],
    ['a long option with only an equals sign has an empty value', ['--pass='], ['pass=']],
    ['a long option takes a word with dashes', ['--pass', '--foo'], ['pass=--foo']],
    ['quotes are part of the value', ["--pass='a b'"], ["pass='a b'"]],
    ['words between the options are collected', ['a', '-P', 'b'], ['word a', 'preempt', 'word b']],
    ['a lone dash is a word', ['-', '-P'], ['word -', 'preempt']],
    ['two dashes end the options', ['-P', '--', '-z', '--'], ['preempt', 'word -z', 'word --']],
    ['every occurrence is told', ['-v1', '-v', '2'], ['vhid=1', 'vhid=2']],
  ];
  it.each(table)('%s', (_name, argv, expected) => {
    expect(read(argv)).toEqual(expected);
  });

  it('with POSIXLY_CORRECT the first word ends the options', () => {
    expect(read(['-P', 'a', '-z', '--', 'b'], true)).toEqual([
      'preempt',
      'word a',
      'word -z',
      'word --',
      'word b',
    ]);
  });
});

describe('abbreviations', () => {
  it.each([
    ['--inter=x', 'interface=x'],
    ['--src=x', 'srcip=x'],
    ['--mcast=x', 'mcastip=x'],
    ['--m=x', 'mcastip=x'],
    ['--up=x', 'upscript=x'],
    ['--neu', 'neutral'],
    ['--pre', 'preempt'],
    ['--no', 'nomcast'],
    ['--dae', 'daemonize'],
    ['--passf=x', 'passfile=x'],
    ['--pass=x', 'pass=x'],
    ['--v=1', 'vhid=1'],
    ['--if=x', 'interface=x'],
    ['--pid=x', 'pidfile=x'],
    ['--no-', 'no-manage-addr'],
    ['--ver', 'version'],
    ['--g=1', 'garp-repeat=1'],
  ])('%s is %s', (word, meaning) => {
    expect(read([word])).toEqual([meaning]);
  });

  it("none of ucarp's is changed by an option of ours", () => {
    const [ucarp = []] = grammar.long;
    expect(ucarp).toHaveLength(22);
    const alone = { ...grammar, long: [ucarp] };
    for (const { name } of ucarp) {
      for (let length = 1; length <= name.length; length += 1) {
        const argv = [`--${name.slice(0, length)}`, 'value'];
        expect(getopt(argv, grammar), argv[0]).toEqual(getopt(argv, alone));
      }
    }
  });
});

describe("errors in glibc's words", () => {
  it.each([
    [['--foo'], "unrecognized option '--foo'"],
    [['--foo=bar'], "unrecognized option '--foo=bar'"],
    [['--no-preempt'], "unrecognized option '--no-preempt'"],
    [['-y'], "invalid option -- 'y'"],
    [['-é'], "invalid option -- 'é'"],
    [['-:'], "invalid option -- ':'"],
    [['-p'], "option requires an argument -- 'p'"],
    [['--pass'], "option '--pass' requires an argument"],
    [['--src'], "option '--srcip' requires an argument"],
    [['--if'], "option '--if' requires an argument"],
    [['--preempt=yes'], "option '--preempt' doesn't allow an argument"],
    [['--pree='], "option '--preempt' doesn't allow an argument"],
    [['--p'], "option '--p' is ambiguous; possibilities: '--pass' '--preempt' '--passfile'"],
    [['--p=x'], "option '--p=x' is ambiguous; possibilities: '--pass' '--preempt' '--passfile'"],
    [['--s'], "option '--s' is ambiguous; possibilities: '--srcip' '--shutdown'"],
  ])('%s: %s', (argv, message) => {
    expect(read(argv)).toEqual([message]);
  });

  it('an error in a bundle does not hide what follows', () => {
    expect(read(['-yPw', '-z'])).toEqual([
      "invalid option -- 'y'",
      'preempt',
      "invalid option -- 'w'",
      'shutdown',
    ]);
  });
});

describe('properties', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(...options.map(({ name }) => `--${name}`)),
    fc.constantFrom('-P', '-p', '-Pzp', '--pa', '--p=x', '--', '-', '-é', '--if'),
    fc.string().map((text) => `-${text}`),
    fc.string().map((text) => `--pass=${text}`),
  );

  it('every value and word stands at the place that is told', () => {
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        for (const item of getopt(argv, grammar)) {
          const there = argv[item.place.word]?.slice(item.place.offset);
          if (item.type === 'word') expect(there).toBe(item.text);
          if (item.type === 'option' && item.option.value) expect(there).toBe(item.value);
        }
      }),
    );
  });

  it('no word of the line is passed over but the first two dashes', () => {
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        const touched = getopt(argv, grammar).flatMap(({ type, place }) => {
          // A value in a word of its own was announced by the word before it.
          return type === 'option' && place.offset === 0
            ? [place.word - 1, place.word]
            : place.word;
        });
        const missed = argv.filter((_, index) => !touched.includes(index));
        expect([[], ['--']]).toContainEqual(missed);
      }),
    );
  });

  it('an error always has a message', () => {
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        const errors = getopt(argv, grammar).filter((item) => item.type === 'error');
        for (const error of errors as GetoptError<Option>[]) {
          expect(glibcMessage(error)).toMatch(/option/);
        }
      }),
    );
  });
});

it('the table has no name, alias or letter twice', () => {
  const letters = options.flatMap(({ short }) => (short === undefined ? [] : [short]));
  expect(new Set(letters).size).toBe(letters.length);
  const names = options.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
});
