/*
 * Columns and attributes that the gateway knows, as one types an expression or the name of an attribute.
 */
import { computed, type Ref } from 'vue'
import { useLive } from './useLive'
import { api, rows } from '@/api/client'
import { t } from '@/i18n'
import type { Word } from '@/lib/expression'
import { containing } from '@/lib/pattern'
import { KNOWN, suggest, type Attribute, type Column } from '@/lib/suggestions'

const MOST_ATTRIBUTES = 20
/** They are what they are until the gateway is another version. */
const SELDOM = { interval: 3600_000 }

/** Attributes with this in their keyword, those that begin so first. */
export function useAttributes(typed: () => string) {
  const { data, error } = useLive(
    () => ['attribute', typed().toLowerCase()],
    async (signal) => {
      const query = (pattern: string) => rows(api.from('attribute').select().ilike('keyword', pattern).order('keyword').limit(MOST_ATTRIBUTES).abortSignal(signal))
      const within = containing(typed())
      const begin = await query(within.slice(1))
      if (begin.length === MOST_ATTRIBUTES) return begin
      const known = new Set(begin.map(({ keyword }) => keyword))
      return [...begin, ...(await query(within)).filter(({ keyword }) => !known.has(keyword))].slice(0, MOST_ATTRIBUTES)
    },
    { ...SELDOM, enabled: () => typed().length >= 2 },
  )
  return { attributes: computed<Attribute[]>(() => (typed().length >= 2 ? (data.value ?? []) : [])), error }
}

export function useSuggestions(text: () => string, word: Ref<Word | null>) {
  const { attributes, error: attributeError } = useAttributes(() => word.value?.typed ?? '')
  const { data: columns, error: columnError } = useLive(['route_column'], (signal) => rows(api.from('route_column').select().abortSignal(signal)), SELDOM)
  const known = KNOWN.map(({ label, insert, detail }) => ({ label, insert: insert ?? label, detail: t(detail) }))
  const suggestions = computed(() => {
    if (word.value === null) return []
    const named: Column[] = (columns.value ?? []).map(({ name, type, comment }) => ({ name: name ?? '', detail: `${comment ?? ''} · ${type ?? ''}` }))
    return suggest(word.value, known, named, attributes.value, text())
  })
  return { suggestions, error: computed(() => attributeError.value ?? columnError.value) }
}
