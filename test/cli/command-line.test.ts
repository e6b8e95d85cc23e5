// What the daemon's command line means under the name tscarp, and what both names have in common.

import { describe, expect, it } from 'vitest';
import { options } from '../../src/cli/options.js';
import { usage } from '../../src/cli/usage.js';
import { parseIpv4 } from '../../src/protocol/address.js';
import { seconds } from '../../src/protocol/units.js';
import { config, messages, parse, refusal } from './command-line-fixture.js';

const base = ['--vhid', '1', '--pass', 'love', '--addr', '10.0.0.5'];

describe('a complete line', () => {
  it('the line of the project yields a configuration with every default', () => {
    const line = '--vhid 1 --pass love --src 10.0.0.1 --addr 10.0.0.5 --if eth1 --preempt'.split(
      ' ',
    );
    expect(parse(line)).toEqual({
      type: 'run',
      messages: [],
      config: {
        personality: 'tscarp',
        interface: 'eth1',
        source: 0x0a000001,
        group: 0xe0000012,
        broadcast: false,
        vhid: 1,
        password: new TextEncoder().encode('love'),
        address: 0x0a000005,
        addressText: '10.0.0.5',
        prefixLength: undefined,
        advbase: 1,
        advskew: 0,
        deadRatio: 3,
        preempt: true,
        neutral: false,
        upscript: undefined,
        downscript: undefined,
        xparam: undefined,
        shutdown: false,
        daemonize: false,
        ignoreLinkState: false,
        facility: undefined,
        debug: false,
        pidfile: undefined,
        manageAddress: true,
        garpRepeat: [seconds(2), seconds(5)],
        logFormat: 'text',
        backend: 'packet',
        realMac: false,
        runDir: '/run/tscarp',
        stateDir: '/var/lib/tscarp',
      },
    });
  });

  it('every flag arrives in the configuration', () => {
    expect(config([...base, '-PnzBSMD', '--real-mac'])).toMatchObject({
      preempt: true,
      neutral: true,
      shutdown: true,
      daemonize: true,
      ignoreLinkState: true,
      broadcast: true,
      debug: true,
      realMac: true,
    });
  });

  it('every value arrives in the configuration', () => {
    const line = [...base, '-i', 'eth1:0', '-s10.0.0.1', '-m224.0.0.99', '-b2', '-k100', '-r4'];
    line.push(
      '-u/up',
      '-d',
      '/down',
      '-x',
      '',
      '-f',
      'LOCAL6',
      '--pidfile=/p',
      '--log-format=json',
    );
    line.push('--backend=raw', '--run-dir=/r', '--state-dir=/s', '--garp-repeat=9,0.5');
    expect(config(line)).toMatchObject({
      interface: 'eth1:0',
      source: parseIpv4('10.0.0.1'),
      group: parseIpv4('224.0.0.99'),
      advbase: 2,
      advskew: 100,
      deadRatio: 4,
      upscript: '/up',
      downscript: '/down',
      xparam: '',
      facility: 'local6',
      pidfile: '/p',
      logFormat: 'json',
      backend: 'raw',
      runDir: '/r',
      stateDir: '/s',
      garpRepeat: [seconds(0.5), seconds(9)],
    });
  });

  it('the directories come from the environment unless the line names them', () => {
    const env = { TSCARP_RUN_DIR: '/env/run', TSCARP_STATE_DIR: '/env/state' };
    expect(config(base, { env })).toMatchObject({ runDir: '/env/run', stateDir: '/env/state' });
    expect(config([...base, '--run-dir=/line'], { env }).runDir).toBe('/line');
  });

  it('interface and source are found by the daemon when they are not given', () => {
    expect(config(base)).toMatchObject({ interface: 'auto', source: 'auto' });
    expect(config([...base, '-i', '', '--src', 'auto'])).toMatchObject({
      interface: 'auto',
      source: 'auto',
    });
  });

  it('a prefix length of --addr is kept and one of --src is ignored', () => {
    const line = config(['-v1', '-px', '--addr', '10.0.0.5/24', '--src', '10.0.0.1/24']);
    expect(line).toMatchObject({
      addressText: '10.0.0.5',
      prefixLength: 24,
      source: parseIpv4('10.0.0.1'),
    });
  });

  it.each(['0', 'none', ''])('--garp-repeat %j is no repetition', (value) => {
    expect(config([...base, '--garp-repeat', value]).garpRepeat).toEqual([]);
  });

  it.each(['none', 'NONE'])('facility %s is no syslog', (value) => {
    expect(config([...base, '-f', value]).facility).toBeUndefined();
  });

  it('old names of facilities are turned into those of today', () => {
    expect(config([...base, '-f', 'security']).facility).toBe('auth');
    expect(config([...base, '-f', 'mark']).facility).toBe('syslog');
  });
});

