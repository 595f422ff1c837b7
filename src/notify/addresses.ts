import { BlockList, isIP } from 'node:net'

/** What lies behind an address: anybody's machine, one of this network, or what nobody may be sent to. */
export type AddressKind = 'public' | 'private' | 'never'

/** Source: IANA IPv4 Special-Purpose Address Registry. */
const private4 = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']
const never4 = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // where clouds tell a machine its secrets, outside the link-local range
  '100.100.100.200/32',
  '168.63.129.16/32',
]
/** Source: IANA IPv6 Special-Purpose Address Registry. Whatever is not listed here and not in 2000::/3 is nobody's. */
const private6 = ['::1/128', 'fc00::/7']
const public6 = ['2000::/3']
const never6 = ['fd00:ec2::254/128', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const listOf = (ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [network, bits] = range.split('/') as [string, string]
    list.addSubnet(network, Number(bits), family)
  }
  return list
}
const ranges4 = { never: listOf(never4, 'ipv4'), private: listOf(private4, 'ipv4') }
const ranges6 = {
  never: listOf(never6, 'ipv6'),
  private: listOf(private6, 'ipv6'),
  public: listOf(public6, 'ipv6'),
}

/**
 * Judges an address as a resolver gives it. IPv6 that carries IPv4 inside (mapped, 6to4, Teredo) is `never`, so that no other
 * notation leads where the plain one may not; the same goes for what is not an address at all.
 */
export function judgeAddress(address: string): AddressKind {
  switch (isIP(address)) {
    case 4:
      if (ranges4.never.check(address, 'ipv4')) return 'never'
      return ranges4.private.check(address, 'ipv4') ? 'private' : 'public'
    case 6: {
      // because a zone (`fe80::1%eth0`) is of this link, and Node refuses to look it up
      if (address.includes('%') || ranges6.never.check(address, 'ipv6')) return 'never'
      const behind = translated(address)
      if (behind !== undefined) return judgeAddress(behind)
      if (ranges6.private.check(address, 'ipv6')) return 'private'
      return ranges6.public.check(address, 'ipv6') ? 'public' : 'never'
    }
    default:
      return 'never'
  }
}

/** Of a network that reaches IPv4 through a translator (64:ff9b::/96): the address behind it. Source: RFC 6052. */
function translated(address: string): string | undefined {
  const canonical = URL.parse(`http://[${address}]/`)?.hostname ?? ''
  const match = /^\[64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})?\]$/.exec(canonical)
  if (!match) return undefined
  const [high, low] = [match[1], match[2]].map((group) => Number.parseInt(group ?? '0', 16)) as [number, number]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Whether it names this machine: as an address, or as `localhost`. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}
