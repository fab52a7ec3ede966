/*
 * Why routes took an object, or did not: outcomes and terms of predicates.
 */
import { t } from '@/i18n'
import { pieces } from '@/lib/expression'
import { iconCritical, iconInfo, iconNeutral, iconOk, iconUnknown, iconWaiting } from '@/icons'
import type { Look } from '@/lib/states'

export interface Term {
  text: string
  value: boolean | null
  error?: string | null
  connective?: string | null
  decides?: boolean | null
}

export interface ExplainedJob {
  job_id: number
  destination?: string
  state?: string
  at?: string
  detail?: string
}

/** It has terms of its own, which can be asked for. */
export function hasTerms(text: string): boolean {
  return pieces(text).some(({ kind, text: word }) => kind === 'keyword' && /^(and|or|not)$/i.test(word))
}

function look(tone: 'ok' | 'info' | 'neutral' | 'critical', icon: string, label: string): Look {
  return { tone, icon, label }
}

export function termLook({ value, error }: Pick<Term, 'value' | 'error'>): Look {
  if (error) return look('critical', iconCritical, t('routes.explain.error'))
  if (value === null) return look('neutral', iconUnknown, t('routes.explain.null'))
  return value ? look('ok', iconOk, t('routes.explain.true')) : look('neutral', iconNeutral, t('routes.explain.false'))
}

export function outcomeLook(outcome: string | null): Look {
  switch (outcome) {
    case 'matched': return look('ok', iconOk, t('routes.explain.matched'))
    case 'gathered': return look('info', iconWaiting, t('routes.explain.gathered'))
    case 'error': return look('critical', iconCritical, t('routes.explain.failed'))
    case 'not matched': return look('neutral', iconNeutral, t('routes.explain.notMatched'))
    case 'disabled': return look('neutral', iconNeutral, t('routes.explain.disabled'))
    case 'not valid': return look('neutral', iconNeutral, t('routes.explain.notValid'))
    case 'stopped before': return look('neutral', iconNeutral, t('routes.explain.stoppedBefore'))
    case 'not needed': return look('neutral', iconNeutral, t('routes.explain.notNeeded'))
    case 'would match': return look('info', iconInfo, t('routes.explain.wouldMatch'))
    case 'would not match': return look('neutral', iconNeutral, t('routes.explain.wouldNotMatch'))
    case 'would fail': return look('critical', iconCritical, t('routes.explain.wouldFail'))
    default: return look('neutral', iconUnknown, t('states.unknown'))
  }
}