describe('who manages the address', () => {
  it.each([
    ['tscarp without scripts', 'tscarp', [], true],
    ['tscarp with an up script', 'tscarp', ['-u', '/up'], false],
    ['tscarp with a down script', 'tscarp', ['-d', '/down'], false],
    ['tscarp with empty scripts', 'tscarp', ['-u', '', '-d', ''], true],
    ['tscarp with a script and --manage-addr', 'tscarp', ['-u', '/up', '--manage-addr'], true],
    ['tscarp with --no-manage-addr', 'tscarp', ['--no-manage-addr'], false],
    ['ucarp without scripts', 'ucarp', [], false],
    ['ucarp with --manage-addr', 'ucarp', ['--manage-addr'], true],
    ['the later of both', 'ucarp', ['--manage-addr', '--no-manage-addr'], false],
  ] as const)('%s', (_name, personality, more, managed) => {
    const line = [...base, '-s', '10.0.0.1', ...more];
    expect(config(line, { personality }).manageAddress).toBe(managed);
  });

  it('a missing script is warned of only when nobody else holds the address', () => {
    expect(messages(base)).toEqual([]);
    expect(messages([...base, '-u', '/up'])).toEqual([
      'warning: Warning: no script called when going down',
    ]);
    expect(messages([...base, '--no-manage-addr'])).toHaveLength(2);
  });
});

describe('mistakes under the name tscarp', () => {
  const ending = 'tscarp: "tscarp --help" shows all options.\n';

  it('all of them are told at once, with status 2 and nothing on stdout', () => {
    const line = ['--vhid=0', '-k', '256', '--adr', '10.0.0.5', '-p', 'x'.repeat(20)];
    expect(refusal(line)).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'tscarp: there is no option --adr; did you mean --addr?\n' +
        'tscarp: --vhid "0" is out of range: expected 1 to 255\n' +
        'tscarp: the password in --pass has 20 bytes: expected 1 to 19, the same on all hosts of ' +
        'the group\n' +
        'tscarp: --addr is missing: give the address to keep alive, for instance --addr ' +
        '10.0.0.5/24\n' +
        'tscarp: --advskew "256" is out of range: expected 0 to 255\n' +
        'tscarp: warning: "10.0.0.5" is ignored: it belongs to no option\n' +
        ending,
    });
  });

  it.each([
    [['-v', '12abc'], '--vhid "12abc" is not a number ("abc" follows it): expected 1 to 255'],
    [['-v', 'abc'], '--vhid "abc" is not a number: expected 1 to 255'],
    [['-v', ''], '--vhid "" is not a number: expected 1 to 255'],
    [['-v', '-1'], 'its value seems to be missing'],
    [['-v', '018'], 'is not a number (it begins with 0, so ucarp reads it as octal)'],
    [['-b', '256'], '--advbase "256" is out of range: expected 0 to 255'],
    [['-b', '0'], '--advbase and --advskew are both 0'],
    [['-r', '0'], '--deadratio "0" is out of range: expected 1 to 4294967295'],
    [['-r', '4294967296'], '--deadratio "4294967296" is out of range'],
    [['-p', ''], 'the password in --pass has 0 bytes: expected 1 to 19'],
    [['--addr', '10.0.0.6'], 'several addresses in one group are not yet supported'],
    [['--src', '-B'], '--srcip "-B" is not an IPv4 address'],
    [['--src', '-B'], '(its value seems to be missing on the command line)'],
    [['--src', '0.0.0.0'], 'cannot be the address of a host'],
    [['--src', '10.0.0.5'], '--src and --addr are both 10.0.0.5'],
    [['--src', 'fe80::1'], 'IPv6 is not yet supported'],
    [['-m', '10.0.0.1'], '--mcastip "10.0.0.1" is not a multicast address'],
    [['-f', 'bogus'], '--facility "bogus" does not exist'],
    [['-i', 'abcdefghijklmnop'], '--interface "abcdefghijklmnop" cannot be an interface'],
    [['-i', 'eth 0'], 'without blank or slash'],
    [['--backend', 'x'], '--backend "x" does not exist: expected packet, cap or raw'],
    [['--log-format=xml'], '--log-format "xml" does not exist: expected text or json'],
    [['--garp-repeat=2,,5'], '--garp-repeat "2,,5" is not a list of seconds'],
    [['--garp-repeat=0,5'], 'numbers above 0'],
    [['-o', '/none'], 'unable to open passfile /none for reading: No such file or directory'],
    [['-p'], '-p is the last word: expected a value after it'],
    [['--src'], '--srcip is the last word: expected a value after it'],
    [['--preempt=yes'], '--preempt takes no value: leave out the "="'],
    [['--p=x'], '--p may stand for --pass, --preempt, --passfile: write it in full'],
    [['-y'], 'there is no option -y\n'],
    [['--syslog'], 'there is no option --syslog\n'],
    [['--password=x'], 'there is no option --password; did you mean --pass?'],
    [['--iface=x'], 'did you mean --if?'],
    [['--vihd=x'], 'did you mean --vhid?'],
  ] as const)('%s is told as: %s', (more, sentence) => {
    const { status, stdout, stderr } = refusal([...base, ...more]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
    expect(stderr.endsWith(ending)).toBe(true);
  });

  it.each(['10.0.0', '10.0.0.5/33', '10.0.0.5/0', '0.0.0.0', '224.0.0.1', '10.0.0.5,10.0.0.6', ''])(
    '--addr %j is refused',
    (address) => {
      expect(refusal(['-v1', '-px', '-a', address])).toMatchObject({ status: 2, stdout: '' });
    },
  );

  it('an IPv6 address is refused in words', () => {
    const { stderr } = refusal(['-v1', '-px', '-a', '[2001:db8::100]/64']);
    expect(stderr).toContain('IPv6 is not yet supported');
  });

  it('a missing password is told with every way to give one', () => {
    expect(refusal(['-v1', '-a', '10.0.0.5']).stderr).toMatch(/--passfile .* --pass /);
  });

  it('with --nomcast any group will do, as with ucarp', () => {
    expect(config([...base, '-M', '-m', '10.0.0.1']).group).toBe(parseIpv4('10.0.0.1'));
  });

  it('the same address twice is one address', () => {
    expect(config([...base, ...base]).addressText).toBe('10.0.0.5');
  });
});

