/*
 * English, all of it: a file for what the pages share, and one for each page.
 */
import { common } from './common'
import { dashboard } from './dashboard'
import { login } from './login'
import { queue } from './queue'
import { studies } from './studies'
import { versions } from './versions'

export const en = {
  ...common,
  dashboard,
  login,
  queue,
  studies,
  versions,
} as const
