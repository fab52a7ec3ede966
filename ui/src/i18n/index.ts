/*
 * Texts: t('queue.title'), t('queue.selected', { n: 5 }).  All of them stand in en/, a file a page; a key
 * that there is not, or a parameter that is missing, does not compile.
 *
 * A text with {name} takes that parameter; one of { one, other } is chosen by its parameter n.  Numbers are written
 * as the browser's language has it.
 */
import { en } from './en'

type Plural = { readonly one: string; readonly other: string }
type Text = string | Plural
interface Tree {
  readonly [key: string]: Text | Tree
}

type Keys<T> = {
  [K in keyof T & string]: T[K] extends Text ? K : `${K}.${Keys<T[K]>}`
}[keyof T & string]
type At<T, K extends string> = K extends `${infer Head}.${infer Rest}`
  ? Head extends keyof T ? At<T[Head], Rest> : never
  : K extends keyof T ? T[K] : never
type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type NamesOf<T> = T extends Plural ? 'n' | Names<T['other']> : Names<T>
type Value = string | number
type Params<K extends TextKey> = NamesOf<At<typeof en, K>> extends never ? [] : [params: Record<NamesOf<At<typeof en, K>>, Value>]

export type TextKey = Keys<typeof en>
/** Keys of texts without parameters: what titles and labels are. */
export type PlainKey = { [K in TextKey]: Params<K> extends [] ? K : never }[TextKey]

const number = new Intl.NumberFormat()
const plural = new Intl.PluralRules('en')

function lookUp(key: string): Text {
  let node: Text | Tree = en
  for (const part of key.split('.')) node = (node as Tree)[part] as Text | Tree
  return node as Text
}

function format(value: Value): string {
  return typeof value === 'number' ? number.format(value) : value
}

export function t<K extends TextKey>(key: K, ...params: Params<K>): string {
  const values = (params[0] ?? {}) as Record<string, Value>
  const found = lookUp(key)
  const text = typeof found === 'string' ? found : found[plural.select(Number(values.n)) === 'one' ? 'one' : 'other']
  return text.replace(/\{(\w+)\}/g, (_, name: string) => format(values[name] ?? ''))
}