describe('warnings under the name tscarp', () => {
  it.each([
    ['010', 8],
    ['0012', 10],
    ['07', 7],
  ])('an octal number is kept and told: %s', (text, value) => {
    const line = ['-v', text, '-p', 'x', '-a', '10.0.0.5'];
    expect(config(line).vhid).toBe(value);
    expect(messages(line)).toEqual([
      `warning: vhid "${text}" read as octal ${value}, as ucarp does; write ${value}`,
    ]);
  });

  it.each([
    ['0x10', 16],
    [' 5', 5],
    ['+5', 5],
  ])('%j is %d without a warning', (text, value) => {
    const line = ['-v', text, '-p', 'x', '-a', '10.0.0.5'];
    expect(config(line).vhid).toBe(value);
    expect(messages(line)).toEqual([]);
  });

  it('a stray word is told', () => {
    expect(messages([...base, 'love'])).toEqual([
      'warning: "love" is ignored: it belongs to no option',
    ]);
  });

  it('a stray word after the password is told without showing it', () => {
    const line = ['-v1', '-a', '10.0.0.5', '-p', 'two', 'words'];
    expect(messages(line)).toEqual([
      'warning: the word after the password is ignored: put quotes around a password with blanks',
    ]);
  });
});

describe('help', () => {
  it('without any word the usage goes to stderr with status 2', () => {
    expect(refusal([])).toEqual({ status: 2, stdout: '', stderr: usage('tscarp', '1.2.3') });
  });

  it.each([[['-h']], [['--help']], [['-v', '300', '-h']], [['--foo', '--help']]])(
    '%j shows the usage with status 0',
    (argv) => {
      expect(refusal(argv)).toEqual({ status: 0, stdout: usage('tscarp', '1.2.3'), stderr: '' });
    },
  );

  it('--version shows name and version', () => {
    const shown = { status: 0, stdout: 'tscarp 1.2.3\n', stderr: '' };
    expect(refusal(['--version'])).toEqual(shown);
    expect(refusal(['--version'], { personality: 'ucarp' })).toEqual(shown);
  });

  it('the usage text fits 80 columns and names every option, alias and letter', () => {
    const text = usage('/usr/sbin/ucarp', '1.2.3');
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const { name, aliases = [], short } of options) {
      for (const spelling of [name, ...aliases]) expect(text).toMatch(`--${spelling}`);
      if (short !== undefined) expect(text).toContain(`  -${short}, --${name}`);
    }
    expect(text).toContain('Usage: ucarp --vhid');
  });
});
