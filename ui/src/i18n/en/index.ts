/*
 * English, all of it: a file for what the pages share, and one for each page.
 */
import { associations } from './associations'
import { common } from './common'
import { dashboard } from './dashboard'
import { login } from './login'
import { queue } from './queue'
import { studies } from './studies'

export const en = {
  ...common,
  associations,
  dashboard,
  login,
  queue,
  studies,
} as const
