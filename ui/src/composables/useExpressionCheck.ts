/*
 * What the server says about an expression while it is typed: asked when one pauses.  What it says is about the text that
 * it was asked about, so it is forgotten with the next key.
 */
import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { api, rows, type Args } from '@/api/client'
import { toApiError } from '@/api/error'

export const CHECKS = {
  predicate: (predicate: string): ['check_predicate', Args<'check_predicate'>] => ['check_predicate', { predicate }],
  expected_instances: (text: string): ['check_expected_instances', Args<'check_expected_instances'>] => ['check_expected_instances', { expected_instances: text }],
  edit_expression: (expression: string): ['check_edit_expression', Args<'check_edit_expression'>] => ['check_edit_expression', { expression }],
} as const
export type ExpressionKind = keyof typeof CHECKS

export interface Problem {
  message: string
  hint: string | null
  /** counted from 1, in characters; null: nowhere in particular */
  character: number | null
}

const PAUSE_MS = 400

/** The place is the beginning of the details: "At character 12. …" */
export function characterIn(details: string | null): number | null {
  const found = /^At character (\d+)\./.exec(details ?? '')
  return found === null ? null : Number(found[1])
}

export async function problemOf(kind: ExpressionKind, text: string, signal: AbortSignal): Promise<Problem | null> {
  const [name, args] = CHECKS[kind](text)
  try {
    await rows<null>(api.rpc(name, args as never).abortSignal(signal))
    return null
  } catch (caught) {
    const error = toApiError(caught)
    if (error.kind !== 'refused') throw error
    return { message: error.message, hint: error.hint, character: characterIn(error.details) }
  }
}

/**
 * @param text null: there is nothing to check
 */
export function useExpressionCheck(kind: () => ExpressionKind, text: () => string | null) {
  const problem = shallowRef<Problem | null>(null)
  /** unknown: not asked yet, or there was no answer */
  const state = ref<'unknown' | 'checking' | 'right' | 'wrong'>('unknown')
  let timer: ReturnType<typeof setTimeout> | undefined
  let controller = new AbortController()

  function forget(): void {
    clearTimeout(timer)
    controller.abort()
    controller = new AbortController()
    problem.value = null
    state.value = 'unknown'
  }

  async function check(asked: string): Promise<void> {
    const { signal } = controller
    state.value = 'checking'
    try {
      const found = await problemOf(kind(), asked, signal)
      if (signal.aborted) return
      problem.value = found
      state.value = found === null ? 'right' : 'wrong'
    } catch {
      // no answer, which the banner says
      if (!signal.aborted) state.value = 'unknown'
    }
  }

  watch([kind, text], () => {
    forget()
    const asked = text()
    if (asked !== null) timer = setTimeout(() => void check(asked), PAUSE_MS)
  }, { immediate: true })
  onScopeDispose(forget)

  return { problem, state }
}
