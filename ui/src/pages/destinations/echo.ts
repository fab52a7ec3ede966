/*
 * What C-ECHO found out, step by step.
 */
import type { Returns } from '@/api/client'

export type EchoResult = Returns<'echo'>
export type StepName = 'associate' | 'tls' | 'answer'
export interface Step {
  name: StepName
  /** null: it did not come to that */
  ok: boolean | null
  /** how long it took */
  took: string | null
  details: string[]
}

export function stepsOf(result: EchoResult): Step[] {
  const answered = result.round_trip_time !== null || result.ok === true
  const connected = result.associate_time !== null || answered
  const steps: Step[] = [{ name: 'associate', ok: connected, took: result.associate_time, details: filled(result.peer_implementation) }]
  if (result.tls_version !== null) {
    steps.push({ name: 'tls', ok: true, took: null, details: filled(result.tls_version, result.tls_cipher, result.tls_subject) })
  }
  steps.push({ name: 'answer', ok: connected ? result.ok === true : null, took: result.round_trip_time, details: filled(result.status) })
  return steps
}

function filled(...texts: (string | null)[]): string[] {
  return texts.filter((text) => text !== null && text !== '') as string[]
}
