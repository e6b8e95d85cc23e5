// GNU getopt_long for the daemon's own line: abbreviations, bundles, attached values, `--`, words
// between the options. Like glibc 2.36 it goes on after an error, and words its errors byte for
// byte.

/** What getopt must know of an option: whether it takes a value. */
export interface Valued {
  readonly value?: string;
}

export interface LongName<T> {
  readonly name: string;
  readonly option: T;
}

export interface Grammar<T> {
  /** By their one character. */
  readonly short: ReadonlyMap<string, T>;
  /** In tiers: an abbreviation means something in the first tier that has a name for it. */
  readonly long: readonly (readonly LongName<T>[])[];
}

/** Where a value stands: the index of its word, and how many characters of that word precede it. */
export interface Place {
  readonly word: number;
  readonly offset: number;
}

export interface GivenOption<T> {
  readonly type: 'option';
  readonly option: T;
  /** Empty for an option without value. */
  readonly value: string;
  readonly place: Place;
}

interface StrayWord {
  readonly type: 'word';
  readonly text: string;
  readonly place: Place;
}

export interface GetoptError<T> {
  readonly type: 'error';
  readonly problem: 'unknown' | 'ambiguous' | 'missing-value' | 'unwanted-value';
  /** As on the line, dashes and `=value` included; one character of a bundle is `-c`. */
  readonly given: string;
  /** The full names meant, or for `ambiguous` perhaps meant, in the order of the table. */
  readonly candidates: readonly LongName<T>[];
  readonly place: Place;
}

export type Item<T> = GivenOption<T> | StrayWord | GetoptError<T>;

/**
 * Everything on the line in its order. `posixlyCorrect` stops at the first word that is no option,
 * as the variable POSIXLY_CORRECT demands; what follows are words.
 */
export function getopt<T extends Valued>(
  argv: readonly string[],
  grammar: Grammar<T>,
  posixlyCorrect = false,
): readonly Item<T>[] {
  const items: Item<T>[] = [];
  let optionsEnded = false;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (!optionsEnded && word === '--') optionsEnded = true;
    else if (optionsEnded || !word.startsWith('-') || word === '-') {
      items.push({ type: 'word', text: word, place: { word: index, offset: 0 } });
      optionsEnded ||= posixlyCorrect;
    } else {
      const found = word.startsWith('--')
        ? [readLong(argv, index, grammar)]
        : readBundle(argv, index, grammar);
      items.push(...found);
      // A value of its own word has been consumed with its option.
      if (found.some(({ type, place }) => type === 'option' && place.word > index)) index += 1;
    }
  }
  return items;
}

function readLong<T extends Valued>(
  argv: readonly string[],
  index: number,
  grammar: Grammar<T>,
): Item<T> {
  const given = argv[index] ?? '';
  const equals = given.indexOf('=');
  const place = { word: index, offset: equals < 0 ? given.length : equals + 1 };
  const candidates = findLong(given.slice(2, equals < 0 ? undefined : equals), grammar);
  const [meant] = candidates;
  const error = (problem: GetoptError<T>['problem']): Item<T> => {
    return { type: 'error', problem, given, candidates, place };
  };
  if (meant === undefined) return error('unknown');
  if (candidates.length > 1) return error('ambiguous');
  const { option } = meant;
  if (option.value === undefined) {
    return equals < 0 ? { type: 'option', option, value: '', place } : error('unwanted-value');
  }
  if (equals >= 0) return { type: 'option', option, value: given.slice(equals + 1), place };
  const value = argv[index + 1];
  if (value === undefined) return error('missing-value');
  return { type: 'option', option, value, place: { word: index + 1, offset: 0 } };
}

/** One name when the meaning is clear, none when nothing begins so, else all that do. */
function findLong<T>(start: string, grammar: Grammar<T>): readonly LongName<T>[] {
  for (const tier of grammar.long) {
    const exact = tier.find(({ name }) => name === start);
    if (exact !== undefined) return [exact];
    const matching = tier.filter(({ name }) => name.startsWith(start));
    const [first] = matching;
    if (first === undefined) continue;
    return matching.every(({ option }) => option === first.option) ? [first] : matching;
  }
  return [];
}

function readBundle<T extends Valued>(
  argv: readonly string[],
  index: number,
  { short }: Grammar<T>,
): Item<T>[] {
  const word = argv[index] ?? '';
  const items: Item<T>[] = [];
  let offset = 1;
  for (const letter of word.slice(1)) {
    offset += letter.length;
    const option = short.get(letter);
    const place = { word: index, offset };
    const error = { type: 'error', given: `-${letter}`, candidates: [], place } as const;
    if (option === undefined) items.push({ ...error, problem: 'unknown' });
    else if (option.value === undefined) items.push({ type: 'option', option, value: '', place });
    else if (offset < word.length) {
      return [...items, { type: 'option', option, value: word.slice(offset), place }];
    } else {
      const value = argv[index + 1];
      if (value === undefined) return [...items, { ...error, problem: 'missing-value' }];
      const next = { word: index + 1, offset: 0 };
      return [...items, { type: 'option', option, value, place: next }];
    }
  }
  return items;
}

/** The error as glibc prints it, without the program's name in front. */
export function glibcMessage<T>({ problem, given, candidates }: GetoptError<T>): string {
  const [meant] = candidates;
  if (!given.startsWith('--')) {
    const what = problem === 'unknown' ? 'invalid option' : 'option requires an argument';
    return `${what} -- '${given.slice(1)}'`;
  }
  switch (problem) {
    case 'unknown':
      return `unrecognized option '${given}'`;
    case 'ambiguous': {
      const names = candidates.map(({ name }) => ` '--${name}'`).join('');
      return `option '${given}' is ambiguous; possibilities:${names}`;
    }
    case 'missing-value':
      return `option '--${meant?.name ?? ''}' requires an argument`;
    case 'unwanted-value':
      return `option '--${meant?.name ?? ''}' doesn't allow an argument`;
  }
}
