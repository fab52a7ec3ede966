/*
 * Something measured: it stands beside the test's result.
 */
import { test } from '@playwright/test'

export const FIGURE = 'figure'

export function figure(what: string, value: string | number): void {
  test.info().annotations.push({ type: FIGURE, description: `${what}: ${value}` })
}
