/*
 * English, all of it: a file for what the pages share, and one for each page.
 */
import { common } from './common'
import { dashboard } from './dashboard'
import { destinationFields } from './destinationFields'
import { destinations } from './destinations'
import { login } from './login'
import { queue } from './queue'
import { studies } from './studies'
import { versions } from './versions'

export const en = {
  ...common,
  dashboard,
  destinationFields,
  destinations,
  login,
  queue,
  studies,
  versions,
} as const
