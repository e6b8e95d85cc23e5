// The usage text, made from the option table to fit a terminal of 80 columns.

import { type Option, optionGroups, options } from './options.js';

const width = 80;
const helpColumn = 29;

export function usage(programName: string, version: string): string {
  const name = programName.slice(programName.lastIndexOf('/') + 1);
  const groups = optionGroups.map(([group, title]) => {
    const members = options.filter((option) => option.group === group);
    return `${title}:\n${members.map(describe).join('')}`;
  });
  return `tscarp ${version}: keeps an IP address alive on a group of hosts, as ucarp does

Usage: ${name} --vhid=N --pass=PASSWORD --addr=ADDRESS [OPTION]...
${name === 'ucarp' ? '' : commands(name)}
${groups.join('\n')}
Example, on each of two hosts (with --advskew=50 instead of --preempt on the one
that shall wait):

  ${name} --vhid=1 --passfile=/etc/tscarp.pass --addr=10.0.0.5 --src=10.0.0.1 \\
    --if=eth1 --preempt${name === 'ucarp' ? ' --upscript=/etc/up.sh --downscript=/etc/down.sh' : ''}
`;
}

/** Under ucarp's name there are none. */
function commands(name: string): string {
  return `       ${name} status | demote | promote | sniff | lab   (each has --help)
`;
}

function describe(option: Option): string {
  const head = `  ${option.short ? `-${option.short}, ` : '    '}${spellings(option)}`;
  const [first = '', ...rest] = wrap(option.help, width - helpColumn);
  const indent = ' '.repeat(helpColumn);
  const fits = head.length <= helpColumn - 2;
  const lines = fits ? [head.padEnd(helpColumn) + first] : [head, indent + first];
  return [...lines, ...rest.map((line) => indent + line), ''].join('\n');
}

function spellings({ name, aliases = [], value }: Option): string {
  const names = [name, ...aliases].map((spelling) => `--${spelling}`).join(', ');
  return value === undefined ? names : `${names}=${value}`;
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
