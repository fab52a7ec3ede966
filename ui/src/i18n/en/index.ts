/*
 * English, all of it: a file for what the pages share, and one for each page.
 */
import { common } from './common'
import { dashboard } from './dashboard'
import { expression } from './expression'
import { login } from './login'
import { queue } from './queue'
import { routes } from './routes'
import { studies } from './studies'

export const en = {
  ...common,
  dashboard,
  expression,
  login,
  queue,
  routes,
  studies,
} as const
