/** How a URL may spell an address that nobody outside should reach. */

/** Of every special block, an address that is not public. */
export const privateIPv4 = [
  ...['127.0.0.1', '127.0.0.2', '127.255.255.254', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.254'],
  ...['192.168.0.1', '169.254.169.254', '100.64.0.1', '192.0.0.8', '198.18.0.1', '203.0.113.5', '224.0.0.1'],
  ...['240.0.0.1', '255.255.255.255'],
];

/** Each takes the four bytes of an address and spells it as a URL's host. */
const spellings: Record<string, (bytes: [number, number, number, number]) => string> = {
  dotted: (bytes) => bytes.join('.'),
  'final dot': (bytes) => `${bytes.join('.')}.`,
  decimal: (bytes) => String(Buffer.from(bytes).readUInt32BE()),
  hex: (bytes) => `0x${Buffer.from(bytes).toString('hex')}`,
  octal: (bytes) => `0${Buffer.from(bytes).readUInt32BE().toString(8)}`,
  'dotted hex': (bytes) => bytes.map((byte) => `0x${byte.toString(16)}`).join('.'),
  'dotted octal': (bytes) => bytes.map((byte) => `0${byte.toString(8)}`).join('.'),
  'dotted long octal': (bytes) => bytes.map((byte) => `0000${byte.toString(8)}`).join('.'),
  'two parts': ([a, ...rest]) => `${a}.${Buffer.from([0, ...rest]).readUInt32BE()}`,
  'three parts': ([a, b, c, d]) => `${a}.${b}.${c * 256 + d}`,
  'mixed bases': ([a, b, c, d]) => `0x${a.toString(16)}.0${b.toString(8)}.${c}.${d}`,
  'full-width digits': (bytes) =>
    bytes.join('.').replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  'circled digits': (bytes) =>
    bytes.join('.').replace(/[1-9]/g, (digit) => String.fromCharCode(0x245f + Number(digit))),
  'ideographic dots': (bytes) => bytes.join('。'),
  'percent escapes': (bytes) => bytes.join('.').replace(/\d/g, (digit) => `%3${digit}`),
  'soft hyphens': (bytes) => bytes.join('\u00ad.'),
  'IPv4-mapped': (bytes) => `[::ffff:${bytes.join('.')}]`,
  'IPv4-mapped, long': (bytes) =>
    `[0:0:0:0:0:FFFF:${Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{4})/, '$1:')}]`,
  'IPv4-compatible': (bytes) => `[::${bytes.join('.')}]`,
  'IPv4-translated': (bytes) => `[::ffff:0:${bytes.join('.')}]`,
  NAT64: (bytes) => `[64:ff9b::${bytes.join('.')}]`,
  'local NAT64': (bytes) => `[64:ff9b:1::${bytes.join('.')}]`,
  '6to4': (bytes) =>
    `[2002:${Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{4})/, '$1:')}::1]`,
  Teredo: (bytes) =>
    `[2001:0:${Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{4})/, '$1:')}::1]`,
};

const otherHosts = [
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'app.localhost',
    'lo%63alhost',
    'ｌｏｃａｌｈｏｓｔ',
    '127.1',
    '127.0.1',
    '0',
  ],
  ...[
    '0x0',
    '00',
    '0x7f.1',
    '0177.1',
    '017700000001',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000::0001]',
    '[fe80::1]',
  ],
  ...[
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fec0::1]',
    '[ff02::1]',
    '[2001:db8::1]',
    '[100::1]',
    '[5f00::1]',
    '[4000::1]',
  ],
];

/** More than 400 URLs that lead to this machine or a private network, on this port. */
export function privateUrls(port: number): string[] {
  const spelled = privateIPv4.flatMap((address) => {
    const bytes = address.split('.').map(Number) as [number, number, number, number];
    return Object.values(spellings).map((spell) => spell(bytes));
  });
  const hosts = [...spelled, ...otherHosts];
  const around = [
    `http:127.0.0.1:${port}/`,
    `http:\\\\127.0.0.1:${port}\\x`,
    `http:/\\127.0.0.1:${port}/`,
    `hTTp://127.0.0.1:${port}/`,
    ` \t\nhttp://127.0.0.1:${port}/ `,
    `ht\ntp://127.0.\t0.1:${port}/`,
    `http://127.0.0.1:${port}#@example.com/`,
    `http://127.0.0.1:${port}?@example.com/`,
    `http://127.0.0.1:${port}\\@example.com/`,
    `///127.0.0.1:${port}/`.replace('///', 'http:///'),
  ];
  return [
    ...hosts.map((host) => `http://${host}:${port}/`),
    ...hosts.slice(0, 40).map((host) => `https://${host}:${port}/`),
    ...around,
  ];
}
