/*
 * The program: Vue, Quasar, the queries, the router, and what happens when the session or the server goes away.
 */
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { Dark, Notify, Quasar } from 'quasar'
import iconSet from 'quasar/icon-set/svg-mdi-v7.js'
import { createApp } from 'vue'
import 'quasar/dist/quasar.css'
import './styles/tokens.css'
import './styles/app.css'
import './styles/table.css'
import { listeners } from './api/client'
import App from './App.vue'
import { watchConnection } from './composables/useConnection'
import { applyPreferences } from './composables/usePreferences'
import { forgetSession } from './composables/useSession'
import { makeRouter, signInFirst } from './router'

const queries = new QueryClient({
  defaultOptions: {
    // the browser's idea of being online says nothing about a server in the same building
    queries: { retry: false, networkMode: 'always', staleTime: 1000, refetchOnWindowFocus: true },
    mutations: { retry: false, networkMode: 'always' },
  },
})
const router = makeRouter()

listeners.signedOut = () => {
  forgetSession()
  queries.clear()
  const here = router.currentRoute.value
  if (here.meta.role !== 'anyone') void router.push(signInFirst(here))
}
watchConnection(() => void queries.refetchQueries({ type: 'active' }))

createApp(App)
  .use(Quasar, { plugins: { Dark, Notify }, iconSet })
  .use(VueQueryPlugin, { queryClient: queries })
  .use(router)
  .mount('#app')
applyPreferences()
