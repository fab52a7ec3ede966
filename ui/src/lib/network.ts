/*
 * IP addresses and networks, as PostgreSQL writes them (inet, cidr): which addresses a network has.
 */
export interface Network {
  bits: 32 | 128
  first: bigint
  /** how many bits of the address are the network's */
  prefix: number
}

function parts(numbers: readonly number[], bitsEach: bigint): bigint {
  return numbers.reduce((address, n) => (address << bitsEach) | BigInt(n), 0n)
}

function parseV4(text: string): bigint | null {
  const numbers = text.split('.')
  if (numbers.length !== 4 || !numbers.every((n) => /^\d{1,3}$/.test(n) && Number(n) <= 255)) return null
  return parts(numbers.map(Number), 8n)
}

/** Colons and hexadecimal numbers, :: for zeros, perhaps an IPv4 address at the end. */
function parseV6(text: string): bigint | null {
  const v4 = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0]
  if (v4 !== undefined) {
    const address = parseV4(v4)
    if (address === null) return null
    text = `${text.slice(0, -v4.length)}${(address >> 16n).toString(16)}:${(address & 0xffffn).toString(16)}`
  }
  const halves = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const given = halves.flat()
  if (halves.length > 2 || given.length > 8 || !given.every((n) => /^[0-9a-f]{1,4}$/i.test(n))) return null
  if (halves.length === 1 ? given.length !== 8 : given.length === 8) return null
  const zeros = Array.from({ length: 8 - given.length }, () => '0')
  return parts([...(halves[0] ?? []), ...zeros, ...(halves[1] ?? [])].map((n) => parseInt(n, 16)), 16n)
}

/** An address, or one with the length of its network behind it; null: neither. */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...more] = text.trim().split('/')
  const bits = address.includes(':') ? 128 : 32
  const first = bits === 128 ? parseV6(address) : parseV4(address)
  if (first === null || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return null
  const prefix = length === undefined ? bits : Number(length)
  return prefix > bits ? null : { bits, first, prefix }
}

export function contains(network: Network, address: Network): boolean {
  const rest = BigInt(network.bits - network.prefix)
  return network.bits === address.bits && network.prefix <= address.prefix && network.first >> rest === address.first >> rest
}

/** The first and the last address of what is typed: an address, a network, or the beginning of an IPv4 address. */
export function addressRange(text: string): { from: string; to: string } | null {
  const numbers = text.trim().replace(/\.$/, '').split('.')
  const missing = 4 - numbers.length
  const begun = missing > 0 && /^[\d.]+$/.test(text.trim())
  const network = parseNetwork(begun ? `${[...numbers, ...Array.from({ length: missing }, () => '0')].join('.')}/${8 * numbers.length}` : text)
  if (network === null) return null
  const rest = BigInt(network.bits - network.prefix)
  const from = (network.first >> rest) << rest
  return { from: written(from, network.bits), to: written(from | ((1n << rest) - 1n), network.bits) }
}

function written(address: bigint, bits: 32 | 128): string {
  const each = bits === 32 ? 8n : 16n
  const numbers = Array.from({ length: Number(BigInt(bits) / each) }, (_, i) => (address >> (BigInt(bits) - each * BigInt(i + 1))) & ((1n << each) - 1n))
  return bits === 32 ? numbers.join('.') : numbers.map((n) => n.toString(16)).join(':')
}
