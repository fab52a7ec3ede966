/*
 * A header as a tree: from DICOM JSON (PS3.18 F.2) to attributes, items and their attributes; what of it matches a
 * search; and the lines that are seen, given what is open.  All of it is text that somebody else wrote.
 */
import { t } from '@/i18n'
import { bytes } from '@/lib/format'

export interface HeaderNode {
  /** where it stands: 00400275/0/00400007 */
  path: string
  kind: 'attribute' | 'item'
  /** eight hexadecimal digits; of an item those of its sequence */
  tag: string
  vr: string
  text: string
  /** the attribute is a private one */
  private: boolean
  children: HeaderNode[]
}

export interface Line {
  node: HeaderNode
  level: number
  open: boolean
}

/** (0010,0020) */
export function writtenTag(tag: string): string {
  return `(${tag.slice(0, 4)},${tag.slice(4)})`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** One value of an attribute: a person's name has groups, all others are text or number. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (isRecord(value)) {
    const groups = [value.Alphabetic, value.Ideographic, value.Phonetic].map((group) => (typeof group === 'string' ? group : ''))
    return groups.join('=').replace(/=+$/, '')
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function attributeText(attribute: Record<string, unknown>, items: number): string {
  if (attribute.vr === 'SQ') return t('studies.headerItems', { n: items })
  if (typeof attribute.InlineBinary === 'string') {
    const { length } = attribute.InlineBinary.replace(/=+$/, '')
    return t('studies.headerBinary', { size: bytes(Math.floor((length * 3) / 4)) })
  }
  if (attribute.BulkDataURI !== undefined) return t('studies.headerBulk')
  return Array.isArray(attribute.Value) ? attribute.Value.map(valueText).join(' \\ ') : ''
}

export function headerTree(dataset: unknown, above = ''): HeaderNode[] {
  if (!isRecord(dataset)) return []
  return Object.keys(dataset)
    .filter((tag) => /^[0-9A-Fa-f]{8}$/.test(tag) && isRecord(dataset[tag]))
    .sort()
    .map((tag) => {
      const attribute = dataset[tag] as Record<string, unknown>
      const vr = typeof attribute.vr === 'string' ? attribute.vr : '??'
      const path = `${above}${tag}`
      const values: unknown[] = vr === 'SQ' && Array.isArray(attribute.Value) ? attribute.Value : []
      const items = values.map((item, i): HeaderNode => ({
        path: `${path}/${i}`, kind: 'item', tag, vr: '', text: t('studies.headerItem', { n: i + 1 }), private: false, children: headerTree(item, `${path}/${i}/`),
      }))
      return { path, kind: 'attribute', tag, vr, text: attributeText(attribute, items.length), private: parseInt(tag.slice(0, 4), 16) % 2 === 1, children: items }
    })
}

/** Every tag that occurs, at any depth: of which names are wanted. */
export function tagsOf(nodes: readonly HeaderNode[], into = new Set<string>()): Set<string> {
  for (const node of nodes) {
    if (node.kind === 'attribute' && !node.private) into.add(node.tag)
    tagsOf(node.children, into)
  }
  return into
}

export function parents(nodes: readonly HeaderNode[], into = new Set<string>()): Set<string> {
  for (const node of nodes) {
    if (node.children.length > 0) into.add(node.path)
    parents(node.children, into)
  }
  return into
}

// ---------- search ----------

/** What is searched in: (0010,0020), 00100020, 0010,0020, the name, the VR, the value. */
function haystack(node: HeaderNode, names: ReadonlyMap<string, string>): string {
  if (node.kind === 'item') return ''
  return [writtenTag(node.tag), node.tag, names.get(node.tag) ?? '', node.vr, node.text].join(' ').toLowerCase()
}

export interface Found {
  nodes: HeaderNode[]
  /** attributes that match, those that only lead to them not counted */
  count: number
}

/** The attributes in which all words occur, with all that leads to them; below a sequence that matches, everything. */
export function search(nodes: readonly HeaderNode[], text: string, names: ReadonlyMap<string, string>): Found {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return { nodes: [...nodes], count: 0 }
  let count = 0
  const kept = (node: HeaderNode): HeaderNode[] => {
    const within = haystack(node, names)
    const matches = node.kind === 'attribute' && words.every((word) => within.includes(word))
    if (matches) count++
    const below = node.children.flatMap(kept)
    if (below.length > 0) return [{ ...node, children: matches ? node.children : below }]
    return matches ? [node] : []
  }
  return { nodes: nodes.flatMap(kept), count }
}

// ---------- lines ----------

/** The lines that are seen, at most so many: a node's children below it, if it is open. */
export function linesOf(nodes: readonly HeaderNode[], open: (path: string) => boolean, most: number): Line[] {
  const lines: Line[] = []
  const add = (node: HeaderNode, level: number): void => {
    if (lines.length >= most) return
    const isOpen = node.children.length > 0 && open(node.path)
    lines.push({ node, level, open: isOpen })
    if (isOpen) for (const child of node.children) add(child, level + 1)
  }
  for (const node of nodes) add(node, 1)
  return lines
}

/** Where an arrow key leads from a line, as trees have it; null: it opens or closes, or leads nowhere. */
export function neighbour(lines: readonly Line[], index: number, key: string): number | null {
  const line = lines[index]
  if (line === undefined) return null
  switch (key) {
    case 'ArrowDown': return Math.min(index + 1, lines.length - 1)
    case 'ArrowUp': return Math.max(index - 1, 0)
    case 'Home': return 0
    case 'End': return lines.length - 1
    case 'PageDown': return Math.min(index + 15, lines.length - 1)
    case 'PageUp': return Math.max(index - 15, 0)
    case 'ArrowRight': return line.open ? index + 1 : null
    case 'ArrowLeft': {
      if (line.open) return null
      for (let i = index - 1; i >= 0; i--) if ((lines[i]?.level ?? 0) < line.level) return i
      return null
    }
    default: return null
  }
}
