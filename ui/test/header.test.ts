import { describe, expect, it } from 'vitest'
import { headerTree, linesOf, neighbour, parents, search, tagsOf, writtenTag } from '@/pages/studies/header'

const dataset = {
  '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎' }] },
  '00080008': { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY'] },
  '00081140': {
    vr: 'SQ',
    Value: [
      { '00081150': { vr: 'UI', Value: ['1.2.3'] } },
      { '00081150': { vr: 'UI', Value: ['1.2.4'] }, '0040A170': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['121311'] } }] } },
    ],
  },
  '00281050': { vr: 'DS', Value: [40, -600] },
  '00091001': { vr: 'UN', InlineBinary: 'AAECAw==' },
  '00104000': { vr: 'LT' },
  '7FE00010': { vr: 'OW', BulkDataURI: 'x' },
}
const names = new Map([['00100010', 'PatientName'], ['00081140', 'ReferencedImageSequence'], ['00081150', 'ReferencedSOPClassUID'], ['00080100', 'CodeValue'], ['00281050', 'WindowCenter']])
const tree = headerTree(dataset)
const everything = () => true

describe('a header', () => {
  it('is in order of tags, each with its value as text', () => {
    expect(tree.map(({ tag, text }) => [tag, text])).toEqual([
      ['00080008', 'ORIGINAL \\ PRIMARY'],
      ['00081140', '2 items'],
      ['00091001', 'binary, 4 B'],
      ['00100010', 'Yamada^Tarou=山田^太郎'],
      ['00104000', ''],
      ['00281050', '40 \\ -600'],
      ['7FE00010', 'binary, not in the header'],
    ])
    expect(writtenTag('00100020')).toBe('(0010,0020)')
    expect(tree.find(({ tag }) => tag === '00091001')?.private).toBe(true)
  })
  it('keeps an ideographic name without an alphabetic one in its place', () => {
    expect(headerTree({ '00100010': { vr: 'PN', Value: [{ Ideographic: '山田' }] } })[0]?.text).toBe('=山田')
  })
  it('of nonsense is empty', () => {
    expect(headerTree(null)).toEqual([])
    expect(headerTree([1])).toEqual([])
    expect(headerTree({ nonsense: { vr: 'SH' }, '00100010': 5 })).toEqual([])
    expect(headerTree({ '00100010': { vr: 'SQ', Value: 'x' } })[0]?.children).toEqual([])
  })
  it('knows whose names are wanted, at any depth, but not of private ones', () => {
    expect([...tagsOf(tree)].sort()).toEqual(['00080008', '00080100', '00081140', '00081150', '00100010', '00104000', '00281050', '0040A170', '7FE00010'])
  })
})

describe('its search', () => {
  const found = (text: string) => search(tree, text, names)
  const tags = (text: string) => linesOf(found(text).nodes, everything, 100).map(({ node }) => node.path)
  it('goes by tag, however it is written', () => {
    for (const text of ['(0010,0010)', '0010,0010', '00100010', 'PATIENTNAME', '太郎']) expect(tags(text)).toEqual(['00100010'])
  })
  it('keeps what leads to what was found, and counts that not', () => {
    expect(tags('121311')).toEqual(['00081140', '00081140/1', '00081140/1/0040A170', '00081140/1/0040A170/0', '00081140/1/0040A170/0/00080100'])
    expect(found('121311').count).toBe(1)
    expect(found('SOPClass').count).toBe(2)
  })
  it('wants all words', () => {
    expect(tags('window 40')).toEqual(['00281050'])
    expect(tags('window 41')).toEqual([])
  })
  it('shows everything below a sequence that matches', () => {
    expect(tags('ReferencedImage')).toContain('00081140/1/0040A170/0/00080100')
  })
  it('for nothing is everything', () => expect(found('  ').nodes).toHaveLength(tree.length))
})

describe('its lines', () => {
  it('are those that are open', () => {
    expect(linesOf(tree, () => false, 100)).toHaveLength(7)
    expect(linesOf(tree, everything, 100)).toHaveLength(14)
    expect(linesOf(tree, everything, 3)).toHaveLength(3)
    expect(parents(tree).size).toBe(5)
  })
  it('are walked through as trees are', () => {
    const lines = linesOf(tree, everything, 100)
    expect(neighbour(lines, 0, 'ArrowDown')).toBe(1)
    expect(neighbour(lines, 0, 'ArrowUp')).toBe(0)
    expect(neighbour(lines, 1, 'ArrowRight')).toBe(2)
    expect(neighbour(lines, 1, 'ArrowLeft')).toBeNull()
    expect(neighbour(lines, 3, 'ArrowLeft')).toBe(2)
    expect(neighbour(lines, 0, 'End')).toBe(13)
    expect(neighbour(lines, 0, 'x')).toBeNull()
    expect(neighbour(linesOf(tree, () => false, 100), 1, 'ArrowRight')).toBeNull()
  })
})
