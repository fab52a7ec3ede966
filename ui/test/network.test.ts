import { describe, expect, it } from 'vitest'
import { addressRange, contains, parseNetwork, type Network } from '@/lib/network'

function network(text: string): Network {
  const parsed = parseNetwork(text)
  if (parsed === null) throw new Error(`${text} is no network`)
  return parsed
}

describe('networks', () => {
  it.each([
    ['10.1.2.0/24', '10.1.2.255', true],
    ['10.1.2.0/24', '10.1.3.0', false],
    ['10.1.2.3/32', '10.1.2.3', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::/0', '10.1.2.3', false],
    ['0.0.0.0/0', '::1', false],
    ['10.1.2.3/32', '10.1.2.0/24', false],
  ])('%s has %s: %s', (outer, inner, expected) => expect(contains(network(outer), network(inner))).toBe(expected))

  it('are read in all ways that they are written', () => {
    expect(network('::').first).toBe(0n)
    expect(network('::1').first).toBe(1n)
    expect(network('1::').first).toBe(1n << 112n)
    expect(network('::ffff:10.0.0.1').first).toBe(0xffff0a000001n)
    expect(network('1:2:3:4:5:6:7:8').first).toBe(0x00010002000300040005000600070008n)
  })
  it.each(['', '10.1.2', '10.1.2.256', '10.1.2.3/33', '10.1.2.3/', '10.1.2.3/8/8', '1:2:3', '1::2::3', '1:2:3:4:5:6:7:8::', 'fe80::g', 'pacs'])(
    'not %j',
    (text) => expect(parseNetwork(text)).toBeNull(),
  )
})

describe('a range of addresses', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', '10.1.2.3'],
    ['10.1', '10.1.0.0', '10.1.255.255'],
    ['10.1.', '10.1.0.0', '10.1.255.255'],
    ['10.1.2.77/24', '10.1.2.0', '10.1.2.255'],
    ['2001:db8::/32', '2001:db8:0:0:0:0:0:0', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('%s', (text, from, to) => expect(addressRange(text)).toEqual({ from, to }))
  it.each(['10.300', 'pacs', '10..1', '10.1.2.3.4'])('not %s', (text) => expect(addressRange(text)).toBeNull())
})
